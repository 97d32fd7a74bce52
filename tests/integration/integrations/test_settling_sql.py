"""Updates of rows by a process that died, just before its commit or just after it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from sqlalchemy import Engine, event

from hubconnect.connectors.errors import Category
from hubconnect.integrations.models import Intent, QueuedRead, TypePair
from tests.asking import ANA
from tests.crashing import Killed
from tests.house import House
from tests.integration.integrations.test_settling import LONG_AGO

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def house(asking_house: House) -> House:
    return asking_house


@contextmanager
def killed_at_commit(*, is_done: bool) -> Iterator[None]:
    """End what the block does at the first commit to the desk, before it or after it."""
    is_over = False

    def commit(_: object) -> None:
        nonlocal is_over
        if not is_done:
            raise Killed
        is_over = True

    def statement(execute: Callable[..., Any], *arguments: Any) -> Any:  # noqa: ANN401 - as it gets
        if is_over:
            raise Killed
        return execute(*arguments)

    event.listen(Engine, "commit", commit)
    try:
        with pytest.raises(Killed), connection.execute_wrapper(statement):
            yield
    finally:
        event.remove(Engine, "commit", commit)


def lose_update(house: House, *, is_done: bool) -> None:
    """Change both names in HubSpot and have the worker die while it carries them."""
    names = {"firstname": "Anna", "lastname": "Pond"}
    house.hub.update("contacts", house.contact_id(ANA), names)
    with killed_at_commit(is_done=is_done):
        house.run_until_seen("to_right")
    assert house.desk.customers()[ANA] == (("Anna", "Pond") if is_done else ("Ana", "Poe"))
    (intent,) = Intent.objects.all()
    intent.sent_at -= LONG_AGO
    intent.save()
    TypePair.objects.update(leased_until=timezone.now(), settle_after=timezone.now())


def edit_both(house: House) -> None:
    house.desk.run(
        "update customers set first_name = 'Annette', last_name = 'Lake' where email = ?", ANA
    )


def test_every_field_edited_after_an_update_that_arrived_comes_back(house: House) -> None:
    lose_update(house, is_done=True)
    edit_both(house)
    house.sync_until(lambda: house.contacts()[ANA] == ("Annette", "Lake"))
    assert house.desk.customers()[ANA] == ("Annette", "Lake")
    assert house.open_failures() == []


def test_every_field_edited_after_an_update_that_never_arrived_is_a_conflict(
    house: House,
) -> None:
    """It is no edit on top of ours: a person is asked, and neither side is written."""
    lose_update(house, is_done=False)
    edit_both(house)
    house.run("to_right")
    QueuedRead.objects.update(due_at=timezone.now())
    house.sync_until(lambda: bool(house.open_failures()))
    (failure,) = house.open_failures()
    assert failure.category == Category.CONFLICT
    assert len(failure.conflicts) == 2
    assert house.contacts()[ANA] == ("Anna", "Pond")
    assert house.desk.customers()[ANA] == ("Annette", "Lake")
