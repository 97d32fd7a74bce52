"""What most tests of syncing start from."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from tests.asking import ANA
from tests.house import NAMES, House, furnish
from tests.sandbox_process import Sandbox, sandbox


@pytest.fixture
def hub() -> Iterator[Sandbox]:
    """An empty HubSpot account of the test's own."""
    with sandbox() as running:
        yield running


@pytest.fixture(scope="module")
def account() -> Iterator[Sandbox]:
    """One for all tests of a module; each begins with what it clears or adds."""
    with sandbox() as running:
        yield running


@pytest.fixture
def emptied(account: Sandbox) -> Sandbox:
    """The module's account without contacts and faults."""
    account.clear_faults()
    for one in account.list("contacts"):
        account.archive("contacts", one["id"])
    return account


@pytest.fixture
def asking_house(hub: Sandbox, tmp_path: Path, settings: Settings) -> House:
    """Ana on both sides, in sync; a person is asked about every field in conflict."""
    settings.SQLITE_DIR = tmp_path
    hub.create("contacts", {"email": ANA, "firstname": "Ana", "lastname": "Poe"})
    rows = [{**row, "conflict": "ask"} for row in NAMES]
    furnished = furnish(hub, tmp_path / "desk.sqlite3", rows=rows)
    furnished.activate()
    furnished.sync()
    furnished.sync()
    return furnished
