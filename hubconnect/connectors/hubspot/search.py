"""Conditions as HubSpot's search filters, and how many fit into one search.

Rules as on HubSpot's "Search the CRM" page: filters of a group are ANDed, groups are ORed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from hubconnect.connectors.base import Condition, Criteria, Operator, Value, Values, ValueType
from hubconnect.connectors.hubspot.api import Json, compact
from hubconnect.connectors.hubspot.schema import Schema
from hubconnect.connectors.hubspot.values import EPOCH, milliseconds

PAGE = 200
MAX_BODY = 3_000
MAX_GROUPS = 5
MAX_FILTERS = 18
MAX_VALUES = 100
# What a keyset filter adds to a body, and a little more.
KEYSET_ROOM = 120
ID = "hs_object_id"

OPERATORS: Mapping[Operator, str] = {
    Operator.EQUALS: "EQ",
    Operator.NOT_EQUALS: "NEQ",
    Operator.GREATER_THAN: "GT",
    Operator.GREATER_THAN_OR_EQUALS: "GTE",
    Operator.LESS_THAN: "LT",
    Operator.LESS_THAN_OR_EQUALS: "LTE",
    Operator.BETWEEN: "BETWEEN",
    Operator.IN: "IN",
    Operator.NOT_IN: "NOT_IN",
    Operator.HAS_PROPERTY: "HAS_PROPERTY",
    Operator.NOT_HAS_PROPERTY: "NOT_HAS_PROPERTY",
    Operator.CONTAINS_TOKEN: "CONTAINS_TOKEN",
    Operator.NOT_CONTAINS_TOKEN: "NOT_CONTAINS_TOKEN",
}
WITHOUT_VALUE = {Operator.HAS_PROPERTY, Operator.NOT_HAS_PROPERTY}
WITH_VALUES = {Operator.IN, Operator.NOT_IN}


def build_filters(criteria: Criteria, schema: Schema) -> list[Json]:
    """Return one filter for each condition.

    Raises:
        AttentionError: a field does not exist.
        RecordError: a value does not suit its field.
        ValueError: a condition lacks the value its operator compares with.
    """
    return [build_filter(condition, schema) for condition in criteria]


def build_filter(condition: Condition, schema: Schema) -> Json:
    """Return the filter of one condition."""
    name = schema.get_searchable(condition.field).name
    made: Json = {"propertyName": name, "operator": OPERATORS[condition.operator]}
    if condition.operator in WITHOUT_VALUE:
        return made
    if condition.operator in WITH_VALUES:
        made["values"] = [listed(schema, name, value) for value in condition.values]
        return made
    made["value"] = comparable(schema, name, condition.value)
    if condition.operator is Operator.BETWEEN:
        made["highValue"] = comparable(schema, name, condition.high)
    return made


def comparable(schema: Schema, name: str, value: Value) -> str:
    """Return a value as filters compare it: times in milliseconds."""
    if value is None or value == "":
        msg = f"A condition on {name!r} has no value to compare with."
        raise ValueError(msg)
    if isinstance(value, datetime):
        return str(milliseconds(value))
    if isinstance(value, date):
        midnight = datetime(value.year, value.month, value.day, tzinfo=EPOCH.tzinfo)
        return str(milliseconds(midnight))
    if isinstance(value, str) and schema.fields[name].type is ValueType.OPTIONS:
        return value  # one option of several
    return schema.formatters[name](value)


def listed(schema: Schema, name: str, value: Value) -> str:
    """Return a value for IN and NOT_IN, which know texts in lower case only."""
    text = comparable(schema, name, value)
    return text.lower() if schema.fields[name].type is ValueType.TEXT else text


def build_body(
    groups: Sequence[Sequence[Json]], properties: Sequence[str], *, after_id: str = ""
) -> Json:
    """Return a search for the next page by ascending id."""
    keyset = [{"propertyName": ID, "operator": "GT", "value": after_id}] if after_id else []
    alternatives = [[*group, *keyset] for group in groups] or ([keyset] if keyset else [])
    return {
        "filterGroups": [{"filters": filters} for filters in alternatives if filters],
        "sorts": [{"propertyName": ID, "direction": "ASCENDING"}],
        "properties": list(properties),
        "limit": PAGE,
    }


def fits(groups: Sequence[Sequence[Json]], properties: Sequence[str]) -> bool:
    """Tell whether these groups, with a keyset filter each, make one allowed search."""
    if len(groups) > MAX_GROUPS or sum(len(group) + 1 for group in groups) > MAX_FILTERS:
        return False
    size = len(compact(build_body(groups, properties))) + KEYSET_ROOM * max(1, len(groups))
    return size <= MAX_BODY


@dataclass(frozen=True, slots=True)
class Ask:
    """One search that answers several queries.

    Attributes:
        groups: its filter groups.
        queries: positions of the queries it answers.
        is_list: an IN search for queries of one EQUALS each.
    """

    groups: list[list[Json]]
    queries: list[int]
    is_list: bool = False


def plan_in(
    schema: Schema, name: str, values: Mapping[int, Value], properties: Sequence[str]
) -> Iterator[Ask]:
    """Yield IN searches for queries that each compare the same field with one value."""
    texts: dict[str, list[int]] = {}
    for position, value in values.items():
        texts.setdefault(listed(schema, name, value), []).append(position)
    chosen: list[str] = []
    positions: list[int] = []

    def group(candidates: list[str]) -> list[list[Json]]:
        return [[{"propertyName": name, "operator": "IN", "values": candidates}]]

    for text, askers in texts.items():
        if chosen and (len(chosen) == MAX_VALUES or not fits(group([*chosen, text]), properties)):
            yield Ask(group(chosen), positions, is_list=True)
            chosen, positions = [], []
        chosen.append(text)
        positions += askers
    if chosen:
        yield Ask(group(chosen), positions, is_list=True)


def plan_groups(
    queries: Mapping[int, Criteria], schema: Schema, properties: Sequence[str]
) -> Iterator[Ask]:
    """Yield searches for any queries: as many to one search as can be told apart afterwards."""
    groups: list[list[Json]] = []
    positions: list[int] = []
    for position, criteria in queries.items():
        group = build_filters(criteria, schema)
        if not is_told_apart(criteria):
            yield Ask([group], [position])
            continue
        if groups and not fits([*groups, group], properties):
            yield Ask(groups, positions)
            groups, positions = [], []
        groups.append(group)
        positions.append(position)
    if groups:
        yield Ask(groups, positions)


def is_told_apart(criteria: Criteria) -> bool:
    """Tell whether ``matches`` knows what HubSpot makes of these conditions."""
    return all(condition.operator in TESTS for condition in criteria)


def matches(values: Values, criteria: Criteria, schema: Schema) -> bool:
    """Tell whether a record's canonical values meet conditions that are told apart."""
    return all(
        TESTS[c.operator](values.get(c.field), c, fold_of(schema, c.field)) for c in criteria
    )


