"""Reads tables from the database's catalogue, once per connector."""

import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

from sqlalchemy import CheckConstraint, Connection, MetaData, Table, event, inspect, text, types
from sqlalchemy.exc import InvalidRequestError, SAWarning

from hubconnect.connectors.errors import AttentionError
from hubconnect.connectors.sql.columns import ColumnRules, build_columns
from hubconnect.connectors.sql.database import Database
from hubconnect.connectors.sql.keys import key_part
from hubconnect.connectors.sql.tables import ObjectTable, TableColumn, unique_sets

LEDGER = "hubconnect_ledger"
ACCOUNT = "hubconnect_account"
HIDDEN = frozenset({LEDGER, ACCOUNT})

# SQLite keeps what it is given; SQLAlchemy's own conversions for it are strict about spellings
# and slow, so these types pass raw and our codecs do the work.
_RAW_ON_SQLITE = (
    types.Numeric,
    types.Float,
    types.DateTime,
    types.Date,
    types.Time,
    types.Boolean,
    types.Uuid,
    types.JSON,
    types.Enum,
)
_IN_LIST = re.compile(r"(?is)^\W*(\w+)\W*(?:::\w+[\w ]*\W*)?(?:in|=\s*any)\W*(?:array\W*)?'.*'.*$")
_LITERAL = re.compile(r"'((?:[^']|'')*)'")


@dataclass(frozen=True, slots=True)
class SchemaRules:
    """What the system's settings say about its tables."""

    schema: str | None
    modified_column: str
    remote_id_column: str
    zone: tzinfo
    author_column: str = ""


@dataclass(slots=True)
class _Facts:
    """What SQLAlchemy's reflection of SQLite leaves out, by table."""

    unique: dict[str, set[frozenset[str]]] = field(default_factory=dict)
    row_ids: set[str] = field(default_factory=set)


class Schema:
    """Tables with a primary key, by the name of their object type."""

    def __init__(self, database: Database, rules: SchemaRules) -> None:
        """Keep where to read; read nothing yet."""
        self._database, self.rules = database, rules
        self._tables: dict[str, ObjectTable] = {}
        self._is_complete = False
        self._ledger: bool | None = None
        # Tables without a primary key, once all were read: no object types, but they may join some.
        self.keyless_tables: tuple[ObjectTable, ...] = ()
        # Differs whenever the tables were read anew.
        self.reading = 0

    def forget(self) -> None:
        """Read anew when asked next."""
        self._tables, self._is_complete, self._ledger = {}, False, None
        self.reading += 1

    @property
    def has_ledger(self) -> bool:
        """Tell whether both of HubConnect's tables are there."""
        if self._ledger is None:
            with self._database.reading() as connection:
                found = inspect(connection)
                self._ledger = all(
                    found.has_table(name, schema=self.rules.schema) for name in sorted(HIDDEN)
                )
        return self._ledger

    def tables(self) -> list[ObjectTable]:
        """Return every table that is an object type, by name."""
        if not self._is_complete:
            has_ledger = self.has_ledger
            with self._database.reading() as connection:
                found = self._reflect(connection, None, has_ledger=has_ledger)
            self._tables = {one.name: one for one in found if one.key}
            self.keyless_tables = tuple(one for one in found if not one.key)
            self._is_complete = True
        return list(self._tables.values())

    def table(self, name: str) -> ObjectTable:
        """Return one table.

        Raises:
            AttentionError: there is no such table (any more), or it has no primary key.
        """
        if name not in self._tables and not self._is_complete:
            bare, has_ledger = self._bare_name(name), self.has_ledger
            with self._database.reading() as connection:
                found = self._reflect(connection, bare, has_ledger=has_ledger) if bare else []
            self._tables.update({one.name: one for one in found if one.key})
        if name not in self._tables:
            msg = f"The database has no table {name!r} with a primary key (any more)."
            raise AttentionError(
                msg,
                hint="Choose another table in the mapping, or give the table a primary key.",
            )
        return self._tables[name]

    def _bare_name(self, name: str) -> str:
        schema = self.rules.schema
        if not schema:
            return name
        return name.removeprefix(f"{schema}.") if name.startswith(f"{schema}.") else ""

    def _reflect(
        self, connection: Connection, only: str | None, *, has_ledger: bool
    ) -> list[ObjectTable]:
        metadata = MetaData(schema=self.rules.schema)
        is_sqlite = self._database.dialect.name == "sqlite"
        if is_sqlite:
            event.listen(metadata, "column_reflect", _pass_raw)
        names = [only] if only is not None else None
        try:
            with _quiet():
                metadata.reflect(connection, only=names, resolve_fks=False)
        except InvalidRequestError:  # there is no such table
            return []
        facts = _sqlite_facts(connection) if is_sqlite else _Facts()
        tables = [one for one in metadata.tables.values() if one.name not in HIDDEN]
        built = (self._build(table, facts, has_ledger=has_ledger) for table in tables)
        return sorted((one for one in built if one is not None), key=lambda one: one.name)

    def _build(self, table: Table, facts: _Facts, *, has_ledger: bool) -> ObjectTable | None:
        dialect = self._database.dialect.name
        keys = list(table.primary_key.columns)
        parts = [key_part(column.type, dialect) for column in keys]
        parts = [
            key_part(column.info["type"], dialect)
            if part is None and "type" in column.info
            else part
            for part, column in zip(parts, keys, strict=True)
        ]
        readers = [part for part in parts if part is not None]
        if len(readers) != len(parts):
            return None
        unique = (*unique_sets(table), *facts.unique.get(table.name, ()))
        columns = build_columns(
            table,
            ColumnRules(
                dialect=dialect,
                zone=self.rules.zone,
                modified=self.rules.modified_column,
                remote_id="" if has_ledger else self.rules.remote_id_column,
                unique=frozenset(one for each in unique if len(each) == 1 for one in each),
                options=_checked_options(table),
                has_row_id=dialect != "sqlite" or table.name in facts.row_ids,
            ),
        )
        return ObjectTable(
            name=f"{table.schema}.{table.name}" if table.schema else table.name,
            table=table,
            columns=columns,
            key=tuple(columns[column.name] for column in keys),
            parts=tuple(readers),
            modified=_modified(columns, self.rules.modified_column),
            author=_author(columns, self.rules.author_column),
            remote_id=self._remote_id(columns),
            unique=tuple(dict.fromkeys(unique)),
        )

    def _remote_id(self, columns: Mapping[str, TableColumn]) -> TableColumn | None:
        found = columns.get(self.rules.remote_id_column)
        return found if found is not None and found.field.unique and found.is_text else None


