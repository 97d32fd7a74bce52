"""Filters of a search: reading them, testing one record, and the part SQL can do ahead.

Operators and their rules are those of the page "Search the CRM": texts compare without case,
options of enumerations with it, IN wants lower-case values for texts, NEQ also finds records
without a value.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hubconnect.sandbox.catalog.kinds import Kind, find_kind
from hubconnect.sandbox.errors import Json, refuse
from hubconnect.sandbox.moments import from_text
from hubconnect.sandbox.schema import Property, Schema

MAX_GROUPS = 5
MAX_FILTERS_IN_GROUP = 6
MAX_FILTERS = 18
OPERATORS = frozenset(
    [
        "EQ",
        "NEQ",
        "LT",
        "LTE",
        "GT",
        "GTE",
        "BETWEEN",
        "IN",
        "NOT_IN",
        "HAS_PROPERTY",
        "NOT_HAS_PROPERTY",
        "CONTAINS_TOKEN",
        "NOT_CONTAINS_TOKEN",
    ]
)
_VALUES = {"IN", "NOT_IN"}
_NO_VALUE = {"HAS_PROPERTY", "NOT_HAS_PROPERTY"}
_TOKENS = re.compile(r"[^\w@.+-]+")
_ASSOCIATIONS = "associations."


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition.

    Attributes:
        property: the property it looks at; None for a condition on associations.
        target: object type of a condition on associations.
    """

    name: str
    operator: str
    property: Property | None
    target: Kind | None
    value: str
    high: str
    values: tuple[str, ...]


def read_groups(schema: Schema, body: Json) -> list[list[Filter]]:
    """Read the filter groups of a search.

    Raises:
        ApiError: too many of them, or one is wrong (400).
    """
    groups = body.get("filterGroups") or []
    if body.get("filters"):
        groups = [*groups, {"filters": body["filters"]}]
    lists = [group.get("filters") or [] for group in groups]
    if len(lists) > MAX_GROUPS:
        message = f"There are {len(lists)} filter groups. The maximum is {MAX_GROUPS}."
        refuse(message)
    if any(len(one) > MAX_FILTERS_IN_GROUP for one in lists):
        message = f"A filter group may not hold more than {MAX_FILTERS_IN_GROUP} filters."
        refuse(message)
    if sum(len(one) for one in lists) > MAX_FILTERS:
        refuse(f"A search may not hold more than {MAX_FILTERS} filters.")
    return [[_read(schema, one) for one in filters] for filters in lists if filters]


def _subject(schema: Schema, name: str) -> tuple[Property | None, Kind | None]:
    """Return the property a filter is about, or the object type whose links it is about."""
    if name in schema.kind.unfilterable:
        refuse(f'Property "{name}" of {schema.kind.name} cannot be filtered by.')
    found, target = schema.find(name), None
    if name.startswith(_ASSOCIATIONS):
        target = find_kind(name.removeprefix(_ASSOCIATIONS))
        if target is not None and target.type_id.startswith("2-"):
            target = None  # links to custom objects cannot be searched for
    if found is None and target is None:
        message = (
            "There was a problem with the request. "
            f'Property "{name}" does not exist on {schema.kind.name}.'
        )
        refuse(message)
    return found, target


