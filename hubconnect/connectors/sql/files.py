"""Files as rows of tables that refer to records; each row is its own holder."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Connection, select
from sqlalchemy.exc import StatementError

from hubconnect.connectors.base import Draft, Outcome, SentCreate, Settled, Value, Window
from hubconnect.connectors.children import FileContent, FileDraft, FileInfo, SentFile
from hubconnect.connectors.errors import Category, ConnectorError, RecordError
from hubconnect.connectors.sql.child_rows import CHUNK, ChildRows, row_id, settled
from hubconnect.connectors.sql.child_tables import ChildTable, Role
from hubconnect.connectors.sql.conditions import in_window
from hubconnect.connectors.sql.contents import PIECE_BYTES, Contents, contents_of
from hubconnect.connectors.sql.creates import Creator
from hubconnect.connectors.sql.database import Database
from hubconnect.connectors.sql.keys import record_id
from hubconnect.connectors.sql.reader import Reader
from hubconnect.connectors.sql.refusals import refusal

FILE_ROLES = (
    Role(
        name="name", usual=("name", "file_name", "filename", "title"), kind="text", is_needed=True
    ),
    Role(
        name="content",
        usual=("content", "data", "file", "bytes", "blob"),
        kind="bytes",
        is_needed=True,
    ),
    Role(
        name="type",
        usual=("media_type", "mime_type", "content_type", "mimetype", "type"),
        kind="text",
    ),
    Role(
        name="size", usual=("size", "byte_size", "file_size", "size_bytes", "length"), kind="number"
    ),
    Role(name="digest", usual=("md5", "content_md5", "md5_digest", "digest"), kind="text"),
    Role(
        name="time", usual=("created_at", "uploaded_at", "added_at", "created", "time"), kind="time"
    ),
)
# SQLite takes values of up to 1,000,000,000 bytes, the row's other columns included, PostgreSQL
# of up to 1 GiB: https://www.sqlite.org/limits.html
MAX_BYTES = 999_000_000
_MD5 = re.compile(r"[0-9a-f]{32}")


class Files:
    """Reads and writes files in one database."""

    def __init__(
        self, database: Database, reader: Reader, creator: Creator, rows: ChildRows
    ) -> None:
        """Keep what it works with."""
        self._database, self._reader, self._creator = database, reader, creator
        self._rows = rows

    def holder_ids(self, object_type: str, record_ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Return the ids of all files by record."""
        return self._rows.ids(object_type, record_ids)

    def read_holders(
        self,
        object_type: str,  # noqa: ARG002 - an id names its table
        holders: Sequence[str],
    ) -> dict[str, tuple[FileInfo, ...]]:
        """Return the file of each row."""
        found: dict[str, tuple[FileInfo, ...]] = {}
        for child, rows in self._rows.by_table(holders):
            for start in range(0, len(rows), CHUNK):
                for file in self._infos(child, rows[start : start + CHUNK]):
                    found[file.holder] = (file,)
        return found

    def changed_holders(
        self, object_type: str, window: Window
    ) -> Iterator[Mapping[str, tuple[str, ...]]]:
        """Yield rows added in the window; none of a table that does not tell when."""
        dialect = self._database.dialect.name
        for child in self._rows.tables.of(object_type):
            time = child.column("time")
            if time is None:
                continue
            clause = in_window(time, window, dialect)
            for page in self._rows.pages(object_type, child, clause, "", CHUNK):
                yield {row_id(child, own): (parent,) for own, parent in page.items()}

    @contextmanager
    def open_file(self, object_type: str, file: FileInfo) -> Iterator[FileContent]:  # noqa: ARG002 - an id names its table
        """Open a file; each piece is a statement of its own, so that nothing waits for its use."""
        place = next(iter(self._rows.by_table([file.id])), None)
        if place is None:
            raise _vanished(file)
        child, (own,) = place
        contents = self._contents(child)
        first = self._piece(contents, own, file, 0)
        size = first[1]
        yield FileContent(
            chunks=self._chunks(contents, own, file, first),
            name=file.name,
            media_type=file.media_type,
            size=size,
        )

    def max_file_bytes(self, object_type: str) -> int | None:  # noqa: ARG002 - alike for all
        """Return what a value of the database can hold."""
        return MAX_BYTES

    def add_files(self, object_type: str, drafts: Sequence[FileDraft]) -> list[Outcome]:
        """Add files, each in a transaction of its own; a key used before gives its row."""
        child = self._rows.main_table(object_type)
        parents = self._rows.parent_values(object_type, child, [one.record_id for one in drafts])
        outcomes: list[Outcome] = []
        for place, draft in enumerate(drafts):
            parent = parents.get(draft.record_id)
            if parent is None:
                error = self._rows.no_such(object_type, draft.record_id)
                outcomes.append(Outcome(key=draft.key, error=error))
                continue
            try:
                outcomes.append(self._add(child, draft, parent))
            except ConnectorError:
                if all(one.error is not None for one in outcomes):
                    raise
                # Some are stored, so the call cannot fail as a whole.
                rest = drafts[place:]
                return outcomes + [Outcome(key=one.key, is_unknown=True) for one in rest]
        return outcomes

    def settle_files(self, object_type: str, sent: Sequence[SentFile]) -> dict[str, Settled]:
        """Look the keys up where the database keeps them."""
        child = self._rows.main_table(object_type)
        creates = [SentCreate(one.key, {}, one.sent_at) for one in sent]
        found = self._creator.settle(child.table, creates)
        return {key: settled(child, one) for key, one in found.items()}

    # --- Reading -------------------------------------------------------------------------------

    def _infos(self, child: ChildTable, rows: Sequence[str]) -> Iterator[FileInfo]:
        shown = [role for role in ("name", "type", "digest") if role in child.columns]
        columns = [child.table.columns[child.columns[role]] for role in shown]
        own = child.table.key_columns
        statement = select(
            *own, self._contents(child).size(), *(one.column for one in columns)
        ).where(self._reader.with_ids(child.table, rows))
        with self._database.reading() as connection:
            found = [tuple(row) for row in connection.execute(statement)]
        for raw in found:
            texts = dict(zip(shown, (str(one or "") for one in raw[len(own) + 1 :]), strict=True))
            identifier = row_id(child, record_id(raw[: len(own)]))
            digest = texts.get("digest", "").strip().lower()
            yield FileInfo(
                id=identifier,
                holder=identifier,
                name=texts["name"] or identifier,
                media_type=texts.get("type", ""),
                size=raw[len(own)],
                digest=digest if _MD5.fullmatch(digest) else "",
            )

    def _contents(self, child: ChildTable) -> Contents:
        column = child.table.columns[child.columns["content"]]
        return contents_of(self._database.dialect.name, child.table, column)

    def _piece(self, contents: Contents, own: str, file: FileInfo, start: int) -> tuple[bytes, int]:
        with self._database.reading() as connection:
            found = contents.read(connection, own, start)
        if found is None:
            raise _vanished(file)
        return found

    def _chunks(
        self, contents: Contents, own: str, file: FileInfo, first: tuple[bytes, int]
    ) -> Iterator[bytes]:
        piece, size = first
        start = 0
        while piece:
            yield piece
            start += len(piece)
            if start >= size:
                return
            piece, now = self._piece(contents, own, file, start)
            if now != size:
                msg = f"{file.name} was replaced in the database while it was read."
                raise RecordError(msg, hint="HubConnect reads it anew with the next run.")

    # --- Writing -------------------------------------------------------------------------------

    def _add(self, child: ChildTable, draft: FileDraft, parent: dict[str, Value]) -> Outcome:
        row: Draft | None = None
        try:
            with self._database.writing() as connection:
                known = self._creator.known_id(connection, child.table, draft.key)
                if not known:
                    now = self._database.now_in(connection)
                    row = Draft(draft.key, {**parent, **_values(child, draft, now)})
                    known = self._insert(connection, child, draft, row)
        except (StatementError, RecordError) as error:
            values = dict(row.values) if row is not None else {}
            found = refusal(self._database, child.table, values, error)
            return Outcome(key=draft.key, error=found)
        return Outcome(key=draft.key, id=row_id(child, known))

    def _insert(
        self, connection: Connection, child: ChildTable, draft: FileDraft, row: Draft
    ) -> str:
        content = child.columns["content"]

        def insert_row(expression: ColumnElement[Any]) -> str:
            return self._creator.insert_one(connection, child.table, row, {content: expression})

        return self._contents(child).insert(connection, _pieces(draft), draft.size, insert_row)


