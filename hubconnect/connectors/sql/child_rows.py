"""Rows of child tables by the records they hang on; their ids name the table too."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, select

from hubconnect.connectors.base import Outcome, Settled, Value
from hubconnect.connectors.errors import AttentionError, Category, RecordError
from hubconnect.connectors.sql.child_tables import ChildTable, ChildTables
from hubconnect.connectors.sql.creates import Creator
from hubconnect.connectors.sql.database import Database
from hubconnect.connectors.sql.keys import among, behind, record_id
from hubconnect.connectors.sql.reader import TUPLE_DIALECTS, Reader
from hubconnect.connectors.sql.tables import ObjectTable

CHUNK = 500


class ChildRows:
    """The rows of all child tables of one kind."""

    def __init__(
        self, database: Database, reader: Reader, creator: Creator, tables: ChildTables, kind: str
    ) -> None:
        """Keep what it works with; ``kind`` names them in sentences: "comments"."""
        self._database, self._reader, self._creator = database, reader, creator
        self.tables, self.kind = tables, kind

    @property
    def parameter(self) -> str:
        """The setting that names the tables."""
        return f"{self.kind.removesuffix('s')}_tables"

    def why_not(self, object_type: str) -> str:
        """Return why records of this type have no such rows and what to do, or ""."""
        found = self.tables.of(object_type)
        if found:
            return self._creator.why_not(found[0].table)
        return (
            f"No table of {self.kind} refers to {object_type}. Name one among the "
            f"{self.parameter.replace('_', ' ')} of the system."
        )

    def holds(self, table: ObjectTable) -> bool:
        """Tell whether this is one of the tables."""
        return any(child.table.name == table.name for child in self.tables.tables)

    def main_table(self, object_type: str) -> ChildTable:
        """Return the table that new rows go into.

        Raises:
            AttentionError: there is none (any more).
        """
        found = self.tables.of(object_type)
        if not found:
            raise AttentionError(self.why_not(object_type), parameter=self.parameter)
        return found[0]

    def no_such(self, object_type: str, identifier: str) -> RecordError:
        """Return the error for a record that does not exist."""
        return RecordError(
            f"{object_type} has no record {identifier} (any more) to hang {self.kind} on.",
            hint="Retry once the record is there again, or dismiss the failure.",
            category=Category.TARGET_DELETED,
        )

    def ids(self, object_type: str, record_ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Return the rows' ids by record, each table in the order of its key."""
        found: dict[str, list[str]] = {one: [] for one in record_ids}
        for child in self.tables.of(object_type):
            key = child.parents[object_type]
            columns = [column.column for column in key.columns]
            own = child.table.key_columns
            keys = [one for one in map(key.parent.key_of, record_ids) if one is not None]
            with self._database.reading() as connection:
                for start in range(0, len(keys), CHUNK):
                    clause = among(
                        columns, keys[start : start + CHUNK], has_tuples=self._has_tuples
                    )
                    statement = select(*own, *columns).where(clause).order_by(*own)
                    for row in connection.execute(statement):
                        raw = tuple(row)
                        parent = found.get(record_id(raw[len(own) :]))
                        if parent is not None:
                            parent.append(row_id(child, record_id(raw[: len(own)])))
        return {one: tuple(rows) for one, rows in found.items()}

    def by_table(self, ids: Sequence[str]) -> list[tuple[ChildTable, list[str]]]:
        """Return the tables with the rows' own ids in them; unknown tables are left out."""
        groups: list[tuple[ChildTable, list[str]]] = []
        for child in self.tables.tables:
            prefix = row_id(child, "")
            rows = [one.removeprefix(prefix) for one in ids if one.startswith(prefix)]
            if rows:
                groups.append((child, rows))
        return groups

    def pages(
        self,
        object_type: str,
        child: ChildTable,
        clause: ColumnElement[bool],
        after: str,
        size: int,
    ) -> Iterator[dict[str, str]]:
        """Yield rows along the key, from behind a row's own id on: their records by their ids."""
        key = child.parents[object_type]
        columns = [column.column for column in key.columns]
        own = child.table.key_columns
        has_parent = [column.is_not(None) for column in columns]
        statement = select(*own, *columns).where(clause, *has_parent).order_by(*own).limit(size)
        while True:
            last = child.table.key_of(after) if after else None
            page = statement if last is None else statement.where(behind(own, last))
            with self._database.reading() as connection:
                rows = [tuple(row) for row in connection.execute(page)]
            if not rows:
                return
            yield {record_id(raw[: len(own)]): record_id(raw[len(own) :]) for raw in rows}
            if len(rows) < size:
                return
            after = record_id(rows[-1][: len(own)])

    def parent_values(
        self, object_type: str, child: ChildTable, record_ids: Sequence[str]
    ) -> dict[str, dict[str, Value]]:
        """Return what the foreign key holds, by record; records that do not exist are missing."""
        key = child.parents[object_type]
        known = self._reader.read(key.parent, record_ids, ())
        found = {one: key.values_for(one) for one in known}
        return {one: values for one, values in found.items() if values is not None}

    @property
    def _has_tuples(self) -> bool:
        return self._database.dialect.name in TUPLE_DIALECTS


def row_id(child: ChildTable, own_id: str) -> str:
    """Return a row's id with its table."""
    return f"{child.name}:{own_id}"


def renamed(child: ChildTable, outcome: Outcome, **changes: Any) -> Outcome:
    """Return an outcome of a table's row as one of the child."""
    identifier = row_id(child, outcome.id) if outcome.id else ""
    return replace(outcome, id=identifier, **changes)


def settled(child: ChildTable, found: Settled) -> Settled:
    """Return what is settled of a table's row as it is of the child."""
    candidates = tuple(row_id(child, one) for one in found.candidates)
    identifier = row_id(child, found.id) if found.id else ""
    return Settled(identifier, found.is_certain, candidates)
