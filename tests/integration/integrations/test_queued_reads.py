"""A queued read is over once its record was carried, and not before."""

from datetime import UTC, datetime

import pytest
from django.utils import timezone

from hubconnect.connectors.errors import Category
from hubconnect.integrations.models import Failure, Intent, Link, QueuedRead, Side
from hubconnect.integrations.services import closing
from hubconnect.mappings.models import FieldMapping
from tests.memory_house import BY_CODE, MemoryHouse, furnish_memories, register

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> MemoryHouse:
    """With one linked thing, whose name is "Ana" on both sides."""
    register(monkeypatch)
    house = furnish_memories(lookup=BY_CODE)
    house.left.add({"code": "ana", "name": "Ana"})
    house.sync()
    house.sync()
    return house


def queue_new(house: MemoryHouse, code: str, **values: str) -> str:
    record_id = house.left.add({"code": code})
    house.edit_long_ago(record_id, **values)
    return record_id


def test_it_stays_while_the_target_takes_no_writes(house: MemoryHouse) -> None:
    house.edit_long_ago(house.link("ana").left_id, name="Anna")
    house.right.trouble = "away"
    house.run("to_right")
    assert house.right.rows["1"].values["name"] == "Ana"
    house.run("to_right")
    assert house.right.rows["1"].values["name"] == "Anna"
    assert not QueuedRead.objects.exists()


def test_a_question_is_asked_though_the_reply_to_a_create_was_lost_before(
    house: MemoryHouse,
) -> None:
    FieldMapping.objects.filter(left_field="name").update(conflict="ask")
    queue_new(house, "ben")
    house.edit_long_ago(house.link("ana").left_id, name="Anna")
    house.right.rows["1"].values["name"] = "Annette"
    house.right.trouble = "lost"
    house.run("to_right")
    assert Intent.objects.count() == 1
    house.run("to_right")
    assert [one.category for one in house.open_failures()] == [Category.CONFLICT]


def test_a_counterpart_is_linked_though_the_reply_to_a_create_was_lost_before(
    house: MemoryHouse,
) -> None:
    queue_new(house, "ben")
    house.right.add({"code": "cid"})
    house.right.rows["2"].modified_at = datetime(2000, 1, 1, tzinfo=UTC)
    own = queue_new(house, "cid")
    house.right.trouble = "lost"
    house.run("to_right")
    assert Intent.objects.count() == 1
    house.run("to_right")
    assert Link.objects.filter(left_id=own, right_id="2").exists()


def test_one_that_is_asked_for_anew_while_its_record_is_carried_stays(house: MemoryHouse) -> None:
    """A failure is dismissed behind the reading; what waited for it is to be read once more."""
    link = house.link("ana")
    house.edit_long_ago(link.left_id, name="Anna")
    now = timezone.now()
    failure = Failure.objects.create(
        flow=house.flows["to_left"],
        type_pair=link.type_pair,
        level=Failure.Level.RECORD,
        side=Side.RIGHT,
        record_id=link.right_id,
        target_id=link.left_id,
        waits_to_right=True,
        first_at=now,
        last_at=now,
    )
    steps = iter(range(100))

    def dismiss_behind_the_reading() -> None:
        if next(steps) == 1:
            closing.close(failure, Failure.State.DISMISSED, timezone.now())

    house.left.step = dismiss_behind_the_reading
    house.run("to_right")
    assert house.right.rows["1"].values["name"] == "Anna"
    assert QueuedRead.objects.filter(record_id=link.left_id).exists()
