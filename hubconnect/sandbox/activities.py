"""What HubSpot works out of activities itself (guides "Notes", "Emails", "Tasks"...)."""

import html
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from hubconnect.sandbox.moments import from_text, to_text
from hubconnect.sandbox.schema import Schema

Values = Mapping[str, str]
Derived = dict[str, str | None]
_PREVIEW_LENGTH = 250
_TAG = re.compile(r"<[^>]*>")
_PEOPLE = ("from", "to", "cc", "bcc")
_PARTS = {"email": "email", "firstname": "firstName", "lastname": "lastName"}
_BODIES = {
    "notes": "hs_note_body",
    "emails": "hs_email_html",
    "calls": "hs_call_body",
    "meetings": "hs_meeting_body",
    "tasks": "hs_task_body",
}


def _preview(values: Values, kind: str) -> Derived:
    body = values.get(_BODIES[kind], "")
    text = " ".join(html.unescape(_TAG.sub(" ", body)).split())
    if not text:
        return dict.fromkeys(
            ("hs_body_preview", "hs_body_preview_html", "hs_body_preview_is_truncated")
        )
    return {
        "hs_body_preview": text[:_PREVIEW_LENGTH],
        "hs_body_preview_html": f"<html><head></head><body>{body}</body></html>",
        "hs_body_preview_is_truncated": "true" if len(text) > _PREVIEW_LENGTH else "false",
    }


def _headers(text: str) -> dict[str, list[Mapping[str, Any]]]:
    """Read the people of an e-mail; what is no such JSON names nobody."""
    try:
        headers = json.loads(text or "{}")
    except ValueError:
        return {}
    if not isinstance(headers, dict):
        return {}
    found: dict[str, list[Mapping[str, Any]]] = {}
    for name in _PEOPLE:
        people = headers.get(name) or []
        listed = people if isinstance(people, list) else [people]
        found[name] = [one for one in listed if isinstance(one, dict)]
    return found


def _email(values: Values, _before: Values, _now: int) -> Derived:
    people = _headers(values.get("hs_email_headers", ""))
    return {
        f"hs_email_{role}_{part}": ";".join(
            str(one[member]) for one in people.get(role, []) if one.get(member)
        )
        or None
        for role in _PEOPLE
        for part, member in _PARTS.items()
    }


def _task(values: Values, before: Values, now: int) -> Derived:
    is_done = values.get("hs_task_status") == "COMPLETED"
    was_done = before.get("hs_task_status") == "COMPLETED"
    due = values.get("hs_timestamp")
    derived: Derived = {
        "hs_task_is_overdue": "true" if due and not is_done and from_text(due) < now else "false"
    }
    if is_done != was_done:
        derived["hs_task_completion_date"] = to_text(now) if is_done else None
    return derived


_OWN: dict[str, Callable[[Values, Values, int], Derived]] = {"emails": _email, "tasks": _task}


def _of(kind: str) -> Callable[[Values, Values, Schema, int], Derived]:
    def derive(values: Values, before: Values, _schema: Schema, now: int) -> Derived:
        own = _OWN.get(kind)
        return _preview(values, kind) | (own(values, before, now) if own else {})

    return derive


BY_KIND = {kind: _of(kind) for kind in _BODIES}


def fill_in(kind: str, values: dict[str, str]) -> None:
    """Give a new meeting without a place on the timeline that of its start."""
    if kind == "meetings" and "hs_meeting_start_time" in values:
        values.setdefault("hs_timestamp", values["hs_meeting_start_time"])
