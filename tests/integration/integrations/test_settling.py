"""What became of writes whose reply was lost, with and without a key that the system enforces."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from hubconnect.connectors.errors import Category
from hubconnect.core.models import User
from hubconnect.integrations.models import (
    Claim,
    Failure,
    Intent,
    Link,
    PastCreate,
    QueuedRead,
    RecordEvent,
)
from hubconnect.integrations.services.linking import link_records
from hubconnect.mappings.models import FieldMapping
from tests.house import House, furnish, let_second_pass
from tests.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
ANA, DEE = "ana@x.example", "dee@x.example"
CONTACTS = "/crm/objects/2026-03/contacts/batch"
# Longer than a request and the system's own time for it, and the lag of its index.
LONG_AGO = timedelta(minutes=10)


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, settings: Settings) -> None:
    settings.SQLITE_DIR = tmp_path


@pytest.fixture
def house(hub: Sandbox, tmp_path: Path) -> House:
    """With one linked record, and HubSpot's key property."""
    hub.create("contacts", {"email": ANA, "firstname": "Ana", "lastname": "Poe"})
    return loaded(furnish(hub, tmp_path / "desk.sqlite3"))


@pytest.fixture
def keyless(hub: Sandbox, tmp_path: Path) -> House:
    """Without a property that would enforce our key, and without a lookup."""
    return loaded(furnish(hub, tmp_path / "desk.sqlite3", lookup=[], is_prepared=False))


def loaded(house: House) -> House:
    house.activate()
    house.sync()
    house.sync()
    return house


def lose_update(house: House, drop: str, **values: str) -> Intent:
    """Change the row of the desk and lose the reply of what that writes to HubSpot."""
    house.hub.fault(path=f"{CONTACTS}/update", drop=drop)
    for name, value in values.items():
        house.desk.run(f"update customers set {name} = ? where email = ?", value, ANA)
    house.run_until_seen("to_left")
    house.hub.clear_faults()
    return Intent.objects.get()


def lose_create(house: House, drop: str, email: str = DEE) -> None:
    """Add a row to the desk and lose the reply of what that creates in HubSpot."""
    house.hub.fault(path=f"{CONTACTS}/create", drop=drop)
    house.desk.run("insert into customers (email, first_name) values (?, 'Dee')", email)
    house.run_until_seen("to_left")
    house.hub.clear_faults()
    assert Intent.objects.exists()


def let_time_pass() -> None:
    for intent in Intent.objects.all():
        intent.sent_at -= LONG_AGO
        intent.save()
    QueuedRead.objects.update(due_at=timezone.now())


def emails(house: House) -> list[str]:
    found = house.hub.list("contacts", "email")
    return sorted(one["properties"]["email"] for one in found)


# --- Updates -----------------------------------------------------------------------------------


def test_an_update_that_arrived_moves_the_bases_and_is_not_repeated(house: House) -> None:
    lose_update(house, "after", first_name="Anna")
    house.hub.reset_statistics()
    run = house.run("to_left")
    assert (run.updated, Intent.objects.count()) == (1, 0)
    for _ in range(2):
        there, back = house.sync()
        assert (there.updated, back.updated) == (0, 0)
    assert house.contacts()[ANA] == ("Anna", "Poe")


def test_an_update_that_is_not_seen_is_waited_for_before_it_is_planned_anew(house: House) -> None:
    lose_update(house, "before", first_name="Anna")
    house.run("to_left")
    assert Intent.objects.count() == 1
    assert house.contacts()[ANA] == ("Ana", "Poe")
    let_time_pass()
    house.run("to_left")
    assert Intent.objects.count() == 0
    assert house.contacts()[ANA] == ("Anna", "Poe")


def test_the_opposite_flow_leaves_the_record_alone_meanwhile(house: House) -> None:
    lose_update(house, "before", first_name="Anna")
    house.hub.update("contacts", house.contact_id(ANA), {"lastname": "Stone"})
    held = house.run_until_seen("to_right")
    assert (held.held, held.updated) == (1, 0)
    assert house.desk.customers()[ANA] == ("Anna", "Poe")
    let_time_pass()
    house.sync_until(lambda: house.desk.customers()[ANA] == ("Anna", "Stone"))
    assert house.contacts()[ANA] == ("Anna", "Stone")


def test_an_edit_on_top_of_what_arrived_comes_back_as_one(house: House) -> None:
    lose_update(house, "after", first_name="Anna")
    house.hub.update("contacts", house.contact_id(ANA), {"firstname": "Annette"})
    house.run("to_left")
    house.sync_until(lambda: house.desk.customers()[ANA] == ("Annette", "Poe"))
    assert house.contacts()[ANA] == ("Annette", "Poe")


