"""Criteria as WHERE clauses; what a database cannot decide alike everywhere is decided here."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from sqlalchemy import ColumnElement, and_, cast, false, func, literal, or_, true, types

from hubconnect.connectors.base import Condition, Criteria, Operator, Value, Window
from hubconnect.connectors.sql.tables import ObjectTable, TableColumn
from hubconnect.connectors.tokens import contains

Clause = ColumnElement[bool]
Test = Callable[[Value], bool]
AN_HOUR, A_DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Filter:
    """WHERE clauses, and tests by field for the rows that pass them."""

    clauses: tuple[Clause, ...] = ()
    tests: tuple[tuple[str, Test], ...] = ()


def build_filter(table: ObjectTable, criteria: Criteria, dialect: str) -> Filter:
    """Return the filter for criteria; values are bound, never written into the statement.

    Texts are the same whatever their capitals; NOT_EQUALS, NOT_IN and NOT_CONTAINS_TOKEN hold for
    rows without a value.

    Raises:
        AttentionError: a column has vanished.
    """
    clauses: list[Clause] = []
    tests: list[tuple[str, Test]] = []
    for condition in criteria:
        (column,) = table.columns_of([condition.field])
        if condition.operator in {Operator.CONTAINS_TOKEN, Operator.NOT_CONTAINS_TOKEN}:
            holds = condition.operator is Operator.CONTAINS_TOKEN
            wanted = str(condition.value or "")
            tests.append((column.name, _token_test(wanted, holds=holds)))
            if holds:
                clauses.append(_token_clause(column, wanted.lower().split(), dialect))
        else:
            clauses.append(_CLAUSES[condition.operator](column, condition, dialect))
    return Filter(tuple(clauses), tuple(tests))


def one_of(column: TableColumn, values: Iterable[Value], dialect: str) -> Clause:
    """Return the clause for rows that hold one of these values."""
    found = []
    for value in values:
        if isinstance(value, str) and column.is_text:
            found += _spellings(value, dialect)
            continue
        try:
            found.append(_stored(column, value))
        except ValueError:  # not a value this column can hold
            continue
    if not found:
        return false()
    if _is_loose_time(column, dialect):
        return or_(*(_side(column, dialect) == func.julianday(each) for each in found))
    if isinstance(column.column.type, types.Float):
        return or_(*(column.column == cast(literal(each), column.column.type) for each in found))
    return _side(column, dialect).in_(found)


def in_window(column: TableColumn, window: Window, dialect: str) -> Clause:
    """Return the clause for rows modified in the window, or at a time nobody can tell.

    Where clocks are put back, local times repeat: the window is widened by the difference.
    """
    lower, upper = window.lower, window.upper
    if _is_put_back(column, lower, lower + AN_HOUR):
        lower -= AN_HOUR
    if _is_put_back(column, upper - AN_HOUR, upper):
        upper += AN_HOUR
    moment, low, high = column.column, _stored(column, lower), _stored(column, upper)
    if not _is_loose_time(column, dialect):
        return or_(moment.is_(None), and_(moment >= low, moment <= high))
    # Spellings differ behind the date and in their zone: an index can only narrow it to days.
    day = str(_stored(column, lower - A_DAY))[:10]
    side = _side(column, dialect)
    clause = and_(
        moment >= day, side >= func.julianday(str(low)), side <= func.julianday(str(high))
    )
    return or_(side.is_(None), clause)


def has_value(column: TableColumn, dialect: str) -> Clause:
    """Return the clause for rows with a value; an empty text is none."""
    if not column.is_text or dialect == "oracle":  # where '' is NULL
        return column.column.is_not(None)
    return and_(column.column.is_not(None), column.column != "")


# --- Operators -----------------------------------------------------------------------------------


def _equals(column: TableColumn, condition: Condition, dialect: str) -> Clause:
    if condition.value is None:
        return ~has_value(column, dialect)
    return one_of(column, [condition.value], dialect)


def _is_in(column: TableColumn, condition: Condition, dialect: str) -> Clause:
    return one_of(column, condition.values, dialect)


def _without(
    build: Callable[[TableColumn, Condition, str], Clause],
) -> Callable[[TableColumn, Condition, str], Clause]:
    def negated(column: TableColumn, condition: Condition, dialect: str) -> Clause:
        return or_(~build(column, condition, dialect), ~has_value(column, dialect))

    return negated


def _compares(
    name: str, *, attribute: str = "value"
) -> Callable[[TableColumn, Condition, str], Clause]:
    def build(column: TableColumn, condition: Condition, dialect: str) -> Clause:
        value = getattr(condition, attribute)
        is_whole = isinstance(value, Decimal) and isinstance(column.column.type, types.Integer)
        if is_whole:
            value = value.to_integral_value(_TO_WHOLE[name])
        try:
            bound: Any = _stored(column, value)
        except ValueError:
            return _beyond(column, name, value) if is_whole else false()
        if _is_loose_time(column, dialect):
            bound = func.julianday(bound)
        side = _side(column, dialect) if _is_loose_time(column, dialect) else column.column
        result: Clause = getattr(side, name)(bound)
        return result

    return build


# How a number between two whole ones is rounded, so that whole numbers compare alike with it.
_TO_WHOLE = {
    "__gt__": ROUND_FLOOR,
    "__le__": ROUND_FLOOR,
    "__ge__": ROUND_CEILING,
    "__lt__": ROUND_CEILING,
}


def _beyond(column: TableColumn, name: str, value: Decimal) -> Clause:
    """Return the comparison with a number larger, or smaller, than all that the column holds."""
    is_less = name in {"__lt__", "__le__"}
    return column.column.is_not(None) if is_less == (value > 0) else false()


def _between(column: TableColumn, condition: Condition, dialect: str) -> Clause:
    low = _compares("__ge__")(column, condition, dialect)
    return and_(low, _compares("__le__", attribute="high")(column, condition, dialect))


_CLAUSES: dict[Operator, Callable[[TableColumn, Condition, str], Clause]] = {
    Operator.EQUALS: _equals,
    Operator.NOT_EQUALS: _without(_equals),
    Operator.GREATER_THAN: _compares("__gt__"),
    Operator.GREATER_THAN_OR_EQUALS: _compares("__ge__"),
    Operator.LESS_THAN: _compares("__lt__"),
    Operator.LESS_THAN_OR_EQUALS: _compares("__le__"),
    Operator.BETWEEN: _between,
    Operator.IN: _is_in,
    Operator.NOT_IN: _without(_is_in),
    Operator.HAS_PROPERTY: lambda column, _condition, dialect: has_value(column, dialect),
    Operator.NOT_HAS_PROPERTY: lambda column, _condition, dialect: ~has_value(column, dialect),
}

# --- Parts ---------------------------------------------------------------------------------------


def _stored(column: TableColumn, value: Value) -> Any:  # noqa: ANN401 - the driver's
    if value is None or column.codec.write is None:
        msg = "cannot be compared"
        raise ValueError(msg)
    return column.codec.write(value)


def _is_loose_time(column: TableColumn, dialect: str) -> bool:
    return dialect == "sqlite" and column.is_time


def _side(column: TableColumn, dialect: str) -> ColumnElement[Any]:
    """Return the column as it is compared."""
    if _is_loose_time(column, dialect):
        return func.julianday(column.column)
    return func.lower(column.column) if column.is_text else column.column


def _spellings(value: str, dialect: str) -> list[str]:
    """Return the text as the database's lower() would spell it; SQLite's knows ASCII only."""
    lower = value.lower()
    if dialect != "sqlite" or lower.isascii():
        return [lower]
    plain = re.sub("[A-Z]+", lambda match: match[0].lower(), value)
    return [lower] if plain == lower else [lower, plain]


def _is_put_back(column: TableColumn, start: datetime, end: datetime) -> bool:
    """Tell whether the column's clock is put back between two times."""
    low, high = (
        datetime.fromisoformat(raw) if isinstance(raw, str) else raw
        for raw in (_stored(column, start), _stored(column, end))
    )
    return bool(high - low < end - start)


def _token_test(wanted: str, *, holds: bool) -> Test:
    def test(value: Value) -> bool:
        return (isinstance(value, str) and contains(value, wanted)) is holds

    return test


def _token_clause(column: TableColumn, words: list[str], dialect: str) -> Clause:
    """Return a clause that leaves out most rows without the words; a test does the rest."""
    if not column.is_text:
        return true()
    parts = [max(re.findall(r"[ -)+-~]+", word), key=len, default="") for word in words]
    likes = [column.column.icontains(part, autoescape=True) for part in parts if part]
    return and_(has_value(column, dialect), *likes)
