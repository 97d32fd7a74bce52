"""Rows of tables that only join two others: made once, ended whatever else they hold."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, insert, select

from hubconnect.connectors.base import Outcome
from hubconnect.connectors.children import Association
from hubconnect.connectors.errors import Category
from hubconnect.connectors.sql.database import Database
from hubconnect.connectors.sql.keys import among, record_id
from hubconnect.connectors.sql.reader import TUPLE_DIALECTS
from hubconnect.connectors.sql.relations import Join
from hubconnect.connectors.sql.writer import (
    Entry,
    WriteBatch,
    stamp_of,
    stored_values,
    write_all,
)

CHUNK = 500


class JoinRows:
    """The rows of one joining table, seen from one of its ends."""

    def __init__(self, database: Database, join: Join) -> None:
        """Keep where they are."""
        self._database, self._join, self._table = database, join, join.table
        ends = (*join.near.columns, *join.far.columns)
        self._names = [column.name for column in ends]
        self._columns = [column.column for column in ends]

    def make(self, links: Sequence[Association]) -> list[Outcome]:
        """Make the rows that are not there."""
        outcomes = self._write(links, self.insert)
        doubled = {one.key for one in outcomes if _is_duplicate(one)}
        if not doubled:
            return outcomes
        # Somebody may have made the same row in between.
        entries = self.entries(link for link in links if link.key in doubled)
        with self._database.reading() as connection:
            there = self._there(connection, entries)
        done = {one.key: one.id for one in entries if self._text(one.raw) in there}
        return [
            Outcome(key=one.key, id=done[one.key]) if one.key in done else one for one in outcomes
        ]

    def end(self, links: Sequence[Association]) -> list[Outcome]:
        """Delete the rows that are there."""
        outcomes = self._write(links, self._delete)
        known = {one.key for one in outcomes}
        # What cannot be an id has no row.
        return outcomes + [
            Outcome(key=link.key, id=link.to_id) for link in links if link.key not in known
        ]

    def entries(self, links: Iterable[Association]) -> list[Entry]:
        """Return the row of each link whose ids can be keys."""
        found = []
        for link in links:
            near = self._join.near.values_for(link.record_id)
            far = self._join.far.values_for(link.to_id)
            if near is not None and far is not None:
                values = {**near, **far}
                raw = stored_values(self._table, values)
                found.append(Entry(link.key, link.to_id, raw, values, {}))
        return found

    def insert(self, connection: Connection, entries: Sequence[Entry]) -> list[Outcome]:
        """Make rows in the running transaction, save those that are there."""
        there = self._there(connection, entries)
        fresh = {self._text(one.raw): one.raw for one in entries}
        rows = [raw for text, raw in fresh.items() if text not in there]
        if rows:
            stamp = stamp_of(self._table, self._database.now_in(connection))
            connection.execute(insert(self._table.table), [{**stamp, **raw} for raw in rows])
        return _done(entries)

    def _delete(self, connection: Connection, entries: Sequence[Entry]) -> list[Outcome]:
        connection.execute(delete(self._table.table).where(self._clause(entries)))
        return _done(entries)

    def _write(self, links: Sequence[Association], write: WriteBatch) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for start in range(0, len(links), CHUNK):
            batch = self.entries(links[start : start + CHUNK])
            outcomes += write_all(self._database, self._table, batch, write)
        return outcomes

    def _there(self, connection: Connection, entries: Sequence[Entry]) -> set[str]:
        rows = connection.execute(select(*self._columns).where(self._clause(entries)))
        return {record_id(tuple(row)) for row in rows}

    def _clause(self, entries: Sequence[Entry]) -> ColumnElement[bool]:
        keys = [tuple(one.raw[name] for name in self._names) for one in entries]
        has_tuples = self._database.dialect.name in TUPLE_DIALECTS
        return among(self._columns, keys, has_tuples=has_tuples)

    def _text(self, raw: Mapping[str, Any]) -> str:
        return record_id([raw[name] for name in self._names])


def _is_duplicate(outcome: Outcome) -> bool:
    return outcome.error is not None and outcome.error.category is Category.DUPLICATE


def _done(entries: Iterable[Entry]) -> list[Outcome]:
    return [Outcome(key=one.key, id=one.id) for one in entries]
