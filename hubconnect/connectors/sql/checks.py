"""The live check of a SQL system: which database it is, what may be done, what would be safer."""

import os
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import text

from hubconnect.connectors.base import (
    Ability,
    CheckReport,
    ObjectTypeReport,
    Preparation,
    Remark,
)
from hubconnect.connectors.sql.child_rows import ChildRows
from hubconnect.connectors.sql.creates import Creator
from hubconnect.connectors.sql.database import Database
from hubconnect.connectors.sql.ledger import Ledger
from hubconnect.connectors.sql.relations import FOREIGN_KEYS_PARAMETER, Relations
from hubconnect.connectors.sql.schema import Schema
from hubconnect.connectors.sql.tables import ObjectTable, label_of

NAMED_AT_MOST = 5
# Names people give a modified-at column, best first.
USUAL_NAMES = (
    "updated_at",
    "modified_at",
    "last_modified",
    "modified",
    "updated",
    "changed_at",
    "lastmodifieddate",
    "updated_on",
    "modified_on",
)
_PRIVILEGES = text(
    "SELECT c.oid::regclass::text, c.relname, n.nspname, has_table_privilege(c.oid, 'SELECT'),"
    " has_table_privilege(c.oid, 'INSERT') AND has_table_privilege(c.oid, 'UPDATE')"
    " FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
    " WHERE c.relkind IN ('r', 'p') AND n.nspname = coalesce(:schema, current_schema())"
)


