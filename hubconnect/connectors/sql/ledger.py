"""HubConnect's own two tables in a synced database: what was written, and which account it is.

A row of the ledger is written in the transaction that inserts the record, so a create whose reply
was lost can be settled for sure, and repeating it gives the record that is already there. Of each
updated record one more row names the last update, as ``record_id``: so the ledger stays no larger
than what is synced.
"""

import hashlib
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    DateTime,
    MetaData,
    Row,
    String,
    Table,
    bindparam,
    insert,
    inspect,
    literal_column,
    select,
    update,
)
from sqlalchemy.schema import CreateTable

from hubconnect.connectors.base import SentUpdate
from hubconnect.connectors.sql.database import Database
from hubconnect.connectors.sql.schema import ACCOUNT, LEDGER, Schema

CHUNK = 500
# Some databases store whole seconds.
ROUNDED = timedelta(seconds=2)


class Ledger:
    """The two tables of one database."""

    def __init__(self, database: Database, schema: Schema) -> None:
        """Describe the tables; ask the database nothing yet."""
        self._database, self._schema = database, schema
        metadata = MetaData(schema=schema.rules.schema)
        self.table = Table(
            LEDGER,
            metadata,
            Column("key", String(255), primary_key=True),
            Column("object_type", String(255), nullable=False),
            Column("record_id", String(255), nullable=False),
            Column("written_at", DateTime, nullable=False),
        )
        self.account = Table(ACCOUNT, metadata, Column("id", String(36), primary_key=True))
        self._lookup = select(
            self.table.c.key, self.table.c.record_id, self.table.c.written_at
        ).where(self.table.c.key.in_(bindparam("keys", expanding=True)))
        self._insert = insert(self.table)
        self._change = (
            update(self.table)
            .where(self.table.c.key == bindparam("hubconnect_name"))
            .values(record_id=bindparam("record_id"), written_at=bindparam("written_at"))
        )

    @property
    def is_ready(self) -> bool:
        """Tell whether the tables are there."""
        return self._schema.has_ledger

    def ids_of(self, connection: Connection, keys: Sequence[str]) -> dict[str, str]:
        """Return the ids of records created under these keys."""
        return {key: row.record_id for key, row in self._rows(connection, keys).items()}

    def note(
        self,
        connection: Connection,
        object_type: str,
        ids: Mapping[str, str],
        moment: datetime,
    ) -> None:
        """Note, in the running transaction, which record each key became."""
        written_at = moment.replace(tzinfo=None)
        rows = [
            {
                "key": key,
                "object_type": object_type,
                "record_id": identifier,
                "written_at": written_at,
            }
            for key, identifier in ids.items()
        ]
        connection.execute(self._insert, rows)

    def note_updates(
        self,
        connection: Connection,
        object_type: str,
        keys: Mapping[str, str],
        moment: datetime,
    ) -> None:
        """Note, in the running transaction that has the records locked, their last updates by id.

        A row is changed where there is one, never removed first: that would lock gaps in MySQL.
        """
        names = {identifier: _name_of(object_type, identifier) for identifier in keys}
        known = self._rows(connection, list(names.values()))
        written_at = moment.replace(tzinfo=None)
        new, old = [], []
        for identifier, name in names.items():
            row = {"record_id": keys[identifier], "written_at": written_at}
            if name in known:
                old.append({**row, "hubconnect_name": name})
            else:
                new.append({**row, "key": name, "object_type": object_type})
        if old:
            connection.execute(self._change, old)
        if new:
            connection.execute(self._insert, new)

    def arrived(self, object_type: str, sent: Sequence[SentUpdate]) -> dict[str, bool]:
        """Tell by key whether updates are noted; missing where another's note hides it."""
        if not self.is_ready:
            return {}
        names = {one.key: _name_of(object_type, one.id) for one in sent}
        with self._database.reading() as connection:
            notes = self._rows(connection, list(names.values()))
        found: dict[str, bool] = {}
        for one in sent:
            note = notes.get(names[one.key])
            if note is not None and note.record_id == one.key:
                found[one.key] = True
            elif note is None or note.written_at < one.sent_at.replace(tzinfo=None) - ROUNDED:
                found[one.key] = False
        return found

    def account_id(self) -> str:
        """Return the id of the account, or "" while there is none."""
        if not self.is_ready:
            return ""
        with self._database.reading() as connection:
            found = connection.execute(select(self.account.c.id).limit(1)).scalar_one_or_none()
        return str(found or "")

    def ddl(self) -> str:
        """Return the statements that make the tables, as they would be run."""
        tables = (self.table, self.account)
        dialect = self._database.engine.dialect
        creates = [str(CreateTable(one).compile(dialect=dialect)).strip() for one in tables]
        account = insert(self.account).values(id=literal_column("'<a new UUID>'"))
        creates.append(str(account.compile(dialect=dialect)))
        return ";\n\n".join(creates) + ";"

    def create(self) -> None:
        """Make the tables that are missing, and the account's id."""
        with self._database.writing() as connection:
            found = inspect(connection)
            for table in self._missing(found.get_table_names(schema=self.table.schema)):
                connection.execute(CreateTable(table))
            if connection.execute(select(self.account.c.id).limit(1)).first() is None:
                connection.execute(insert(self.account), {"id": str(uuid.uuid4())})
        self._schema.forget()

    def _rows(self, connection: Connection, keys: Sequence[str]) -> dict[str, Row[Any]]:
        found: dict[str, Row[Any]] = {}
        for start in range(0, len(keys), CHUNK):
            rows = connection.execute(self._lookup, {"keys": list(keys[start : start + CHUNK])})
            found |= {row.key: row for row in rows}
        return found

    def _missing(self, names: Iterable[str]) -> list[Table]:
        known = set(names)
        return [one for one in (self.table, self.account) if one.name not in known]


def _name_of(object_type: str, identifier: str) -> str:
    """Return the key of the row that names a record's last update."""
    record = hashlib.sha256(f"{object_type}\0{identifier}".encode()).hexdigest()
    return f"update:{record}"
