"""Says which record a database refused, and why: the failure a person reads."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError, StatementError

from hubconnect.connectors.errors import Category, ConnectorError, FieldFault, RecordError
from hubconnect.connectors.sql.database import Database
from hubconnect.connectors.sql.faults import Fault, record_fault, sentence_of
from hubconnect.connectors.sql.keys import record_id
from hubconnect.connectors.sql.tables import ObjectTable

_CATEGORIES = {
    Fault.REQUIRED: Category.REQUIRED_FIELD,
    Fault.DUPLICATE: Category.DUPLICATE,
    Fault.TOO_LONG: Category.TOO_LONG,
    Fault.INVALID: Category.VALIDATION_ERROR,
}
_HINTS = {
    Fault.REQUIRED: "Map a field to it, or give the mapping a default.",
    Fault.DUPLICATE: "Link the two records, or correct the value on one side.",
    Fault.TOO_LONG: "Shorten the value, or let the mapping cut it.",
    Fault.INVALID: "Correct the value, or map another field, then retry.",
}
# "UNIQUE constraint failed: customers.email, customers.region", and NOT NULL alike.
_SQLITE_COLUMNS = re.compile(r"constraint failed: (.+)$")


def refusal(
    database: Database,
    table: ObjectTable,
    raw: Mapping[str, Any],
    error: DBAPIError | StatementError | RecordError,
    own_id: str = "",
) -> RecordError:
    """Return the error for one record the database refused.

    Args:
        database: asked which record has the value already, where one has.
        table: where it was to be written.
        raw: what was to be written, by column.
        error: what the driver raised, or a refusal of our own.
        own_id: the record being changed, which is no duplicate of itself.
    """
    if isinstance(error, RecordError):
        return error
    fault = record_fault(error)
    answer = sentence_of(error) if isinstance(error, DBAPIError) else str(error.orig)
    names = _named_columns(error, table)
    existing = ""
    if fault is Fault.DUPLICATE:
        names, existing = _find_existing(database, table, raw, names, own_id)
    if fault is Fault.TOO_LONG and not names:
        names = _too_long(table, raw)
    words = _words(fault, names, existing)
    return RecordError(
        f"{table.name} refused the record: {words or answer}",
        hint=_HINTS[fault],
        category=_CATEGORIES[fault],
        faults=tuple(FieldFault(name, words or answer, fault.name) for name in names),
        existing_id=existing,
        answer=answer,
    )


def unwritable(table: ObjectTable, faults: Iterable[FieldFault]) -> RecordError:
    """Return the error for a record with values its columns cannot hold."""
    found = tuple(faults)
    words = " ".join(f"{fault.field}: {fault.message}" for fault in found)
    return RecordError(
        f"{table.name} cannot hold the record: {words}",
        hint=_HINTS[Fault.INVALID],
        faults=found,
    )


def _words(fault: Fault, names: tuple[str, ...], existing: str) -> str:
    listed = ", ".join(names)
    if not listed:
        return ""
    if fault is Fault.REQUIRED:
        return f"{listed} needs a value."
    if fault is Fault.DUPLICATE:
        holder = f"record {existing}" if existing else "another record"
        return f"{holder} already has this value of {listed}."
    return f"the value of {listed} is too long." if fault is Fault.TOO_LONG else ""


def _named_columns(error: StatementError, table: ObjectTable) -> tuple[str, ...]:
    original = error.orig
    diagnosis = getattr(original, "diag", None)
    if diagnosis is not None:
        if diagnosis.column_name:
            return _known(table, [diagnosis.column_name])
        return _constrained(table, diagnosis.constraint_name)
    arguments = getattr(original, "args", ())
    match = _SQLITE_COLUMNS.search(str(arguments[-1]) if arguments else "")
    names = [part.rpartition(".")[2] for part in match[1].split(", ")] if match else []
    return _known(table, names)


def _constrained(table: ObjectTable, name: str | None) -> tuple[str, ...]:
    if not name:
        return ()
    for constraint in table.table.constraints:
        if constraint.name == name:
            columns = getattr(constraint, "columns", ())
            return _known(table, [column.name for column in columns])
    for index in table.table.indexes:
        if index.name == name:
            return _known(table, [column.name for column in index.columns])
    return ()


def _known(table: ObjectTable, names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name in table.columns)


def _too_long(table: ObjectTable, raw: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(
        name
        for name, value in raw.items()
        if isinstance(value, str)
        and len(value) > (table.columns[name].field.max_length or len(value))
    )


def _find_existing(
    database: Database,
    table: ObjectTable,
    raw: Mapping[str, Any],
    names: tuple[str, ...],
    own_id: str,
) -> tuple[tuple[str, ...], str]:
    """Return the columns whose values another record has, and that record's id."""
    if not table.key:
        return names, ""  # its rows have no ids
    sets = [frozenset(names)] if names else table.unique
    for each in sets:
        if any(raw.get(name) is None for name in each):
            continue
        clauses = [table.columns[name].column == raw[name] for name in each]
        try:
            with database.reading() as connection:
                row = connection.execute(
                    select(*table.key_columns).where(*clauses).limit(1)
                ).first()
        except (ConnectorError, DBAPIError):
            continue  # the refusal stands also when nobody can be asked for the other record
        found = record_id(tuple(row)) if row is not None else ""
        if found and found != own_id:
            return tuple(sorted(each)), found
    return names, ""
