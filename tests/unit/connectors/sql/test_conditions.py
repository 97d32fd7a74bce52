from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from hubconnect.connectors.base import Condition, Criteria, Operator, Value, Window
from hubconnect.engine.matching import matches
from tests.unit.connectors.sql.conftest import Bench

T1 = datetime(2026, 1, 1, 12, tzinfo=UTC)
T2 = datetime(2026, 6, 1, 12, tzinfo=UTC)
COLUMNS = "id INTEGER PRIMARY KEY, t TEXT, n NUMERIC(10,2), b BOOLEAN, d DATE, m TIMESTAMP"
ROWS = (
    "(1, 'Anna Smith', 10.50, TRUE, '2026-01-01', '2026-01-01 12:00:00')",
    "(2, 'ANNA-Lena', 20, FALSE, '2026-02-01', '2026-06-01 12:00:00')",
    "(3, 'joanna@Example.com 50%', 10.5, NULL, NULL, NULL)",
    "(4, '', 0, TRUE, '2026-01-02', '2026-01-01 12:00:00.5')",
    "(5, NULL, NULL, FALSE, NULL, NULL)",
    "(6, 'Élan Müller_x', -3, NULL, '2027-01-01', '2027-01-01 00:00:00')",
)
ORDERS = (
    Operator.GREATER_THAN,
    Operator.GREATER_THAN_OR_EQUALS,
    Operator.LESS_THAN,
    Operator.LESS_THAN_OR_EQUALS,
)
CASES = [
    *(
        Condition("t", operator, value)
        for operator in (Operator.EQUALS, Operator.NOT_EQUALS)
        for value in ("anna smith", "ANNA-Lena", "nobody", "' OR 1=1 --")
    ),
    *(
        Condition("t", operator, value)
        for operator in (Operator.CONTAINS_TOKEN, Operator.NOT_CONTAINS_TOKEN)
        for value in ("anna", "anna*", "*anna", "ann", "50%", "smith anna", "*é*", "x_", "müller_x")
    ),
    *(
        Condition("t", operator, values=("anna smith", "joanna@example.com 50%"))
        for operator in (Operator.IN, Operator.NOT_IN)
    ),
    *(
        Condition(name, operator)
        for name in ("t", "n", "b", "d", "m")
        for operator in (Operator.HAS_PROPERTY, Operator.NOT_HAS_PROPERTY)
    ),
    *(
        Condition(name, operator, value)
        for operator in (*ORDERS, Operator.EQUALS, Operator.NOT_EQUALS)
        for name, value in (("n", Decimal("10.5")), ("d", date(2026, 2, 1)), ("m", T1), ("m", T2))
    ),
    *(Condition("b", operator, value=True) for operator in (Operator.EQUALS, Operator.NOT_EQUALS)),
    Condition("n", Operator.BETWEEN, Decimal(0), high=Decimal("10.5")),
    Condition("m", Operator.BETWEEN, T1, high=T2),
    Condition("n", Operator.IN, values=(Decimal(20), Decimal("10.50"))),
    Condition("n", Operator.NOT_IN, values=(Decimal(20), Decimal("10.50"))),
]


def fill(bench: Bench) -> None:
    bench.run(f"CREATE TABLE things ({COLUMNS})", f"INSERT INTO things VALUES {', '.join(ROWS)}")


def ids(bench: Bench, criteria: Criteria) -> list[str]:
    pages = bench.open().everything("things", criteria, [])
    return [record.id for page in pages for record in page.records]


def test_the_database_decides_as_the_engine_does(bench: Bench) -> None:
    fill(bench)
    connector = bench.open()
    (page,) = connector.everything("things", (), ["t", "n", "b", "d", "m"])
    for condition in CASES:
        expected = [one.id for one in page.records if matches((condition,), one.values)]
        pages = list(connector.everything("things", (condition,), []))
        assert [one.id for each in pages for one in each.records] == expected, condition
        assert connector.count("things", (condition,)) == len(expected), condition


def test_conditions_are_all_needed(bench: Bench) -> None:
    fill(bench)
    criteria = (
        Condition("n", Operator.EQUALS, Decimal("10.5")),
        Condition("t", Operator.CONTAINS_TOKEN, "anna"),
    )
    assert ids(bench, criteria) == ["1"]


