"""An account with two object types, and a mapping between them."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache

from hubconnect.connectors.base import Field, Option, ValueType
from hubconnect.connectors.registry import connectors
from hubconnect.mappings.models import Mapping
from hubconnect.mappings.services import usage
from tests.factories.mappings import FieldMappingFactory, MappingFactory
from tests.factories.systems import SystemFactory
from tests.fakes.connector import FakeAccount, FakeConnector


def options(*values: str) -> tuple[Option, ...]:
    return tuple(Option(one, one.title()) for one in values)


def account_with_types() -> FakeAccount:
    text, option = ValueType.TEXT, ValueType.OPTION
    return FakeAccount(
        "4242",
        fields={
            "deals": [
                Field(name="name", label="Deal name", type=text, required=True),
                Field(name="amount", label="Amount", type=ValueType.NUMBER),
                Field(name="owner", label="Owner", type=ValueType.USER),
                Field(name="forecast", label="Forecast", type=ValueType.NUMBER, read_only=True),
                Field(name="stage", label="Stage", type=option, options=options("new", "won")),
                Field(name="notes", label="Notes", type=text),
            ],
            "orders": [
                Field(name="title", label="title", type=text, required=True, max_length=20),
                Field(name="amount", label="amount", type=ValueType.NUMBER),
                Field(name="status", label="status", type=option, options=options("open", "won")),
                Field(name="notes", label="notes", type=text),
                Field(name="due", label="due", type=ValueType.DATE),
            ],
        },
    )


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAccount]:
    """The account of every system here; its connector is installed."""
    monkeypatch.setitem(connectors(), FakeConnector.slug, FakeConnector)
    monkeypatch.setattr(usage, "_guards", [])
    made = account_with_types()
    FakeConnector.accounts = {"https://one.example": made}
    yield made
    FakeConnector.accounts = {}
    cache.clear()


@pytest.fixture
def mapping(db: None) -> Mapping:  # noqa: ARG001  it needs the database
    """``Hub [deals]`` to ``Desk [orders]`` with one sound row: name and title."""
    made = MappingFactory.create(
        name="Deals and orders",
        left_system=SystemFactory.create(name="Hub"),
        right_system=SystemFactory.create(name="Desk"),
    )
    FieldMappingFactory.create(mapping=made)
    return made
