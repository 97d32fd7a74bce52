"""One field carried to several: within a mapping it works, across pairs it would lose changes."""

from dataclasses import replace
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from hubconnect.core.models import User
from hubconnect.integrations.models import Failure, Flow
from hubconnect.integrations.services import activation
from hubconnect.integrations.services.activation import ActivationRefusedError
from hubconnect.mappings.models import Direction, FieldMapping, Mapping
from tests.two_desks import TwoDesks, furnish_desks, integrate

pytestmark = pytest.mark.django_db(transaction=True)
ANA = "ana@desk.example"


@pytest.fixture
def house(tmp_path: Path, settings: Settings) -> TwoDesks:
    settings.SQLITE_DIR = tmp_path
    made = furnish_desks(tmp_path)
    made.left.run("insert into customers (email, first_name) values (?, 'Ana')", ANA)
    FieldMapping.objects.filter(mapping=made.mapping, left_field="last_name").delete()
    made.activate()
    made.sync()
    return made


def second(
    house: TwoDesks, direction: str, *rows: tuple[str, str], turned: bool = False
) -> TwoDesks:
    """Set another integration up over the same object types, inactive."""
    systems = (house.mapping.left_system, house.mapping.right_system)
    left, right = reversed(systems) if turned else systems
    mapping = Mapping.objects.create(
        name="Aliases" if not turned else "Turned aliases",
        left_system=left,
        left_type="customers",
        right_system=right,
        right_type="customers",
    )
    for position, (one, other) in enumerate((("email", "email"), *rows)):
        FieldMapping.objects.create(
            mapping=mapping,
            position=position,
            left_field=one,
            right_field=other,
            direction=direction,
        )
    integration, flows = integrate(mapping, "Other" if not turned else "Turned")
    Flow.objects.filter(pair__integration=integration).exclude(direction=direction).delete()
    return replace(house, mapping=mapping, integration=integration, flows=flows)


def test_a_field_that_another_pair_carries_elsewhere_is_refused_naming_both(
    house: TwoDesks,
) -> None:
    other = second(house, Direction.TO_RIGHT, ("first_name", "last_name"))
    with pytest.raises(ActivationRefusedError) as refused:
        other.activate()
    (problem,) = refused.value.problems
    for word in ("Aliases", "Customers", "Desks", "Left desk"):
        assert word in problem
    activation.deactivate(house.integration, User.objects.get())
    other.activate()
    with pytest.raises(ActivationRefusedError):
        house.activate()


def test_a_pair_drawn_the_other_way_round_is_refused_too(house: TwoDesks) -> None:
    other = second(house, Direction.TO_LEFT, ("last_name", "first_name"), turned=True)
    with pytest.raises(ActivationRefusedError, match="aliases of Turned and Customers of Desks"):
        other.activate()


def test_pairs_that_carry_a_field_to_the_same_fields_or_not_at_all_are_let_be(
    house: TwoDesks,
) -> None:
    other = second(house, Direction.TO_RIGHT, ("first_name", "first_name"))
    other.activate()
    Flow.objects.filter(pk=house.flows["to_left"].pk).update(is_enabled=False)
    backwards = second(house, Direction.TO_RIGHT, ("first_name", "last_name"), turned=True)
    backwards.activate()  # the first names of the right desk, which no other pair carries now


def test_a_field_agreed_on_by_another_pair_is_still_carried_to_a_field_of_its_own(
    house: TwoDesks,
) -> None:
    activation.deactivate(house.integration, User.objects.get())
    other = second(house, Direction.TO_RIGHT, ("first_name", "last_name"))
    other.activate()
    assert other.run("to_right").updated == 1
    assert house.right.run("select first_name, last_name from customers") == [("Ana", "Ana")]
    assert other.run("to_right").is_idle


def test_within_one_mapping_a_field_goes_to_two(tmp_path: Path, settings: Settings) -> None:
    settings.SQLITE_DIR = tmp_path
    house = furnish_desks(tmp_path)
    rows = FieldMapping.objects.filter(mapping=house.mapping)
    rows.filter(left_field="last_name").update(left_field="first_name")
    rows.filter(left_field="first_name").update(direction=Direction.TO_RIGHT)
    house.left.run("insert into customers (email, first_name) values (?, 'Ana')", ANA)
    house.activate()
    house.sync()
    house.rename(house.left, ANA, first_name="Anna")
    assert house.run("to_right").updated == 1
    assert house.right.run("select first_name, last_name from customers") == [("Anna", "Anna")]
    assert house.run("to_right").is_idle


def test_a_field_without_base_that_one_of_two_fields_asks_about_goes_to_the_other(
    house: TwoDesks,
) -> None:
    rows = FieldMapping.objects.filter(mapping=house.mapping)
    rows.filter(left_field="first_name").delete()
    for position, name in enumerate(("first_name", "last_name"), 5):
        rows.create(
            mapping=house.mapping,
            position=position,
            left_field="last_name",
            right_field=name,
            direction=Direction.TO_RIGHT,
            conflict="ask",
        )
    house.rename(house.left, ANA, last_name="Poe")
    run = house.run("to_right")
    assert (run.state, run.failed) == ("with_failures", 1)
    assert house.right.run("select first_name, last_name from customers") == [("Ana", "Poe")]
    (failure,) = house.open_failures()
    assert failure.child == Failure.IN_CONFLICT
