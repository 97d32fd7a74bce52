import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox_process import Sandbox, sandbox

OBJECTS = "/crm/objects/2026-03"


@pytest.fixture(scope="module")
def account() -> Iterator[Sandbox]:
    with sandbox() as running:
        yield running


def make(account: Sandbox, kind: str, **properties: str) -> dict[str, Any]:
    given = {"hs_timestamp": "2026-05-01T08:00:00Z"} | properties
    status, made, _ = account.api("POST", f"{OBJECTS}/{kind}", {"properties": given})
    assert status == 201, made
    found: dict[str, Any] = made
    return found


def test_headers_of_an_email_fill_its_people(account: Sandbox) -> None:
    headers = {
        "from": {"email": "ana@example.com", "firstName": "Ana", "lastName": "Poe"},
        "to": [{"email": "a@x.org", "firstName": "A"}, {"email": "b@x.org"}],
        "cc": [],
    }
    made = make(
        account, "emails", hs_email_direction="EMAIL", hs_email_headers=json.dumps(headers)
    )["properties"]
    assert made["hs_email_from_email"] == "ana@example.com"
    assert made["hs_email_from_lastname"] == "Poe"
    assert made["hs_email_to_email"] == "a@x.org;b@x.org"
    assert "hs_email_cc_email" not in made
    broken = make(account, "emails", hs_email_direction="EMAIL", hs_email_headers="{]")
    assert "hs_email_from_email" not in broken["properties"]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("notes", "hs_note_body"),
        ("calls", "hs_call_body"),
        ("meetings", "hs_meeting_body"),
        ("tasks", "hs_task_body"),
    ],
)
def test_a_body_loses_what_could_act_and_has_a_preview(
    account: Sandbox, kind: str, body: str
) -> None:
    text = '<p onclick="go()">One &amp; <b style="color:red">two</b></p><script>go()</script>'
    made = make(account, kind, **{body: text})["properties"]
    assert made[body] == '<p>One &amp; <b style="color:red">two</b></p>'
    assert made["hs_body_preview"] == "One & two"
    assert made["hs_body_preview_is_truncated"] == "false"


def test_a_meeting_stands_at_its_start(account: Sandbox) -> None:
    start = {"hs_meeting_start_time": "2026-06-01T10:00:00Z"}
    status, made, _ = account.api("POST", f"{OBJECTS}/meetings", {"properties": start})
    assert status == 201
    assert made["properties"]["hs_timestamp"] == made["properties"]["hs_meeting_start_time"]
    assert account.api("POST", f"{OBJECTS}/meetings", {"properties": {}})[0] == 400


def test_a_task_knows_when_it_was_done(account: Sandbox) -> None:
    made = make(account, "tasks", hs_task_subject="Call")
    assert made["properties"]["hs_task_is_overdue"] == "true"
    done = account.update("tasks", made["id"], {"hs_task_status": "COMPLETED"})["properties"]
    assert done["hs_task_completion_date"]
    assert done["hs_task_is_overdue"] == "false"
    again = account.update("tasks", made["id"], {"hs_task_status": "NOT_STARTED"})["properties"]
    assert "hs_task_completion_date" not in again


@pytest.mark.parametrize(
    ("kind", "name", "status"),
    [
        ("notes", "hs_body_preview_html", 400),
        ("emails", "hs_email_html", 400),
        ("emails", "hs_body_preview", 400),
        ("calls", "hs_body_preview", 200),
    ],
)
def test_search_refuses_to_filter_by_some(
    account: Sandbox, kind: str, name: str, status: int
) -> None:
    body = {"filters": [{"propertyName": name, "operator": "HAS_PROPERTY"}]}
    assert account.api("POST", f"{OBJECTS}/{kind}/search", body)[0] == status


def test_a_deleted_email_stays_deleted(account: Sandbox) -> None:
    email = make(account, "emails", hs_email_direction="EMAIL")["id"]
    note = make(account, "notes")["id"]
    for kind, record_id, status in (("emails", email, 404), ("notes", note, 200)):
        account.archive(kind, record_id)
        account.restore(kind, record_id)
        assert account.api("GET", f"{OBJECTS}/{kind}/{record_id}")[0] == status


def test_an_order_tells_its_amount_in_the_companys_currency(account: Sandbox) -> None:
    values = {"hs_order_name": "O", "hs_total_price": "10", "hs_exchange_rate": "1.5"}
    _, made, _ = account.api("POST", f"{OBJECTS}/orders", {"properties": values})
    assert made["properties"]["hs_homecurrency_amount"] == "15.0"
