"""Criteria mean the same wherever they are applied: HubSpot's search, a database, the engine.

Random records stand once in a sandbox account and in a table. The records of a failed run come
back with its seed: ``CRITERIA_SEED=… pytest tests/contract/test_criteria_agree.py``.
"""

import os
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, note, settings, strategies as st
from sqlalchemy import NullPool, create_engine, text

from hubconnect.connectors.base import (
    Condition,
    Connector,
    Context,
    Criteria,
    Field,
    Operator,
    Value,
    Values,
    ValueType,
)
from hubconnect.connectors.budgets import LONGEST_WAIT, Budget, Caller, DayBudget, Ticket, Told
from hubconnect.connectors.hubspot.connector import HubSpotConnector
from hubconnect.connectors.parameters import Secret
from hubconnect.connectors.sql.connector import SQLConnector
from hubconnect.engine import criteria as language
from hubconnect.engine.conditions import MANY, NO_VALUE, operators_for
from hubconnect.engine.matching import matches
from tests.contract.hubspot.conftest import LOOPBACK
from tests.sandbox_process import Sandbox, sandbox

SEED = int(os.environ.get("CRITERIA_SEED") or random.SystemRandom().randrange(1_000_000))
RECORDS = 60
TABLE = """
create table people (
    id integer primary key, company text, jobtitle varchar(100), lifecyclestage varchar(40),
    score numeric(12, 2), flag boolean, born date, seen timestamp)
"""
STAGES = ("subscriber", "lead", "customer")
WORDS = ("acme", "Acme", "BETA", "beta-2", "gamma@x.example", "50%", "o_k", "x", "é")
MADE = {
    "score": ("number", "number"),
    "flag": ("bool", "booleancheckbox"),
    "born": ("date", "date"),
    "seen": ("datetime", "date"),
}
NAMES = ("company", "jobtitle", "lifecyclestage", "hs_buying_role", *MADE)
IN_TABLE = tuple(name for name in NAMES if name != "hs_buying_role")


class NoLimits:
    """A budget without end: the sandbox counts nothing here."""

    def take(
        self,
        budgets: Sequence[Budget | DayBudget],
        *,
        caller: Caller,  # noqa: ARG002
        patience: timedelta = LONGEST_WAIT,  # noqa: ARG002
    ) -> Ticket:
        return Ticket("", tuple(budgets))

    def note(self, ticket: Ticket, told: Told) -> None:
        pass


@dataclass(frozen=True, repr=False)
class World:
    """The same records three times."""

    hub: HubSpotConnector
    desk: SQLConnector
    fields: dict[str, Field]
    records: Mapping[str, Values]

    def __repr__(self) -> str:
        return f"the world of seed {SEED}"

    def expected(self, criteria: Criteria) -> set[str]:
        return {one for one, values in self.records.items() if matches(criteria, values)}


def a_text(dice: random.Random) -> str:
    return " ".join(dice.choices(WORDS, k=dice.randint(1, 3)))


def a_record(dice: random.Random) -> dict[str, Value]:
    """Return values; each is missing now and then, and most of them several times."""
    day = date(2026, 1, 1) + timedelta(days=dice.randint(0, 4))
    moment = datetime(2026, 1, 1, dice.randint(0, 3), 30, tzinfo=UTC)
    values: dict[str, Value] = {
        "company": a_text(dice),
        "jobtitle": dice.choice(WORDS),
        "lifecyclestage": dice.choice(STAGES),
        "hs_buying_role": frozenset(dice.sample(("CHAMPION", "END_USER", "OTHER"), 2)),
        "score": Decimal(dice.randint(-4, 8)) / 4,
        "flag": dice.random() < 0.5,
        "born": day,
        "seen": moment + timedelta(milliseconds=dice.choice((0, 0, 864))),
    }
    return {name: None if dice.random() < 0.2 else value for name, value in values.items()}


