"""Rows whose foreign key may not be empty are created with it, by an association or by a field."""

from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from hubconnect.connectors.errors import Category
from hubconnect.integrations.models import Flow, Pair
from hubconnect.mappings.models import AssociationMapping, FieldMapping, Mapping
from hubconnect.mappings.services import editing, rows
from hubconnect.mappings.services.sides import load_sides
from tests.house import House, furnish
from tests.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

TABLE = """
create table orders (
    id integer primary key,
    title varchar(200) not null,
    customer_id integer not null references customers (id),
    paid_by integer references customers (id));
"""


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, settings: Settings) -> None:
    settings.SQLITE_DIR = tmp_path


@pytest.fixture
def house(hub: Sandbox, tmp_path: Path) -> House:
    """Deals → orders, one deal of one contact; its contact belongs to the given column."""
    house = furnish(hub, tmp_path / "desk.sqlite3")
    house.desk.script(TABLE)
    contact = hub.create("contacts", {"email": "ana@x.example", "firstname": "Ana"})
    stage = {"pipeline": "default", "dealstage": "appointmentscheduled"}
    deal = hub.create("deals", {"dealname": "Roof", "amount": "1", **stage})
    hub.associate("deals", deal, "contacts", contact)
    return house


def add_pair(house: House, column: str) -> Mapping:
    mapping = Mapping.objects.create(
        name="Deals and orders",
        left_system=house.hubspot,
        left_type="deals",
        right_system=house.order_desk,
        right_type="orders",
    )
    FieldMapping.objects.create(
        mapping=mapping,
        position=0,
        left_field="dealname",
        right_field="title",
        direction="to_right",
    )
    AssociationMapping.objects.create(
        mapping=mapping,
        left_association="HUBSPOT_DEFINED:3",
        left_to_type="contacts",
        right_association=f"column:{column}",
        right_to_type="customers",
        direction="to_right",
    )
    pair = Pair.objects.create(integration=house.integration, mapping=mapping, position=1)
    house.flows["orders"] = Flow.objects.create(
        pair=pair, direction="to_right", start=Flow.Start.EVERYTHING
    )
    return mapping


def missing_fields(mapping: Mapping) -> set[str]:
    found = editing.check(rows.read_rules(mapping), load_sides(mapping))
    return {one.missing[1] for one in found if one.missing is not None}


def test_an_association_fills_a_foreign_key_that_may_not_be_empty(house: House) -> None:
    mapping = add_pair(house, "customer_id")
    assert missing_fields(mapping) == set()
    house.activate()
    house.run("to_right")

    house.run("orders")

    assert house.desk.run(
        "select title, email from orders join customers on customers.id = customer_id"
    ) == [("Roof", "ana@x.example")]


def test_a_field_may_fill_it_instead(house: House) -> None:
    mapping = add_pair(house, "paid_by")
    assert missing_fields(mapping) == {"customer_id"}
    FieldMapping.objects.create(
        mapping=mapping,
        position=1,
        left_field="amount",
        right_field="customer_id",
        direction="to_right",
    )
    assert missing_fields(mapping) == set()
    house.activate()
    house.run("to_right")

    house.run("orders")

    assert house.desk.run("select customer_id, paid_by from orders") == [(1, 1)]


def test_without_either_the_record_fails_with_that_reason(house: House, hub: Sandbox) -> None:
    add_pair(house, "customer_id")
    stage = {"pipeline": "default", "dealstage": "appointmentscheduled"}
    hub.create("deals", {"dealname": "Nobody's", **stage})
    house.activate()
    house.run("to_right")

    house.run("orders")

    (failure,) = house.open_failures()
    assert failure.category == Category.MISSING_LINK
    assert house.desk.run("select title from orders") == [("Roof",)]