def test_a_field_that_was_put_back_is_planned_anew_and_the_other_is_not(house: House) -> None:
    lose_update(house, "after", first_name="Anna", last_name="Stone")
    house.hub.update("contacts", house.contact_id(ANA), {"lastname": "Poe"})
    run = house.run("to_left")
    link = Link.objects.get()
    assert link.left_base["firstname"][0] == "Anna"
    assert run.updated >= 1
    assert Intent.objects.count() == 0
    house.sync()
    # Nothing was lost: the field's conflict rule decided between both sides.
    assert house.contacts()[ANA] == house.desk.customers()[ANA]
    assert house.contacts()[ANA][0] == "Anna"


def test_what_the_system_writes_in_its_own_way_does_not_bounce(house: House) -> None:
    lose_update(house, "after", email="ANNA@x.example")
    house.run("to_left")
    assert emails(house) == ["anna@x.example"]
    for _ in range(2):
        house.sync()
    assert list(house.desk.customers()) == ["ANNA@x.example"]
    assert house.open_failures() == []


def test_an_edit_of_what_ours_never_reached_is_a_conflict_and_not_an_edit_on_top(
    house: House,
) -> None:
    """The history of HubSpot has no write of ours; both edits wait side by side for a person."""
    FieldMapping.objects.filter(left_field="firstname").update(conflict="ask")
    lose_update(house, "before", first_name="Anna")
    house.hub.update("contacts", house.contact_id(ANA), {"firstname": "Annette"})
    house.run("to_left")
    assert Intent.objects.count() == 1
    let_time_pass()
    house.sync_until(lambda: bool(house.open_failures()))
    (failure,) = house.open_failures()
    assert failure.category == Category.CONFLICT
    assert house.desk.customers()[ANA] == ("Anna", "Poe")
    assert house.contacts()[ANA] == ("Annette", "Poe")


def test_fields_that_were_not_sent_keep_their_bases(house: House) -> None:
    lose_update(house, "after", first_name="Anna")
    Link.objects.update(right_base={})
    house.run("to_left")
    assert list(Link.objects.get().right_base) == ["first_name"]


# --- Creates -----------------------------------------------------------------------------------


def test_a_create_is_found_by_its_key_at_once(house: House) -> None:
    house.hub.fault(path=f"{CONTACTS}/upsert", drop="after", times=0)
    house.desk.run("insert into customers (email) values (?)", DEE)
    house.run_until_seen("to_left")
    house.hub.clear_faults()
    run = house.run("to_left")
    assert (run.created, Intent.objects.count()) == (1, 0)
    assert emails(house) == [ANA, DEE]
    assert Claim.objects.filter(source_id=Link.objects.latest("pk").right_id).exists()


def test_an_edit_of_what_a_lost_create_made_comes_back_as_one(house: House) -> None:
    house.hub.fault(path=f"{CONTACTS}/upsert", drop="after", times=0)
    house.desk.run("insert into customers (email, first_name) values (?, 'Dee')", DEE)
    house.run_until_seen("to_left")
    house.hub.clear_faults()
    edited = {"firstname": "Deirdre", "lastname": "Doe"}  # the second was empty, and not sent
    house.hub.update("contacts", house.contact_id(DEE), edited)
    house.run("to_left")
    house.sync_until(lambda: house.desk.customers()[DEE] == ("Deirdre", "Doe"))
    assert house.contacts()[DEE] == ("Deirdre", "Doe")
    assert house.open_failures() == []


def test_without_a_key_the_only_record_our_app_made_since_is_taken(keyless: House) -> None:
    lose_create(keyless, "after")
    run = keyless.run("to_left")
    assert (run.created, Intent.objects.count()) == (1, 0)
    assert emails(keyless) == [DEE]
    assert keyless.open_failures() == []
    keyless.sync()
    assert emails(keyless) == [DEE]


def test_without_a_key_not_created_counts_only_after_every_wait(keyless: House) -> None:
    lose_create(keyless, "before")
    keyless.run("to_left")
    assert Intent.objects.count() == 1
    assert emails(keyless) == []
    let_time_pass()
    keyless.run("to_left")
    assert Intent.objects.count() == 0
    keyless.run("to_left")
    assert emails(keyless) == [DEE]
    assert PastCreate.objects.get().sent_at is not None


def test_a_record_that_was_there_after_all_is_recognised_when_it_is_refused(
    keyless: House,
) -> None:
    """The index hid it; the second create is refused, naming a record younger than the first."""
    keyless.hub.settings(index_frozen=True)
    lose_create(keyless, "after")
    let_time_pass()
    keyless.run("to_left")
    assert Intent.objects.count() == 0
    keyless.run("to_left")
    assert keyless.open_failures() == []
    assert keyless.links() == 1
    assert emails(keyless) == [DEE]
    event = RecordEvent.objects.filter(kind="linked").get()
    assert "after all" in event.detail["reason"]


