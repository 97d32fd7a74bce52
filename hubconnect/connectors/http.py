"""The only HTTP client: time-outs, repeats, rate limits, checked addresses. Here alone one waits.

A request is repeated by itself when that is safe: a read or a keyed write always, any other write
only when it surely was not taken (no connection, 423, 429). A write whose fate is open ends as
``OutcomeUnknownError``. Bodies and tokens are never logged.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol
from urllib.parse import urljoin, urlsplit

import requests
import structlog
import urllib3
from requests.adapters import HTTPAdapter
from typing_extensions import override

from hubconnect.connectors.answers import parse_date, parse_json, whole_number
from hubconnect.connectors.base import Context
from hubconnect.connectors.budgets import (
    LONGEST_WAIT,
    Budget,
    Clock,
    DayBudget,
    SystemClock,
    Ticket,
    Told,
)
from hubconnect.connectors.connections import CheckedPool, CheckedTLSPool, Gate, UnreachableError
from hubconnect.connectors.errors import (
    AttentionError,
    BudgetSpentError,
    Category,
    ConnectorError,
    OutcomeUnknownError,
    RateLimitedError,
    SeriesOverError,
    TemporaryError,
)

log = structlog.get_logger(__name__)

MAX_ANSWER_BYTES = 64 * 1024 * 1024
MAX_REDIRECTS = 3
MAX_ATTEMPTS = 6
CHUNK_BYTES = 256 * 1024
CONNECT_TIMEOUT_S = 10.0
BACK_OFF_S = 0.5
# A locked record stays so for two seconds (HubSpot, "Error handling").
LOCKED_WAIT_S = 2.0
# After a refusal for too many calls that names no time.
LEAST_BLOCK = timedelta(seconds=1)
# A server may ask for patience, but not for ever.
LONGEST_RETRY_AFTER = timedelta(days=1)

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"

LOCKED = 423
TOO_MANY = 429
SERVER_ERROR = 500


class Body(Protocol):
    """What is sent piece by piece."""

    def __len__(self) -> int:
        """Return the number of bytes."""

    def __iter__(self) -> Iterator[bytes]:
        """Return the pieces."""

    def read(self, size: int = -1) -> bytes:
        """Return the next piece."""

    def close(self) -> None:
        """Give back what it is read from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request.

    Attributes:
        kind: name under which it is counted.
        params: for the query; several texts repeat the name.
        body: text in the format of ``content_type``, or None; or what opens it anew each time.
        is_write: changes something, so that losing its answer leaves its outcome unknown.
        is_repeatable: may be sent again though it may have been taken: a read or a keyed write.
        budgets: limits it takes a call from, each time it is sent.
    """

    method: str
    path: str
    kind: str
    params: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    body: bytes | Callable[[], Body] | None = None
    content_type: str = JSON
    is_write: bool = False
    is_repeatable: bool = True
    budgets: Sequence[Budget | DayBudget] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers and parsed JSON. ``data`` is None when the body is no JSON."""

    status: int
    headers: Mapping[str, str]
    data: Any


# What requests raises, one way or another.
BROKEN = (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, ValueError)


def is_no_address(error: Exception) -> bool:
    """Tell whether requests failed for want of an address: the first one, or a redirect's."""
    is_header = isinstance(error, requests.exceptions.InvalidHeader)
    return isinstance(error, ValueError) and not is_header


class AnswerMissingError(TemporaryError):
    """No usable answer came, though the request may have been taken."""


# Returns the error an answer stands for, or None when the answer is good or its caller's to judge.
Judge = Callable[[Answer], ConnectorError | None]
# Returns what an answer says of limits.
Reader = Callable[[Answer], Told]


