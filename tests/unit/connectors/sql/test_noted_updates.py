"""The ledger's note of each record's last update, which settles one whose reply was lost."""

from datetime import UTC, datetime, timedelta

import pytest

from hubconnect.connectors.base import Patch, SentCreate, SentUpdate
from hubconnect.connectors.sql.connector import SQLConnector
from tests.unit.connectors.sql.conftest import Bench

TABLE = "CREATE TABLE customers (id INTEGER PRIMARY KEY, name VARCHAR(9) NOT NULL)"
NOTES = "SELECT record_id FROM hubconnect_ledger WHERE key LIKE 'update:%' ORDER BY record_id"


@pytest.fixture
def connector(bench: Bench) -> SQLConnector:
    """Two customers, 1 and 2, in a database with a ledger."""
    bench.run(TABLE, "INSERT INTO customers VALUES (1, 'Ana'), (2, 'Ben')")
    return bench.open_prepared()


def sent(key: str, record_id: str, ago: timedelta = timedelta(seconds=9)) -> SentUpdate:
    return SentUpdate(key, record_id, datetime.now(UTC) - ago)


def test_an_update_is_noted_and_one_that_was_not_made_is_not(connector: SQLConnector) -> None:
    connector.update("customers", [Patch("a", "1", {"name": "Anne"})])
    asked = [sent("a", "1"), sent("b", "2")]
    assert connector.arrived("customers", asked) == {"a": True, "b": False}


def test_what_is_refused_stale_or_gone_is_not_noted(connector: SQLConnector) -> None:
    """Nor does a refusal hide what was written beside it."""
    patches = [
        Patch("long", "1", {"name": None}),
        Patch("stale", "2", {"name": "Bea"}, {"name": "Bob"}),
        Patch("gone", "3", {"name": "Cay"}),
    ]
    connector.update("customers", patches)
    asked = [sent(one.key, one.id) for one in patches]
    assert connector.arrived("customers", asked) == {"long": False, "stale": False, "gone": False}
    connector.update("customers", [Patch("long", "1", {"name": None}), Patch("b", "2", {})])
    connector.update("customers", [Patch("c", "2", {"name": "Bea"}), patches[0]])
    assert connector.arrived("customers", [sent("c", "2"), asked[0]]) == {"c": True, "long": False}


def test_the_ledger_keeps_one_row_for_each_updated_record(
    bench: Bench, connector: SQLConnector
) -> None:
    for number in range(3):
        patches = [
            Patch(f"{number}.{one}", one, {"name": f"{number}"}) for one in ("1", "2")[: number + 1]
        ]
        connector.update("customers", patches)
    assert bench.run(NOTES) == [("2.1",), ("2.2",)]
    assert connector.arrived("customers", [sent("2.1", "1"), sent("2.2", "2")]) == {
        "2.1": True,
        "2.2": True,
    }


def test_a_later_note_says_nothing_of_an_earlier_update(connector: SQLConnector) -> None:
    """Another HubConnect wrote the record since, or ours by another way."""
    connector.update("customers", [Patch("theirs", "1", {"name": "Anne"})])
    assert connector.arrived("customers", [sent("ours", "1")]) == {}
    later = sent("ours", "1", ago=-timedelta(seconds=9))
    assert connector.arrived("customers", [later]) == {"ours": False}


def test_records_of_the_same_id_in_two_tables_are_told_apart(
    bench: Bench, connector: SQLConnector
) -> None:
    bench.run(TABLE.replace("customers", "orders"), "INSERT INTO orders VALUES (1, 'First')")
    connector.update("orders", [Patch("a", "1", {"name": "Anne"})])
    assert connector.arrived("customers", [sent("a", "1")]) == {"a": False}
    assert connector.arrived("orders", [sent("a", "1")]) == {"a": True}


def test_a_note_is_not_taken_for_a_create(connector: SQLConnector) -> None:
    connector.update("customers", [Patch("a", "1", {"name": "Anne"})])
    settled = connector.settle("customers", [SentCreate("a", {}, datetime.now(UTC))])
    assert (settled["a"].id, settled["a"].is_certain) == ("", True)


def test_without_a_ledger_nothing_is_said(bench: Bench) -> None:
    bench.run(TABLE, "INSERT INTO customers VALUES (1, 'Ana')")
    connector = bench.open()
    (outcome,) = connector.update("customers", [Patch("a", "1", {"name": "Anne"})])
    assert outcome.values == {"name": "Anne"}
    assert connector.arrived("customers", [sent("a", "1")]) == {}
