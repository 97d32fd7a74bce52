"""Writes rows, many in one transaction; a refused batch is halved until the row is found."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import StatementError

from hubconnect.connectors.base import Outcome, Values
from hubconnect.connectors.errors import ConnectorError, FieldFault, RecordError
from hubconnect.connectors.sql.database import Database
from hubconnect.connectors.sql.refusals import refusal, unwritable
from hubconnect.connectors.sql.tables import ObjectTable


@dataclass(frozen=True, slots=True)
class Entry:
    """One record to write: its key, id ("" for a new one), raw values, and what was expected."""

    key: str
    id: str
    raw: Mapping[str, Any]
    values: Values
    expected: Values


WriteBatch = Callable[[Connection, Sequence[Entry]], list[Outcome]]


def stored_values(table: ObjectTable, values: Values) -> dict[str, Any]:
    """Return canonical values as the columns hold them.

    Raises:
        AttentionError: a column has vanished.
        RecordError: naming each column that cannot hold its value.
    """
    raw: dict[str, Any] = {}
    faults = []
    for column, value in zip(table.columns_of(values), values.values(), strict=True):
        write = column.codec.write
        if write is None or column.field.read_only:
            faults.append(FieldFault(column.name, "the column is read-only."))
        elif value is None or value == "":
            raw[column.name] = None
        else:
            try:
                raw[column.name] = write(value)
            except (ValueError, ArithmeticError) as error:
                faults.append(FieldFault(column.name, str(error)))
    if faults:
        raise unwritable(table, faults)
    return raw


def write_all(
    database: Database, table: ObjectTable, entries: Sequence[Entry], write: WriteBatch
) -> list[Outcome]:
    """Write entries, each batch in a transaction of its own, and return their outcomes.

    Raises:
        TemporaryError, AttentionError: before anything was written.
        OutcomeUnknownError: the connection broke at the first commit.
    """
    outcomes: list[Outcome] = []
    waiting = [list(entries)] if entries else []
    while waiting:
        batch = waiting.pop()
        try:
            with database.writing() as connection:
                done = write(connection, batch)
        except (StatementError, RecordError) as error:
            if len(batch) == 1:
                outcomes.append(_refused(database, table, batch[0], error))
            else:
                middle = len(batch) // 2
                waiting += [batch[middle:], batch[:middle]]
        except ConnectorError:
            if all(one.error is not None for one in outcomes):
                raise
            # Some are written, so the call cannot fail as a whole: the rest is to be settled.
            rest = [*batch, *(entry for later in reversed(waiting) for entry in later)]
            return [*outcomes, *(Outcome(key=entry.key, is_unknown=True) for entry in rest)]
        else:
            outcomes += done
    return outcomes


def stamp_of(table: ObjectTable, now: datetime) -> dict[str, Any]:
    """Return the modified time to write: other readers of the column rely on it."""
    modified = table.modified
    if modified is None or modified.field.read_only or modified.codec.write is None:
        return {}
    return {modified.name: modified.codec.write(now)}


def by_columns(entries: Iterable[Entry]) -> list[tuple[frozenset[str], list[Entry]]]:
    """Return the entries in groups that set the same columns."""
    groups: dict[frozenset[str], list[Entry]] = {}
    for entry in entries:
        groups.setdefault(frozenset(entry.raw), []).append(entry)
    return list(groups.items())


def _refused(
    database: Database,
    table: ObjectTable,
    entry: Entry,
    error: StatementError | RecordError,
) -> Outcome:
    found = refusal(database, table, entry.raw, error, entry.id)
    return Outcome(key=entry.key, error=found)
