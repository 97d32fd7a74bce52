"""Whole numbers that no column holds: refused in words, and compared as numbers are."""

from decimal import Decimal

import pytest

from hubconnect.connectors.base import Condition, Criteria, Draft, Operator, Patch
from hubconnect.connectors.children import Association
from hubconnect.connectors.sql.connector import SQLConnector
from tests.unit.connectors.sql.conftest import Bench

HUGE = "9" * 30


@pytest.fixture
def shop(bench: Bench) -> SQLConnector:
    bench.run(
        "CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT)",
        """CREATE TABLE orders (
            id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers (id), pieces SMALLINT
        )""",
        "INSERT INTO customers VALUES (1, 'One')",
        "INSERT INTO orders VALUES (10, 1, 1), (11, 1, 2), (12, 1, NULL)",
    )
    return bench.open_prepared()


def test_an_id_that_no_row_can_have_is_none(shop: SQLConnector) -> None:
    assert set(shop.read("orders", [HUGE, "10", f"-{HUGE}"], ["pieces"])) == {"10"}


@pytest.mark.parametrize("number", [HUGE, f"-{HUGE}"])
def test_a_number_the_column_cannot_hold_is_refused(shop: SQLConnector, number: str) -> None:
    (made,) = shop.create("orders", [Draft("k1", {"pieces": Decimal(number)})])
    (changed,) = shop.update("orders", [Patch("k2", "10", {"pieces": Decimal(number)})])

    assert made.error is not None
    assert changed.error is not None
    assert "beyond the whole numbers" in made.error.message
    assert "beyond the whole numbers" in changed.error.message


def test_a_link_to_a_record_that_cannot_be_is_refused(shop: SQLConnector) -> None:
    (kind,) = shop.associating.association_types("orders")
    (made,) = shop.associating.associate("orders", [Association("10", kind.name, HUGE)])

    assert made.error is not None
    assert HUGE in made.error.message


def one(operator: Operator, number: str, high: str = "") -> Criteria:
    return (Condition("pieces", operator, Decimal(number), high=Decimal(high) if high else None),)


@pytest.mark.parametrize(
    ("criteria", "count"),
    [
        (one(Operator.EQUALS, HUGE), 0),
        ((Condition("pieces", Operator.IN, values=(Decimal(HUGE), Decimal(2))),), 1),
        (one(Operator.GREATER_THAN, HUGE), 0),
        (one(Operator.GREATER_THAN_OR_EQUALS, f"-{HUGE}"), 2),
        (one(Operator.LESS_THAN, HUGE), 2),
        (one(Operator.LESS_THAN_OR_EQUALS, f"-{HUGE}"), 0),
        (one(Operator.BETWEEN, f"-{HUGE}", HUGE), 2),
        (one(Operator.GREATER_THAN, "1.5"), 1),
        (one(Operator.GREATER_THAN_OR_EQUALS, "1.5"), 1),
        (one(Operator.LESS_THAN, "1.5"), 1),
        (one(Operator.LESS_THAN_OR_EQUALS, "1.5"), 1),
        (one(Operator.LESS_THAN, "-0.5"), 0),
        (one(Operator.BETWEEN, "0.5", "1.5"), 1),
        (one(Operator.GREATER_THAN, "1"), 1),
        (one(Operator.LESS_THAN_OR_EQUALS, "1.0"), 1),
    ],
)
def test_whole_numbers_are_compared_as_numbers(
    shop: SQLConnector, criteria: Criteria, count: int
) -> None:
    assert shop.count("orders", criteria) == count
    assert len(shop.find("orders", [criteria], ["pieces"])[0]) == count
