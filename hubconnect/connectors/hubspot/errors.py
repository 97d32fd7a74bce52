"""HubSpot's error answers as our error tree ("Error handling" in HubSpot's documentation)."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hubconnect.connectors.answers import whole_number
from hubconnect.connectors.budgets import DAILY
from hubconnect.connectors.errors import (
    AttentionError,
    Category,
    ConnectorError,
    FieldFault,
    RateLimitedError,
    RecordError,
    TemporaryError,
)
from hubconnect.connectors.http import (
    Answer,
    AnswerMissingError,
    retry_after,
    temporary_error,
)
from hubconnect.connectors.hubspot.days import until_allowed

HOST = "HubSpot"
REFUSED = "HubSpot refused the record: "
NO_CONTENT = 204
BAD_REQUEST, UNAUTHORIZED, FORBIDDEN, NOT_FOUND, CONFLICT = 400, 401, 403, 404, 409
TOO_LARGE, TOO_LONG, TOO_MANY, MIGRATING = 413, 414, 429, 477
# Statuses whose meaning depends on what was asked: the caller judges them.
CALLER_JUDGES = {BAD_REQUEST, NOT_FOUND, CONFLICT, TOO_LARGE, TOO_LONG}

EXISTING_ID = re.compile(r"Existing ID:\s*(\d+)")
ALREADY_HAS = re.compile(r"(\d+) already has that value")
ALREADY_HAS_FIELD = re.compile(r"propertyName=([^,}]+)")
NOT_SET = re.compile(r"required properties were not set", re.IGNORECASE)
FAULTS_START = "Property values were not valid: "

# Names of limits, as refusals give them.
TEN_SECONDLY, SECONDLY = "TEN_SECONDLY_ROLLING", "SECONDLY"
BURST_WAIT = timedelta(seconds=10)
SEARCH_WAIT = timedelta(seconds=1)

CATEGORY_BY_CODE: Mapping[str, Category] = {
    "PROPERTY_DOESNT_EXIST": Category.CONFIGURATION,
    "READ_ONLY_VALUE": Category.CONFIGURATION,
    "PROPERTY_VALUE_TOO_LONG": Category.TOO_LONG,
    "REQUIRED_FIELD": Category.REQUIRED_FIELD,
}


@dataclass(frozen=True, slots=True)
class Envelope:
    """An error as HubSpot words it; every part may be missing."""

    message: str
    category: str
    context: Mapping[str, tuple[str, ...]]
    faults: tuple[FieldFault, ...]
    policy: str = ""

    def first(self, *names: str) -> str:
        """Return the first text kept in the context under one of these names, or ""."""
        return next((texts[0] for n in names if (texts := self.context.get(n))), "")


def read_envelope(data: object) -> Envelope:
    """Return an error object, of a whole answer or of one entry of a batch's ``errors``."""
    body: dict[str, Any] = data if isinstance(data, dict) else {}
    message = str(body.get("message") or "")
    context = _context(body.get("context"))
    inner = [each for each in body.get("errors") or [] if isinstance(each, dict)]
    for each in inner:
        for name, texts in _context(each.get("context")).items():
            context.setdefault(name, texts)
    faults = tuple(_faults(message, inner, context))
    return Envelope(
        message=message,
        category=str(body.get("category") or body.get("errorType") or ""),
        context=context,
        faults=faults,
        policy=str(body.get("policyName") or ""),
    )


def _context(data: object) -> dict[str, tuple[str, ...]]:
    if not isinstance(data, dict):
        return {}
    return {
        str(name): tuple(str(t) for t in (texts if isinstance(texts, list) else [texts]))
        for name, texts in data.items()
    }


def _faults(
    message: str, inner: list[dict[str, Any]], context: Mapping[str, tuple[str, ...]]
) -> Iterator[FieldFault]:
    """Yield the fields at fault, from where HubSpot names them this time."""
    found = False
    for each in inner:
        for name in _context(each.get("context")).get("propertyName", ()):
            found = True
            yield FieldFault(name, str(each.get("message") or ""), str(each.get("code") or ""))
    if not found and message.startswith(FAULTS_START):
        yield from _faults_in_text(message.removeprefix(FAULTS_START))
    if NOT_SET.search(message):
        for name in context.get("properties", ()):
            yield FieldFault(name, f"{name} is required.", "REQUIRED_FIELD")
    if ALREADY_HAS.search(message) and (held := ALREADY_HAS_FIELD.search(message)):
        yield FieldFault(held[1], message, "ALREADY_HAS_VALUE")


def _faults_in_text(text: str) -> Iterator[FieldFault]:
    """Yield the faults that HubSpot puts as JSON into the message."""
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError):
        return
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and entry.get("name"):
            yield FieldFault(
                str(entry["name"]), str(entry.get("message") or ""), str(entry.get("error") or "")
            )


def existing_id(message: str) -> str:
    """Return the id of the record that holds a unique value already, or ""."""
    found = EXISTING_ID.search(message) or ALREADY_HAS.search(message)
    return found[1] if found else ""


