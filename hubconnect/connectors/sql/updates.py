"""Changes rows, only while they still hold what was read.

The rows of a batch are locked, compared with what was expected, and written, all in one
transaction. That says the same as comparing in each statement's WHERE, and it compares canonical
values: an empty text is no value, a REAL is the number it was read as, a padded CHAR is unpadded.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, update

from hubconnect.connectors.base import Outcome, Patch, Record
from hubconnect.connectors.errors import RecordError
from hubconnect.connectors.sql.database import Database
from hubconnect.connectors.sql.ledger import Ledger
from hubconnect.connectors.sql.reader import Reader
from hubconnect.connectors.sql.tables import ObjectTable
from hubconnect.connectors.sql.writer import (
    Entry,
    by_columns,
    stamp_of,
    stored_values,
    write_all,
)

KEY_PREFIX = "hubconnect_key_"


class Updater:
    """Changes rows in one database."""

    def __init__(self, database: Database, reader: Reader, ledger: Ledger | None = None) -> None:
        """Keep what it works with; in a ledger that is there each update is noted."""
        self._database, self._reader, self._ledger = database, reader, ledger

    def update(self, table: ObjectTable, patches: Sequence[Patch]) -> list[Outcome]:
        """Change rows; one outcome per patch."""
        outcomes: list[Outcome] = []
        entries: list[Entry] = []
        for patch in patches:
            try:
                raw = stored_values(table, patch.values)
            except RecordError as error:
                outcomes.append(Outcome(key=patch.key, error=error))
            else:
                entries.append(Entry(patch.key, patch.id, raw, patch.values, patch.expected))
        return outcomes + write_all(
            self._database,
            table,
            entries,
            lambda connection, batch: self.write(connection, table, batch),
        )

    def write(
        self, connection: Connection, table: ObjectTable, batch: Sequence[Entry]
    ) -> list[Outcome]:
        """Change rows in the running transaction."""
        keys = {column.name for column in table.key}
        names = dict.fromkeys(
            name
            for entry in batch
            for name in (*entry.values, *entry.expected, *(keys & entry.values.keys()))
        )
        ids = [entry.id for entry in batch]
        current = self._reader.read_in(connection, table, ids, names, is_locking=True)
        outcomes: list[Outcome] = []
        ready: list[Entry] = []
        for entry in batch:
            record = current.get(entry.id)
            if record is None:
                outcomes.append(Outcome(key=entry.key, is_gone=True))
            elif any(record.values[name] != value for name, value in _expected(entry)):
                outcomes.append(Outcome(key=entry.key, is_stale=True))
            else:
                _refuse_new_key(table, entry, record)
                ready.append(entry)
        if not ready:
            return outcomes
        now = self._database.now_in(connection)
        self._update_rows(connection, table, ready, now)
        if self._ledger is not None and self._ledger.is_ready:
            noted = {entry.id: entry.key for entry in ready}
            self._ledger.note_updates(connection, table.name, noted, now)
        changed = self._reader.read_in(connection, table, [one.id for one in ready], names)
        return outcomes + [_outcome(entry, changed.get(entry.id)) for entry in ready]

    def _update_rows(
        self,
        connection: Connection,
        table: ObjectTable,
        entries: Sequence[Entry],
        now: datetime,
    ) -> None:
        stamp = stamp_of(table, now)
        for names, group in by_columns(entries):
            columns = {*stamp, *names}
            if not columns:
                continue
            statement = (
                update(table.table)
                .where(
                    *(
                        column == bindparam(f"{KEY_PREFIX}{place}")
                        for place, column in enumerate(table.key_columns)
                    )
                )
                .values({name: bindparam(f"hubconnect_set_{name}") for name in columns})
            )
            rows = [_bound(table, {**stamp, **one.raw}, one) for one in group]
            connection.execute(statement, rows)


def _bound(table: ObjectTable, raw: dict[str, Any], entry: Entry) -> dict[str, Any]:
    key = table.key_of(entry.id) or ()
    bound = {f"{KEY_PREFIX}{place}": part for place, part in enumerate(key)}
    return bound | {f"hubconnect_set_{name}": value for name, value in raw.items()}


def _expected(entry: Entry) -> list[tuple[str, Any]]:
    return [(name, None if value == "" else value) for name, value in entry.expected.items()]


def _refuse_new_key(table: ObjectTable, entry: Entry, record: Record) -> None:
    for column in table.key:
        if column.name in entry.values and entry.values[column.name] != record.values[column.name]:
            msg = f"{column.name} is part of the key of {table.name} and cannot be changed."
            raise RecordError(
                msg,
                hint="Let the mapping write this field on create only.",
            )


def _outcome(entry: Entry, record: Record | None) -> Outcome:
    if record is None:  # a trigger moved or removed it
        return Outcome(key=entry.key, is_gone=True)
    values = {name: record.values[name] for name in entry.values}
    return Outcome(key=entry.key, id=entry.id, version=record.version, values=values)