def _modified(columns: Mapping[str, TableColumn], name: str) -> TableColumn | None:
    found = columns.get(name)
    return found if found is not None and found.is_time else None


def _author(columns: Mapping[str, TableColumn], name: str) -> TableColumn | None:
    found = columns.get(name)
    return found if found is not None and not found.is_binary else None


def _pass_raw(_inspector: object, _table: object, column: Any) -> None:  # noqa: ANN401 - an event's
    """Keep the declared type beside the column and let SQLAlchemy convert nothing."""
    if column.get("primary_key"):
        # SQLite lets keys be NULL, save one declared INTEGER. Such rows have no id: left out.
        column["info"] = {"may_be_null": column["nullable"]}
        column["nullable"] = False
    if isinstance(column["type"], _RAW_ON_SQLITE):
        column["info"] = column.get("info", {}) | {"type": column["type"]}
        column["type"] = types.NullType()


def _checked_options(table: Table) -> dict[str, tuple[str, ...]]:
    """Return the values that CHECK constraints of the form ``column IN (...)`` allow."""
    found: dict[str, tuple[str, ...]] = {}
    for constraint in table.constraints:
        if not isinstance(constraint, CheckConstraint):
            continue
        words = str(constraint.sqltext)
        match = _IN_LIST.match(words)
        column = table.columns.get(match[1]) if match else None
        has_more = re.search(r"(?i)\b(or|and|not)\b", _LITERAL.sub("", words)) is not None
        if column is not None and not has_more and isinstance(column.type, types.String):
            values = [one.replace("''", "'") for one in _LITERAL.findall(words)]
            found[column.name] = tuple(dict.fromkeys(values))
    return found


def _sqlite_facts(connection: Connection) -> _Facts:
    facts = _Facts()
    indexes = connection.execute(
        text(
            "SELECT m.name, i.name, c.name FROM sqlite_master AS m, pragma_index_list(m.name) AS i,"
            " pragma_index_info(i.name) AS c"
            " WHERE m.type = 'table' AND i.\"unique\" AND NOT i.partial"
        )
    ).all()
    sets: dict[tuple[str, str], set[str | None]] = {}
    for table, index, column in indexes:
        sets.setdefault((table, index), set()).add(column)
    for (table, _), names in sets.items():
        if None not in names:  # an expression is no column
            facts.unique.setdefault(table, set()).add(frozenset(str(name) for name in names))
    keys = connection.execute(
        text(
            "SELECT m.name, upper(c.type) FROM sqlite_master AS m, pragma_table_info(m.name) AS c"
            " WHERE m.type = 'table' AND c.pk > 0"
        )
    ).all()
    # Only a key declared exactly INTEGER is given by SQLite: https://www.sqlite.org/rowidtable.html
    facts.row_ids = {table for table, declared in keys if declared == "INTEGER"}
    return facts


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep quiet about types and indexes SQLAlchemy does not know: read-only, or left out."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)
        yield
