"""The HTTP client against a scripted server on loopback."""

import gzip
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from hubconnect.connectors.addresses import NetworkPolicy
from hubconnect.connectors.base import Context
from hubconnect.connectors.budgets import Budget
from hubconnect.connectors.connections import UnreachableError
from hubconnect.connectors.errors import (
    AttentionError,
    OutcomeUnknownError,
    RateLimitedError,
    TemporaryError,
)
from hubconnect.connectors.http import (
    Answer,
    HttpClient,
    Request,
    temporary_error,
)
from hubconnect.connectors.limits import MemoryRateLimiter
from tests.unit.connectors.scripted_server import DATE, Reply, serving

LOOPBACK = NetworkPolicy(["127.0.0.0/8", "::1"])


class FakeClock:
    """Time that passes only by waiting."""

    def __init__(self) -> None:
        self.time_s = 1000.0
        self.waits: list[float] = []

    def monotonic_s(self) -> float:
        return self.time_s

    def wait(self, span: timedelta) -> None:
        self.waits.append(span.total_seconds())
        self.time_s += span.total_seconds()


@contextmanager
def client_of(
    url: str, *, policy: NetworkPolicy = LOOPBACK, clock: FakeClock | None = None
) -> Iterator[HttpClient]:
    clock = clock or FakeClock()
    client = HttpClient(
        url,
        Context(
            limiter=MemoryRateLimiter(clock=clock),
            addresses=policy,
            request_timeout=timedelta(seconds=5),
        ),
        headers={"Authorization": "Bearer pat-secret"},
        judge=lambda answer: temporary_error(answer, "The server"),
        parameter="api_url",
        clock=clock,
    )
    try:
        yield client
    finally:
        client.close()


READ = Request(method="GET", path="/things", kind="list")
KEYED = Request(method="POST", path="/things", kind="upsert", body=b"{}", is_write=True)
UNKEYED = Request(
    method="POST", path="/things", kind="create", body=b"{}", is_write=True, is_repeatable=False
)


def send(client: HttpClient, request: Request = READ) -> Answer:
    return client.send(request)


def test_an_answer_has_status_headers_and_json() -> None:
    body = gzip.compress(json.dumps({"a": 1}).encode())
    with (
        serving(Reply(body=body, headers={"Content-Encoding": "gzip"})) as server,
        client_of(server.url) as client,
    ):
        answer = client.send(Request(method="GET", path="/x", kind="list", params={"q": "ä b"}))
        assert (answer.status, answer.data) == (200, {"a": 1})
        assert answer.headers["date"] == DATE
        assert client.calls == {"list": 1}
        method, path, headers, _ = server.seen[0]
        assert (method, path) == ("GET", "/x?q=%C3%A4+b")
        assert headers["Authorization"] == "Bearer pat-secret"


def test_the_servers_clock_is_its_date_and_the_time_since() -> None:
    clock = FakeClock()
    with serving(Reply()) as server, client_of(server.url, clock=clock) as client:
        assert client.server_now() is None
        send(client)
        clock.time_s += 90
        assert client.server_now() == datetime(2026, 1, 5, 9, 14, 14, tzinfo=UTC)


@pytest.mark.parametrize("bad", [Reply(500), Reply(503), Reply(423), Reply(429), Reply(drops=True)])
@pytest.mark.parametrize("request_", [READ, KEYED])
def test_reads_and_keyed_writes_are_repeated(bad: Reply, request_: Request) -> None:
    with serving(bad, Reply()) as server, client_of(server.url) as client:
        assert client.send(request_).status == 200
        assert len(server.seen) == 2
        assert client.calls.total() == 2


@pytest.mark.parametrize("bad", [Reply(423), Reply(429)])
def test_an_unkeyed_write_is_repeated_when_it_was_not_taken(bad: Reply) -> None:
    with serving(bad, Reply()) as server, client_of(server.url) as client:
        assert send(client, UNKEYED).status == 200


