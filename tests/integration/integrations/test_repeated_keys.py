"""A create that finds what its key had made before, and what people did to that since."""

from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from hubconnect.connectors.base import Draft
from hubconnect.integrations.models import Flow
from hubconnect.systems.services.connections import open_connector
from tests.two_desks import furnish_desks

pytestmark = pytest.mark.django_db(transaction=True)
ANA = "ana@x.example"


def test_an_edit_of_what_a_repeated_create_finds_comes_back_as_one(
    tmp_path: Path, settings: Settings
) -> None:
    settings.SQLITE_DIR = tmp_path
    house = furnish_desks(tmp_path)
    house.activate()
    house.sync()
    house.sync()
    Flow.objects.update(lookup=[])
    house.left.run("insert into customers (email, first_name) values (?, 'Ana')", ANA)
    # An earlier create was taken for not carried out, and arrived after all.
    key = f"hc{house.flow('to_right').pair.type_pair_id}.left.{house.id_of(house.left, ANA)}.1"
    with open_connector(house.mapping.right_system) as right:
        right.create("customers", [Draft(key, {"email": ANA, "first_name": "Ana"})])
    house.rename(house.right, ANA, first_name="Anna")
    for _ in range(3):
        house.sync()
    assert house.left.customers()[ANA][0] == "Anna"
    assert house.right.customers()[ANA][0] == "Anna"
    assert len(house.right.customers()) == 1
