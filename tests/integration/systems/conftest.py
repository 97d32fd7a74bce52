"""A fake account that systems can connect to."""

from collections.abc import Iterator

import pytest

from hubconnect.connectors.registry import connectors
from tests.fakes.connector import FakeAccount, FakeConnector

ADDRESS = "https://one.example"


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAccount]:
    """The account 4242 at ``https://one.example``; its connector is installed."""
    monkeypatch.setitem(connectors(), FakeConnector.slug, FakeConnector)
    made = FakeAccount("4242")
    FakeConnector.accounts = {ADDRESS: made}
    yield made
    FakeConnector.accounts = {}