@pytest.mark.parametrize("bad", [Reply(500), Reply(502, b"<html>"), Reply(drops=True)])
def test_an_unkeyed_write_is_never_repeated_blindly(bad: Reply) -> None:
    with serving(bad, Reply()) as server, client_of(server.url) as client:
        with pytest.raises(OutcomeUnknownError):
            send(client, UNKEYED)
        assert len(server.seen) == 1


def test_a_keyed_write_that_keeps_failing_has_an_unknown_outcome() -> None:
    with serving(Reply(502)) as server, client_of(server.url) as client:
        with pytest.raises(OutcomeUnknownError):
            send(client, KEYED)
        assert len(server.seen) > 1


def test_a_read_that_keeps_failing_is_temporary_and_waits_no_longer_than_it_may() -> None:
    clock = FakeClock()
    with serving(Reply(502)) as server, client_of(server.url, clock=clock) as client:
        with pytest.raises(TemporaryError) as caught:
            send(client)
        assert caught.value.retry_after is not None
        assert 0 < sum(clock.waits) <= 15


def test_a_locked_record_is_left_alone_for_two_seconds() -> None:
    clock = FakeClock()
    with serving(Reply(423), Reply()) as server, client_of(server.url, clock=clock) as client:
        send(client)
        assert clock.waits[0] >= 2


def test_a_long_wait_is_handed_to_the_caller() -> None:
    clock = FakeClock()
    with (
        serving(Reply(429, headers={"Retry-After": "40"})) as server,
        client_of(server.url, clock=clock) as client,
    ):
        with pytest.raises(RateLimitedError) as caught:
            send(client)
        assert caught.value.retry_after == timedelta(seconds=40)
        assert clock.waits == []


def test_a_budget_is_taken_before_each_request() -> None:
    budget = Budget("hubspot:1:search", calls=2, per=timedelta(hours=1))
    request = Request(method="GET", path="/x", kind="search", budgets=(budget,))
    with serving(Reply()) as server, client_of(server.url) as client:
        client.send(request)
        client.send(request)
        with pytest.raises(RateLimitedError) as caught:
            client.send(request)
        assert caught.value.retry_after is not None
        assert len(server.seen) == 2


def test_nothing_is_sent_to_an_address_that_is_not_allowed() -> None:
    with serving(Reply()) as server, client_of(server.url, policy=NetworkPolicy()) as client:
        with pytest.raises(AttentionError) as caught:
            send(client)
        assert caught.value.parameter == "api_url"
        assert "ALLOWED_PRIVATE_ADDRESSES" in caught.value.hint
        assert server.seen == []


def test_plain_http_is_for_this_machine_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(*_args: object, **_kwargs: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.1.2.3", 80))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with (
        client_of("http://hub.internal", policy=NetworkPolicy(["10.0.0.0/8"])) as client,
        pytest.raises(AttentionError, match="http://") as caught,
    ):
        send(client)
    assert caught.value.parameter == "api_url"