def _read(schema: Schema, given: Mapping[str, Any]) -> Filter:
    name, operator = str(given.get("propertyName", "")), str(given.get("operator", ""))
    if operator not in OPERATORS:
        refuse(f"Invalid operator: {operator}")
    found, target = _subject(schema, name)
    values = given.get("values")
    if operator in _VALUES and not (isinstance(values, list) and values):
        refuse(f"Operator {operator} on {name} needs values.")
    needs_value = operator not in _VALUES | _NO_VALUE
    if needs_value and given.get("value") is None:
        refuse(f"Operator {operator} on {name} needs a value.")
    if operator == "BETWEEN" and given.get("highValue") is None:
        refuse(f"Operator BETWEEN on {name} needs a highValue.")
    condition = Filter(
        name,
        operator,
        found,
        target,
        _plain(given.get("value")),
        _plain(given.get("highValue")),
        tuple(_plain(one) for one in values or []),
    )
    _require_comparable(condition)
    return condition


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _require_comparable(condition: Filter) -> None:
    """Refuse a value that is no number or moment where the property holds one (400)."""
    if condition.property is None or condition.operator in _NO_VALUE:
        return
    for value in (condition.value, condition.high, *condition.values):
        if value and comparable(condition.property, value) is None:
            refuse(f"{value} is not a valid value of property {condition.name}.")


def comparable(found: Property, value: str) -> float | str | None:
    """Bring a value into the form in which it compares; None when it is not of the type."""
    try:
        if found.type in {"datetime", "date"}:
            return from_text(value)
        if found.type == "number":
            return int(value) if value.isdigit() else float(value)
    except (ValueError, OverflowError):
        return None
    if found.type == "enumeration":
        return value
    return value.lower()


def matches(condition: Filter, values: Mapping[str, str]) -> bool:
    """Test one condition on the properties of one record."""
    value = values.get(condition.name)
    return _TESTS[condition.operator](condition, value)


def _compare(condition: Filter, value: str | None, test: Callable[[Any, Any], bool]) -> bool:
    if value is None or condition.property is None:
        return False
    return test(
        comparable(condition.property, value), comparable(condition.property, condition.value)
    )


def _between(condition: Filter, value: str | None) -> bool:
    if value is None or condition.property is None:
        return False
    low, this, high = (
        comparable(condition.property, one) for one in (condition.value, value, condition.high)
    )
    return low <= this <= high  # type: ignore[operator]  # all three are of one type


def _in(condition: Filter, value: str | None) -> bool:
    if value is None or condition.property is None:
        return False
    if condition.property.type in {"string", "phone_number"}:
        return value.lower() in condition.values
    if condition.property.is_multiple:
        return not set(value.split(";")).isdisjoint(condition.values)
    this = comparable(condition.property, value)
    return any(comparable(condition.property, one) == this for one in condition.values)


def _equal(condition: Filter, value: str | None) -> bool:
    if condition.property is not None and condition.property.is_multiple and value is not None:
        return value == condition.value or condition.value in value.split(";")
    return _compare(condition, value, lambda one, other: one == other)


def _contains(condition: Filter, value: str | None) -> bool:
    """Whole tokens, with * at either end; an address counts whole and by its parts."""
    if value is None:
        return False
    wanted = condition.value.lower()
    pattern = re.compile(
        "".join(".*" if part == "*" else re.escape(part) for part in re.split(r"(\*)", wanted))
    )
    text = value.lower()
    tokens = {text, *_TOKENS.split(text), *re.split(r"\W+", text)} - {""}
    return any(pattern.fullmatch(token) for token in tokens)


_TESTS: dict[str, Callable[[Filter, str | None], bool]] = {
    "EQ": _equal,
    "NEQ": lambda condition, value: not _equal(condition, value),
    "LT": lambda condition, value: _compare(condition, value, lambda one, other: one < other),
    "LTE": lambda condition, value: _compare(condition, value, lambda one, other: one <= other),
    "GT": lambda condition, value: _compare(condition, value, lambda one, other: one > other),
    "GTE": lambda condition, value: _compare(condition, value, lambda one, other: one >= other),
    "BETWEEN": _between,
    "IN": _in,
    "NOT_IN": lambda condition, value: not _in(condition, value),
    "HAS_PROPERTY": lambda _, value: value is not None,
    "NOT_HAS_PROPERTY": lambda _, value: value is None,
    "CONTAINS_TOKEN": _contains,
    "NOT_CONTAINS_TOKEN": lambda condition, value: not _contains(condition, value),
}
