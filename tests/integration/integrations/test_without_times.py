"""A table whose rows do not say when they changed: each run reads all of it and finds what did."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from hubconnect.integrations.models import Decision, Flow, Slice, WideWindow
from hubconnect.integrations.services import activation, wide_windows
from hubconnect.integrations.services.slicing import run_slice
from hubconnect.integrations.services.wide_windows import look_back
from hubconnect.systems.services import schema
from tests.house import House, furnish
from tests.sandbox_process import Sandbox, sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def hub() -> Iterator[Sandbox]:
    with sandbox() as running:
        yield running


@pytest.fixture
def house(hub: Sandbox, tmp_path: Path, settings: Settings) -> House:
    """Customers whose modified column is not named, towards HubSpot."""
    settings.SQLITE_DIR = tmp_path
    furnished = furnish(hub, tmp_path / "desk.sqlite3", directions=["to_left"])
    furnished.order_desk.parameters["modified_column"] = ""
    furnished.order_desk.save()
    schema.forget(furnished.order_desk)
    return furnished


def insert(house: House, name: str, number: int = 0) -> str:
    email = f"{name}-{number}-{house.desk.file.parent.name}@x.example".replace("_", "-").lower()
    house.desk.run("insert into customers (email, last_name) values (?, ?)", email, name)
    return email


def test_each_run_finds_what_changed_among_all(house: House) -> None:
    email = insert(house, "Poe")
    house.activate()
    assert house.run("to_left").created == 1
    assert house.run("to_left").is_idle
    house.desk.run("update customers set last_name = 'Ode' where email = ?", email)
    run = house.run("to_left")
    assert (run.read, run.updated) == (1, 1)
    assert house.contacts()[email] == (None, "Ode")
    new = insert(house, "Later")
    assert house.run("to_left").created == 1
    assert new in house.contacts()


@pytest.mark.parametrize("slices", [1, 2])
def test_from_now_on_leaves_what_was_there_until_it_changes(
    house: House, settings: Settings, slices: int
) -> None:
    settings.LOAD_SLICES, settings.LOAD_SLICE_LEAST = slices, 1
    known = [insert(house, "Known", number) for number in range(4)]
    Flow.objects.update(start=Flow.Start.NOW)
    house.activate()
    house.run("to_left")
    work_off(house)
    assert Decision.objects.filter(kind=Decision.Kind.KNOWN).count() == 4
    assert house.run("to_left").created == 0
    new = insert(house, "New")
    house.desk.run("update customers set first_name = 'Bo' where email = ?", known[2])
    assert house.run("to_left").created == 2
    assert {new, known[2]} <= set(house.contacts())
    assert not {known[0], known[1], known[3]} & set(house.contacts())


def work_off(house: House) -> None:
    for part in Slice.objects.all():
        run_slice(part.pk)
    if house.to_hub.phase == Flow.Phase.LOADING:
        house.run("to_left")


def test_it_cannot_begin_at_a_time(house: House) -> None:
    Flow.objects.update(start=Flow.Start.TIME)
    with pytest.raises(activation.ActivationRefusedError, match="carries no modified time"):
        house.activate()


def test_there_is_nothing_to_look_back_at(house: House) -> None:
    insert(house, "Poe")
    house.activate()
    house.run("to_left")
    wide_windows.plan_missing()
    Flow.objects.update(next_run_at=None)
    WideWindow.objects.update(next_at=timezone.now())
    run = look_back(WideWindow.objects.get(kind="hourly").pk)
    assert run is not None
    assert (run.read, run.state) == (0, "done")