def test_a_value_of_another_kind_matches_nothing(bench: Bench) -> None:
    fill(bench)
    assert ids(bench, (Condition("n", Operator.EQUALS, "ten"),)) == []
    assert ids(bench, (Condition("n", Operator.LESS_THAN, "ten"),)) == []


def test_a_page_may_be_empty_after_the_tests_but_leads_on(sqlite_bench: Bench) -> None:
    rows = ", ".join(f"({number}, 'ann')" for number in range(1, 502))
    sqlite_bench.run(
        "CREATE TABLE things (id INTEGER PRIMARY KEY, t TEXT)",
        f"INSERT INTO things VALUES {rows}, (502, 'x ann')",
    )
    criteria = (Condition("t", Operator.NOT_CONTAINS_TOKEN, "x"),)
    pages = list(sqlite_bench.open().everything("things", criteria, []))

    assert [len(page.records) for page in pages] == [500, 1]
    assert pages[-1].after == "502"


def test_many_lookups_cost_one_statement(bench: Bench) -> None:
    fill(bench)
    connector = bench.open()
    connector.fields("things")
    before = connector.calls["select"]
    texts: list[Value] = ["ANNA smith", "none", "anna-lena", "anna SMITH"]
    queries: list[Criteria] = [(Condition("t", Operator.EQUALS, one),) for one in texts]
    found = connector.find("things", queries, ["n"])

    assert [[one.id for one in each] for each in found] == [["1"], [], ["2"], ["1"]]
    assert connector.calls["select"] - before <= 2  # one, and what the driver asks on connecting


def test_lookups_by_number_time_and_several_conditions(bench: Bench) -> None:
    fill(bench)
    queries: list[Criteria] = [
        (Condition("n", Operator.EQUALS, Decimal("10.5")),),
        (Condition("m", Operator.EQUALS, T1),),
        (Condition("n", Operator.EQUALS, Decimal(0)),),
        (Condition("b", Operator.EQUALS, value=False),),
        (
            Condition("n", Operator.EQUALS, Decimal("10.5")),
            Condition("t", Operator.HAS_PROPERTY),
            Condition("b", Operator.EQUALS, value=True),
        ),
    ]
    found = bench.open().find("things", queries, ["t"])

    assert [[one.id for one in each] for each in found] == [
        ["1", "3"],
        ["1"],
        ["4"],
        ["2", "5"],
        ["1"],
    ]


# --- Windows -----------------------------------------------------------------------------------


def changed(bench: Bench, lower: datetime, upper: datetime, zone: str = "UTC") -> list[str]:
    connector = bench.open(modified_column="m", time_zone=zone)
    pages = connector.changes("things", Window(lower, upper), (), [])
    return [record.id for page in pages for record in page.records]


def test_both_ends_of_a_window_belong_to_it_and_unknown_times_too(bench: Bench) -> None:
    fill(bench)
    second = timedelta(seconds=1)
    assert changed(bench, T1, T1) == ["1", "3", "5"]
    assert changed(bench, T1, T1 + second) == ["1", "3", "4", "5"]
    assert changed(bench, T1 + second, T2 - second) == ["3", "5"]
    assert changed(bench, T1, T2) == ["1", "2", "3", "4", "5"]


def test_times_without_zone_stand_in_the_systems_zone(bench: Bench) -> None:
    fill(bench)
    hour = timedelta(hours=1)
    assert changed(bench, T1 - hour, T1 - hour, "Europe/Berlin") == ["1", "3", "5"]
    record = bench.open(time_zone="Europe/Berlin").read("things", ["2"], ["m"])["2"]
    assert record.values["m"] == T2 - 2 * hour


def test_the_hour_that_comes_twice_is_not_lost(bench: Bench) -> None:
    # In Berlin 02:00 to 03:00 came twice on this day, at 00:00 and at 01:00 UTC.
    bench.run(
        f"CREATE TABLE things ({COLUMNS})",
        "INSERT INTO things (id, m) VALUES (1, '2026-10-25 02:10:00'), (2, '2026-10-25 02:50:00')",
    )
    start = datetime(2026, 10, 25, 0, 40, tzinfo=UTC)
    assert "1" in changed(bench, start, start + timedelta(minutes=40), "Europe/Berlin")
    assert "2" in changed(bench, start, start + timedelta(minutes=25), "Europe/Berlin")


