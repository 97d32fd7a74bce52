"""Conditions as HubSpot's search filters, and how many fit into one search.

Rules as on HubSpot's "Search the CRM" page: filters of a group are ANDed, groups are ORed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from hubconnect.connectors.base import Condition, Criteria, Operator, Value, ValueType
from hubconnect.connectors.hubspot.api import Json, compact
from hubconnect.connectors.hubspot.schema import Schema
from hubconnect.connectors.hubspot.values import EPOCH, milliseconds
from hubconnect.connectors.matching import is_certain

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
    """

    groups: list[list[Json]]
    queries: list[int]


def plan_in(
    schema: Schema, name: str, values: Mapping[int, Value], also: Sequence[Json] = ()
) -> Iterator[Ask]:
    """Yield IN searches for queries that compare one field with one value each.

    Args:
        schema: of the object type.
        name: the field.
        values: what each query compares it with, by the query's position.
        also: filters that all of the queries have.
    """
    texts: dict[str, list[int]] = {}
    for position, value in values.items():
        texts.setdefault(listed(schema, name, value), []).append(position)
    chosen: list[str] = []
    positions: list[int] = []

    def group(candidates: list[str]) -> list[list[Json]]:
        return [[{"propertyName": name, "operator": "IN", "values": candidates}, *also]]

    for text, askers in texts.items():
        if chosen and (len(chosen) == MAX_VALUES or not fits(group([*chosen, text]), ())):
            yield Ask(group(chosen), positions)
            chosen, positions = [], []
        chosen.append(text)
        positions += askers
    if chosen:
        yield Ask(group(chosen), positions)


def plan_groups(queries: Mapping[int, Criteria], schema: Schema) -> Iterator[Ask]:
    """Yield searches for any queries: as many to one search as can be told apart afterwards."""
    groups: list[list[Json]] = []
    positions: list[int] = []
    for position, criteria in queries.items():
        group = build_filters(criteria, schema)
        if not all(map(is_certain, criteria)):
            yield Ask([group], [position])
            continue
        if groups and not fits([*groups, group], ()):
            yield Ask(groups, positions)
            groups, positions = [], []
        groups.append(group)
        positions.append(position)
    if groups:
        yield Ask(groups, positions)
