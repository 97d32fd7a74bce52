"""What a person decides while a run has the record in hand is not undone by that run."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from hubconnect.connectors.sql.connector import SQLConnector
from hubconnect.core.models import User
from hubconnect.integrations.models import Failure
from hubconnect.integrations.services import deciding, failures
from hubconnect.mappings.models import FieldMapping
from tests.two_desks import TwoDesks, furnish_desks

pytestmark = pytest.mark.django_db(transaction=True)
ANA = "ana@desk.example"


@pytest.fixture
def house(tmp_path: Path, settings: Settings) -> TwoDesks:
    settings.SQLITE_DIR = tmp_path
    made = furnish_desks(tmp_path)
    FieldMapping.objects.update(conflict="ask")
    made.left.run("insert into customers (email, first_name) values (?, 'Ana')", ANA)
    made.activate()
    made.sync()
    made.sync()
    made.rename(made.left, ANA, first_name="Anna")
    made.rename(made.right, ANA, first_name="Anne")
    made.run("to_right")
    return made


def during_the_write(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Have a person act once, right before the next update is sent."""
    real, left = SQLConnector.update, [act]

    def update(*args: Any) -> Any:  # noqa: ANN401 - passed on as it is
        if left:
            left.pop()()
        return real(*args)

    monkeypatch.setattr(SQLConnector, "update", update)


def test_values_let_go_during_a_write_stay_agreed_on(
    house: TwoDesks, monkeypatch: pytest.MonkeyPatch
) -> None:
    (failure,) = house.open_failures()
    during_the_write(monkeypatch, lambda: failures.dismiss(failure, User.objects.get()))
    house.rename(house.left, ANA, last_name="Poe")
    assert house.run("to_right").updated == 1
    house.sync()
    house.sync()
    assert house.open_failures() == []
    assert house.left.customers()[ANA] == ("Anna", "Poe")
    assert house.right.customers()[ANA] == ("Anne", "Poe")


def test_a_conflict_dismissed_during_a_write_stays_closed(
    house: TwoDesks, monkeypatch: pytest.MonkeyPatch
) -> None:
    (failure,) = house.open_failures()
    during_the_write(monkeypatch, lambda: failures.dismiss(failure, User.objects.get()))
    house.rename(house.left, ANA, first_name="Annie", last_name="Poe")
    house.run("to_right")
    failure.refresh_from_db()
    assert failure.state == Failure.State.DISMISSED
    house.sync()
    assert house.open_failures() == []
    assert house.right.customers()[ANA] == ("Annie", "Poe"), "an edit after what was let go"


def test_a_choice_made_during_a_write_is_kept(
    house: TwoDesks, monkeypatch: pytest.MonkeyPatch
) -> None:
    (failure,) = house.open_failures()
    chosen = {"field-0": "right", "seen": seen(failure)}
    during_the_write(monkeypatch, lambda: deciding.decide(failure, chosen, User.objects.get()))
    house.rename(house.left, ANA, first_name="Annie", last_name="Poe")
    house.run("to_right")
    failure.refresh_from_db()
    assert [one.get("choice") for one in failure.conflicts] == ["right"]
    house.sync()
    failure.refresh_from_db()
    assert failure.state == Failure.State.OPEN, "a value changed after the choice: it is asked anew"
    assert "Choose again" in failure.hint


def seen(failure: Failure) -> str:
    shown = deciding.shown(failure)
    assert shown is not None
    return shown.seen
