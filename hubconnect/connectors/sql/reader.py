"""Reads rows as records: pages along the key, by id, by criteria."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, func, not_, select

from hubconnect.connectors.base import (
    ALL_IDS,
    Criteria,
    IdRange,
    Operator,
    Page,
    Record,
    Value,
    Window,
)
from hubconnect.connectors.cutting import in_ranges
from hubconnect.connectors.errors import AttentionError, Category
from hubconnect.connectors.sql.conditions import Filter, build_filter, in_window, one_of
from hubconnect.connectors.sql.database import Database
from hubconnect.connectors.sql.keys import among, behind, record_id
from hubconnect.connectors.sql.schema import Schema
from hubconnect.connectors.sql.tables import ObjectTable
from hubconnect.connectors.sql.values import Read

# Dialects that compare (a, b) IN ((1, 2), ...).
TUPLE_DIALECTS = frozenset({"sqlite", "postgresql", "mysql", "mariadb"})


@dataclass(frozen=True, slots=True)
class Layout:
    """A SELECT of the key, the modified time, fields, and the author, with their readers.

    Time and author are left out where no column holds them.
    """

    table: ObjectTable
    names: tuple[str, ...]
    readers: tuple[Read, ...]
    modified: Read | None
    statement: Select[Any]

    def record(self, row: Row[Any]) -> Record:
        """Return a row as a record.

        Raises:
            AttentionError: a value is not what its column should hold.
        """
        raw, author = tuple(row), None
        if self.table.author is not None:
            *held, author = raw
            raw = tuple(held)
        width = len(self.table.key)
        start = width if self.modified is None else width + 1
        try:
            values = {
                name: None if one is None else read(one)
                for name, read, one in zip(self.names, self.readers, raw[start:], strict=True)
            }
            modified = raw[width] if self.modified else None
            moment = self.modified(modified) if self.modified and modified is not None else None
        except (ValueError, ArithmeticError, TypeError, AttributeError) as error:
            raise self._unreadable(raw) from error
        return Record(
            record_id(raw[:width]),
            values,
            blake2b(repr(raw).encode(), digest_size=8).hexdigest(),
            moment if isinstance(moment, datetime) else None,
            author=None if author in (None, "") else str(author),
        )

    def _unreadable(self, raw: tuple[Any, ...]) -> AttentionError:
        return AttentionError(
            f"Row {record_id(raw[: len(self.table.key)])} of {self.table.name} holds a value that "
            "its column's type does not allow.",
            hint="Correct the row in the database. SQLite does not check what a column holds.",
            category=Category.CONVERSION,
        )


class Reader:
    """Reads one database."""

    def __init__(self, database: Database, schema: Schema, batch_size: int) -> None:
        """Keep where to read."""
        self._database, self._schema, self._batch_size = database, schema, batch_size
        self._layouts: dict[tuple[str, tuple[str, ...]], Layout] = {}

    @property
    def _dialect(self) -> str:
        return self._database.dialect.name

    def layout(self, table: ObjectTable, names: Iterable[str]) -> Layout:
        """Return the layout for these fields, built once.

        Raises:
            AttentionError: a column has vanished.
        """
        asked = tuple(dict.fromkeys(names))
        found = self._layouts.get((table.name, asked))
        if found is not None and found.table is table:
            return found
        columns = table.columns_of(asked)
        first = [*table.key_columns, *([table.modified.column] if table.modified else [])]
        found = Layout(
            table,
            asked,
            tuple(column.codec.read for column in columns),
            table.modified.codec.read if table.modified else None,
            select(*(column.label(f"k{place}") for place, column in enumerate(first)))
            .add_columns(
                *(one.column.label(f"c{place}") for place, one in enumerate(columns)),
                *([table.author.column.label("author")] if table.author else []),
            )
            .where(*_has_key(table)),
        )
        self._layouts[table.name, asked] = found
        return found

    def changes(
        self,
        table: ObjectTable,
        window: Window,
        criteria: Criteria,
        names: Sequence[str],
        after: str,
    ) -> Iterator[Page]:
        """Yield rows modified in the window; all of them where no column tells."""
        wanted = build_filter(table, criteria, self._dialect)
        if table.modified is not None:
            clause = in_window(table.modified, window, self._dialect)
            wanted = Filter((clause, *wanted.clauses), wanted.tests)
        yield from self._pages(table, wanted, names, after)

    def everything(
        self,
        table: ObjectTable,
        criteria: Criteria,
        names: Sequence[str],
        after: str,
        within: IdRange = ALL_IDS,
    ) -> Iterator[Page]:
        """Yield all rows that fulfil the criteria, or those of a range of keys."""
        wanted = build_filter(table, criteria, self._dialect)
        if within.upto and (last := table.key_of(within.upto)) is not None:
            ends = not_(behind(table.key_columns, last))
            wanted = Filter((ends, *wanted.clauses), wanted.tests)
        yield from self._pages(table, wanted, names, after or within.above)

    def cut(self, table: ObjectTable, criteria: Criteria, parts: int) -> tuple[IdRange, ...]:
        """Return ranges of keys that hold about as many rows each."""
        wanted = build_filter(table, criteria, self._dialect)
        clauses = [*_has_key(table), *wanted.clauses]
        counting = select(func.count()).select_from(table.table).where(*clauses)
        keys = select(*table.key_columns).where(*clauses).order_by(*table.key_columns).limit(1)
        ends: dict[str, None] = {}
        with self._database.reading() as connection:
            total = int(connection.execute(counting).scalar_one())
            for part in range(1, parts) if total >= parts else ():
                row = connection.execute(keys.offset(total * part // parts)).first()
                if row is not None:
                    ends[record_id(tuple(row))] = None
        return in_ranges(ends)

    def count(self, table: ObjectTable, criteria: Criteria) -> int:
        """Return how many rows fulfil the criteria."""
        wanted = build_filter(table, criteria, self._dialect)
        if wanted.tests:
            return sum(len(page.records) for page in self._pages(table, wanted, (), ""))
        statement = select(func.count()).select_from(table.table).where(*wanted.clauses)
        with self._database.reading() as connection:
            return int(connection.execute(statement).scalar_one())

    def read(
        self, table: ObjectTable, ids: Sequence[str], names: Sequence[str]
    ) -> dict[str, Record]:
        """Return rows by id."""
        with self._database.reading() as connection:
            return self.read_in(connection, table, ids, names)

    def read_in(
        self,
        connection: Connection,
        table: ObjectTable,
        ids: Sequence[str],
        names: Iterable[str],
        *,
        is_locking: bool = False,
    ) -> dict[str, Record]:
        """Return rows by id, read on this connection; locked until its end if asked."""
        layout = self.layout(table, names)
        found: dict[str, Record] = {}
        asked = list(dict.fromkeys(ids))
        for start in range(0, len(asked), self._batch_size):
            statement = layout.statement.where(
                self.with_ids(table, asked[start : start + self._batch_size])
            )
            if is_locking:
                statement = self._locking(statement, table)
            for row in connection.execute(statement):
                record = layout.record(row)
                found[record.id] = record
        return {identifier: found[identifier] for identifier in asked if identifier in found}

    def _locking(self, statement: Select[Any], table: ObjectTable) -> Select[Any]:
        if self._dialect == "sqlite":
            return statement  # BEGIN IMMEDIATE keeps every other writer out
        # In the key's order, so that two writers wait for each other instead of locking up.
        statement = statement.order_by(*table.key_columns)
        if self._dialect == "mssql":
            return statement.with_hint(table.table, "WITH (UPDLOCK, ROWLOCK)")
        return statement.with_for_update()

    def with_ids(self, table: ObjectTable, ids: Iterable[str]) -> ColumnElement[bool]:
        """Return the clause for rows with one of these ids."""
        keys = [key for key in map(table.key_of, ids) if key is not None]
        return among(table.key_columns, keys, has_tuples=self._dialect in TUPLE_DIALECTS)

    def find(
        self, table: ObjectTable, queries: Sequence[Criteria], names: Sequence[str]
    ) -> list[list[Record]]:
        """Return the rows of each query; many lookups by one field cost one statement."""
        answers: list[list[Record]] = [[] for _ in queries]
        together: dict[str, dict[Value, list[int]]] = {}
        for place, query in enumerate(queries):
            if len(query) == 1 and query[0].operator is Operator.EQUALS and query[0].value:
                askers = together.setdefault(query[0].field, {})
                askers.setdefault(_folded(query[0].value), []).append(place)
            else:
                answers[place] = self._found(table, query, names)
        for name, askers in together.items():
            self._find_by(table, name, askers, names, answers)
        return answers

    def _found(self, table: ObjectTable, query: Criteria, names: Sequence[str]) -> list[Record]:
        wanted = build_filter(table, query, self._dialect)
        return [one for page in self._pages(table, wanted, names, "") for one in page.records]

    def _find_by(
        self,
        table: ObjectTable,
        name: str,
        askers: dict[Value, list[int]],
        names: Sequence[str],
        answers: list[list[Record]],
    ) -> None:
        layout = self.layout(table, [*names, name])
        (column,) = table.columns_of([name])
        values = list(askers)
        for start in range(0, len(values), self._batch_size):
            clause = one_of(column, values[start : start + self._batch_size], self._dialect)
            statement = layout.statement.where(clause).order_by(*table.key_columns)
            with self._database.reading() as connection:
                records = [layout.record(row) for row in connection.execute(statement)]
            for record in records:
                for place in askers.get(_folded(record.values[name]), ()):
                    answers[place].append(_only(record, names))

    def _pages(
        self, table: ObjectTable, wanted: Filter, names: Sequence[str], after: str
    ) -> Iterator[Page]:
        layout = self.layout(table, [*names, *(name for name, _ in wanted.tests)])
        statement = (
            layout.statement.where(*wanted.clauses)
            .order_by(*table.key_columns)
            .limit(self._batch_size)
        )
        while True:
            key = table.key_of(after) if after else None
            page = statement if key is None else statement.where(behind(table.key_columns, key))
            # The connection goes back before the page is handed out: its work may take long.
            with self._database.reading() as connection:
                rows = connection.execute(page).all()
            if not rows:
                return
            records = [layout.record(row) for row in rows]
            after = records[-1].id
            if wanted.tests:
                passed = (one for one in records if _passes(one, wanted))
                records = [_only(one, names) for one in passed]
            yield Page(tuple(records), after)
            if len(rows) < self._batch_size:
                return


def _has_key(table: ObjectTable) -> list[ColumnElement[bool]]:
    nullable = [column for column in table.key_columns if column.info.get("may_be_null")]
    return [column.is_not(None) for column in nullable]


def _passes(record: Record, wanted: Filter) -> bool:
    return all(test(record.values[name]) for name, test in wanted.tests)


def _only(record: Record, names: Sequence[str]) -> Record:
    if len(record.values) == len(set(names)):
        return record
    values = {name: record.values[name] for name in names}
    return Record(record.id, values, record.version, record.modified_at, record.created_at)


def _folded(value: Value) -> Value:
    return value.lower() if isinstance(value, str) else value
