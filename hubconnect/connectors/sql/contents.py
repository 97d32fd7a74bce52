"""Contents of files in a column, read and written piece by piece; each database in its own way."""

import sqlite3
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from sqlalchemy import (
    ColumnElement,
    Connection,
    LargeBinary,
    Select,
    and_,
    case,
    cast,
    func,
    literal_column,
    select,
)

from hubconnect.connectors.errors import RecordError, TemporaryError
from hubconnect.connectors.sql.tables import ObjectTable, TableColumn

PIECE_BYTES = 256 * 1024
# Inserts the row with this content and returns its id.
InsertRow = Callable[[ColumnElement[Any]], str]


class Contents(Protocol):
    """How a database keeps the contents of one table's column."""

    def size(self) -> ColumnElement[Any]:
        """Return the expression for a content's size in bytes, or NULL."""

    def read(self, connection: Connection, row_id: str, start: int) -> tuple[bytes, int] | None:
        """Return the piece from this byte on and the whole size; None where there is nothing."""

    def insert(
        self, connection: Connection, pieces: Iterator[bytes], size: int, insert_row: InsertRow
    ) -> str:
        """Insert a row with a content in the running transaction and return its id."""


def contents_of(dialect: str, table: ObjectTable, column: TableColumn) -> Contents:
    """Return how this database keeps contents."""
    if dialect == "sqlite":
        return _InSQLite(table, column)
    return _InPostgreSQL(table, column)


CONTENT_DIALECTS = frozenset({"sqlite", "postgresql"})


class _InSQLite:
    """Contents opened as streams; in an expression SQLite would hold them whole.

    https://www.sqlite.org/c3ref/blob_open.html
    """

    def __init__(self, table: ObjectTable, column: TableColumn) -> None:
        self._table, self._column = table, column

    def size(self) -> ColumnElement[Any]:
        content = self._column.column
        # The length of a text is in characters.
        is_text = func.typeof(content) == "text"
        return case((is_text, func.length(cast(content, LargeBinary))), else_=func.length(content))

    def read(self, connection: Connection, row_id: str, start: int) -> tuple[bytes, int] | None:
        row = self._row(connection, row_id)
        if row is None:
            return None
        try:
            with self._open(connection, row, is_read_only=True) as blob:
                blob.seek(min(start, len(blob)))
                return blob.read(PIECE_BYTES), len(blob)
        except sqlite3.Error as error:  # SQLite lets numbers stand where bytes should
            msg = f"Row {row_id} of {self._table.name} holds no file: {error}."
            raise RecordError(msg, hint="Correct the row in the database.") from error

    def insert(
        self, connection: Connection, pieces: Iterator[bytes], size: int, insert_row: InsertRow
    ) -> str:
        identifier = insert_row(func.zeroblob(size))
        row = self._row(connection, identifier)
        try:
            with self._open(connection, row or 0, is_read_only=False) as blob:
                for piece in pieces:
                    blob.write(piece)
        except sqlite3.Error as error:
            msg = f"The database could not take the file: {error}."
            raise TemporaryError(msg, hint="HubConnect tries again by itself.") from error
        return identifier

    def _row(self, connection: Connection, row_id: str) -> int | None:
        statement: Select[Any] = (
            select(literal_column("rowid"))
            .select_from(self._table.table)
            .where(_is_row(self._table, row_id), self._column.column.is_not(None))
        )
        found: int | None = connection.execute(statement).scalar_one_or_none()
        return found

    def _open(self, connection: Connection, row: int, *, is_read_only: bool) -> sqlite3.Blob:
        raw: Any = connection.connection.driver_connection
        opened: sqlite3.Blob = raw.blobopen(
            self._table.table.name, self._column.name, row, readonly=is_read_only
        )
        return opened


class _InPostgreSQL:
    """Contents read by substring; written through a large object that lasts for the transaction.

    Appending to the column would copy all of it each time.
    https://www.postgresql.org/docs/current/lo-funcs.html
    """

    def __init__(self, table: ObjectTable, column: TableColumn) -> None:
        self._table, self._column = table, column

    def size(self) -> ColumnElement[Any]:
        return func.octet_length(self._column.column)

    def read(self, connection: Connection, row_id: str, start: int) -> tuple[bytes, int] | None:
        piece = func.substring(self._column.column, start + 1, PIECE_BYTES, type_=LargeBinary)
        statement = select(piece, self.size()).where(
            _is_row(self._table, row_id), self._column.column.is_not(None)
        )
        row = connection.execute(statement).one_or_none()
        return None if row is None else (bytes(row[0]), int(row[1]))

    def insert(
        self,
        connection: Connection,
        pieces: Iterator[bytes],
        size: int,  # noqa: ARG002 - the other database needs it beforehand
        insert_row: InsertRow,
    ) -> str:
        large = connection.execute(select(func.lo_from_bytea(0, b""))).scalar_one()
        start = 0
        for piece in pieces:
            connection.execute(select(func.lo_put(large, start, piece)))
            start += len(piece)
        identifier = insert_row(func.lo_get(large, type_=LargeBinary))
        connection.execute(select(func.lo_unlink(large)))
        return identifier


def _is_row(table: ObjectTable, row_id: str) -> ColumnElement[bool]:
    key = table.key_of(row_id)
    if key is None:
        return literal_column("1") == literal_column("0")
    return and_(*(one == part for one, part in zip(table.key_columns, key, strict=True)))
