"""One empty sandbox for the tests that bring their own records, and one that is seeded."""

from collections.abc import Iterator
from itertools import count

import pytest

from tests.sandbox_process import Sandbox, sandbox

_NUMBERS = count(1)


@pytest.fixture(scope="session")
def hub() -> Iterator[Sandbox]:
    with sandbox(ui_domain="app-eu1.hubspot.com") as running:
        yield running


@pytest.fixture(scope="session")
def seeded() -> Iterator[Sandbox]:
    with sandbox(contacts=320, companies=60, deals=120, tickets=80) as running:
        yield running


@pytest.fixture
def email() -> str:
    """Return an address no other test uses."""
    return f"person{next(_NUMBERS)}@example.com"
