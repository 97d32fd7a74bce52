from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from hubconnect.connectors.base import Capability, Draft, Outcome, Patch, SentCreate, Values
from hubconnect.connectors.errors import AttentionError, Category, RecordError
from hubconnect.connectors.sql.connector import SQLConnector
from tests.unit.connectors.sql.conftest import Bench

KEY = {"sqlite": "INTEGER PRIMARY KEY", "postgresql": "SERIAL PRIMARY KEY"}


def make_customers(bench: Bench, more: str = "") -> None:
    key = KEY[bench.engine.dialect.name]
    bench.run(
        f"""CREATE TABLE customers (id {key}, email VARCHAR(20) NOT NULL UNIQUE, name TEXT,
            credit NUMERIC(10, 2), ratio REAL, due DATE, seen_at TIMESTAMP, active BOOLEAN,
            level VARCHAR(9) NOT NULL DEFAULT 'new' {more})"""
    )


def create(connector: SQLConnector, **values: str | Decimal | None) -> Outcome:
    (outcome,) = connector.create("customers", [Draft(f"key {values}", values)])
    return outcome


def refused(outcome: Outcome) -> RecordError:
    assert outcome.error is not None
    assert not outcome.id
    return outcome.error


EVERYTHING: Values = {
    "email": "a@x.io",
    "name": "Ärger 'quoted' \\ % _ :b \n",
    "credit": Decimal("-12.30"),
    "ratio": Decimal("0.1"),
    "due": date(2024, 2, 29),
    "seen_at": datetime(2026, 3, 1, 23, 30, 15, 123456, tzinfo=UTC),
    "active": False,
    "level": "gold",
}


def test_values_of_every_type_come_back_as_sent(bench: Bench) -> None:
    make_customers(bench)
    connector = bench.open_prepared(time_zone="America/New_York")
    (outcome,) = connector.create("customers", [Draft("k", EVERYTHING)])
    found = connector.read("customers", [outcome.id], list(EVERYTHING))

    assert outcome.values == EVERYTHING
    assert found[outcome.id].values == EVERYTHING


def test_values_read_are_values_expected(bench: Bench) -> None:
    make_customers(bench)
    connector = bench.open_prepared(time_zone="America/New_York")
    (made,) = connector.create("customers", [Draft("k", EVERYTHING)])
    changes: Values = {"name": None, "ratio": Decimal("0.2"), "active": True}
    (outcome,) = connector.update("customers", [Patch("p", made.id, changes, made.values)])

    assert outcome.values == changes


def test_defaults_stand_in_for_values_that_are_missing(bench: Bench) -> None:
    make_customers(bench)
    outcome = create(bench.open_prepared(), email="a@x.io", level=None, name="")

    assert outcome.values == {"email": "a@x.io", "level": "new", "name": None}


def test_each_kind_of_refusal_has_its_category_and_field(bench: Bench) -> None:
    make_customers(bench, ", CHECK (credit >= 0)")
    connector = bench.open_prepared()
    first = create(connector, email="a@x.io")
    missing = refused(create(connector, name="Nobody"))
    double = refused(create(connector, email="a@x.io", name="Twin"))
    negative = refused(create(connector, email="b@x.io", credit=Decimal(-1)))
    wrong = refused(create(connector, email="c@x.io", credit="many"))
    fixed = refused(create(connector, email="d@x.io", id=Decimal(7)))

    assert (missing.category, missing.faults[0].field) == (Category.REQUIRED_FIELD, "email")
    assert (double.category, double.faults[0].field) == (Category.DUPLICATE, "email")
    assert double.existing_id == first.id
    assert negative.category is Category.VALIDATION_ERROR
    assert negative.answer
    assert (wrong.category, wrong.faults[0].field) == (Category.VALIDATION_ERROR, "credit")
    assert fixed.faults[0].message == "the column is read-only."
    for error in (missing, double, negative):
        assert "INSERT" not in error.message + error.answer
        assert error.hint


def test_postgresql_names_what_is_too_long_or_too_large(postgresql_bench: Bench) -> None:
    make_customers(postgresql_bench)
    connector = postgresql_bench.open_prepared()
    long = refused(create(connector, email="a" * 21, name="short"))
    large = refused(create(connector, email="b", credit=Decimal(10) ** 12))

    assert (long.category, long.faults[0].field) == (Category.TOO_LONG, "email")
    assert large.category is Category.VALIDATION_ERROR


