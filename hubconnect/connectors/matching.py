"""Applies criteria to one record, as HubSpot's search would ("Search the CRM").

Connectors tell by it whose query a found record answers; the engine, what criteria take.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal

from hubconnect.connectors.base import Condition, Criteria, Operator, Value, Values
from hubconnect.connectors.tokens import contains


def matches(criteria: Criteria, values: Values) -> bool:
    """Tell whether a record with these canonical values fulfils all conditions.

    As HubSpot's search has it: texts are the same whatever their capitals, NOT_EQUALS, NOT_IN and
    NOT_CONTAINS_TOKEN hold for a record without a value, tokens are whole words.
    """
    return all(_TESTS[one.operator](one, values.get(one.field)) for one in criteria)


def surely_fails(criteria: Criteria, values: Values) -> bool:
    """Tell whether a record fails a condition about which no system can be of another opinion.

    Where words begin and end is HubSpot's own matter: what its search found by a word stays found.
    """
    certain = tuple(one for one in criteria if is_certain(one))
    return not matches(certain, values)


_UNCERTAIN = frozenset({Operator.CONTAINS_TOKEN, Operator.NOT_CONTAINS_TOKEN})


def is_certain(condition: Condition) -> bool:
    """Tell whether every system is of one opinion about a condition."""
    return condition.operator not in _UNCERTAIN


def _is_empty(value: Value) -> bool:
    return value is None or value in ("", frozenset())


def _equals(one: Condition, value: Value) -> bool:
    if isinstance(value, frozenset) and isinstance(one.value, frozenset) and len(one.value) == 1:
        return one.value <= value  # one option of several
    return not _is_empty(value) and _folded(value) == _folded(one.value)


def _is_in(one: Condition, value: Value) -> bool:
    if _is_empty(value):
        return False
    if isinstance(value, frozenset):  # any of the options that were given
        return any(isinstance(given, frozenset) and given <= value for given in one.values)
    return any(_folded(value) == _folded(given) for given in one.values)


def _folded(value: Value) -> Value:
    return value.lower() if isinstance(value, str) else value


def _contains(one: Condition, value: Value) -> bool:
    if not isinstance(value, str) or not isinstance(one.value, str):
        return False
    return contains(value, one.value)


def is_below(one: Value, other: Value) -> bool:
    """Tell whether a number or time lies below another; False when they cannot be compared."""
    left, right = _comparable(one), _comparable(other)
    return left is not None and right is not None and left < right


def _comparable(value: Value) -> Decimal | None:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, date):
        moment = value if isinstance(value, datetime) else datetime.combine(value, time(), UTC)
        return Decimal(str(moment.timestamp()))
    return None


def _compares(
    *, above: bool = False, below: bool = False, same: bool = False
) -> Callable[[Condition, Value], bool]:
    def test(one: Condition, value: Value) -> bool:
        if _is_empty(value):
            return False
        return (
            (above and is_below(one.value, value))
            or (below and is_below(value, one.value))
            or (same and value == one.value)
        )

    return test


def _is_between(one: Condition, value: Value) -> bool:
    if _is_empty(value):
        return False
    return not is_below(value, one.value) and not is_below(one.high, value)


_TESTS: dict[Operator, Callable[[Condition, Value], bool]] = {
    Operator.EQUALS: _equals,
    Operator.NOT_EQUALS: lambda one, value: not _equals(one, value),
    Operator.GREATER_THAN: _compares(above=True),
    Operator.GREATER_THAN_OR_EQUALS: _compares(above=True, same=True),
    Operator.LESS_THAN: _compares(below=True),
    Operator.LESS_THAN_OR_EQUALS: _compares(below=True, same=True),
    Operator.BETWEEN: _is_between,
    Operator.IN: _is_in,
    Operator.NOT_IN: lambda one, value: not _is_in(one, value),
    Operator.HAS_PROPERTY: lambda _one, value: not _is_empty(value),
    Operator.NOT_HAS_PROPERTY: lambda _one, value: _is_empty(value),
    Operator.CONTAINS_TOKEN: _contains,
    Operator.NOT_CONTAINS_TOKEN: lambda one, value: not _contains(one, value),
}
