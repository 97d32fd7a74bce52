"""Records merged in HubSpot keep their links; two links that meet leave one and name both."""

from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from hubconnect.connectors.errors import Category
from hubconnect.integrations.models import Decision, Failure, Intent, Link, QueuedRead, RecordEvent
from tests.house import House, furnish
from tests.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
ANA, BEN = "ana@x.example", "ben@x.example"


@pytest.fixture
def house(hub: Sandbox, tmp_path: Path, settings: Settings) -> House:
    settings.SQLITE_DIR = tmp_path
    hub.create("contacts", {"email": ANA, "firstname": "Ana", "lastname": "Poe"})
    hub.create("contacts", {"email": BEN, "firstname": "Ben", "lastname": "Ode"})
    house = furnish(hub, tmp_path / "desk.sqlite3")
    house.activate()
    house.sync()
    house.sync()
    return house


def desk_id(house: House, email: str) -> str:
    return str(house.desk.run("select id from customers where email = ?", email)[0][0])


def merged_with_a_new_one(house: House, email: str = ANA) -> str:
    """Merge a linked contact with one that is not synced yet; return the survivor's id."""
    other = house.hub.create("contacts", {"email": "aa@x.example", "firstname": "Aa"})
    return house.hub.merge("contacts", house.contact_id(email), other)


def test_a_link_follows_its_source_through_a_merge(house: House) -> None:
    new = merged_with_a_new_one(house)
    house.run_until_seen("to_right")
    assert Link.objects.get(right_id=desk_id(house, ANA)).left_id == new
    assert "goes on" in RecordEvent.objects.get(source_id=new).detail["reason"]
    assert set(house.desk.customers()) == {ANA, BEN}
    house.hub.update("contacts", new, {"firstname": "Anna"})
    house.run_until_seen("to_right")
    assert house.desk.customers()[ANA] == ("Anna", "Poe")
    assert house.open_failures() == []


def test_a_link_follows_its_target_through_a_merge(house: House) -> None:
    new = merged_with_a_new_one(house)
    house.desk.run("update customers set first_name = 'Anna' where email = ?", ANA)
    house.run_until_seen("to_left")
    assert house.contacts()[ANA] == ("Anna", "Poe")
    assert Link.objects.get(right_id=desk_id(house, ANA)).left_id == new
    assert house.open_failures() == []


def test_what_waits_for_the_old_id_reaches_the_new_one(house: House) -> None:
    old = house.contact_id(ANA)
    QueuedRead.objects.create(flow=house.to_desk, record_id=old, reason="x", due_at=timezone.now())
    new = merged_with_a_new_one(house)
    QueuedRead.objects.create(flow=house.to_desk, record_id=new, reason="x", due_at=timezone.now())
    house.hub.update("contacts", new, {"firstname": "Anna"})
    run = house.run("to_right")
    assert (run.state, run.updated) == ("done", 2)  # its link moved, then its name
    assert house.desk.customers()[ANA] == ("Anna", "Poe")


@pytest.mark.parametrize("direction", ["to_right", "to_left"])
def test_two_links_that_meet_leave_one_and_name_both(house: House, direction: str) -> None:
    ana, ben = desk_id(house, ANA), desk_id(house, BEN)
    new = house.hub.merge("contacts", house.contact_id(ANA), house.contact_id(BEN))
    house.desk.run("update customers set last_name = 'Stone' where email = ?", BEN)
    house.run_until_seen(direction)
    assert [(one.left_id, one.right_id) for one in Link.objects.all()] == [(new, ana)]
    (failure,) = house.open_failures()
    assert failure.category == Category.MERGED
    assert all(one in failure.message for one in (new, ana, ben))
    assert Decision.objects.get(record_id=ben).kind == Decision.Kind.RETIRED
    # The link that stays goes on meanwhile, and the left-over is not created back.
    house.hub.update("contacts", new, {"firstname": "Anna"})
    house.run_until_seen("to_right")
    assert house.desk.customers()[ANA] == ("Anna", "Poe")
    house.sync()
    assert len(house.hub.list("contacts")) == 1
    assert len(house.open_failures()) == 1


def test_an_edit_of_the_left_over_is_shown_and_doubles_nothing(house: House) -> None:
    house.hub.merge("contacts", house.contact_id(ANA), house.contact_id(BEN))
    house.run_until_seen("to_right")
    house.run("to_left")
    house.desk.run("update customers set email = 'ben2@x.example' where email = ?", BEN)
    house.sync_until(lambda: len(house.open_failures()) == 2)
    assert house.open_failures()[1].category == Category.ALREADY_LINKED
    assert len(house.hub.list("contacts")) == 1


def test_the_failure_heals_once_the_left_over_is_gone(house: House) -> None:
    house.hub.merge("contacts", house.contact_id(ANA), house.contact_id(BEN))
    house.run_until_seen("to_right")
    (failure,) = house.open_failures()
    flow = "to_right" if failure.flow_id == house.to_desk.pk else "to_left"
    Failure.objects.update(next_try_at=timezone.now())
    house.run(flow)
    assert house.open_failures() == [failure]
    house.desk.run("delete from customers where email = ?", BEN)
    Failure.objects.update(next_try_at=timezone.now())
    house.run(flow)
    assert house.open_failures() == []
    assert not Decision.objects.exists()


def test_a_person_chooses_which_counterpart_stays_linked(house: House) -> None:
    ana, ben = desk_id(house, ANA), desk_id(house, BEN)
    new = house.hub.merge("contacts", house.contact_id(ANA), house.contact_id(BEN))
    house.run_until_seen("to_right")
    Failure.objects.update(remedy="switch", next_try_at=timezone.now())
    house.run("to_right")
    assert [(one.left_id, one.right_id) for one in Link.objects.all()] == [(new, ben)]
    assert Failure.objects.get(category=Category.MERGED).state == Failure.State.HEALED
    assert Decision.objects.get(record_id=ana).kind == Decision.Kind.RETIRED
    house.sync()
    assert len(house.hub.list("contacts")) == 1


def test_a_lost_update_of_what_was_merged_meanwhile_is_planned_anew_at_once(house: House) -> None:
    """No request can arrive under an id that was merged away, so nothing is waited for."""
    house.hub.fault(path="/crm/objects/2026-03/contacts/batch/update", drop="before")
    house.desk.run("update customers set first_name = 'Anna' where email = ?", ANA)
    house.run_until_seen("to_left")
    assert Intent.objects.count() == 1
    house.hub.clear_faults()
    new = merged_with_a_new_one(house)
    house.run("to_left")
    assert Intent.objects.count() == 0
    assert house.contacts()[ANA] == ("Anna", "Poe")
    assert Link.objects.get(right_id=desk_id(house, ANA)).left_id == new


def test_what_failed_about_a_record_without_link_goes_on_under_its_new_id(house: House) -> None:
    nameless = house.hub.create("contacts", {"firstname": "Cid"})
    house.run_until_seen("to_right")
    (failure,) = house.open_failures()
    assert (failure.category, failure.record_id) == (Category.LOOKUP, nameless)
    other = house.hub.create("contacts", {"email": "cid@x.example"})
    new = house.hub.merge("contacts", nameless, other)
    Failure.objects.update(next_try_at=timezone.now())
    house.run("to_right")
    assert house.open_failures() == []
    failure.refresh_from_db()
    assert (failure.state, failure.record_id) == (Failure.State.HEALED, new)
    assert house.desk.customers()["cid@x.example"] == ("Cid", None)