class Checker:
    """Checks one database."""

    LEDGER = "ledger"

    def __init__(
        self,
        database: Database,
        schema: Schema,
        relations: Relations,
        children: Sequence[ChildRows],
        ledger: Ledger,
        creator: Creator,
    ) -> None:
        """Keep what it asks."""
        self._database, self._schema, self._relations = database, schema, relations
        self._children, self._ledger, self._creator = children, ledger, creator

    def identity(self) -> str:
        """Return the account's id from the ledger's tables, else the database's address."""
        account = self._ledger.account_id()
        target = self._database.target
        return f"sql:{account}" if account else f"sql:{target.dialect.name}://{target.name}"

    def check(self) -> CheckReport:
        """Connect and look around."""
        self._schema.forget()
        started = datetime.now(UTC)
        clock = self._database.now()
        ended = datetime.now(UTC)
        difference = (clock - (started + (ended - started) / 2)).total_seconds()
        tables = self._schema.tables()
        target = self._database.target
        version = ".".join(
            str(part) for part in self._database.engine.dialect.server_version_info or ()
        )
        return CheckReport(
            identity=self.identity(),
            identity_label=target.name,
            facts=(
                ("Database", f"{target.dialect.label}, {target.name}"),
                ("Version", version),
                ("Tables", str(len(tables))),
                ("Foreign keys", str(len(self._relations.keys))),
                *self._child_facts(),
                ("Clock", f"{difference:+.1f} s beside HubConnect's"),
            ),
            object_types=self._abilities(tables),
            remarks=tuple(self._remarks(tables)),
            preparations=(self._preparation(),),
            calls=self._database.calls.total(),
        )

    def _child_facts(self) -> list[tuple[str, str]]:
        return [
            (rows.kind.capitalize(), child.described)
            for rows in self._children
            for child in rows.tables.tables
        ]

    def _child_remarks(self) -> list[Remark]:
        remarks = []
        for rows in self._children:
            remarks += [
                Remark(mistake, parameter=rows.parameter, is_error=True)
                for mistake in rows.tables.mistakes
            ]
            remarks += [
                Remark(
                    f"{child.name} has no column that tells when a row was edited, so edits of "
                    "old ones are noticed late.",
                    parameter=rows.parameter,
                )
                for child in rows.tables.tables
                if "edited" in rows.tables.role_names and child.column("edited") is None
            ]
        return remarks

    def _preparation(self) -> Preparation:
        return Preparation(
            self.LEDGER,
            "Add HubConnect's ledger tables",
            self._ledger.ddl(),
            self._ledger.is_ready,
            why=(
                "HubConnect notes each row it creates in the transaction that creates it, so that "
                "no row is created twice, and gives the database an id of its own, so that links "
                "are never used with another one."
            ),
        )

    def _abilities(self, tables: list[ObjectTable]) -> tuple[ObjectTypeReport, ...]:
        rights = self._rights(tables)
        return tuple(
            ObjectTypeReport(
                table.name,
                label_of(table.table.name),
                read=rights[table.table.name][0],
                write=rights[table.table.name][1],
                needed=self._creator.why_not(table),
            )
            for table in tables
        )

    def _rights(self, tables: list[ObjectTable]) -> dict[str, tuple[Ability, Ability]]:
        name = self._database.dialect.name
        rights = {table.table.name: (Ability.UNKNOWN, Ability.UNKNOWN) for table in tables}
        if name == "sqlite":
            path = Path(str(self._database.target.url.database))
            # SQLite puts a journal beside the file.
            is_writable = os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
            both = (Ability.YES, Ability.YES if is_writable else Ability.NO)
            return dict.fromkeys(rights, both)
        if name == "postgresql":
            with self._database.reading() as connection:
                rows = connection.execute(_PRIVILEGES, {"schema": self._schema.rules.schema}).all()
            for row in rows:
                if row[1] in rights:
                    rights[row[1]] = (_ability(may=row[3]), _ability(may=row[4]))
        return rights

    def _remarks(self, tables: list[ObjectTable]) -> list[Remark]:
        remarks = []
        joining = {join.table.name for join in self._relations.joins}
        keyless = [one.table.name for one in self._schema.keyless_tables if one.name not in joining]
        if keyless:
            remarks.append(Remark(f"Without a primary key, and so not usable: {_list(keyless)}."))
        remarks += [
            Remark(mistake, parameter=FOREIGN_KEYS_PARAMETER, is_error=True)
            for mistake in self._relations.mistakes
        ]
        remarks += self._child_remarks()
        remarks += self._modified_remarks(tables)
        remarks += self._author_remarks(tables)
        remote = self._schema.rules.remote_id_column
        if not self._ledger.is_ready:
            remarks.append(
                Remark(
                    "Rows can be created only in tables with the remote-id column, as a unique "
                    "text column, until the ledger tables are added."
                    if remote
                    else "Rows can be created only once the ledger tables are added, or a "
                    "remote-id column is named.",
                    parameter="remote_id_column",
                )
            )
        return remarks

    def _modified_remarks(self, tables: list[ObjectTable]) -> list[Remark]:
        name = self._schema.rules.modified_column
        if not name:
            return _suggestion(tables)
        # Comments and files are found by columns of their own.
        children = {child.table.name for rows in self._children for child in rows.tables.tables}
        tables = [table for table in tables if table.name not in children]
        missing = [table.name for table in tables if table.modified is None]
        remarks = []
        if missing:
            remarks.append(
                Remark(
                    f"{_list(missing)}: no date-time column {name}, so every row is read each "
                    "time.",
                    parameter="modified_column",
                    is_error=len(missing) == len(tables),
                )
            )
        slow = self._without_index([table for table in tables if table.modified is not None], name)
        if slow:
            remarks.append(
                Remark(
                    f"{_list(slow)}: {name} has no index, so looking for changes reads the whole "
                    "table.",
                    parameter="modified_column",
                )
            )
        return remarks

    def _author_remarks(self, tables: list[ObjectTable]) -> list[Remark]:
        name = self._schema.rules.author_column
        if not name or any(table.author is not None for table in tables):
            return []
        msg = f"No table has a column {name}, so it is not known who changed a row."
        return [Remark(msg, parameter="author_column", is_error=True)]

    def _without_index(self, tables: list[ObjectTable], name: str) -> list[str]:
        return [
            table.name
            for table in tables
            if not any(
                next(iter(index.columns.keys()), "") == name for index in table.table.indexes
            )
        ]


def _suggestion(tables: list[ObjectTable]) -> list[Remark]:
    held = Counter(
        column.name
        for table in tables
        for column in table.columns.values()
        if column.name.lower() in USUAL_NAMES
    )
    if not held:
        return []
    best = max(held, key=lambda name: (held[name], -USUAL_NAMES.index(name.lower())))
    return [
        Remark(
            f"No modified-at column is named, so every row is read each time. {held[best]} of "
            f"{len(tables)} tables have a column {best}.",
            parameter="modified_column",
            suggestion=best,
        )
    ]


def _list(names: list[str] | tuple[str, ...]) -> str:
    shown = ", ".join(names[:NAMED_AT_MOST])
    more = len(names) - NAMED_AT_MOST
    return f"{shown} and {more} more" if more > 0 else shown


def _ability(*, may: bool) -> Ability:
    return Ability.YES if may else Ability.NO