def test_postgresql_refusals_keep_quiet_about_other_rows(postgresql_bench: Bench) -> None:
    make_customers(postgresql_bench, ", secret TEXT DEFAULT 'hush'")
    error = refused(create(postgresql_bench.open_prepared(), name="Nobody"))
    assert "hush" not in error.answer + error.message


def test_one_bad_row_among_many_is_found(bench: Bench) -> None:
    make_customers(bench)
    connector = bench.open_prepared(modified_column="seen_at")
    drafts = [Draft(str(number), {"email": f"{number}@x.io"}) for number in range(100)]
    drafts[37] = Draft("37", {"name": "no e-mail"})
    drafts[80] = Draft("80", {"email": "3@x.io"})
    outcomes = {one.key: one for one in connector.create("customers", drafts)}

    assert {key for key, one in outcomes.items() if one.error} == {"37", "80"}
    assert refused(outcomes["80"]).existing_id == outcomes["3"].id
    assert connector.count("customers") == 98
    emails = connector.read("customers", [outcomes["50"].id], ["email"])
    assert emails[outcomes["50"].id].values == {"email": "50@x.io"}


def test_ids_belong_to_the_drafts_they_are_answered_for(bench: Bench) -> None:
    make_customers(bench)
    connector = bench.open_prepared()
    drafts = [
        Draft(str(number), {"email": f"{number}@x.io", **({"name": "n"} if number % 3 else {})})
        for number in range(60)
    ]
    outcomes = connector.create("customers", drafts)
    found = connector.read("customers", [one.id for one in outcomes], ["email"])

    assert {one.key: found[one.id].values["email"] for one in outcomes} == {
        str(number): f"{number}@x.io" for number in range(60)
    }


def test_a_deferred_constraint_refuses_only_its_row(bench: Bench) -> None:
    make_customers(
        bench, ", parent INTEGER REFERENCES customers (id) DEFERRABLE INITIALLY DEFERRED"
    )
    connector = bench.open_prepared()
    outcomes = connector.create(
        "customers",
        [
            Draft("a", {"email": "a"}),
            Draft("b", {"email": "b", "parent": Decimal(99)}),
            Draft("c", {"email": "c"}),
        ],
    )
    assert {one.key: bool(one.id) for one in outcomes} == {"a": True, "b": False, "c": True}


# --- Safety of creates -------------------------------------------------------------------------


def test_without_ledger_and_remote_id_nothing_is_created(bench: Bench) -> None:
    make_customers(bench)
    connector = bench.open()
    (described,) = connector.object_types()

    assert described.capabilities == {Capability.UPDATE}
    assert "Prepare the account" in described.why_not[Capability.CREATE]
    assert connector.settles_with("customers") == described.why_not[Capability.CREATE]
    with pytest.raises(AttentionError):
        create(connector, email="a@x.io")
    sent = SentCreate("k", {}, datetime.now(UTC))
    assert not connector.settle("customers", [sent])["k"].is_certain


def test_a_remote_id_column_makes_creates_safe(bench: Bench) -> None:
    make_customers(bench, ", remote_id VARCHAR(80) UNIQUE")
    connector = bench.open(remote_id_column="remote_id")
    drafts = [Draft(f"pair:{number}", {"email": f"{number}@x.io"}) for number in range(3)]
    first = connector.create("customers", drafts)
    second = connector.create("customers", drafts)
    settled = connector.settle(
        "customers",
        [SentCreate(key, {}, datetime.now(UTC)) for key in ("pair:1", "pair:9")],
    )
    assert {one.key: one.id for one in first} == {one.key: one.id for one in second}
    assert connector.count("customers") == 3
    assert settled["pair:1"].id == first[1].id
    assert (settled["pair:9"].id, settled["pair:9"].is_certain) == ("", True)
    assert bench.run("SELECT remote_id FROM customers ORDER BY id") == [
        ("pair:0",),
        ("pair:1",),
        ("pair:2",),
    ]


def test_a_remote_id_that_is_mapped_settles_by_its_value(bench: Bench) -> None:
    make_customers(bench, ", remote_id VARCHAR(80) UNIQUE")
    connector = bench.open(remote_id_column="remote_id")
    values = {"email": "a", "remote_id": "4711"}
    (made,) = connector.create("customers", [Draft("k", values)])
    sent = [SentCreate("k", values, datetime.now(UTC))]

    assert connector.settle("customers", sent)["k"].id == made.id


