"""Associations by foreign key, read in chunks and written row by row within transactions."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, select

from hubconnect.connectors.base import Outcome, Patch
from hubconnect.connectors.children import Association, AssociationType
from hubconnect.connectors.errors import ConnectorError, FieldFault, RecordError
from hubconnect.connectors.sql.database import Database
from hubconnect.connectors.sql.joins import CHUNK, JoinRows
from hubconnect.connectors.sql.keys import among, record_id
from hubconnect.connectors.sql.kinds import Kind, Way, find_kind, kinds_of
from hubconnect.connectors.sql.reader import TUPLE_DIALECTS, Reader
from hubconnect.connectors.sql.relations import Relations
from hubconnect.connectors.sql.schema import Schema
from hubconnect.connectors.sql.tables import ObjectTable
from hubconnect.connectors.sql.updates import Updater


class Associations:
    """Reads and writes associations in one database."""

    def __init__(
        self, database: Database, schema: Schema, relations: Relations, reader: Reader
    ) -> None:
        """Keep what it works with."""
        self._database, self._schema = database, schema
        self._relations, self._reader = relations, reader
        self._updater = Updater(database, reader)

    def association_types(self, object_type: str) -> list[AssociationType]:
        """Return the kinds of link that rows of a table can have."""
        table = self._schema.table(object_type)
        return [kind.described for kind in kinds_of(self._relations, table).values()]

    def associations(
        self, object_type: str, record_ids: Sequence[str], types: Sequence[str]
    ) -> dict[str, frozenset[Association]]:
        """Return the links of rows; one statement per type and chunk of rows."""
        table = self._schema.table(object_type)
        kinds = [find_kind(self._relations, table, name) for name in types]
        found: dict[str, set[Association]] = {one: set() for one in record_ids}
        with self._database.reading() as connection:
            for kind in kinds:
                for near, far in self._links(connection, kind, record_ids):
                    if near in found:
                        found[near].add(Association(near, kind.name, far))
        return {one: frozenset(links) for one, links in found.items()}

    def associate(self, object_type: str, links: Sequence[Association]) -> list[Outcome]:
        """Make links; one to a single record replaces the one before."""
        table = self._schema.table(object_type)
        outcomes: list[Outcome] = []
        for kind, group in self._by_kind(table, links):
            try:
                present, lost = self._present(table, kind, group)
                outcomes += lost
                outcomes += self._make(kind, present)
            except ConnectorError:
                if not outcomes:
                    raise
                outcomes += _unknown(links, outcomes)
                break
        return outcomes

    def dissociate(self, object_type: str, links: Sequence[Association]) -> list[Outcome]:
        """End links; a foreign key that may be empty is emptied."""
        table = self._schema.table(object_type)
        outcomes: list[Outcome] = []
        for kind, group in self._by_kind(table, links):
            join = kind.join
            try:
                if join is not None:
                    outcomes += JoinRows(self._database, join).end(group)
                else:
                    outcomes += self._empty(kind, group)
            except ConnectorError:
                if not outcomes:
                    raise
                outcomes += _unknown(links, outcomes)
                break
        return outcomes

    def _by_kind(
        self, table: ObjectTable, links: Sequence[Association]
    ) -> list[tuple[Kind, list[Association]]]:
        groups: dict[str, dict[str, Association]] = {}
        for link in links:
            groups.setdefault(link.type, {})[link.key] = link
        return [
            (find_kind(self._relations, table, name), list(group.values()))
            for name, group in groups.items()
        ]

    def _present(
        self, table: ObjectTable, kind: Kind, links: Sequence[Association]
    ) -> tuple[list[Association], list[Outcome]]:
        """Return the links whose ends exist, and the outcomes of the others.

        A database that does not enforce its foreign keys would store any id.
        """
        near = self._reader.read(table, [link.record_id for link in links], ())
        far = self._reader.read(kind.to, [link.to_id for link in links], ())
        present, lost = [], []
        for link in links:
            if link.record_id not in near:
                lost.append(Outcome(key=link.key, is_gone=True))
            elif link.to_id not in far:
                lost.append(Outcome(key=link.key, error=kind.no_such(link.to_id)))
            else:
                present.append(link)
        return present, lost

    def _make(self, kind: Kind, links: Sequence[Association]) -> list[Outcome]:
        if kind.join is not None:
            return JoinRows(self._database, kind.join).make(links)
        held = self._held(kind, links)
        outcomes, patches = [], []
        for link in links:
            row, parent = kind.row_and_parent(link)
            if held.get(row) == parent:
                outcomes.append(Outcome(key=link.key, id=link.to_id))
            else:
                patches.append(Patch(link.key, row, kind.key.values_for(parent) or {}))
        far = {link.key: link.to_id for link in links}
        written = self._updater.update(kind.key.holder, patches)
        return outcomes + [
            Outcome(key=one.key, id=far[one.key]) if one.id else one for one in written
        ]

    def _empty(self, kind: Kind, links: Sequence[Association]) -> list[Outcome]:
        held = self._held(kind, links)
        outcomes, patches = [], []
        for link in links:
            row, parent = kind.row_and_parent(link)
            if held.get(row) != parent:
                outcomes.append(Outcome(key=link.key, id=link.to_id))
            elif not kind.key.may_be_empty:
                outcomes.append(Outcome(key=link.key, error=_cannot_end(kind, row, parent)))
            else:
                expected = kind.key.values_for(parent) or {}
                empty = {one.name: None for one in kind.key.columns if one.column.nullable}
                patches.append(Patch(link.key, row, empty, expected))
        far = {link.key: link.to_id for link in links}
        for one in self._updater.update(kind.key.holder, patches):
            # A row that moved on or went away has this link no more.
            is_ended = one.id or one.is_stale or one.is_gone
            outcomes.append(Outcome(key=one.key, id=far[one.key]) if is_ended else one)
        return outcomes

    def _held(self, kind: Kind, links: Sequence[Association]) -> dict[str, str]:
        """Return the parent of each row of the holder that the links concern."""
        rows = [kind.row_and_parent(link)[0] for link in links]
        columns = [column.column for column in kind.key.columns]
        own = kind.key.holder.key_columns
        found: dict[str, str] = {}
        with self._database.reading() as connection:
            for start in range(0, len(rows), CHUNK):
                clause = self._reader.with_ids(kind.key.holder, rows[start : start + CHUNK])
                for row in connection.execute(select(*own, *columns).where(clause)):
                    raw = tuple(row)
                    found[record_id(raw[: len(own)])] = kind.key.parent_id(raw[len(own) :])
        return found

    def _links(
        self, connection: Connection, kind: Kind, record_ids: Sequence[str]
    ) -> Iterator[tuple[str, str]]:
        """Yield near and far id of each link of these rows."""
        held = tuple(column.column for column in kind.key.columns)
        if kind.way is Way.COLUMN:
            table, near, far = kind.key.holder, kind.key.holder.key_columns, held
        else:
            table, near, far = kind.key.parent, held, kind.key.holder.key_columns
        if kind.far is not None:
            far = tuple(column.column for column in kind.far.columns)
        statement = select(*near, *far).where(*(column.is_not(None) for column in far))
        has_tuples = self._database.dialect.name in TUPLE_DIALECTS
        for start in range(0, len(record_ids), CHUNK):
            found = (table.key_of(one) for one in record_ids[start : start + CHUNK])
            keys = [one for one in found if one is not None]
            if not keys:
                continue
            for row in connection.execute(
                statement.where(among(near, keys, has_tuples=has_tuples))
            ):
                raw = tuple(row)
                yield record_id(raw[: len(near)]), record_id(raw[len(near) :])


def _unknown(links: Sequence[Association], known: Sequence[Outcome]) -> list[Outcome]:
    """Return outcomes for the rest: some are written, so the call cannot fail as a whole."""
    done = {one.key for one in known}
    return [Outcome(key=link.key, is_unknown=True) for link in links if link.key not in done]


def _cannot_end(kind: Kind, row: str, parent: str) -> RecordError:
    holder = kind.key.holder
    return RecordError(
        f"Row {row} of {holder.name} stays linked with {parent}: {kind.key.name} may not be empty.",
        hint="Link the row with another record, or let the mapping leave links that were removed.",
        faults=tuple(FieldFault(column.name, "may not be empty.") for column in kind.key.columns),
    )