def for_hubspot(values: Values) -> dict[str, object]:
    def shown(value: Value) -> object:
        if isinstance(value, datetime):
            return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if isinstance(value, frozenset):
            return ";".join(sorted(value))
        if isinstance(value, bool):
            return "true" if value else "false"
        return str(value)

    known = {name: shown(value) for name, value in values.items() if value is not None}
    return {"lastname": "Poe", **known}


def for_table(record_id: str, values: Values) -> dict[str, object]:
    row: dict[str, object] = {"id": int(record_id)}
    for name in IN_TABLE:
        value = values[name]
        if isinstance(value, datetime):
            value = value.replace(tzinfo=None).isoformat(" ", timespec="milliseconds")
        elif isinstance(value, date):
            value = value.isoformat()
        row[name] = float(value) if isinstance(value, Decimal) else value
    return row


def make_properties(account: Sandbox) -> None:
    for name, (kind, field_type) in MADE.items():
        options = [{"label": each, "value": each} for each in ("true", "false")]
        body = {
            "name": name,
            "label": name.title(),
            "type": kind,
            "fieldType": field_type,
            "groupName": "contactinformation",
            "options": options if kind == "bool" else [],
        }
        status, answer, _ = account.api("POST", "/crm/v3/properties/contacts", body)
        assert status == 201, answer


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("agree")
    dice = random.Random(SEED)  # noqa: S311 - it only makes test records
    with sandbox() as account:
        make_properties(account)
        made = [a_record(dice) for _ in range(RECORDS)]
        records = {account.create("contacts", for_hubspot(one)): one for one in made}
        fill_table(folder / "people.sqlite3", records)
        context = Context(limiter=NoLimits(), addresses=LOOPBACK, sqlite_dir=str(folder))
        hub = HubSpotConnector(
            {
                "api_url": account.url,
                "user_email": "rae.poe@example.com",
                "auth_type": "token",
                "access_token": Secret(account.token),
                "app_id": "9001",
            },
            context,
        )
        desk = SQLConnector({"database_url": "sqlite:///people.sqlite3"}, context)
        fields = {one.name: one for one in hub.fields("contacts") if one.name in NAMES}
        try:
            yield World(hub, desk, fields, records)
        finally:
            hub.close()
            desk.close()


def fill_table(path: Path, records: dict[str, dict[str, Value]]) -> None:
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    columns = ", ".join(IN_TABLE)
    marks = ", ".join(f":{name}" for name in IN_TABLE)
    with engine.begin() as connection:
        connection.execute(text(TABLE))
        connection.execute(
            text(f"insert into people (id, {columns}) values (:id, {marks})"),
            [for_table(record_id, values) for record_id, values in records.items()],
        )
    engine.dispose()


# --- Criteria ------------------------------------------------------------------------------------

VALUES: dict[ValueType, st.SearchStrategy[Value]] = {
    ValueType.TEXT: st.sampled_from([*WORDS, "ACME", "acme beta-2", "nobody"]),
    ValueType.NUMBER: st.integers(-5, 9).map(lambda number: Decimal(number) / 4),
    ValueType.BOOLEAN: st.booleans(),
    ValueType.DATE: st.integers(0, 5).map(lambda days: date(2025, 12, 31) + timedelta(days=days)),
    ValueType.DATETIME: st.tuples(st.integers(0, 3), st.sampled_from([0, 863, 864])).map(
        lambda one: datetime(2026, 1, 1, one[0], 30, 0, one[1] * 1000, tzinfo=UTC)
    ),
    ValueType.OPTION: st.sampled_from(STAGES),
    ValueType.OPTIONS: st.sampled_from(["CHAMPION", "OTHER", "INFLUENCER"]).map(
        lambda one: frozenset({one})
    ),
}
TOKENS = st.sampled_from(["acme", "ACM*", "*ta", "beta-2", "gamma", "*@x.example", "x", "50%", "*"])
TYPES = {
    "company": ValueType.TEXT,
    "jobtitle": ValueType.TEXT,
    "lifecyclestage": ValueType.OPTION,
    "hs_buying_role": ValueType.OPTIONS,
    "score": ValueType.NUMBER,
    "flag": ValueType.BOOLEAN,
    "born": ValueType.DATE,
    "seen": ValueType.DATETIME,
}


