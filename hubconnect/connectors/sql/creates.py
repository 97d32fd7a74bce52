"""Creates rows so that none is created twice, and settles creates whose reply was lost."""

from collections.abc import Container, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, insert, select

from hubconnect.connectors.base import Draft, Outcome, SentCreate, Settled, Values
from hubconnect.connectors.errors import AttentionError, Category, FieldFault, RecordError
from hubconnect.connectors.sql.database import Database
from hubconnect.connectors.sql.keys import record_id
from hubconnect.connectors.sql.ledger import Ledger
from hubconnect.connectors.sql.newlinks import NewLinks
from hubconnect.connectors.sql.reader import Reader
from hubconnect.connectors.sql.tables import ObjectTable
from hubconnect.connectors.sql.writer import (
    Entry,
    by_columns,
    stamp_of,
    stored_values,
    write_all,
)

CHUNK = 500


class Creator:
    """Creates rows in one database."""

    def __init__(self, database: Database, reader: Reader, ledger: Ledger, links: NewLinks) -> None:
        """Keep what it works with."""
        self._database, self._reader, self._ledger = database, reader, ledger
        self._links = links

    def why_not(self, table: ObjectTable) -> str:
        """Return why rows cannot be created safely and what to do, or ""."""
        if self._ledger.is_ready or table.remote_id is not None:
            return ""
        return (
            f"A row of {table.name} might be created twice when a reply is lost. Prepare the "
            "account, which adds HubConnect's ledger tables to the database, or name a unique "
            "text column of the table as the system's remote-id column."
        )

    def create(self, table: ObjectTable, drafts: Sequence[Draft]) -> list[Outcome]:
        """Create rows; a key that was used before gives the row it became."""
        reason = self.why_not(table)
        if reason:
            raise AttentionError(reason, parameter="remote_id_column")
        refused = self._links.refusals(table, drafts)
        outcomes = [Outcome(key=key, error=error) for key, error in refused.items()]
        entries: list[Entry] = []
        for draft in drafts:
            if draft.key in refused:
                continue
            try:
                raw = self._raw(table, draft)
            except RecordError as error:
                outcomes.append(Outcome(key=draft.key, error=error))
            else:
                entries.append(Entry(draft.key, "", raw, draft.values, {}))
        by_key = {draft.key: draft for draft in reversed(drafts)}
        return outcomes + write_all(
            self._database,
            table,
            entries,
            lambda connection, batch: self._insert(connection, table, batch, by_key),
        )

    def known_id(self, connection: Connection, table: ObjectTable, key: str) -> str:
        """Return the id of the row created under a key, or ""."""
        reason = self.why_not(table)
        if reason:
            raise AttentionError(reason, parameter="remote_id_column")
        return self._known(connection, table, {key: {}}).get(key, "")

    def insert_one(
        self,
        connection: Connection,
        table: ObjectTable,
        draft: Draft,
        expressions: Mapping[str, ColumnElement[Any]],
    ) -> str:
        """Insert a row in the running transaction, some columns by expressions; return its id."""
        now = self._database.now_in(connection)
        raw = {**stamp_of(table, now), **self._raw(table, draft)}
        _refuse_missing_key(table, set(raw))
        result = connection.execute(insert(table.table).values({**raw, **expressions}))
        identifier = _id_of(table, result.inserted_primary_key)
        if self._ledger.is_ready:
            self._ledger.note(connection, table.name, {draft.key: identifier}, now)
        return identifier

    def settle(self, table: ObjectTable, sent: Sequence[SentCreate]) -> dict[str, Settled]:
        """Look the keys up where the database keeps them."""
        if self.why_not(table):
            return {one.key: Settled(is_certain=False) for one in sent}
        with self._database.reading() as connection:
            known = self._known(connection, table, {one.key: one.values for one in sent})
        return {one.key: Settled(id=known.get(one.key, "")) for one in sent}

    def _raw(self, table: ObjectTable, draft: Draft) -> dict[str, Any]:
        raw = stored_values(table, {**draft.values, **self._links.own_values(table, draft)})
        for name, value in list(raw.items()):
            column = table.columns[name]
            if value is None and column.field.has_default and not column.column.nullable:
                del raw[name]  # the database's default stands in
        remote = None if self._ledger.is_ready else table.remote_id
        if remote is not None:
            raw.setdefault(remote.name, draft.key)
        return raw

    def _known(
        self, connection: Connection, table: ObjectTable, sent: Mapping[str, Values]
    ) -> dict[str, str]:
        """Return the ids of those already created, by key."""
        if self._ledger.is_ready:
            return self._ledger.ids_of(connection, list(sent))
        remote = table.remote_id
        if remote is None:
            return {}
        keys = {str(values.get(remote.name) or key): key for key, values in sent.items()}
        found: dict[str, str] = {}
        asked = list(keys)
        for start in range(0, len(asked), CHUNK):
            rows = connection.execute(
                select(remote.column, *table.key_columns).where(
                    remote.column.in_(asked[start : start + CHUNK])
                )
            )
            found.update((keys[row[0]], record_id(tuple(row)[1:])) for row in rows)
        return found

    def _insert(
        self,
        connection: Connection,
        table: ObjectTable,
        batch: Sequence[Entry],
        drafts: Mapping[str, Draft],
    ) -> list[Outcome]:
        known = self._known(connection, table, {entry.key: entry.values for entry in batch})
        # The first of each key: one that stands twice in a batch is one record.
        waiting: dict[str, Entry] = {}
        for entry in batch:
            if entry.key not in known:
                waiting.setdefault(entry.key, entry)
        fresh = list(waiting.values())
        if fresh:
            now = self._database.now_in(connection)
            stamp = stamp_of(table, now)
            made: dict[str, str] = {}
            for names, group in by_columns(fresh):
                rows = [{**stamp, **entry.raw} for entry in group]
                ids = _insert_rows(connection, table, rows, {*stamp, *names})
                made.update((entry.key, one) for entry, one in zip(group, ids, strict=True))
            if self._ledger.is_ready:
                self._ledger.note(connection, table.name, made, now)
            self._links.make(connection, table, made, drafts)
            known |= made
        return self._outcomes(connection, table, batch, known, waiting)

    def _outcomes(
        self,
        connection: Connection,
        table: ObjectTable,
        batch: Sequence[Entry],
        ids: Mapping[str, str],
        new: Container[str],
    ) -> list[Outcome]:
        """Read the rows back: defaults and triggers may have changed what was sent."""
        names = dict.fromkeys(name for entry in batch for name in entry.values)
        records = self._reader.read_in(connection, table, list(ids.values()), names)
        outcomes = []
        for entry in batch:
            identifier = ids[entry.key]
            record = records.get(identifier)
            if record is None:  # created earlier and deleted since
                outcomes.append(Outcome(key=entry.key, id=identifier))
                continue
            values = {name: record.values[name] for name in entry.values}
            outcomes.append(
                Outcome(
                    key=entry.key,
                    id=identifier,
                    version=record.version,
                    values=values,
                    was_there=entry.key not in new,
                )
            )
        return outcomes


