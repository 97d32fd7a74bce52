"""Applies criteria to one record, as HubSpot's search would."""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from fnmatch import fnmatchcase

from hubconnect.connectors.base import Condition, Criteria, Operator, Value, Values
from hubconnect.engine.values import is_same


def matches(criteria: Criteria, values: Values) -> bool:
    """Tell whether a record with these canonical values fulfils all conditions.

    As HubSpot's search has it: texts are the same whatever their capitals, NOT_EQUALS, NOT_IN and
    NOT_CONTAINS_TOKEN hold for a record without a value, tokens are whole words.
    """
    return all(_TESTS[one.operator](one, values.get(one.field)) for one in criteria)


def _is_empty(value: Value) -> bool:
    return value is None or value in ("", frozenset())


def _equals(one: Condition, value: Value) -> bool:
    return not _is_empty(value) and is_same(_folded(value), _folded(one.value))


def _is_in(one: Condition, value: Value) -> bool:
    if _is_empty(value):
        return False
    if isinstance(value, frozenset):  # any of the options that were given
        return any(isinstance(given, frozenset) and given <= value for given in one.values)
    return any(is_same(_folded(value), _folded(given)) for given in one.values)


def _folded(value: Value) -> Value:
    return value.casefold() if isinstance(value, str) else value


def _contains(one: Condition, value: Value) -> bool:
    if not isinstance(value, str) or not isinstance(one.value, str):
        return False
    text = value.casefold()
    tokens = {*text.split(), *re.findall(r"\w+", text)}
    return all(_is_among(word, tokens) for word in one.value.casefold().split())


def _is_among(word: str, tokens: Iterable[str]) -> bool:
    pattern = word.replace("[", "[[]").replace("?", "[?]")
    return any(fnmatchcase(token, pattern) for token in tokens)


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
            or (same and is_same(value, one.value))
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
