"""A counterpart that was deleted: a failure, created again, or skipped, as the flow's rule says."""

from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from hubconnect.connectors.errors import Category
from hubconnect.integrations.models import (
    Decision,
    Failure,
    Flow,
    Link,
    PastCreate,
    QueuedRead,
    RecordEvent,
)
from tests.house import House, furnish
from tests.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
ANA = "ana@x.example"


@pytest.fixture
def house(hub: Sandbox, tmp_path: Path, settings: Settings) -> House:
    settings.SQLITE_DIR = tmp_path
    hub.create("contacts", {"email": ANA, "firstname": "Ana", "lastname": "Poe"})
    house = furnish(hub, tmp_path / "desk.sqlite3")
    house.activate()
    house.sync()
    house.sync()
    return house


def rule(name: str) -> None:
    Flow.objects.update(target_deleted=name)


def rename(house: House, first_name: str) -> None:
    house.desk.run("update customers set first_name = ? where email = ?", first_name, ANA)


def kinds(record_id: str) -> list[str]:
    found = RecordEvent.objects.filter(source_id=record_id).order_by("pk")
    return list(found.values_list("kind", flat=True))


def desk_id(house: House) -> str:
    return str(house.desk.run("select id from customers where email = ?", ANA)[0][0])


def test_a_deleted_counterpart_is_a_failure_that_names_both(house: House) -> None:
    contact = house.contact_id(ANA)
    house.hub.archive("contacts", contact)
    rename(house, "Anna")
    run = house.run_until_seen("to_left")
    assert (run.failed, run.created) == (1, 0)
    (failure,) = house.open_failures()
    assert failure.category == Category.TARGET_DELETED
    assert (failure.record_id, failure.target_id) == (desk_id(house), contact)


def test_restored_and_retried_it_goes_on(house: House) -> None:
    contact = house.contact_id(ANA)
    house.hub.archive("contacts", contact)
    rename(house, "Anna")
    house.run_until_seen("to_left")
    house.hub.restore("contacts", contact)
    Failure.objects.update(next_try_at=timezone.now())
    house.run("to_left")
    assert house.open_failures() == []
    assert house.contacts()[ANA] == ("Anna", "Poe")


def test_recreating_makes_a_new_record_and_never_brings_the_old_one_back(house: House) -> None:
    contact = house.contact_id(ANA)
    rule("recreate")
    house.hub.archive("contacts", contact)
    rename(house, "Anna")
    run = house.run_until_seen("to_left")
    assert (run.created, run.failed) == (1, 0)
    new = house.contact_id(ANA)
    assert new != contact
    assert house.contacts()[ANA] == ("Anna", "Poe")
    link = Link.objects.get()
    assert (link.left_id, link.right_id) == (new, desk_id(house))
    assert kinds(desk_id(house))[-2:] == ["unlinked", "created"]
    # The old one is restored under another address: it is remembered, and not created at the desk.
    house.hub.restore("contacts", contact)
    house.hub.update("contacts", contact, {"email": "old@x.example"})
    house.run_until_seen("to_right")
    house.sync()
    assert set(house.desk.customers()) == {ANA}
    assert Decision.objects.get(record_id=contact).kind == Decision.Kind.RETIRED
    # An edit of it later is no riddle: a failure says what it is.
    house.hub.update("contacts", contact, {"lastname": "Old"})
    house.run_until_seen("to_right")
    (failure,) = house.open_failures()
    assert failure.category == Category.ALREADY_LINKED
    assert new in failure.message or desk_id(house) in failure.message
    assert set(house.desk.customers()) == {ANA}


def test_recreating_twice_uses_a_fresh_key_each_time(house: House) -> None:
    rule("recreate")
    for name in ("Anna", "Annette"):
        house.hub.archive("contacts", house.contact_id(ANA))
        rename(house, name)
        house.run_until_seen("to_left")
        assert house.contacts()[ANA] == (name, "Poe")
    assert PastCreate.objects.get(record_id=desk_id(house)).generation == 3
    assert house.links() == 1


