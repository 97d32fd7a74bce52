"""What of a search SQLite does itself.

Conditions on id, created and modified date, on presence, and equality of plain texts and options
are exact in SQL. Where a group holds others too, SQL narrows the rows and Python decides.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field

from hubconnect.sandbox.catalog.kinds import Kind
from hubconnect.sandbox.filters import Filter, comparable
from hubconnect.sandbox.links import types_between

_COMPARISONS = {"EQ": "=", "NEQ": "<>", "LT": "<", "LTE": "<=", "GT": ">", "GTE": ">="}
_NARROW = 3000


@dataclass(slots=True)
class Where:
    """A condition in SQL.

    Attributes:
        is_exact: whether it needs no second look in Python.
        modified: whether it bounds the modified date.
    """

    text: str
    parameters: list[object] = field(default_factory=list)
    is_exact: bool = True
    bounds_modified: bool = False


def build_where(db: sqlite3.Connection, kind: Kind, groups: list[list[Filter]]) -> Where:
    """Build the condition of a search; groups are alternatives, their filters all hold."""
    where = Where("d.kind = ?", [kind.name])
    alternatives = []
    for group in groups:
        parts = []
        for condition in group:
            part = _column(kind, condition) or _association(db, kind, condition)
            part = part or _value(condition)
            if part is None:
                where.is_exact = False
                continue
            parts.append(part.text)
            where.parameters += part.parameters
            if condition.name == kind.modified_property and len(groups) == 1:
                where.bounds_modified = True
        alternatives.append(" AND ".join(parts) or "1")
    if alternatives:
        where.text += " AND (" + " OR ".join(f"({one})" for one in alternatives) + ")"
    return where


def _column(kind: Kind, condition: Filter) -> Where | None:
    """Build a condition on one of the columns every document has."""
    column = {
        "hs_object_id": "d.id",
        kind.created_property: "d.created",
        kind.modified_property: "d.modified",
    }.get(condition.name)
    if column is None or condition.property is None:
        return None
    found = condition.property
    if condition.operator in _COMPARISONS:
        sign = _COMPARISONS[condition.operator]
        return Where(f"{column} {sign} ?", [comparable(found, condition.value)])
    if condition.operator == "BETWEEN":
        ends = [comparable(found, condition.value), comparable(found, condition.high)]
        return Where(f"{column} BETWEEN ? AND ?", list(ends))
    if condition.operator in {"IN", "NOT_IN"}:
        marks = ",".join("?" * len(condition.values))
        negated = "NOT " if condition.operator == "NOT_IN" else ""
        values = [comparable(found, one) for one in condition.values]
        return Where(f"{column} {negated}IN ({marks})", list(values))
    if condition.operator in {"HAS_PROPERTY", "NOT_HAS_PROPERTY"}:
        return Where("1" if condition.operator == "HAS_PROPERTY" else "0")
    return None


def _association(db: sqlite3.Connection, kind: Kind, condition: Filter) -> Where | None:
    if condition.target is None:
        return None
    values = condition.values or (condition.value,)
    types = [one.type_id for one in types_between(db, kind, condition.target)]
    if condition.operator not in {"EQ", "IN"} or not types:
        return Where("0")
    marks = ",".join("?" * len(values))
    return Where(
        "EXISTS (SELECT 1 FROM association a WHERE a.kind = d.kind AND a.id = d.id"  # noqa: S608
        f" AND a.to_kind = ? AND a.to_id IN ({marks}))",
        [condition.target.name, *(int(one) if one.isdigit() else -1 for one in values)],
    )


def _value(condition: Filter) -> Where | None:
    """Build a condition on a property, where SQLite compares as HubSpot does."""
    found = condition.property
    if found is None:
        return None
    # The name is one of the account's properties; those hold letters, digits and _ only.
    value = f"json_extract(d.properties, '$.{found.name}')"
    if condition.operator in {"HAS_PROPERTY", "NOT_HAS_PROPERTY"}:
        return Where(f"{value} IS {'NOT ' * (condition.operator == 'HAS_PROPERTY')}NULL")
    if condition.operator not in {"EQ", "IN"}:
        return None
    wanted = condition.values if condition.operator == "IN" else (condition.value,)
    if found.type == "string" and all(one.isascii() for one in wanted):
        if condition.operator == "IN":
            wanted = tuple(one for one in wanted if one == one.lower())
        marks = ",".join("?" * len(wanted))
        return Where(f"{value} COLLATE NOCASE IN ({marks})", list(wanted))
    if found.type == "enumeration" and not found.is_multiple:
        return Where(f"{value} IN ({','.join('?' * len(wanted))})", list(wanted))
    return None


Row = tuple[int, int, int, str]
_SELECT = "SELECT d.id, d.created, d.modified, d.properties FROM search_document d"
_ORDERS = {
    "hs_object_id": ("d.id", "search_document_id"),
    "created": ("d.created {0}, d.id", "search_document_created"),
    "modified": ("d.modified {0}, d.id", "search_document_modified"),
}


def count(db: sqlite3.Connection, where: Where) -> int:
    """Count the documents an exact condition finds."""
    hint = " INDEXED BY search_document_modified" if where.bounds_modified else ""
    row = db.execute(
        f"SELECT count(*) FROM search_document d{hint} WHERE {where.text}",  # noqa: S608
        where.parameters,
    ).fetchone()
    return int(row[0])


def fetch(
    db: sqlite3.Connection,
    where: Where,
    order: str,
    direction: str,
    window: tuple[int, int],
    total: int,
) -> list[Row]:
    """Fetch one page of an exact condition.

    Args:
        db: connection in a reading transaction.
        where: exact condition.
        order: ``hs_object_id``, ``created`` or ``modified``.
        direction: ``ASC`` or ``DESC``.
        window: offset and length of the page.
        total: number of documents found; decides between sorting them and walking in order.
    """
    columns, index = _ORDERS[order]
    hint = ""
    if where.bounds_modified:
        hint = f" INDEXED BY {'search_document_modified' if total <= _NARROW else index}"
    ordered = columns.format(direction)
    ordered = ordered if "," in ordered else f"{ordered} {direction}"
    offset, limit = window
    return db.execute(
        f"{_SELECT}{hint} WHERE {where.text} ORDER BY {ordered} LIMIT ? OFFSET ?",
        [*where.parameters, limit, offset],
    ).fetchall()


def scan(db: sqlite3.Connection, where: Where) -> Iterator[Row]:
    """Go through the documents a condition narrows down to, oldest first."""
    rows: Iterator[Row] = db.execute(
        f"{_SELECT} WHERE {where.text} ORDER BY d.created, d.id",
        where.parameters,
    )
    return rows