def test_somebody_elses_record_with_the_value_is_never_taken_for_ours(keyless: House) -> None:
    keyless.hub.settings(index_frozen=True)
    keyless.hub.create("contacts", {"email": DEE, "firstname": "Another"})
    keyless.desk.run("insert into customers (email, first_name) values (?, 'Dee')", DEE)
    keyless.run_until_seen("to_left")
    (failure,) = keyless.open_failures()
    assert failure.category == Category.DUPLICATE
    assert keyless.links() == 0


def test_two_that_cannot_be_told_apart_are_shown_to_a_person(hub: Sandbox, tmp_path: Path) -> None:
    rows = ({"left_field": "firstname", "right_field": "first_name"},)
    house = loaded(furnish(hub, tmp_path / "desk.sqlite3", rows=rows, lookup=[], is_prepared=False))
    lose_create(house, "after")
    hub.create("contacts", {"firstname": "Dee"})
    lost = Intent.objects.get()
    twin = hub.api("POST", "/crm/v3/objects/contacts", {"properties": {"firstname": "Dee"}})[1]
    house.run("to_left")
    assert list(Intent.objects.all()) == [lost]
    let_time_pass()
    house.run("to_left")
    (failure,) = house.open_failures()
    assert failure.category == Category.UNKNOWN_OUTCOME
    shown = {one["id"] for one in failure.candidates or []}
    assert twin["id"] in shown
    assert len(shown) == 2  # those our app made; the one by a person is not among them
    assert all(one["values"] == {"firstname": "Dee"} for one in failure.candidates or [])


def test_an_open_create_holds_its_kin_and_nothing_else(keyless: House) -> None:
    lose_create(keyless, "before")
    ours = {"properties": {"email": "kin@x.example"}}
    keyless.hub.api("POST", "/crm/v3/objects/contacts", ours)
    keyless.hub.create("contacts", {"email": "person@x.example"})
    keyless.sync_until(lambda: "person@x.example" in keyless.desk.customers())
    assert Intent.objects.count() == 1
    assert "kin@x.example" not in keyless.desk.customers()
    let_time_pass()
    keyless.sync_until(lambda: "kin@x.example" in keyless.desk.customers())


# --- What a person is to look into ---------------------------------------------------------------


@pytest.fixture
def torn(hub: Sandbox, tmp_path: Path) -> House:
    """With a create that may have made one of two contacts; a person is asked which."""
    rows = ({"left_field": "firstname", "right_field": "first_name"},)
    house = loaded(furnish(hub, tmp_path / "desk.sqlite3", rows=rows, lookup=[], is_prepared=False))
    lose_create(house, "after")
    hub.api("POST", "/crm/v3/objects/contacts", {"properties": {"firstname": "Dee"}})
    let_time_pass()
    house.run("to_left")
    (failure,) = house.open_failures()
    assert failure.category == Category.UNKNOWN_OUTCOME
    return house


def first_names(house: House) -> list[str]:
    return sorted(one["properties"]["firstname"] for one in house.hub.list("contacts", "firstname"))


def read_all_back(house: House) -> None:
    for one in house.hub.list("contacts", "firstname"):
        QueuedRead.objects.update_or_create(
            flow=house.to_desk,
            record_id=one["id"],
            defaults={"reason": "test", "due_at": timezone.now()},
        )
    house.run("to_right")


def test_an_edit_creates_no_second_one_while_a_person_is_asked(torn: House) -> None:
    torn.desk.run("update customers set first_name = 'Deedee' where email = ?", DEE)
    let_second_pass()
    torn.run("to_left")
    assert first_names(torn) == ["Dee", "Dee"]
    assert [one.category for one in torn.open_failures()] == [Category.UNKNOWN_OUTCOME]
    Failure.objects.update(next_try_at=timezone.now())  # Retry: none of them is it
    torn.run("to_left")
    assert first_names(torn) == ["Dee", "Dee", "Deedee"]


def test_the_opposite_flow_creates_no_candidate_back_until_a_person_has_said(torn: House) -> None:
    read_all_back(torn)
    (failure,) = torn.open_failures()
    chosen, other = (one["id"] for one in failure.candidates or ())
    link_records(torn.to_hub, failure.record_id, chosen, User.objects.get())
    torn.run("to_left")
    assert torn.open_failures() == []
    torn.run("to_right")
    # The other one is tried now: a row needs an address, which it has not.
    (failure,) = torn.open_failures()
    assert (failure.category, failure.record_id) == (Category.REQUIRED_FIELD, other)
    assert Link.objects.get().left_id == chosen


def test_what_an_index_had_hidden_joins_the_candidates(torn: House) -> None:
    shown = [one["id"] for one in torn.open_failures()[0].candidates or ()]
    Failure.objects.update(candidates=[])
    read_all_back(torn)
    (failure,) = torn.open_failures()
    assert {one["id"] for one in failure.candidates or ()} == set(shown)
    assert all(one in failure.message for one in shown)