def test_recreating_a_row_of_the_desk_does_not_answer_the_ledgers_old_id(house: House) -> None:
    rule("recreate")
    old = desk_id(house)
    house.desk.run("delete from customers")
    house.desk.run("insert into customers (id, email) values (77, 'other@x.example')")
    house.hub.update("contacts", house.contact_id(ANA), {"firstname": "Anna"})
    house.run_until_seen("to_right")
    assert house.desk.customers()[ANA] == ("Anna", "Poe")
    assert desk_id(house) != old
    assert Link.objects.filter(right_id=desk_id(house)).exists()


def test_skipping_leaves_the_link_and_asks_the_same_version_once(house: House) -> None:
    contact = house.contact_id(ANA)
    rule("skip")
    house.hub.archive("contacts", contact)
    rename(house, "Anna")
    run = house.run_until_seen("to_left")
    assert (run.skipped, run.failed, run.created) == (1, 0, 0)
    event = RecordEvent.objects.filter(run=run).get()
    assert (event.kind, contact in event.detail["reason"]) == ("skipped", True)
    assert (house.links(), house.open_failures()) == (1, [])
    assert house.run("to_left").skipped == 0
    # Restored, the record's next edit carries all that was skipped.
    house.hub.restore("contacts", contact)
    house.desk.run("update customers set last_name = 'Stone' where email = ?", ANA)
    house.run_until_seen("to_left")
    assert house.contacts()[ANA] == ("Anna", "Stone")
    assert not Decision.objects.exists()


def test_a_skipped_value_that_comes_back_later_is_no_longer_decided(house: House) -> None:
    contact = house.contact_id(ANA)
    rule("skip")
    house.hub.archive("contacts", contact)
    rename(house, "Anna")
    house.run_until_seen("to_left")
    house.hub.restore("contacts", contact)
    rename(house, "Annie")
    house.run_until_seen("to_left")
    rename(house, "Anna")
    house.run_until_seen("to_left")
    assert house.contacts()[ANA] == ("Anna", "Poe")


def test_stopping_leaves_the_record_alone_for_good(house: House) -> None:
    house.hub.archive("contacts", house.contact_id(ANA))
    rename(house, "Anna")
    house.run_until_seen("to_left")
    Failure.objects.update(remedy="stop", next_try_at=timezone.now())
    house.run("to_left")
    assert (house.open_failures(), house.links()) == ([], 0)
    rename(house, "Annette")
    for _ in range(2):
        assert house.run("to_left").is_idle
    assert house.contacts() == {}


def test_a_person_may_have_one_record_created_again(house: House) -> None:
    house.hub.archive("contacts", house.contact_id(ANA))
    rename(house, "Anna")
    house.run_until_seen("to_left")
    Failure.objects.update(remedy="recreate", next_try_at=timezone.now())
    assert house.run("to_left").created == 1
    assert house.open_failures() == []
    assert house.contacts()[ANA] == ("Anna", "Poe")


def test_what_hangs_on_it_is_carried_anew(house: House) -> None:
    """The link goes with its comments and files, so that the new record gets them all."""
    rule("recreate")
    link = Link.objects.get()
    house.hub.archive("contacts", link.left_id)
    rename(house, "Anna")
    house.run_until_seen("to_left")
    assert Link.objects.get().pk != link.pk


def test_a_deleted_source_leaves_its_counterpart_and_says_so(house: House) -> None:
    contact = house.contact_id(ANA)
    house.hub.archive("contacts", contact)
    for _ in range(2):
        house.sync()
    assert set(house.desk.customers()) == {ANA}
    QueuedRead.objects.create(
        flow=house.to_desk, record_id=contact, reason="asked", due_at=timezone.now()
    )
    run = house.run("to_right")
    event = RecordEvent.objects.get(run=run)
    assert (event.kind, event.source_id) == ("skipped", contact)
    assert "stays" in event.detail["reason"]
