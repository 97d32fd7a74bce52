"""Ids of records: primary keys as text, and back; comparisons along the key."""

import uuid
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, and_, false, or_, tuple_, types

from hubconnect.connectors.sql.integers import checked_integer, limit_of

# Parts of a composite key are joined by commas. A backslash makes a comma or backslash of a value
# plain, and stands before "e" for an empty text, which an id may not be.
_ESCAPES = {"\\": "\\\\", ",": "\\,"}
EMPTY = "\\e"

Part = Callable[[str], Any]

_ON_SQLITE: tuple[tuple[type, Part], ...] = (
    (types.String, str),
    (types.Date, str),
    (types.DateTime, str),
    (types.Uuid, str),
)
_ELSEWHERE: tuple[tuple[type, Part], ...] = (
    (types.String, str),
    (types.Uuid, uuid.UUID),
    (types.DateTime, datetime.fromisoformat),
    (types.Date, date.fromisoformat),
)


def key_part(column_type: types.TypeEngine[Any], dialect: str) -> Part | None:
    """Return what reads a key's part from an id, or None where such a type cannot be a key."""
    # SQLite keeps dates as whatever text was written; a float can be written in two ways.
    if isinstance(column_type, types.Integer):
        limit = limit_of(column_type, dialect)
        return lambda text: checked_integer(int(text), limit)
    kinds = _ON_SQLITE if dialect == "sqlite" else _ELSEWHERE
    return next((read for kind, read in kinds if isinstance(column_type, kind)), None)


def record_id(parts: Sequence[Any]) -> str:
    """Return the id of the record with this primary key."""
    if len(parts) == 1:
        value = parts[0]
        if isinstance(value, int):
            return str(value)
        return _part_text(value).replace("\\,", ",")
    return ",".join(_part_text(part) for part in parts)


def key_of(identifier: str, parts: Sequence[Part]) -> tuple[Any, ...] | None:
    """Return the primary key an id stands for, or None for what cannot be one."""
    texts = _split(identifier) if len(parts) > 1 else [_plain(identifier)]
    if len(texts) != len(parts):
        return None
    try:
        return tuple(read(text) for read, text in zip(parts, texts, strict=True))
    except (ValueError, ArithmeticError):
        return None


def behind(columns: Sequence[Column[Any]], key: Sequence[Any]) -> ColumnElement[bool]:
    """Return the condition for keys after this one, in the key's order."""
    clauses = []
    for place, column in enumerate(columns):
        same = [one == value for one, value in zip(columns[:place], key, strict=False)]
        clauses.append(and_(*same, column > key[place]))
    return or_(*clauses)


def among(
    columns: Sequence[Column[Any]], keys: Sequence[tuple[Any, ...]], *, has_tuples: bool
) -> ColumnElement[bool]:
    """Return the condition for rows with one of these keys."""
    if not keys:
        return false()
    if len(columns) == 1:
        return columns[0].in_([key[0] for key in keys])
    if has_tuples:
        return tuple_(*columns).in_(keys)
    return or_(
        *(and_(*(one == value for one, value in zip(columns, key, strict=True))) for key in keys)
    )


def _part_text(value: Any) -> str:  # noqa: ANN401 - any driver's
    if isinstance(value, date):
        return value.isoformat()
    text = str(value)
    if not text:
        return EMPTY
    for plain, escaped in _ESCAPES.items():
        if plain in text:
            text = text.replace(plain, escaped)
    return text


def _split(identifier: str) -> list[str]:
    parts, part, escaped = [], "", False
    for letter in identifier:
        if letter == "," and not escaped:
            parts.append(_plain(part))
            part = ""
            continue
        part += letter
        escaped = letter == "\\" and not escaped
    return [*parts, _plain(part)]


def _plain(text: str) -> str:
    if text == EMPTY:
        return ""
    if "\\" not in text:
        return text
    plain, escaped = "", False
    for letter in text:
        if escaped or letter != "\\":
            plain += letter
            escaped = False
        else:
            escaped = True
    return plain