def _insert_rows(
    connection: Connection, table: ObjectTable, rows: list[dict[str, Any]], names: set[str]
) -> list[str]:
    """Insert rows that set the same columns and return their ids in the same order."""
    keys = [column.name for column in table.key]
    if names.issuperset(keys):
        connection.execute(insert(table.table), rows)
        return [record_id([row[key] for key in keys]) for row in rows]
    _refuse_missing_key(table, names)
    if len(rows) == 1 and not rows[0]:
        result = connection.execute(insert(table.table))
        return [_id_of(table, result.inserted_primary_key)]
    if connection.dialect.insert_executemany_returning_sort_by_parameter_order:
        statement = insert(table.table).returning(*table.key_columns, sort_by_parameter_order=True)
        return [_id_of(table, tuple(row)) for row in connection.execute(statement, rows)]
    single = insert(table.table)
    return [_id_of(table, connection.execute(single, row).inserted_primary_key) for row in rows]


def _refuse_missing_key(table: ObjectTable, names: set[str]) -> None:
    missing = [one.name for one in table.key if one.name not in names and not one.field.has_default]
    if missing:
        listed = ", ".join(missing)
        msg = f"{table.name} does not give new rows a key by itself: {listed} needs a value."
        raise RecordError(
            msg,
            hint=f"Map a field to {listed}.",
            category=Category.REQUIRED_FIELD,
            faults=tuple(FieldFault(name, "needs a value.") for name in missing),
        )


def _id_of(table: ObjectTable, key: Any) -> str:  # noqa: ANN401 - a row or a tuple
    if key is None or any(part is None for part in key):
        msg = f"{table.name} did not tell the key of a new row."
        raise RecordError(msg, hint="Map a field to its primary key.")
    return record_id(tuple(key))
