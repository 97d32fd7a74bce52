"""Edits that come between our read and our write."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from django.db import connection
from django.db.models import Sum
from django.test import Client
from django.urls import reverse

from hubconnect.connectors.errors import Category
from hubconnect.integrations.models import Failure, HourlyFigures, Intent, QueuedRead
from hubconnect.mappings.models import FieldMapping
from tests.asking import ANA, decide
from tests.house import House, let_second_pass
from tests.pages import text
from tests.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

UPDATE = "/crm/objects/2026-03/contacts/batch/update"
READ = "/crm/objects/2026-03/contacts/batch/read"


@pytest.fixture
def house(asking_house: House) -> House:
    return asking_house


@contextmanager
def just_before_the_write(
    hub: Sandbox, record_id: str, drop: str = "", **values: str
) -> Iterator[None]:
    """Have somebody edit a contact once our update is under way and before it is done."""
    hub.fault(path=UPDATE, delay_s=1.0, drop=drop)

    def edit() -> None:
        for _ in range(400):
            if "" not in hub.faults():  # ours has no name
                hub.update("contacts", record_id, values)
                return
            threading.Event().wait(0.02)

    somebody = threading.Thread(target=edit)
    somebody.start()
    try:
        yield
    finally:
        somebody.join()


def overwrite(house: House) -> Failure:
    """Write first name Anne to HubSpot over Anja, which somebody has just entered there."""
    house.desk.run("update customers set first_name = 'Anne' where email = ?", ANA)
    with just_before_the_write(house.hub, house.contact_id(ANA), firstname="Anja"):
        house.run_until_seen("to_left")
    assert house.contacts()[ANA] == ("Anne", "Poe")
    (failure,) = house.open_failures()
    return failure


def test_a_value_overwritten_unseen_is_shown_and_can_be_put_back(
    house: House, sync_admin_client: Client
) -> None:
    failure = overwrite(house)
    assert failure.category == Category.CONFLICT
    (entry,) = failure.conflicts
    assert (entry["overwritten"], entry["lost"]) == ("left", "Anja")
    assert "overwritten" in failure.message
    page = text(sync_admin_client.get(reverse("integrations:failure_detail", args=[failure.pk])))
    for word in ("Anja", "Anne", "overwritten"):
        assert word in page
    house.sync()
    house.sync()
    assert house.open_failures() == [failure]  # both sides being equal does not heal it
    assert "carried out with the next run" in decide(sync_admin_client, failure, "left")
    house.run("to_left")
    assert house.contacts()[ANA] == ("Anja", "Poe")
    assert house.open_failures() == []
    house.sync_until(lambda: house.desk.customers()[ANA] == ("Anja", "Poe"))
    house.sync()
    there, back = house.sync()
    assert there.is_idle
    assert back.is_idle


def is_shown(house: House) -> bool:
    """Tell that the one open failure asks about Anja, which stood there before Anne."""
    (failure,) = house.open_failures()
    (entry,) = failure.conflicts
    ours, theirs = entry["left"], entry["right"]
    assert (ours["base"], ours["value"], theirs["base"]) == ("Ana", "Anne", "Ana")
    return failure.category == Category.CONFLICT and (entry["overwritten"], entry["lost"]) == (
        "left",
        "Anja",
    )


def test_a_history_that_cannot_be_read_is_asked_again(
    house: House, sync_admin_client: Client
) -> None:
    """The write stays open meanwhile, and nothing is written twice."""
    house.hub.fault("forbidden", path=READ, skip=1, times=0)  # the record is read, no more
    house.desk.run("update customers set first_name = 'Anne' where email = ?", ANA)
    with just_before_the_write(house.hub, house.contact_id(ANA), firstname="Anja"):
        run = house.run_until_seen("to_left")
    assert (run.updated, run.held) == (0, 1)
    assert Intent.objects.count() == 1
    house.run("to_left")  # it cannot be settled without the history
    assert Intent.objects.count() == 1
    house.hub.clear_faults()
    house.sync_until(lambda: not Intent.objects.exists())
    assert house.contacts()[ANA] == ("Anne", "Poe")
    assert is_shown(house)
    decide(sync_admin_client, house.open_failures()[0], "left")
    house.sync_until(lambda: house.desk.customers()[ANA] == ("Anja", "Poe"))
    assert house.contacts()[ANA] == ("Anja", "Poe")
    assert house.open_failures() == []


@pytest.mark.parametrize("settles", ["to_left", "to_right"])
def test_a_value_overwritten_by_an_update_whose_reply_was_lost_is_shown(
    house: House, settles: str
) -> None:
    """Whichever direction settles it."""
    house.desk.run("update customers set first_name = 'Anne' where email = ?", ANA)
    with just_before_the_write(house.hub, house.contact_id(ANA), "after", firstname="Anja"):
        house.run_until_seen("to_left")
    assert house.contacts()[ANA] == ("Anne", "Poe")
    assert Intent.objects.count() == 1
    run = house.run(settles)
    assert Intent.objects.count() == 0
    figures = HourlyFigures.objects.filter(flow=run.flow).aggregate(failed=Sum("failed"))
    assert figures["failed"] == run.failed == 1
    assert is_shown(house)
    house.sync()
    house.sync()
    assert is_shown(house)


def test_a_lost_reply_that_overwrote_nothing_asks_nobody(house: House) -> None:
    house.hub.fault(path=UPDATE, drop="after")
    house.desk.run("update customers set first_name = 'Anne' where email = ?", ANA)
    house.run_until_seen("to_left")
    assert house.run("to_left").updated == 1
    assert house.open_failures() == []


def test_what_was_written_may_stay(house: House, sync_admin_client: Client) -> None:
    failure = overwrite(house)
    assert "What was written stays." in decide(sync_admin_client, failure, "right")
    assert house.open_failures() == []
    house.sync()
    house.sync()
    assert house.contacts()[ANA] == house.desk.customers()[ANA] == ("Anne", "Poe")


def test_putting_back_is_asked_anew_if_a_value_changed_since(
    house: House, sync_admin_client: Client
) -> None:
    failure = overwrite(house)
    decide(sync_admin_client, failure, "left")
    house.hub.update("contacts", house.contact_id(ANA), {"firstname": "Annabel"})
    house.run("to_left")
    assert house.contacts()[ANA] == ("Annabel", "Poe")
    (failure,) = house.open_failures()
    assert "Choose again" in failure.hint
    assert failure.conflicts[0]["left"]["value"] == "Annabel"


def test_history_is_read_only_for_fields_about_which_a_person_is_asked(house: House) -> None:
    house.desk.run("update customers set first_name = 'Anne' where email = ?", ANA)
    asked = house.run_until_seen("to_left")
    assert asked.calls["target"]["history"] == 1
    assert house.open_failures() == []
    FieldMapping.objects.update(conflict="none")
    house.desk.run("update customers set first_name = 'Anna' where email = ?", ANA)
    not_asked = house.run_until_seen("to_left")
    assert "history" not in not_asked.calls["target"]


def test_a_row_changed_between_read_and_write_is_planned_anew(house: House) -> None:
    """SQL compares before it writes: the edit is kept, and nothing was overwritten."""
    begun, edited = threading.Event(), threading.Event()

    def edit() -> None:
        with closing(sqlite3.connect(house.desk.file, isolation_level=None)) as desk:
            desk.execute("begin immediate")  # others read the old value, and wait to write
            desk.execute("update customers set first_name = 'Anne' where email = ?", (ANA,))
            begun.set()
            for _ in range(1000):
                if Intent.objects.exists():  # it has read, planned, and is about to write
                    break
                threading.Event().wait(0.01)
            desk.execute("commit")
            edited.set()
        connection.close()

    house.hub.update("contacts", house.contact_id(ANA), {"firstname": "Anna", "lastname": "Poet"})
    let_second_pass()
    somebody = threading.Thread(target=edit)
    somebody.start()
    begun.wait()
    run = house.run("to_right")
    somebody.join()
    assert edited.is_set()
    assert (run.held, run.updated) == (1, 0)
    assert house.desk.customers()[ANA] == ("Anne", "Poe")
    assert QueuedRead.objects.get().reason == "The target changed between reading and writing."
    house.run("to_right")
    assert house.desk.customers()[ANA] == ("Anne", "Poet")
    (failure,) = house.open_failures()
    assert failure.category == Category.CONFLICT