def test_the_checked_address_is_the_one_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that means something else the second time gains nothing."""
    real: Callable[..., list[tuple[object, ...]]] = socket.getaddrinfo  # type: ignore[assignment]
    asked: list[str] = []

    def resolve(host: str, *args: object, **kwargs: object) -> list[tuple[object, ...]]:
        if host != "hub.example":
            return real(host, *args, **kwargs)
        asked.append(host)
        address = "127.0.0.1" if len(asked) == 1 else "10.1.2.3"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, args[0]))]

    with serving(Reply()) as server:
        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        with client_of(server.url.replace("127.0.0.1", "hub.example")) as client:
            assert send(client).status == 200
            assert asked == ["hub.example"]
            assert server.seen[0][2]["Host"].startswith("hub.example")


def test_a_refused_connection_is_temporary_and_nothing_was_sent() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with client_of(url) as client, pytest.raises(UnreachableError, match="cannot be reached"):
            send(client, UNKEYED)


def test_a_redirect_on_the_same_host_is_followed() -> None:
    with (
        serving(Reply(302, headers={"Location": "/other"}), Reply(body=b'{"ok":1}')) as server,
        client_of(server.url) as client,
    ):
        assert send(client).data == {"ok": 1}
        assert server.seen[1][1] == "/other"


@pytest.mark.parametrize(
    "place", ["https://evil.example/x", "http://127.0.0.2/x", "https://127.0.0.1/", "//evil/x"]
)
def test_the_token_follows_no_redirect_to_another_place(place: str) -> None:
    with (
        serving(Reply(302, headers={"Location": place})) as server,
        client_of(server.url) as client,
    ):
        with pytest.raises(AttentionError) as caught:
            send(client)
        assert caught.value.parameter == "api_url"
        assert len(server.seen) == 1


def test_a_write_follows_no_redirect() -> None:
    with (
        serving(Reply(307, headers={"Location": "/other"})) as server,
        client_of(server.url) as client,
        pytest.raises(AttentionError),
    ):
        send(client, KEYED)


def test_redirects_in_a_circle_end() -> None:
    with (
        serving(Reply(302, headers={"Location": "/things"})) as server,
        client_of(server.url) as client,
        pytest.raises(AttentionError, match="without end"),
    ):
        send(client)


def test_an_answer_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hubconnect.connectors.http.MAX_ANSWER_BYTES", 1000)
    with (
        serving(Reply(body=b"x" * 1001)) as server,
        client_of(server.url) as client,
        pytest.raises(AttentionError, match="more than"),
    ):
        send(client)


def test_connections_are_kept() -> None:
    with serving(Reply()) as server, client_of(server.url) as client:
        for _ in range(3):
            send(client)
        assert {headers.get("Connection") for *_, headers, _ in server.seen} == {"keep-alive"}


def test_a_redirect_has_its_own_parameters() -> None:
    moved = Reply(302, headers={"Location": "/other?q=1"})
    with serving(moved, Reply()) as server, client_of(server.url) as client:
        client.send(Request(method="GET", path="/x", kind="list", params={"q": "1"}))
        assert server.seen[1][1] == "/other?q=1"


@pytest.mark.parametrize("place", ["http://[", "http://127.0.0.1:port/x"])
def test_a_redirect_to_nowhere_is_refused(place: str) -> None:
    with (
        serving(Reply(302, headers={"Location": place})) as server,
        client_of(server.url) as client,
        pytest.raises(AttentionError),
    ):
        send(client)


def test_an_answer_nested_without_end_is_none() -> None:
    with (
        serving(Reply(body=b'{"a":' + b"[" * 200_000)) as server,
        client_of(server.url) as client,
    ):
        assert send(client).data is None


@pytest.mark.parametrize("half", [b"\\ud83d", b"\\uDE00", b"\\u0000", b"\xed\xa0\xbd"])
def test_an_answer_holds_nothing_but_characters(half: bytes) -> None:
    body = b'{"na' + half + b'me": ["a' + half + b'b", 1, "\xf0\x9f\x98\x80 \\ud83d\\ude00"]}'
    with serving(Reply(body=body)) as server, client_of(server.url) as client:
        assert send(client).data == {"name": ["ab", 1, "😀 😀"]}


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("40", timedelta(seconds=40)),
        ("999999999999", timedelta(days=1)),
        ("9" * 5000, None),
        ("²", None),
        ("-1", None),
        ("Mon, 05 Jan 2026 09:12:44 GMT", None),
        ("", None),
    ],
)
def test_how_long_a_server_asks_to_wait(told: str, expected: timedelta | None) -> None:
    error = temporary_error(Answer(429, {"Retry-After": told}, None), "x.example")

    assert error is not None
    assert error.retry_after == expected
