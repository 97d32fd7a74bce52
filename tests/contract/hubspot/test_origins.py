"""Who changed a record last, read along with it."""

from datetime import UTC, datetime

import pytest

from hubconnect.connectors.base import Draft, Window
from hubconnect.connectors.hubspot.connector import HubSpotConnector
from tests.contract.hubspot.conftest import DictCache, connect
from tests.sandbox_process import Sandbox

ALL_TIME = Window(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
SOMEBODY = {"type": "CRM_UI", "id": "userId:555", "user_id": 555}


def author(connector: HubSpotConnector, record_id: str) -> str | None:
    return connector.read("companies", [record_id], ["name"])[record_id].author


def test_users_are_named_by_their_email_else_by_their_id(
    account: Sandbox, connector: HubSpotConnector
) -> None:
    record_id = account.create("companies", {"name": "Chairs"})
    assert author(connector, record_id) == "rae.poe@example.com"
    account.update("companies", record_id, {"name": "Tables"}, SOMEBODY)
    assert author(connector, record_id) == "user 555"


def test_apps_are_named_by_what_they_created_until_somebody_changed_it(
    account: Sandbox, connector: HubSpotConnector
) -> None:
    (ours,) = connector.create("companies", [Draft("k", {"name": "Ours"})])
    account.add_token("pat-other", app_id=777)
    _, made, _ = account.api(
        "POST", "/crm/v3/objects/companies", {"properties": {"name": "Theirs"}}, token="pat-other"
    )
    assert author(connector, ours.id) == "this app (9001)"
    assert author(connector, made["id"]) == "app 777"
    path = f"/crm/v3/objects/companies/{made['id']}"
    account.api("PATCH", path, {"properties": {"name": "By a third"}})
    assert author(connector, made["id"]) is None  # nothing tells which app it was
    account.update("companies", made["id"], {"name": "By hand"})
    assert author(connector, made["id"]) == "rae.poe@example.com"


def test_types_and_the_search_tell_the_same(account: Sandbox, connector: HubSpotConnector) -> None:
    record_id = account.create("tasks", {"hs_timestamp": "2026-01-01T00:00:00Z"})
    (page,) = connector.changes("tasks", ALL_TIME, (), ["hs_task_subject"])
    assert {one.id: one.author for one in page.records} == {record_id: "rae.poe@example.com"}


@pytest.mark.requirement("S2")
def test_origin_costs_no_call_of_its_own(seeded: Sandbox) -> None:
    cache = DictCache()
    with connect(seeded, cache=cache) as first:
        next(first.everything("contacts", (), ["email"]))
        assert first.calls["owners"] == 2  # once an hour, whoever asks
    with connect(seeded, cache=cache) as later:
        records = [
            one for page in later.everything("contacts", (), ["email"]) for one in page.records
        ]
        later.read("contacts", [one.id for one in records[:100]], ["email"])
        assert {one.author for one in records} == {"rae.poe@example.com"}
        assert dict(later.calls) == {"list": 10, "batch read": 1}


def test_without_the_scope_for_owners_users_are_numbers_and_nobody_asks_again(
    account: Sandbox,
) -> None:
    record_id = account.create("companies", {"name": "Chairs"})
    account.take_scope("crm.objects.owners.read")
    try:
        cache = DictCache()
        with connect(account, cache=cache) as first:
            assert author(first, record_id) == "user 77"
        with connect(account, cache=cache) as later:
            assert author(later, record_id) == "user 77"
            assert later.calls.get("owners", 0) == 0
    finally:
        account.give_scope("crm.objects.owners.read")