def test_a_remote_id_column_must_be_unique(bench: Bench) -> None:
    make_customers(bench, ", remote_id VARCHAR(80)")
    connector = bench.open(remote_id_column="remote_id")
    assert connector.settles_with("customers")


def test_the_ledger_remembers_a_record_that_is_gone(bench: Bench) -> None:
    make_customers(bench)
    connector = bench.open_prepared()
    draft = Draft("k", {"email": "a"})
    (made,) = connector.create("customers", [draft])
    bench.run("DELETE FROM customers")
    (again,) = connector.create("customers", [draft])

    assert again.id == made.id
    assert connector.count("customers") == 0


def test_one_key_twice_in_a_batch_makes_one_record(bench: Bench) -> None:
    make_customers(bench)
    connector = bench.open_prepared()
    outcomes = connector.create(
        "customers", [Draft("k", {"email": "a"}), Draft("k", {"email": "b"})]
    )
    assert len({one.id for one in outcomes}) == 1
    assert connector.count("customers") == 1


def test_the_ledgers_statements_are_shown_before_they_are_run(bench: Bench) -> None:
    make_customers(bench)
    connector = bench.open()
    (offered,) = connector.check().preparations
    connector.prepare(offered.name)
    (done,) = connector.check().preparations

    assert (offered.is_done, done.is_done) == (False, True)
    for words in ("CREATE TABLE hubconnect_ledger", "CREATE TABLE hubconnect_account", "INSERT"):
        assert words in offered.statement
    identity = connector.identity()
    connector.prepare(offered.name)
    assert connector.identity() == identity
    assert UUID(identity.removeprefix("sql:")).version == 4


# --- Keys of its own ---------------------------------------------------------------------------


def test_keys_that_are_mapped(bench: Bench) -> None:
    bench.run(
        """CREATE TABLE customers (land VARCHAR(2) NOT NULL, code VARCHAR(9) NOT NULL, name TEXT,
           PRIMARY KEY (land, code))"""
    )
    connector = bench.open_prepared()
    outcomes = connector.create(
        "customers",
        [
            Draft("1", {"land": "DE", "code": "a,b", "name": "One"}),
            Draft("2", {"land": "AT", "code": "x", "name": "Two"}),
            Draft("3", {"land": "AT", "code": "x", "name": "Three"}),
        ],
    )
    found = {one.key: one for one in outcomes}
    twin = refused(found["3"])
    (moved,) = connector.update("customers", [Patch("p", found["2"].id, {"code": "y"})])

    assert found["1"].id == "DE,a\\,b"
    assert connector.read("customers", ["DE,a\\,b"], ["name"])["DE,a\\,b"].values == {"name": "One"}
    assert (twin.category, twin.existing_id) == (Category.DUPLICATE, "AT,x")
    assert "cannot be changed" in refused(moved).message


def test_a_key_the_database_draws(postgresql_bench: Bench) -> None:
    postgresql_bench.run(
        "CREATE TABLE customers (id UUID PRIMARY KEY DEFAULT gen_random_uuid(), email TEXT)"
    )
    connector = postgresql_bench.open_prepared()
    outcomes = connector.create("customers", [Draft(n, {"email": n}) for n in "abc"])
    found = connector.read("customers", [one.id for one in outcomes], ["email"])

    assert {one.key: found[one.id].values["email"] for one in outcomes} == {n: n for n in "abc"}


def test_a_key_nobody_gives_is_asked_for(bench: Bench) -> None:
    bench.run("CREATE TABLE customers (id BIGINT PRIMARY KEY, email TEXT)")
    connector = bench.open_prepared()
    (key, _) = connector.fields("customers")
    error = refused(create(connector, email="a"))

    assert key.required
    assert not key.read_only
    assert error.category is Category.REQUIRED_FIELD
    assert create(connector, email="a", id=Decimal(5)).id == "5"


# --- Updates -----------------------------------------------------------------------------------


