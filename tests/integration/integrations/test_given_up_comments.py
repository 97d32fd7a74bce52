"""A comment whose reply was lost for good is never doubled while a person is asked, nor after."""

from datetime import timedelta

import pytest
from django.utils import timezone

from hubconnect.connectors.errors import Category
from hubconnect.integrations.models import ChildIntent, Failure, FollowUp
from hubconnect.integrations.services import closing
from tests.fakes.memory import plain
from tests.fakes.memory_desk import MemoryDesk
from tests.memory_house import MemoryHouse, furnish_memories, register

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> MemoryHouse:
    """With a comment that arrived on the right, of which nothing tells that it did."""
    register(monkeypatch)
    house = furnish_memories(comments="both")
    house.left.add({"code": "ana", "name": "Ana"})
    house.sync()
    house.sync()
    house.right.has_keys = False
    house.left.say("1", "<p>Hello</p>")
    house.right.trouble = "lost"
    house.run("to_right")
    assert ChildIntent.objects.count() == 1
    house.right.ahead += timedelta(minutes=10)
    house.run("to_right")
    assert [one.category for one in house.open_failures()] == [Category.UNKNOWN_OUTCOME]
    return house


def sync(house: MemoryHouse) -> None:
    FollowUp.objects.filter(due_at__isnull=False).update(due_at=timezone.now())
    house.sync()


def said(desk: MemoryDesk) -> list[str]:
    return [plain(one.body) for one in desk.notes.values()]


def test_the_copy_is_not_carried_back(house: MemoryHouse) -> None:
    sync(house)
    assert (said(house.left), said(house.right)) == (["Hello"], ["Hello"])


def test_nor_once_a_person_found_it_and_let_go(house: MemoryHouse) -> None:
    sync(house)
    closing.close(house.open_failures()[0], Failure.State.DISMISSED, timezone.now())
    sync(house)
    Failure.objects.all().delete()  # as time does
    house.right.rephrase("1", house.right.notes["1"].body)
    sync(house)
    assert (said(house.left), said(house.right)) == (["Hello"], ["Hello"])


def test_an_edit_sends_no_second_one(house: MemoryHouse) -> None:
    house.left.rephrase("1", "<p>Hello you</p>")
    sync(house)
    assert said(house.right) == ["Hello"]
    Failure.objects.update(next_try_at=timezone.now())  # Retry: it is not there
    sync(house)
    assert said(house.right) == ["Hello", "Hello you"]


def test_another_comment_is_carried_meanwhile(house: MemoryHouse) -> None:
    house.right.say("1", "<p>Bye</p>")
    sync(house)
    assert said(house.left) == ["Hello", "Bye"]