def record_error(envelope: Envelope) -> RecordError:
    """Return the error of one record that HubSpot refused."""
    other = existing_id(envelope.message)
    if other or envelope.category == "CONFLICT":
        return RecordError(
            f"HubSpot already has a record with this value: {other or 'unknown id'}.",
            hint="Link the two records, or make the value unique.",
            category=Category.DUPLICATE,
            faults=envelope.faults,
            existing_id=other,
            answer=envelope.message,
        )
    lost = envelope.context.get("INVALID_OBJECT_IDS", ())
    if lost:
        return RecordError(
            f"{REFUSED}it was to be linked to what is not there ({', '.join(lost)}).",
            hint="The linked record was deleted or merged in HubSpot. Retry once it is synced "
            "again, or choose another default linked record.",
            category=Category.MISSING_LINK,
            answer=envelope.message,
        )
    if envelope.faults:
        first = envelope.faults[0]
        return RecordError(
            REFUSED + "; ".join(f"{fault.field}: {fault.message}" for fault in envelope.faults),
            hint="Is a mandatory field missing, or a value not valid? Correct it and retry.",
            category=CATEGORY_BY_CODE.get(first.code, Category.VALIDATION_ERROR),
            faults=envelope.faults,
            answer=envelope.message,
        )
    return RecordError(
        f"{REFUSED}{envelope.message or 'no reason given'}",
        hint="Correct the record or the mapping, then retry.",
        answer=envelope.message,
    )


@dataclass(slots=True)
class HubSpotJudge:
    """Tells what an answer means. ``time_zone`` is the account's: its day ends the daily limit."""

    time_zone: str = "UTC"

    def __call__(self, answer: Answer) -> ConnectorError | None:
        """Return the error of an answer, or None when it is good or its caller's to judge."""
        if answer.status == TOO_MANY:
            return self._rate_limited(answer)
        if answer.status == MIGRATING:
            return _migrating(answer)
        return temporary_error(answer, HOST) or _refused(answer)

    def _rate_limited(self, answer: Answer) -> RateLimitedError:
        envelope = read_envelope(answer.data)
        text = f"{envelope.policy} {envelope.message}".lower()
        if "daily" in text:
            policy, wait = DAILY, until_allowed(self.time_zone, answer)
            sentence = "HubSpot's daily limit of calls is used up."
        elif "ten_secondly" in text:
            policy, wait = TEN_SECONDLY, _interval(answer)
            sentence = "HubSpot's limit of calls in ten seconds is used up."
        else:
            policy, wait = SECONDLY, SEARCH_WAIT
            sentence = "HubSpot's limit of searches a second is used up."
        return RateLimitedError(
            sentence,
            hint=self._outlook(policy),
            retry_after=retry_after(answer) or wait,
            policy=policy,
        )

    def _outlook(self, policy: str) -> str:
        when = f" at midnight in {self.time_zone}" if policy == DAILY else ""
        return f"It goes on by itself{when}."


class GarbledAnswerError(AnswerMissingError):
    """HubSpot, or something in between, sent a page or half an answer where JSON was due.

    What a write of this kind asked for may have been carried out.
    """


def _refused(answer: Answer) -> ConnectorError | None:
    """Return the error of an answer that is no good, unless its caller judges it."""
    if not isinstance(answer.data, dict):
        if answer.status == NO_CONTENT:
            return None
        return _garbled() if answer.status < BAD_REQUEST else not_hubspot(answer)
    if answer.status < BAD_REQUEST or answer.status in CALLER_JUDGES:
        return None
    envelope = read_envelope(answer.data)
    if answer.status == UNAUTHORIZED:
        return _signed_out(envelope)
    if answer.status == FORBIDDEN:
        return _forbidden(envelope)
    msg = f"HubSpot answered with status {answer.status}: {envelope.message}"
    return AttentionError(msg, hint="Report this with the time it happened.")


def _garbled() -> GarbledAnswerError:
    return GarbledAnswerError(
        "The answer to a call of HubSpot's API was no complete JSON.",
        hint="It is tried again by itself. If it goes on, correct the API Url, or see whether "
        "something between HubConnect and HubSpot shows a page of its own.",
    )


def _interval(answer: Answer) -> timedelta:
    span = whole_number(answer.headers.get("X-HubSpot-RateLimit-Interval-Milliseconds", ""))
    return BURST_WAIT if span is None else min(timedelta(milliseconds=span), BURST_WAIT)


def _migrating(answer: Answer) -> TemporaryError:
    return TemporaryError(
        "HubSpot is moving this account to another data centre.",
        hint="It goes on by itself when the move is done.",
        retry_after=retry_after(answer) or timedelta(hours=1),
    )


def _signed_out(envelope: Envelope) -> AttentionError:
    return AttentionError(
        "HubSpot does not accept the access token.",
        hint="Copy the token of the private app, static app or service key once more; after a "
        f"change of scopes there is a new one. HubSpot says: {envelope.message}",
        category=Category.AUTHENTICATION,
        parameter="access_token",
    )


def _forbidden(envelope: Envelope) -> AttentionError:
    scopes = envelope.context.get("requiredGranularScopes", ())
    if scopes:
        return AttentionError(
            f"The access token lacks a scope; one of these is needed: {', '.join(scopes)}.",
            hint="Add it to the app in HubSpot, then enter the new access token.",
            category=Category.PERMISSION,
            parameter="access_token",
            missing_scopes=scopes,
        )
    return AttentionError(
        f"HubSpot does not permit this: {envelope.message}",
        hint="The account's subscription or the integration user's permissions do not cover it.",
        category=Category.PERMISSION,
    )


def question_error(answer: Answer) -> AttentionError:
    """Return the error of a read that HubSpot finds wrongly put."""
    envelope = read_envelope(answer.data)
    return AttentionError(
        f"HubSpot refused a question (status {answer.status}): {envelope.message}",
        hint="Check that the properties of mapping and criteria still exist in HubSpot.",
    )


def not_hubspot(answer: Answer) -> AttentionError:
    """Return the error of an answer that no HubSpot API gives."""
    return AttentionError(
        f"The API Url does not lead to a HubSpot API: the answer (status {answer.status}) is not "
        "one of HubSpot's.",
        hint="Correct the API Url. For HubSpot itself it is https://api.hubapi.com.",
        category=Category.UNREACHABLE,
        parameter="api_url",
    )