Fold = Callable[[Value], Value]
Test = Callable[[Value, Condition, Fold], bool]


def fold_of(schema: Schema, name: str) -> Fold:
    """Return what makes values equal that HubSpot's search takes for equal."""
    return folded if schema.fields[name].type in FOLDED else _as_it_is


def folded(value: Value) -> Value:
    """Return a text without regard to case and outer spaces."""
    return value.strip().casefold() if isinstance(value, str) else value


def _as_it_is(value: Value) -> Value:
    return value


def _equals(value: Value, condition: Condition, fold: Fold) -> bool:
    if isinstance(value, frozenset) and isinstance(condition.value, str):
        return condition.value in value
    return fold(value) == fold(condition.value)


def _is_in(value: Value, condition: Condition, fold: Fold) -> bool:
    return fold(value) in {fold(each) for each in condition.values}


FOLDED = {ValueType.TEXT, ValueType.RICH_TEXT, ValueType.USER}
TESTS: Mapping[Operator, Test] = {
    Operator.EQUALS: _equals,
    Operator.NOT_EQUALS: lambda value, c, fold: not _equals(value, c, fold),
    Operator.IN: _is_in,
    Operator.NOT_IN: lambda value, c, fold: not _is_in(value, c, fold),
    Operator.HAS_PROPERTY: lambda value, _c, _fold: value is not None,
    Operator.NOT_HAS_PROPERTY: lambda value, _c, _fold: value is None,
}
