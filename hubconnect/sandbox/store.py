"""The account's database: one SQLite file, many readers, one writer at a time."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS token (
  token TEXT PRIMARY KEY, app_id INTEGER NOT NULL, user_id INTEGER NOT NULL,
  scopes TEXT NOT NULL, expires_at INTEGER
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS oauth_app (
  client_id TEXT PRIMARY KEY, client_secret TEXT NOT NULL, app_id INTEGER NOT NULL,
  name TEXT NOT NULL, redirect_uris TEXT NOT NULL, scopes TEXT NOT NULL,
  optional_scopes TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS oauth_code (
  code TEXT PRIMARY KEY, client_id TEXT NOT NULL, redirect_uri TEXT NOT NULL,
  user_id INTEGER NOT NULL, scopes TEXT NOT NULL, expires_at INTEGER NOT NULL,
  is_used INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS oauth_grant (
  refresh_token TEXT PRIMARY KEY, client_id TEXT NOT NULL, user_id INTEGER NOT NULL,
  scopes TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS owner (
  id INTEGER PRIMARY KEY, email TEXT NOT NULL, archived INTEGER NOT NULL, definition TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS property (
  kind TEXT NOT NULL, name TEXT NOT NULL, definition TEXT NOT NULL, PRIMARY KEY (kind, name)
);
CREATE TABLE IF NOT EXISTS property_group (
  kind TEXT NOT NULL, name TEXT NOT NULL, definition TEXT NOT NULL, PRIMARY KEY (kind, name)
);
CREATE TABLE IF NOT EXISTS pipeline (
  kind TEXT NOT NULL, id TEXT NOT NULL, definition TEXT NOT NULL, PRIMARY KEY (kind, id)
);
CREATE TABLE IF NOT EXISTS record (
  kind TEXT NOT NULL, id INTEGER NOT NULL, created INTEGER NOT NULL, modified INTEGER NOT NULL,
  archived INTEGER, properties TEXT NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS record_id ON record (kind, id);
CREATE INDEX IF NOT EXISTS record_archived ON record (kind, id) WHERE archived IS NOT NULL;
CREATE TABLE IF NOT EXISTS history (
  kind TEXT NOT NULL, id INTEGER NOT NULL, property TEXT NOT NULL, at INTEGER NOT NULL,
  value TEXT NOT NULL, source_type TEXT NOT NULL, source_id TEXT, user_id INTEGER
);
CREATE INDEX IF NOT EXISTS history_record ON history (kind, id, property);
CREATE TABLE IF NOT EXISTS unique_value (
  kind TEXT NOT NULL, property TEXT NOT NULL, value TEXT NOT NULL, id INTEGER NOT NULL,
  PRIMARY KEY (kind, property, value)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS unique_value_record ON unique_value (kind, id);
CREATE TABLE IF NOT EXISTS association (
  kind TEXT NOT NULL, id INTEGER NOT NULL, to_kind TEXT NOT NULL, to_id INTEGER NOT NULL,
  type_id INTEGER NOT NULL, PRIMARY KEY (kind, id, to_kind, to_id, type_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS merged (
  kind TEXT NOT NULL, old_id INTEGER NOT NULL, id INTEGER NOT NULL, PRIMARY KEY (kind, old_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pending_count (
  kind TEXT NOT NULL, id INTEGER NOT NULL, about TEXT NOT NULL, due_at INTEGER NOT NULL,
  PRIMARY KEY (kind, id, about)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS folder (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL, parent_id INTEGER,
  created INTEGER NOT NULL, modified INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS file (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL, extension TEXT NOT NULL, folder_id INTEGER,
  access TEXT NOT NULL, size INTEGER NOT NULL, md5 TEXT NOT NULL, width INTEGER, height INTEGER,
  created INTEGER NOT NULL, modified INTEGER NOT NULL, expires_at INTEGER, archived INTEGER
);
CREATE INDEX IF NOT EXISTS file_folder ON file (folder_id, name);
CREATE INDEX IF NOT EXISTS file_md5 ON file (md5);
CREATE TABLE IF NOT EXISTS association_label (
  type_id INTEGER PRIMARY KEY, kind TEXT NOT NULL, to_kind TEXT NOT NULL,
  inverse_id INTEGER NOT NULL, name TEXT NOT NULL, label TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS search_document (
  kind TEXT NOT NULL, id INTEGER NOT NULL, created INTEGER NOT NULL, modified INTEGER NOT NULL,
  properties TEXT NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS search_document_id ON search_document (kind, id, modified);
CREATE INDEX IF NOT EXISTS search_document_modified ON search_document (kind, modified, id);
CREATE INDEX IF NOT EXISTS search_document_created ON search_document (kind, created, id);
CREATE TABLE IF NOT EXISTS pending_document (
  kind TEXT NOT NULL, id INTEGER NOT NULL, visible_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS pending_document_due ON pending_document (visible_at);
"""

# Equality on these is what target lookups ask for most; the index makes it independent of size.
LOOKUP_PROPERTIES = ("email", "domain", "name")


class Store:
    """Opens one connection per thread; writing is serialised by a lock and a transaction.

    Raises:
        sqlite3.DatabaseError: the file is not a database.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._writing = threading.Lock()
        with self.writing() as db:
            for statement in SCHEMA.split(";"):
                db.execute(statement)
            for name in LOOKUP_PROPERTIES:
                db.execute(
                    f"CREATE INDEX IF NOT EXISTS search_document_{name} ON search_document"
                    f" (kind, json_extract(properties, '$.{name}') COLLATE NOCASE)"
                )

    def _connection(self) -> sqlite3.Connection:
        db: sqlite3.Connection | None = getattr(self._local, "db", None)
        if db is None:
            db = sqlite3.connect(self._path, isolation_level=None, timeout=20)
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")
            db.execute("PRAGMA cache_size = -65536")
            self._local.db = db
        return db

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Read one consistent snapshot."""
        db = self._connection()
        db.execute("BEGIN")
        try:
            yield db
        finally:
            db.execute("ROLLBACK")

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Write in one transaction: everything or, when an error leaves the block, nothing."""
        with self._writing:
            db = self._connection()
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")


@contextmanager
def savepoint(db: sqlite3.Connection) -> Iterator[None]:
    """Undo what the block wrote, and only that, when an error leaves it."""
    db.execute("SAVEPOINT input")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK TO input")
        db.execute("RELEASE input")
        raise
    db.execute("RELEASE input")


def find_setting(db: sqlite3.Connection, name: str) -> Any:  # noqa: ANN401 - any JSON value
    """Find a stored setting, or None."""
    row = db.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
    return None if row is None else json.loads(row[0])


def save_setting(db: sqlite3.Connection, name: str, value: object) -> None:
    """Store a setting as JSON."""
    db.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (name, json.dumps(value)))