class CheckedAdapter(HTTPAdapter):
    """Opens connections through a gate."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        super().__init__(max_retries=0)

    @override
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {
            "http": partial(CheckedPool, gate=self.gate),
            "https": partial(CheckedTLSPool, gate=self.gate),
        }


class HttpClient:
    """Speaks to one host with one set of headers.

    Attributes:
        calls: requests sent, by kind; repeats count.
        patience: how long one request may wait in all, for limits, locks and repeats.
        read_limits: tells what an answer says of limits.
    """

    def __init__(
        self,
        base_url: str,
        context: Context,
        *,
        headers: Mapping[str, str],
        judge: Judge,
        parameter: str = "",
        clock: Clock | None = None,
    ) -> None:
        """Keep all; connect to nothing yet.

        Args:
            base_url: scheme, host and perhaps a path in front of every request's.
            context: limits, address policy and time-out.
            headers: sent with every request; may hold a token.
            judge: tells what an answer's status means to this API.
            parameter: connector parameter that holds the base URL, for errors.
            clock: time; the machine's by default.
        """
        self.base_url = base_url.rstrip("/")
        self.context = context
        self.calls: Counter[str] = Counter()
        self.patience = LONGEST_WAIT
        self._judge = judge
        self.read_limits: Reader = lambda _: Told()
        self._parameter = parameter
        self._clock = clock or SystemClock()
        self._origin = urlsplit(self.base_url)
        self._date: tuple[datetime, float] | None = None
        self._session = requests.Session()
        self._session.trust_env = False  # no .netrc beside our token, no proxy round the gate
        self._session.headers.update(headers)
        adapter = CheckedAdapter(Gate(context.addresses, parameter))
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def close(self) -> None:
        """Close kept connections."""
        self._session.close()

    def sign(self, headers: Mapping[str, str]) -> None:
        """Send these headers with every request from now on."""
        self._session.headers.update(headers)

    def server_now(self) -> datetime | None:
        """Return the time by the server's clock, or None before its first answer."""
        if self._date is None:
            return None
        date, at_s = self._date
        return date + timedelta(seconds=self._clock.monotonic_s() - at_s)

    def send(self, request: Request) -> Answer:
        """Send a request, repeat it where that is safe and useful, and return the answer.

        Raises:
            TemporaryError: not now; the request was not carried out, or may safely be repeated.
            AttentionError: a person must act.
            OutcomeUnknownError: a write that may have been carried out.
        """
        waited = timedelta(0)
        is_open = False
        for attempt in range(1, MAX_ATTEMPTS + 1):
            try:
                ticket = self._take(request, self.patience - waited)
                waited += ticket.waited
                if request.is_write:
                    self.context.guard()
                return self._send_once(request, ticket)
            except ConnectorError as error:
                is_open = is_open or (request.is_write and isinstance(error, AnswerMissingError))
                wait = self._wait_before_repeat(error, attempt)
                is_hopeless = attempt == MAX_ATTEMPTS or waited + wait > self.patience
                if is_open and (is_hopeless or not request.is_repeatable):
                    hint = "It may have been carried out; that is looked up before it is repeated."
                    raise OutcomeUnknownError(error.message, hint=hint) from error
                if is_hopeless or not isinstance(error, TemporaryError):
                    raise
                log.info("http.repeated", kind=request.kind, attempt=attempt, error=error.message)
                if not (isinstance(error, RateLimitedError) and request.budgets):
                    self._clock.wait(wait)  # else the limiter has everybody wait
                    waited += wait
        raise AssertionError  # the last attempt returns or raises

    def _take(self, request: Request, patience: timedelta) -> Ticket:
        return self.context.limiter.take(
            request.budgets, caller=self.context.caller, patience=patience
        )

    @staticmethod
    def _wait_before_repeat(error: ConnectorError, attempt: int) -> timedelta:
        """Return how long to wait, for ever if waiting does not help, and note it in the error."""
        if not isinstance(error, TemporaryError) or isinstance(
            error, BudgetSpentError | SeriesOverError
        ):
            return timedelta.max - LONGEST_WAIT
        spread = random.random()  # noqa: S311 - keeps clients from knocking together
        if error.retry_after is not None:
            return error.retry_after * (1 + spread / 10)
        error.retry_after = timedelta(seconds=BACK_OFF_S * 2 ** (attempt - 1) * (0.5 + spread))
        return error.retry_after

    def _send_once(self, request: Request, ticket: Ticket) -> Answer:
        url = self.base_url + request.path
        for _ in range(MAX_REDIRECTS + 1):
            answer = self._exchange(request, url)
            if answer.status not in requests.models.REDIRECT_STATI:
                return self._judged(request, answer, ticket)
            url = self._redirect_target(request, url, answer)
            request = replace(request, params={})  # the new address has its own
        msg = f"{self._origin.hostname} redirects without end."
        raise self._wrong_address(msg)

    def _judged(self, request: Request, answer: Answer, ticket: Ticket) -> Answer:
        error = self._judge(answer)
        if request.budgets:
            told = self.read_limits(answer)
            if isinstance(error, RateLimitedError):
                told = replace(told, refused=error.policy, wait=error.retry_after or LEAST_BLOCK)
            self.context.limiter.note(ticket, told)
        if error is None:
            return answer
        log.info(
            "http.refused",
            kind=request.kind,
            status=answer.status,
            correlation_id=answer.headers.get("X-HubSpot-Correlation-Id", ""),
        )
        raise error

    def _exchange(self, request: Request, url: str) -> Answer:
        if not callable(request.body):
            return self._exchange_body(request, url, request.body)
        with closing(request.body()) as body:
            return self._exchange_body(request, url, body)

    def _exchange_body(self, request: Request, url: str, body: bytes | Body | None) -> Answer:
        self.calls[request.kind] += 1
        read_s = self.context.request_timeout.total_seconds()
        try:
            with self._session.request(
                request.method,
                url,
                params=request.params,
                data=body,
                headers={"Content-Type": request.content_type} if body is not None else None,
                timeout=(min(CONNECT_TIMEOUT_S, read_s), read_s),
                allow_redirects=False,
                stream=True,
            ) as response:
                return self._read(response, self._clock.monotonic_s() + read_s)
        except ConnectorError:
            raise
        except requests.exceptions.SSLError as error:
            msg = f"{self._origin.hostname} showed no certificate that can be trusted."
            raise self._wrong_address(msg) from error
        except requests.exceptions.ConnectTimeout as error:
            msg = f"{self._origin.hostname} does not answer."
            raise UnreachableError(msg) from error
        except BROKEN as error:
            if is_no_address(error):
                msg = f"{self.base_url} is not an address, or redirects to none."
                raise self._wrong_address(msg) from error
            msg = f"The connection to {self._origin.hostname} broke before the answer was complete."
            raise AnswerMissingError(msg, hint="It is tried again by itself.") from error

    def _read(self, response: requests.Response, deadline_s: float) -> Answer:
        chunks: list[bytes] = []
        size = 0
        for chunk in response.raw.stream(CHUNK_BYTES, decode_content=True):
            size += len(chunk)
            if size > MAX_ANSWER_BYTES:
                msg = f"{self._origin.hostname} sent more than {MAX_ANSWER_BYTES} bytes."
                raise self._wrong_address(msg)
            if self._clock.monotonic_s() > deadline_s:
                raise requests.exceptions.ReadTimeout
            chunks.append(chunk)
        self._note_date(response.headers.get("Date", ""))
        return Answer(response.status_code, response.headers, parse_json(b"".join(chunks)))

    def _note_date(self, text: str) -> None:
        date = parse_date(text)
        if date is not None:
            self._date = (date, self._clock.monotonic_s())

    def _redirect_target(self, request: Request, url: str, answer: Answer) -> str:
        target = urljoin(url, answer.headers.get("Location", ""))
        parts = urlsplit(target)
        is_same = (parts.hostname, parts.port) == (self._origin.hostname, self._origin.port)
        if request.method != "GET" or not is_same or parts.scheme != self._origin.scheme:
            place = f"{parts.scheme}://{parts.netloc}"
            msg = f"{self._origin.hostname} redirects to {place}, where the token is not sent."
            raise self._wrong_address(msg)
        return target

    def _wrong_address(self, message: str) -> AttentionError:
        return AttentionError(
            message,
            hint="Correct the address.",
            category=Category.UNREACHABLE,
            parameter=self._parameter,
        )


def date_of(answer: Answer) -> datetime | None:
    """Return the moment at which the server answered, None where it does not say."""
    return parse_date(answer.headers.get("Date", ""))


def retry_after(answer: Answer) -> timedelta | None:
    """Return how long the server asks to wait, a day at most; None where it does not say."""
    seconds = whole_number(answer.headers.get("Retry-After", ""))
    if seconds is None:
        return None
    return timedelta(seconds=min(seconds, LONGEST_RETRY_AFTER // timedelta(seconds=1)))


def temporary_error(answer: Answer, host: str) -> TemporaryError | None:
    """Return the error of an answer that means "not now", whatever the API, or None."""
    wait = retry_after(answer)
    if answer.status == LOCKED:
        longer = max(wait or timedelta(0), timedelta(seconds=LOCKED_WAIT_S))
        return TemporaryError(f"{host} says that the records are locked.", retry_after=longer)
    if answer.status == TOO_MANY:
        return RateLimitedError(f"{host} asked for fewer calls.", retry_after=wait)
    if answer.status >= SERVER_ERROR:
        msg = f"{host} cannot answer now (status {answer.status})."
        return AnswerMissingError(msg, hint="It is tried again by itself.", retry_after=wait)
    return None