def test_sqlite_times_are_understood_in_any_spelling(sqlite_bench: Bench) -> None:
    sqlite_bench.run(
        "CREATE TABLE things (id INTEGER PRIMARY KEY, m TEXT)",
        """INSERT INTO things VALUES (1, '2026-01-01T12:00:00Z'), (2, '2026-01-01 12:00:00.000001'),
           (3, '2026-01-01 13:00:00+01:00'), (4, '2026-01-01 13:00'), (5, '2025-12-31 12:00:00')""",
    )
    assert changed(sqlite_bench, T1, T1) == ["1", "2", "3"]
    connector = sqlite_bench.open(modified_column="m")
    found = connector.read("things", ["1", "3", "4"], ["m"])
    assert [found[one].modified_at for one in ("1", "3", "4")] == [T1, T1, T1 + timedelta(hours=1)]


def test_without_a_modified_column_every_row_is_read(bench: Bench) -> None:
    fill(bench)
    connector = bench.open()
    pages = list(connector.changes("things", Window(T1, T1), (), []))
    assert [record.id for page in pages for record in page.records] == [
        "1",
        "2",
        "3",
        "4",
        "5",
        "6",
    ]


def test_an_index_on_the_modified_column_serves(sqlite_bench: Bench) -> None:
    fill(sqlite_bench)
    sqlite_bench.run("CREATE INDEX by_m ON things (m)")
    remarks = sqlite_bench.open(modified_column="m").check().remarks
    assert not [one for one in remarks if "index" in one.message]


@pytest.mark.parametrize("collation", ["", "COLLATE NOCASE"])
def test_composite_and_text_keys_page_in_the_databases_order(
    sqlite_bench: Bench, collation: str
) -> None:
    rows = [("b", 2), ("B", 10), ("a", 1), ("a,b", 3), ("é", 4), ("Z", 5), ("b", 10)]
    unique = rows if not collation else [row for row in rows if row != ("B", 10)]
    sqlite_bench.run(
        f"CREATE TABLE parts (a TEXT {collation} NOT NULL, n INT NOT NULL, PRIMARY KEY (a, n))",
        "INSERT INTO parts VALUES " + ", ".join(f"('{a}', {n})" for a, n in unique),
    )
    connector = sqlite_bench.open()
    (page,) = connector.everything("parts", (), ["a", "n"])
    every = [record.id for record in page.records]
    walked, after = [], ""
    while rest := list(connector.everything("parts", (), [], after)):
        after = rest[0].records[0].id
        walked.append(after)

    assert walked == every
    assert len(every) == len(unique)
    assert set(connector.read("parts", every, [])) == set(every)


def test_postgresql_walks_composite_keys(postgresql_bench: Bench) -> None:
    postgresql_bench.run(
        "CREATE TABLE parts (a VARCHAR(9), u UUID, n BIGINT, PRIMARY KEY (a, u, n))",
        """INSERT INTO parts SELECT chr(97 + i % 3), ('00000000-0000-0000-0000-00000000000' ||
           i % 2)::uuid, i FROM generate_series(1, 1203) AS i""",
    )
    connector = postgresql_bench.open()
    pages = list(connector.everything("parts", (), []))
    every = [record.id for page in pages for record in page.records]

    assert [len(page.records) for page in pages] == [500, 500, 203]
    assert len(set(every)) == 1203
    assert list(connector.read("parts", every[::100], [])) == every[::100]


def test_a_value_that_sqlite_should_have_refused_is_told(sqlite_bench: Bench) -> None:
    sqlite_bench.run(
        "CREATE TABLE things (id INTEGER PRIMARY KEY, n NUMERIC(10, 2))",
        "INSERT INTO things VALUES (7, 'many')",
    )
    with pytest.raises(Exception, match="Row 7 of things") as caught:
        list(sqlite_bench.open().everything("things", (), ["n"]))
    assert type(caught.value).__name__ == "AttentionError"
