"""What was created for a record that got another link meanwhile is left alone, and told of."""

from datetime import UTC, datetime, timedelta

import pytest

from hubconnect.connectors.errors import Category
from hubconnect.integrations.models import Decision, Intent, Link, TypePair
from tests.memory_house import MemoryHouse, furnish_memories, register

pytestmark = pytest.mark.django_db(transaction=True)
OTHER = "1"


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> MemoryHouse:
    """With a right thing that no run reads, and a left one that is new."""
    register(monkeypatch)
    house = furnish_memories()
    house.sync()
    house.sync()
    house.right.add({"code": "other"})
    house.right.rows[OTHER].modified_at = datetime(2000, 1, 1, tzinfo=UTC)
    house.left.add({"code": "ana"})
    return house


def link_with_other() -> None:
    Link.objects.create(type_pair=TypePair.objects.get(), left_id="1", right_id=OTHER)


def check(house: MemoryHouse) -> None:
    assert "2" in house.right.ids_of("ana")
    decision = Decision.objects.get()
    assert (decision.side, decision.record_id) == ("right", "2")
    assert f"linked with {OTHER} meanwhile" in decision.reason
    house.run("to_left")
    assert len(house.left.rows) == 1
    house.right.change("2", {"name": "Ana"})
    house.run("to_left")
    assert len(house.left.rows) == 1
    assert Category.ALREADY_LINKED in {one.category for one in house.open_failures()}


def test_of_a_create_that_was_answered(house: MemoryHouse) -> None:
    def link_behind_the_write() -> None:
        if house.right.ids_of("ana") and not Link.objects.exists():
            link_with_other()

    house.right.step = link_behind_the_write
    house.run("to_right")
    check(house)


def test_of_a_create_whose_reply_was_lost(house: MemoryHouse) -> None:
    house.right.trouble = "lost"
    house.run("to_right")
    link_with_other()
    house.right.ahead += timedelta(minutes=10)
    house.run("to_right")
    assert not Intent.objects.exists()
    check(house)
