from collections.abc import Callable
from decimal import Decimal
from threading import Thread

import pytest
from sqlalchemy import Connection, event, text

from hubconnect.connectors.base import Draft, Patch
from hubconnect.connectors.errors import (
    AttentionError,
    Category,
    OutcomeUnknownError,
    TemporaryError,
)
from hubconnect.connectors.sql import database
from hubconnect.connectors.sql.connector import SQLConnector
from tests.unit.connectors.sql.conftest import Bench

CUSTOMERS = "CREATE TABLE customers (id INT PRIMARY KEY, email TEXT UNIQUE)"


def drafts(count: int) -> list[Draft]:
    return [Draft(f"k{n}", {"id": Decimal(n), "email": f"{n}"}) for n in range(count)]


def cut(bench: Bench, connector: SQLConnector, moment: str, word: str = "") -> None:
    """Let the server end the connector's connection at the first such moment."""
    engine = connector._database.engine
    done: list[int] = []

    def end(connection: Connection) -> None:
        if not done:
            done.append(1)
            pid = connection.connection.driver_connection.info.backend_pid  # type: ignore[union-attr]
            bench.run("SELECT pg_terminate_backend(:pid)", pid=pid)

    def end_at(connection: Connection, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith(word):
            end(connection)

    if moment == "commit":
        event.listen(engine, "commit", end)
    else:
        event.listen(engine, "before_cursor_execute", end_at)


def test_a_cut_before_the_commit_takes_nothing(postgresql_bench: Bench) -> None:
    postgresql_bench.run(CUSTOMERS)
    connector = postgresql_bench.open_prepared()
    cut(postgresql_bench, connector, "statement", "INSERT INTO customers")
    with pytest.raises(TemporaryError):
        connector.create("customers", drafts(3))
    assert connector.count("customers") == 0
    assert all(outcome.id for outcome in connector.create("customers", drafts(3)))


def test_a_cut_at_the_commit_is_unknown(postgresql_bench: Bench) -> None:
    postgresql_bench.run(CUSTOMERS)
    connector = postgresql_bench.open_prepared()
    cut(postgresql_bench, connector, "commit")
    with pytest.raises(OutcomeUnknownError):
        connector.create("customers", drafts(3))


def test_a_cut_after_a_part_was_written_leaves_the_rest_unknown(postgresql_bench: Bench) -> None:
    postgresql_bench.run(CUSTOMERS)
    connector = postgresql_bench.open_prepared()
    sent = drafts(4)
    sent[3] = Draft("k3", {**sent[3].values, "email": "0"})  # halves the batch
    commits: list[int] = []
    engine = connector._database.engine

    def end(connection: Connection) -> None:
        commits.append(1)
        if len(commits) == 2:
            pid = connection.connection.driver_connection.info.backend_pid  # type: ignore[union-attr]
            postgresql_bench.run("SELECT pg_terminate_backend(:pid)", pid=pid)

    event.listen(engine, "commit", end)
    outcomes = {one.key: one for one in connector.create("customers", sent)}

    assert outcomes["k0"].id
    assert outcomes["k1"].id
    assert outcomes["k2"].is_unknown
    assert outcomes["k3"].is_unknown


def test_a_locked_sqlite_file_is_busy(sqlite_bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "SQLITE_WAIT_MS", 50)
    sqlite_bench.run(CUSTOMERS)
    connector = sqlite_bench.open_prepared()
    with sqlite_bench.engine.connect() as other:
        other.exec_driver_sql("BEGIN IMMEDIATE")
        with pytest.raises(TemporaryError, match="busy"):
            connector.create("customers", drafts(1))
        assert connector.count("customers") == 0
    assert connector.create("customers", drafts(1))[0].id


def test_two_writers_of_one_row_do_not_overwrite_each_other(bench: Bench) -> None:
    bench.run(CUSTOMERS, "INSERT INTO customers VALUES (1, 'old')")
    connectors = [bench.open() for _ in range(2)]
    outcomes = []

    def write(place: int) -> None:
        patch = Patch(str(place), "1", {"email": f"new {place}"}, {"email": "old"})
        outcomes.extend(connectors[place].update("customers", [patch]))

    threads = [Thread(target=write, args=(place,)) for place in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(bool(one.id) for one in outcomes) == [False, True]
    assert sorted(one.is_stale for one in outcomes) == [False, True]


def test_two_writers_of_one_key_make_one_record(bench: Bench) -> None:
    bench.run(CUSTOMERS)
    bench.open_prepared()
    connectors = [bench.open() for _ in range(2)]
    outcomes = []

    def write(place: int) -> None:
        outcomes.extend(connectors[place].create("customers", drafts(20)))

    threads = [Thread(target=write, args=(place,)) for place in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(outcomes) == 40
    assert all(one.id == one.key.removeprefix("k") for one in outcomes)


def raised(act: Callable[[], object]) -> AttentionError:
    with pytest.raises(AttentionError) as caught:
        act()
    return caught.value


def test_a_user_without_rights_is_told(postgresql_bench: Bench) -> None:
    bench = postgresql_bench
    bench.run(
        CUSTOMERS,
        "CREATE TABLE hidden (id INT PRIMARY KEY)",
        "DROP ROLE IF EXISTS reader",
        "CREATE ROLE reader LOGIN PASSWORD 'reader'",
        "GRANT SELECT ON customers TO reader",
    )
    url = bench.settings["database_url"]
    host = url.partition("@")[2]
    connector = bench.open(database_url=f"postgresql://reader@{host}", password="reader")
    abilities = {
        one.name: (one.read.value, one.write.value) for one in connector.check().object_types
    }
    unprepared = raised(lambda: connector.prepare("ledger"))
    patch = Patch("p", "1", {"email": "x"})
    unwritten = raised(lambda: connector.update("customers", [patch]))
    bench.run("DROP OWNED BY reader", "DROP ROLE reader")

    assert abilities == {"customers": ("yes", "no"), "hidden": ("no", "no")}
    assert unprepared.category is unwritten.category is Category.PERMISSION


def test_a_table_that_vanished_is_told(bench: Bench) -> None:
    bench.run(CUSTOMERS)
    connector = bench.open()
    connector.fields("customers")
    bench.run("DROP TABLE customers")
    assert raised(lambda: connector.count("customers")).hint


def test_no_connection_is_left_open(postgresql_bench: Bench) -> None:
    postgresql_bench.run(CUSTOMERS, "INSERT INTO customers VALUES (1, 'a')")
    connector = postgresql_bench.open()
    list(connector.everything("customers", (), []))
    connector.close()
    query = text("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'HubConnect'")
    with postgresql_bench.engine.connect() as connection:
        while connection.execute(query).scalar_one():  # the server notices a moment later
            connection.rollback()


def test_a_check_says_what_would_be_safer(bench: Bench) -> None:
    bench.run(
        "CREATE TABLE a (id INT PRIMARY KEY, updated_at TIMESTAMP)",
        "CREATE TABLE b (id INT PRIMARY KEY, updated_at TIMESTAMP)",
        "CREATE TABLE c (id INT PRIMARY KEY)",
        "CREATE TABLE d (n INT)",
    )
    plain = bench.open().check()
    named = bench.open(modified_column="updated_at").check()
    wrong = bench.open(modified_column="nothing").check()

    assert [one.suggestion for one in plain.remarks if one.suggestion] == ["updated_at"]
    assert any("primary key" in one.message and "d" in one.message for one in plain.remarks)
    assert any(one.message.startswith("c: no date-time column") for one in named.remarks)
    assert any(one.message.startswith("a, b: updated_at has no index") for one in named.remarks)
    assert [one.is_error for one in wrong.remarks if one.parameter == "modified_column"] == [True]
    assert dict(plain.facts)["Tables"] == "3"
    assert plain.identity.startswith(f"sql:{bench.engine.dialect.name}://")
