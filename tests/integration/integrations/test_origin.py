"""Whoever changed a record, it is synced; who it was is shown."""

from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from hubconnect.integrations.models import RecordEvent, Run
from tests.house import House, furnish, let_second_pass
from tests.pages import text
from tests.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

MAIL = "ana@x.example"


@pytest.fixture
def house(hub: Sandbox, tmp_path: Path, settings: Settings) -> House:
    settings.SQLITE_DIR = tmp_path
    hub.create("contacts", {"email": MAIL, "firstname": "Ana", "lastname": "Poe"})
    furnished = furnish(hub, tmp_path / "desk.sqlite3")
    furnished.desk.run("alter table customers add column updated_by varchar(200)")
    furnished.order_desk.parameters["author_column"] = "updated_by"
    furnished.order_desk.save()
    furnished.activate()
    furnished.sync()
    let_second_pass()
    return furnished


def origin(run: Run) -> str:
    found = run.events.exclude(kind=RecordEvent.Kind.HELD).get()
    return str(found.detail.get("origin", ""))


@pytest.mark.requirement("S2")
def test_an_edit_by_the_integration_user_is_synced(
    monitor_client: Client, hub: Sandbox, house: House
) -> None:
    # The user of the token: rae.poe@example.com works in HubSpot's pages too.
    hub.update("contacts", house.contact_id(MAIL), {"firstname": "Anna"})
    run = house.run_until_seen("to_right")
    assert house.desk.customers()[MAIL] == ("Anna", "Poe")
    assert origin(run) == "rae.poe@example.com"
    page = text(monitor_client.get(reverse("integrations:run_detail", args=[run.pk])))
    assert "Last known origin: rae.poe@example.com" in page


@pytest.mark.requirement("S2")
def test_an_edit_through_the_token_of_our_own_app_is_synced(hub: Sandbox, house: House) -> None:
    status, made, _ = hub.api(
        "POST",
        "/crm/v3/objects/contacts",
        {"properties": {"email": "ben@x.example", "firstname": "Ben", "lastname": "Ode"}},
    )
    assert status == 201
    assert origin(house.run_until_seen("to_right")) == "this app (9001)"
    let_second_pass()
    path = f"/crm/v3/objects/contacts/{made['id']}"
    assert hub.api("PATCH", path, {"properties": {"lastname": "Odetta"}})[0] == 200
    house.run_until_seen("to_right")
    assert house.desk.customers()["ben@x.example"] == ("Ben", "Odetta")


def test_the_author_column_of_a_table_is_shown_and_no_change_by_itself(
    house: House,
) -> None:
    house.desk.run("update customers set last_name = 'Ode', updated_by = 'kim@x.example'")
    assert origin(house.run_until_seen("to_left")) == "kim@x.example"
    assert house.contacts()[MAIL] == ("Ana", "Ode")
    house.desk.run("update customers set updated_by = 'lee@x.example'")
    let_second_pass()
    run = house.run("to_left")
    assert (run.updated, run.is_idle) == (0, True)


def test_failure_page_tells_the_origin(monitor_client: Client, hub: Sandbox, house: House) -> None:
    hub.update("contacts", house.contact_id(MAIL), {"firstname": "A" * 40})
    house.run_until_seen("to_right")
    (failure,) = house.open_failures()
    page = text(monitor_client.get(reverse("integrations:failure_detail", args=[failure.pk])))
    assert "<dt>Last known origin</dt><dd>rae.poe@example.com</dd>" in page