def test_a_row_that_moved_on_is_stale_and_untouched(bench: Bench) -> None:
    make_customers(bench)
    connector = bench.open_prepared()
    made = [create(connector, email=f"{n}", name="old").id for n in range(4)]
    bench.run(f"UPDATE customers SET name = 'theirs' WHERE id = {made[1]}")
    bench.run(f"UPDATE customers SET name = NULL WHERE id = {made[2]}")
    patches = [
        Patch(one, one, {"level": "gold"}, {"name": "old" if place != 2 else None})
        for place, one in enumerate([*made, "999", "x"])
    ]
    outcomes = {one.key: one for one in connector.update("customers", patches)}
    levels = connector.read("customers", made, ["level"])

    assert outcomes[made[1]].is_stale
    assert outcomes["999"].is_gone
    assert outcomes["x"].is_gone
    assert [levels[one].values["level"] for one in made] == ["gold", "new", "gold", "gold"]


def test_one_refused_update_leaves_the_others(bench: Bench) -> None:
    make_customers(bench)
    connector = bench.open_prepared()
    made = [create(connector, email=f"{n}").id for n in range(5)]
    patches = [Patch(one, one, {"email": f"new {one}"}) for one in made]
    patches[2] = Patch(made[2], made[2], {"email": "4"})
    patches[4] = Patch(made[4], made[4], {"name": "Four"})
    patches[3] = Patch(made[3], made[3], {"email": None})
    outcomes = {one.key: one for one in connector.update("customers", patches)}

    assert [bool(outcomes[one].id) for one in made] == [True, True, False, False, True]
    assert refused(outcomes[made[3]]).category is Category.REQUIRED_FIELD
    assert refused(outcomes[made[2]]).category is Category.DUPLICATE


def test_a_value_that_stays_is_no_duplicate_of_itself(bench: Bench) -> None:
    make_customers(bench, ", CHECK (credit >= 0)")
    connector = bench.open_prepared()
    made = create(connector, email="a").id
    patch = Patch("p", made, {"email": "a", "credit": Decimal(-1)})
    (outcome,) = connector.update("customers", [patch])
    assert refused(outcome).existing_id == ""


def test_the_modified_column_is_written_with_our_changes(bench: Bench) -> None:
    make_customers(bench)
    connector = bench.open_prepared(modified_column="seen_at", time_zone="Asia/Tokyo")
    before = connector.now()
    made = create(connector, email="a")
    first = connector.read("customers", [made.id], [])[made.id].modified_at
    connector.update("customers", [Patch("p", made.id, {"name": "b"})])
    second = connector.read("customers", [made.id], [])[made.id].modified_at

    assert first is not None
    assert second is not None
    assert before.replace(microsecond=0) <= first <= second <= connector.now()


def test_a_modified_column_that_is_mapped_is_left_to_the_mapping(bench: Bench) -> None:
    make_customers(bench)
    connector = bench.open_prepared(modified_column="seen_at")
    moment = datetime(2020, 1, 1, tzinfo=UTC)
    (made,) = connector.create("customers", [Draft("k", {"email": "a", "seen_at": moment})])
    assert connector.read("customers", [made.id], [])[made.id].modified_at == moment


def test_answers_show_what_triggers_made_of_a_value(postgresql_bench: Bench) -> None:
    make_customers(postgresql_bench)
    postgresql_bench.run(
        """CREATE FUNCTION shout() RETURNS trigger AS $$ BEGIN
           IF NEW.name = 'no' THEN RAISE EXCEPTION 'not this one'; END IF;
           NEW.name := upper(NEW.name); RETURN NEW; END $$ LANGUAGE plpgsql""",
        """CREATE TRIGGER shout BEFORE INSERT OR UPDATE ON customers
           FOR EACH ROW EXECUTE FUNCTION shout()""",
    )
    connector = postgresql_bench.open_prepared()
    made = create(connector, email="a", name="quiet")
    (updated,) = connector.update("customers", [Patch("p", made.id, {"name": "hush"})])

    assert made.values["name"] == "QUIET"
    assert updated.values["name"] == "HUSH"
    assert "not this one" in refused(create(connector, email="b", name="no")).answer


def test_sqlite_triggers_are_seen_in_the_answer(sqlite_bench: Bench) -> None:
    make_customers(sqlite_bench)
    sqlite_bench.run(
        """CREATE TRIGGER shout AFTER INSERT ON customers BEGIN
           UPDATE customers SET name = upper(name) WHERE id = NEW.id; END"""
    )
    outcome = create(sqlite_bench.open_prepared(), email="a", name="quiet")
    assert outcome.values["name"] == "QUIET"
