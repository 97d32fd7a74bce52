import time
from email.utils import parsedate_to_datetime
from http.client import RemoteDisconnected
from typing import Any

import pytest

from hubconnect.sandbox.fault_names import NAMED
from tests.sandbox_process import Sandbox, sandbox

CONTACTS = "/crm/v3/objects/contacts"


@pytest.fixture
def board(hub: Sandbox) -> Any:  # noqa: ANN401 - a generator fixture
    yield hub
    hub.clear_faults()


@pytest.mark.parametrize(
    ("name", "status", "member", "value"),
    [
        ("burst", 429, "policyName", "TEN_SECONDLY_ROLLING"),
        ("burst_category", 429, "category", "RATE_LIMITS"),
        ("search", 429, "message", "You have reached your secondly limit."),
        ("search_policy", 429, "policyName", "SECONDLY"),
        ("daily", 429, "policyName", "DAILY"),
        ("daily_category", 429, "message", "You have reached your daily limit."),
        ("locked", 423, "status", "error"),
        ("migration", 477, "status", "error"),
        ("unavailable", 503, "status", "error"),
        ("expired_token", 401, "category", "EXPIRED_AUTHENTICATION"),
        ("invalid_token", 401, "category", "INVALID_AUTHENTICATION"),
        ("forbidden", 403, "status", "error"),
    ],
)
def test_refusal_by_name_comes_as_json(
    board: Sandbox, name: str, status: int, member: str, value: str
) -> None:
    board.fault(name, path=CONTACTS)
    answered, body, headers = board.api("GET", CONTACTS)
    assert (answered, body[member]) == (status, value)
    assert body["correlationId"] == headers["X-HubSpot-Correlation-Id"]
    assert board.api("GET", CONTACTS)[0] == 200


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("server_error", 500),
        ("bad_gateway", 502),
        ("gateway_timeout", 504),
        ("origin_timeout", 524),
        ("html", 200),
    ],
)
def test_refusal_by_name_comes_as_a_page(board: Sandbox, name: str, status: int) -> None:
    board.fault(name, path=CONTACTS)
    answered, text, headers = board.api("GET", CONTACTS)
    assert (answered, headers["Content-Type"][:9]) == (status, "text/html")
    assert text.startswith("<html>")


def test_migration_says_how_long_to_wait(board: Sandbox) -> None:
    board.fault("migration", path=CONTACTS, headers={"Retry-After": "7"})
    assert board.api("GET", CONTACTS)[2]["Retry-After"] == "7"


def test_truncated_answer_is_no_json_though_the_call_was_carried_out(board: Sandbox) -> None:
    board.fault("truncated", path=CONTACTS, method="POST")
    status, text, _ = board.api("POST", CONTACTS, {"properties": {"firstname": "Cut"}})
    assert (status, type(text)) == (201, str)
    listed = board.list("contacts", "firstname")
    assert "Cut" in {one["properties"]["firstname"] for one in listed}


def test_slow_answer_and_wrong_clock(board: Sandbox) -> None:
    board.fault("slow", path=CONTACTS, delay_s=0.3)
    started = time.monotonic()
    board.api("GET", CONTACTS)
    assert time.monotonic() - started >= 0.3
    moments = []
    for _ in range(2):
        moments.append(parsedate_to_datetime(board.api("GET", CONTACTS)[2]["Date"]))
        board.fault("clock_skew", path=CONTACTS)
    assert 3590 < (moments[1] - moments[0]).total_seconds() < 3700


@pytest.mark.parametrize(("name", "made"), [("dropped_before", 0), ("dropped_after", 1)])
def test_dropped_connection(name: str, made: int) -> None:
    with sandbox() as hub:
        hub.fault(name, path=CONTACTS, method="POST")
        with pytest.raises(RemoteDisconnected):
            hub.api("POST", CONTACTS, {"properties": {"firstname": "A"}})
        assert len(hub.list("contacts")) == made


def test_a_third_of_a_batch_is_refused(board: Sandbox) -> None:
    inputs = [
        {"properties": {"firstname": f"Third {n}"}, "objectWriteTraceId": str(n)} for n in range(9)
    ]
    board.fault("third_refused", path=f"{CONTACTS}/batch")
    status, body, _ = board.api("POST", f"{CONTACTS}/batch/create", {"inputs": inputs})
    assert (status, len(body["results"]), body["numErrors"]) == (207, 6, 3)
    refused = {one["context"]["objectWriteTraceId"][0] for one in body["errors"]}
    assert refused == {"2", "5", "8"}
    bare = [{"properties": one["properties"]} for one in inputs]
    board.fault("third_refused", path=f"{CONTACTS}/batch")
    assert board.api("POST", f"{CONTACTS}/batch/create", {"inputs": bare})[0] == 400


def test_scope_is_taken_from_a_token_and_given_back(hub: Sandbox) -> None:
    hub.add_token("worker")
    scope = "crm.objects.contacts.read"
    hub.take_scope(scope, token="worker")
    status, body, _ = hub.api("GET", CONTACTS, token="worker")
    assert (status, body["category"]) == (403, "MISSING_SCOPES")
    hub.give_scope(scope, token="worker")
    assert hub.api("GET", CONTACTS, token="worker")[0] == 200


def test_fault_without_a_number_stays_until_it_is_switched_off(board: Sandbox) -> None:
    board.fault("unavailable", path=CONTACTS, times=0)
    assert {board.api("GET", CONTACTS)[0] for _ in range(3)} == {503}
    board.clear_faults()
    assert board.api("GET", CONTACTS)[0] == 200


def test_unknown_name_is_refused(hub: Sandbox) -> None:
    with pytest.raises(AssertionError, match="400"):
        hub.fault("earthquake")


def test_every_name_says_what_it_does() -> None:
    assert len({one.label for one in NAMED.values()}) == len(NAMED)