def _values(child: ChildTable, draft: FileDraft, now: datetime) -> dict[str, Value]:
    known: dict[str, Value] = {
        "name": draft.name,
        "type": draft.media_type,
        "size": Decimal(draft.size),
        "digest": draft.digest,
        "time": now,
    }
    return {name: known[role] for role, name in child.columns.items() if role in known}


def _pieces(draft: FileDraft) -> Iterator[bytes]:
    """Yield the content, and make sure that it is what was announced.

    Raises:
        RecordError: it has another size or digest.
    """
    digest, size = hashlib.md5(usedforsecurity=False), 0
    with draft.open() as stream:
        while size < draft.size and (piece := stream.read(min(PIECE_BYTES, draft.size - size))):
            digest.update(piece)
            size += len(piece)
            yield piece
        has_more = bool(stream.read(1))
    if size != draft.size or has_more or (draft.digest and digest.hexdigest() != draft.digest):
        msg = f"{draft.name} changed while it was carried."
        raise RecordError(msg, hint="HubConnect carries it anew with the next run.")


def _vanished(file: FileInfo) -> RecordError:
    return RecordError(
        f"{file.name} is no longer in the database.",
        hint="Dismiss the failure if the file was deleted on purpose.",
        category=Category.TARGET_DELETED,
    )
