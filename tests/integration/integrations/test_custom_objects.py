"""A custom object of a HubSpot account is synced like any other object type."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from hubconnect.integrations.models import Flow, Pair
from hubconnect.mappings.models import FieldMapping, Mapping
from tests.contract.hubspot.custom_objects import MACHINES, add_machines
from tests.house import House, furnish
from tests.sandbox_process import Sandbox, sandbox

pytestmark = pytest.mark.django_db(transaction=True)

TABLE = """
create table machines (
    id integer primary key,
    serial varchar(40) not null unique,
    stage varchar(20),
    built_on date,
    updated_at datetime not null default (strftime('%Y-%m-%d %H:%M:%f', 'now')));
"""
ROWS = (("serial", "serial"), ("hs_pipeline_stage", "stage"), ("built_on", "built_on"))


@pytest.fixture
def hub() -> Iterator[Sandbox]:
    with sandbox() as running:
        add_machines(running)
        yield running


@pytest.fixture
def house(hub: Sandbox, tmp_path: Path, settings: Settings) -> House:
    """Machines of HubSpot ↔ a table of machines."""
    settings.SQLITE_DIR = tmp_path
    house = furnish(hub, tmp_path / "desk.sqlite3")
    house.desk.script(TABLE)
    mapping = Mapping.objects.create(
        name="Machines",
        left_system=house.hubspot,
        left_type=MACHINES,
        right_system=house.order_desk,
        right_type="machines",
    )
    for position, (left, right) in enumerate(ROWS):
        FieldMapping.objects.create(
            mapping=mapping, position=position, left_field=left, right_field=right
        )
    pair = Pair.objects.create(integration=house.integration, mapping=mapping, position=1)
    for direction in ("to_right", "to_left"):
        house.flows[f"machines {direction}"] = Flow.objects.create(
            pair=pair, direction=direction, start=Flow.Start.EVERYTHING
        )
    return house


def test_machines_come_to_the_table_and_back(house: House, hub: Sandbox) -> None:
    hub.create(
        MACHINES, {"serial": "M-1", "hs_pipeline_stage": "running", "built_on": "2019-03-31"}
    )
    house.desk.run("insert into machines (serial, stage) values ('M-2', 'broken')")
    house.activate(**{"machines to_right": 1, "machines to_left": 1})
    house.run("machines to_right")
    house.run("machines to_left")

    rows = house.desk.run("select serial, stage, built_on from machines order by serial")
    assert rows == [("M-1", "running", "2019-03-31"), ("M-2", "broken", None)]
    made = {
        one["properties"]["serial"]: one["properties"]["hs_pipeline_stage"]
        for one in hub.list(MACHINES, "serial,hs_pipeline_stage")
    }
    assert made == {"M-1": "running", "M-2": "broken"}
    assert not house.open_failures()
