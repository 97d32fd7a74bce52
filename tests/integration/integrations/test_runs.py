"""Runs of real flows between the sandbox and a SQLite database."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from hubconnect.connectors.errors import Category
from hubconnect.core.models import User
from hubconnect.integrations.models import (
    Failure,
    Flow,
    Integration,
    Intent,
    Link,
    QueuedRead,
    RecordEvent,
    Run,
    TypePair,
)
from hubconnect.integrations.services import activation, lease
from hubconnect.integrations.services.execute import run_flow
from hubconnect.mappings.models import FieldMapping
from hubconnect.mappings.services import usage
from hubconnect.systems.services import identity, schema
from tests.house import CUSTOMERS, NAMES, Desk, House, furnish, let_second_pass
from tests.sandbox_process import Sandbox, sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, settings: Settings) -> None:
    settings.SQLITE_DIR = tmp_path


@pytest.fixture
def house(hub: Sandbox, tmp_path: Path) -> House:
    hub.create("contacts", {"email": "ana@x.example", "firstname": "Ana", "lastname": "Poe"})
    hub.create("contacts", {"email": "ben@x.example", "firstname": "Ben", "lastname": "Ode"})
    furnished = furnish(hub, tmp_path / "desk.sqlite3")
    furnished.desk.run("insert into customers (email, last_name) values ('ben@x.example', 'Ode')")
    furnished.desk.run("insert into customers (email, first_name) values ('cy@x.example', 'Cy')")
    furnished.activate()
    return furnished


def loaded(house: House) -> House:
    house.sync()
    house.sync()
    return house


def test_first_load_carries_and_links_what_is_there(house: House) -> None:
    load, back = house.sync()
    assert (load.reason, load.state, load.created, load.updated) == ("load", "done", 1, 1)
    assert (back.created, back.failed) == (1, 0)
    everyone = {
        "ana@x.example": ("Ana", "Poe"),
        "ben@x.example": ("Ben", "Ode"),
        "cy@x.example": ("Cy", None),
    }
    assert house.desk.customers() == everyone
    assert house.contacts() == everyone
    assert house.links() == 3


def test_nothing_bounces(house: House) -> None:
    loaded(house)
    for _ in range(2):
        there, back = house.sync()
        for run in (there, back):
            assert (run.created, run.updated, run.failed, run.held) == (0, 0, 0, 0)
    assert Intent.objects.count() == 0


def test_a_change_on_either_side_arrives_on_the_other(house: House) -> None:
    loaded(house)
    house.hub.update("contacts", house.contact_id("ana@x.example"), {"firstname": "Anna"})
    house.desk.run("update customers set last_name = 'Stone' where email = 'cy@x.example'")
    assert house.run_until_seen("to_right").updated == 1
    assert house.run_until_seen("to_left").updated == 1
    assert house.desk.customers()["ana@x.example"] == ("Anna", "Poe")
    assert house.contacts()["cy@x.example"] == ("Cy", "Stone")


def test_changes_of_different_fields_on_both_sides_merge(house: House) -> None:
    loaded(house)
    house.hub.update("contacts", house.contact_id("ana@x.example"), {"firstname": "Anna"})
    house.desk.run("update customers set last_name = 'Poet' where email = 'ana@x.example'")
    house.run_until_seen("to_right")
    house.run_until_seen("to_left")
    assert house.desk.customers()["ana@x.example"] == ("Anna", "Poet")
    assert house.contacts()["ana@x.example"] == ("Anna", "Poet")


@pytest.mark.parametrize(("rule", "expected"), [("left", "HubSpot"), ("right", "Desk")])
def test_conflict_is_decided_by_the_side_that_wins(house: House, rule: str, expected: str) -> None:
    FieldMapping.objects.filter(left_field="firstname").update(conflict=rule)
    loaded(house)
    house.hub.update("contacts", house.contact_id("ana@x.example"), {"firstname": "HubSpot"})
    house.desk.run("update customers set first_name = 'Desk' where email = 'ana@x.example'")
    house.sync_until(lambda: house.desk.customers()["ana@x.example"] == (expected, "Poe"))
    house.sync_until(lambda: house.contacts()["ana@x.example"] == (expected, "Poe"))
    there, back = house.sync()
    assert there.is_idle
    assert back.is_idle


def test_replaced_value_stays_in_the_story(house: House) -> None:
    loaded(house)
    house.hub.update("contacts", house.contact_id("ana@x.example"), {"firstname": "HubSpot"})
    house.desk.run("update customers set first_name = 'Desk' where email = 'ana@x.example'")
    run = house.run_until_seen("to_right")
    (line,) = RecordEvent.objects.get(run=run).detail["fields"]
    assert (line["old"], line["new"]) == ("Desk", "HubSpot")
    assert "both sides changed" in line["remark"]


def test_a_refused_record_waits_and_others_go_on(house: House) -> None:
    loaded(house)
    house.desk.run("insert into customers (email, first_name) values ('nonsense', 'Dee')")
    house.desk.run("insert into customers (email, first_name) values ('eve@x.example', 'Eve')")
    run = house.run_until_seen("to_left")
    assert (run.state, run.created, run.failed) == ("with_failures", 1, 1)
    (failure,) = house.open_failures()
    assert failure.category == Category.VALIDATION_ERROR
    assert failure.field == "email"
    assert failure.sent_values["email"] == "nonsense"
    assert failure.next_try_at is not None


def test_correcting_the_record_heals_its_failure(house: House) -> None:
    loaded(house)
    house.desk.run("insert into customers (email, first_name) values ('nonsense', 'Dee')")
    house.run_until_seen("to_left")
    house.desk.run("update customers set email = 'dee@x.example' where email = 'nonsense'")
    run = house.run_until_seen("to_left")
    assert run.created == 1
    assert house.open_failures() == []
    assert Failure.objects.get().state == Failure.State.HEALED
    assert house.contacts()["dee@x.example"] == ("Dee", None)


def test_a_failed_record_is_not_tried_again_before_its_time(house: House) -> None:
    loaded(house)
    house.desk.run("insert into customers (email, first_name) values ('nonsense', 'Dee')")
    house.run_until_seen("to_left")
    house.run("to_left")
    assert house.open_failures()[0].attempts == 1
    Failure.objects.update(next_try_at=timezone.now())
    house.run("to_left")
    assert house.open_failures()[0].attempts == 2


def test_the_opposite_direction_waits_behind_a_failure(house: House) -> None:
    loaded(house)
    house.desk.run("update customers set email = 'broken' where email = 'ana@x.example'")
    house.run_until_seen("to_left")
    contact = house.contact_id("ana@x.example")
    house.hub.update("contacts", contact, {"lastname": "Later"})
    held = house.run_until_seen("to_right")
    assert (held.held, held.updated) == (1, 0)
    house.desk.run("update customers set email = 'ana2@x.example' where email = 'broken'")
    house.run_until_seen("to_left")
    house.run_until_seen("to_right")
    assert house.open_failures() == []
    assert house.desk.customers()["ana2@x.example"] == ("Ana", "Later")
    assert QueuedRead.objects.count() == 0


def test_two_records_for_one_counterpart_are_named(hub: Sandbox, tmp_path: Path) -> None:
    rows = (*NAMES, {"left_field": "company", "right_field": "company", "direction": "to_right"})
    hub.create("contacts", {"email": "ana@x.example", "company": "A", "lastname": "Poe"})
    hub.create("contacts", {"email": "ann@x.example", "company": "A", "lastname": "Poe"})
    desk_file = tmp_path / "desk.sqlite3"
    Desk(desk_file).script(
        CUSTOMERS + "alter table customers add column company varchar(50);"
        "create unique index customers_company on customers (company);"
        "insert into customers (email, company) values ('old@x.example', 'A');"
    )
    lookup = [{"condition": "EQUALS", "field": "company", "value": "@company@"}]
    house = furnish(hub, desk_file, rows=rows, directions=["to_right"], lookup=lookup)
    house.activate()
    first = house.run("to_right")
    second = house.run("to_right")
    assert first.updated + second.updated == 1
    QueuedRead.objects.update(due_at=timezone.now())
    house.run("to_right")
    (failure,) = house.open_failures()
    assert failure.category == Category.ALREADY_LINKED


def test_an_empty_lookup_value_never_becomes_a_create(hub: Sandbox, tmp_path: Path) -> None:
    hub.create("contacts", {"firstname": "Nomail"})
    house = furnish(hub, tmp_path / "desk.sqlite3", directions=["to_right"])
    house.activate()
    run = house.run("to_right")
    assert (run.created, run.failed) == (0, 1)
    assert house.open_failures()[0].category == Category.LOOKUP
    assert house.desk.customers() == {}


def test_changes_from_now_on_leave_the_past_alone(hub: Sandbox, tmp_path: Path) -> None:
    hub.create("contacts", {"email": "old@x.example"})
    let_second_pass()
    house = furnish(hub, tmp_path / "desk.sqlite3", directions=["to_right"], start="now")
    house.activate()
    house.run("to_right")
    assert house.desk.customers() == {}
    hub.create("contacts", {"email": "new@x.example"})
    house.run_until_seen("to_right")
    assert set(house.desk.customers()) == {"new@x.example"}


def test_safety_brake_pauses_before_writing(house: House) -> None:
    loaded(house)
    Integration.objects.update(create_limit=2)
    for number in range(3):
        house.hub.create("contacts", {"email": f"n{number}@x.example"})
    let_second_pass()  # else a run may see some of them only
    run = house.run_until_seen("to_right")
    assert run.state == Run.State.FAILED
    assert house.to_desk.is_paused
    assert house.open_failures()[0].category == Category.SAFETY_BRAKE
    assert len(house.desk.customers()) == 3


def test_a_database_that_is_away_is_one_line_with_a_counter(house: House, tmp_path: Path) -> None:
    loaded(house)
    (tmp_path / "desk.sqlite3").rename(tmp_path / "elsewhere")
    for _ in range(2):
        run = house.run("to_right")
        assert run.state in (Run.State.STOPPED, Run.State.FAILED)
    (failure,) = house.open_failures()
    assert (failure.level, failure.attempts) == ("flow", 2)
    (tmp_path / "elsewhere").rename(tmp_path / "desk.sqlite3")
    house.run("to_right")
    assert house.open_failures() == []


def test_a_vanished_column_is_named(house: House) -> None:
    loaded(house)
    house.desk.script("alter table customers rename column first_name to given_name")
    schema.forget(house.order_desk)
    run = house.run("to_right")
    assert run.state == Run.State.FAILED
    assert "first_name" in house.open_failures()[0].message
    house.desk.script("alter table customers rename column given_name to first_name")
    house.run("to_right")
    assert house.open_failures() == []


def test_another_account_is_refused_with_both_numbers(house: House) -> None:
    loaded(house)
    with sandbox(portal_id=5151) as other:
        house.hubspot.refresh_from_db()
        house.hubspot.parameters["api_url"] = other.url
        house.hubspot.save()
        house.run("to_right")
    (failure,) = house.open_failures()
    assert failure.category == Category.IDENTITY
    assert "4242" in failure.message
    assert "5151" in failure.message


def test_criteria_choose_the_records(hub: Sandbox, tmp_path: Path) -> None:
    hub.create("contacts", {"email": "ana@x.example", "lastname": "Poe"})
    hub.create("contacts", {"email": "ben@x.example", "lastname": "Ode"})
    house = furnish(hub, tmp_path / "desk.sqlite3", directions=["to_right"])
    wanted = [{"condition": "EQUALS", "field": "lastname", "value": "Poe"}]
    Flow.objects.update(criteria=wanted)
    house.activate()
    house.run("to_right")
    hub.create("contacts", {"email": "cy@x.example", "lastname": "Ode"})
    hub.create("contacts", {"email": "dee@x.example", "lastname": "Poe"})
    house.run_until_seen("to_right")
    assert set(house.desk.customers()) == {"ana@x.example", "dee@x.example"}


def test_a_lost_reply_to_a_create_doubles_nothing(house: House) -> None:
    loaded(house)
    house.desk.run("insert into customers (email, first_name) values ('dee@x.example', 'Dee')")
    house.hub.fault(path="/crm/objects/2026-03/contacts/batch/upsert", drop="after")
    first = house.run_until_seen("to_left")
    QueuedRead.objects.update(due_at=timezone.now())
    second = house.run("to_left")
    assert [one for one in house.contacts() if one == "dee@x.example"] == ["dee@x.example"]
    assert len(house.hub.list("contacts")) == 4
    assert first.created + second.created >= 1
    assert Intent.objects.count() == 0
    assert Link.objects.count() == 4


def test_a_worker_that_lost_its_lease_commits_nothing(house: House) -> None:
    type_pair = TypePair.objects.get()
    held = lease.claim(type_pair.pk)
    assert held is not None
    assert lease.claim(type_pair.pk) is None
    assert run_flow(house.flows["to_right"].pk) is None
    past = timezone.now() - timedelta(minutes=1)
    TypePair.objects.update(leased_until=past, settle_after=past)
    later = lease.claim(type_pair.pk)
    assert later is not None
    with pytest.raises(lease.LeaseLostError):
        lease.renew(held)
    lease.renew(later)


def test_a_lease_from_a_clock_that_jumped_is_void(house: House) -> None:
    future = timezone.now() + timedelta(days=400)
    TypePair.objects.update(leased_until=future, settle_after=future)
    assert house.run("to_right").state == Run.State.DONE


def test_lower_layers_ask_before_they_change_what_is_in_use(house: House) -> None:
    with pytest.raises(usage.InUseError, match="HubSpot and desk"):
        usage.ensure_editable(house.mapping)
    assert not identity.has_links(house.hubspot.identity)
    loaded(house)
    assert identity.has_links(house.hubspot.identity)


def test_a_run_started_by_hand_names_who_did(house: House) -> None:
    loaded(house)
    actor = User.objects.get()
    activation.run_now(house.to_desk, actor)
    run = run_flow(house.to_desk.pk)
    assert run is not None
    assert (run.reason, run.started_by) == (Run.Reason.MANUAL, actor)
    assert house.run("to_right").reason == Run.Reason.SCHEDULE


def test_open_failures_stand_beside_their_entry_on_every_page(
    house: House, monitor_client: Client
) -> None:
    loaded(house)
    house.desk.run("insert into customers (email) values ('nonsense')")
    house.run_until_seen("to_left")
    for name in ("overview", "list", "run_list", "failure_list"):
        page = monitor_client.get(reverse(f"integrations:{name}"))
        assert page.status_code == 200
        assert '<span class="count is-bad">1<' in page.content.decode()