@st.composite
def a_condition(draw: st.DrawFn, names: tuple[str, ...] = NAMES) -> Condition:
    name = draw(st.sampled_from(names))
    kind = TYPES[name]
    operator = draw(st.sampled_from(operators_for(Field(name=name, label=name, type=kind))))
    if operator in NO_VALUE:
        return Condition(name, operator)
    if operator in MANY:
        values = draw(st.lists(VALUES[kind], min_size=1, max_size=3, unique=True))
        return Condition(name, operator, values=tuple(values))
    if operator in (Operator.CONTAINS_TOKEN, Operator.NOT_CONTAINS_TOKEN):
        return Condition(name, operator, draw(TOKENS))
    if operator is Operator.BETWEEN:
        low, high = sorted([draw(VALUES[kind]), draw(VALUES[kind])])  # type: ignore[type-var]
        return Condition(name, operator, low, high=high)
    return Condition(name, operator, draw(VALUES[kind]))


def some_criteria(names: tuple[str, ...] = NAMES) -> st.SearchStrategy[Criteria]:
    return st.lists(a_condition(names), min_size=1, max_size=3).map(tuple)


# One world for all examples: nothing changes it.
agreeing = settings(
    max_examples=60,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def ids(connector: Connector, object_type: str, criteria: Criteria) -> set[str]:
    pages = connector.everything(object_type, criteria, [])
    return {record.id for page in pages for record in page.records}


@pytest.mark.requirement("S61", "S62")
@agreeing
@given(criteria=some_criteria())
def test_hubspots_search_finds_what_the_engine_takes(world: World, criteria: Criteria) -> None:
    note(f"CRITERIA_SEED={SEED}")
    assert ids(world.hub, "contacts", criteria) == world.expected(criteria)


@agreeing
@given(criteria=some_criteria(IN_TABLE))
def test_a_database_finds_what_the_engine_takes(world: World, criteria: Criteria) -> None:
    note(f"CRITERIA_SEED={SEED}")
    assert ids(world.desk, "people", criteria) == world.expected(criteria)
    assert world.desk.count("people", criteria) == len(world.expected(criteria))


@settings(agreeing, max_examples=15)
@given(queries=st.lists(some_criteria(IN_TABLE), min_size=1, max_size=8))
def test_many_lookups_at_once_find_what_each_would(world: World, queries: list[Criteria]) -> None:
    note(f"CRITERIA_SEED={SEED}")
    expected = [world.expected(criteria) for criteria in queries]
    for connector, kind in ((world.hub, "contacts"), (world.desk, "people")):
        found = connector.find(kind, queries, [])
        assert [{record.id for record in each} for each in found] == expected, connector.slug


@pytest.mark.requirement("S63")
@agreeing
@given(criteria=some_criteria())
def test_json_and_search_request_lead_back_to_the_criteria(
    world: World, criteria: Criteria
) -> None:
    text_of_form = language.encode(language.to_json(criteria))
    assert language.parse_text(text_of_form, world.fields, 3) == criteria
    request = "\n".join(line.text for line in world.hub.explain("contacts", criteria))
    understood = world.hub.understand("contacts", request)
    assert language.parse(language.to_json(understood), world.fields, 3) == tuple(
        in_lower_case(one) for one in criteria
    )


def in_lower_case(one: Condition) -> Condition:
    """HubSpot's IN knows texts in lower case only, so that is what a request says."""
    if one.operator not in MANY or TYPES[one.field] is not ValueType.TEXT:
        return one
    values = tuple(str(value).lower() for value in one.values)
    return Condition(one.field, one.operator, values=values)
