"""Tables of comments and files: which columns hold what, and which records their rows hang on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo

from hubconnect.connectors.base import ValueType
from hubconnect.connectors.sql.child_lines import PARENT, ChildLine
from hubconnect.connectors.sql.database import Database
from hubconnect.connectors.sql.dialects import DIALECTS
from hubconnect.connectors.sql.relations import ForeignKey, Relations, table_named
from hubconnect.connectors.sql.schema import Schema
from hubconnect.connectors.sql.tables import ObjectTable, TableColumn
from hubconnect.connectors.sql.values import datetime_codec


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What a column of a child table is for.

    Attributes:
        name: as the setting spells it.
        usual: names people give such a column, best first.
        kind: what it holds: "text", "number", "time" or "bytes".
        is_needed: the table cannot be used without one.
    """

    name: str
    usual: tuple[str, ...]
    kind: str
    is_needed: bool = False


@dataclass(frozen=True, kw_only=True)
class ChildTable:
    """One table whose rows hang on records of others.

    Attributes:
        table: with the column of the role "edited", if it has one, as its modified-at column.
        parents: foreign keys by the object type of the records they refer to.
        columns: names of columns by role.
        options: what else the setting says.
    """

    table: ObjectTable
    parents: Mapping[str, ForeignKey]
    columns: Mapping[str, str]
    options: Mapping[str, str]

    @property
    def name(self) -> str:
        """The table's name without its schema."""
        return self.table.table.name

    def column(self, role: str) -> TableColumn | None:
        """Return the column with this role, or None."""
        name = self.columns.get(role)
        return self.table.columns[name] if name is not None else None

    @property
    def described(self) -> str:
        """What was found, as a sentence."""
        parents = ", ".join(sorted(self.parents))
        columns = ", ".join(f"{role} in {name}" for role, name in self.columns.items())
        return f"{self.name} of {parents}: {columns}"


class MistakeError(ValueError):
    """A child table cannot be used as it is; the sentence says why."""


class ChildTables:
    """The child tables of one kind, found when first asked for."""

    def __init__(
        self,
        database: Database,
        schema: Schema,
        relations: Relations,
        lines: Sequence[ChildLine],
        roles: Sequence[Role],
        dialects: frozenset[str] = frozenset(),
    ) -> None:
        """Keep where to look and for what; ``dialects``: where these tables can be used."""
        self._database, self._schema, self._relations = database, schema, relations
        self._lines, self._roles, self._dialects = lines, roles, dialects
        self._reading = -1
        self._tables: list[ChildTable] = []
        self._mistakes: list[str] = []

    @property
    def tables(self) -> list[ChildTable]:
        """The tables that can be used, in the setting's order."""
        self._look()
        return self._tables

    @property
    def mistakes(self) -> list[str]:
        """Why the others cannot."""
        self._look()
        return self._mistakes

    @property
    def role_names(self) -> list[str]:
        """What columns of these tables may be for."""
        return [role.name for role in self._roles]

    def of(self, object_type: str) -> list[ChildTable]:
        """Return the tables whose rows hang on records of this type."""
        return [one for one in self.tables if object_type in one.parents]

    def _look(self) -> None:
        if not self._lines:
            return
        every = self._schema.tables()
        if self._reading == self._schema.reading:
            return
        self._tables, self._mistakes = [], []
        for line in self._lines:
            try:
                self._tables.append(self._resolved(line, table_named(every, line.table)))
            except MistakeError as mistake:
                self._mistakes.append(str(mistake))
        self._reading = self._schema.reading

    def _resolved(self, line: ChildLine, table: ObjectTable | None) -> ChildTable:
        dialect = self._database.dialect
        if self._dialects and dialect.name not in self._dialects:
            msg = f"{line.table} cannot be used: this works in {_words(self._dialects)} only."
            raise MistakeError(msg)
        if table is None:
            msg = f"There is no table {line.table} with a primary key."
            raise MistakeError(msg)
        keys = self._keys(line, table)
        linked = {column.name for key in keys for column in key.columns}
        chosen: dict[str, TableColumn] = {}
        for role in self._roles:
            free = [
                column
                for column in table.columns.values()
                if column.name not in linked and column not in table.key
            ]
            column = self._column(line, table, role, free)
            if column is not None:
                chosen[role.name] = column
        parents = _parents(table, keys, {column.name for column in chosen.values()})
        view = replace(
            table,
            columns={**table.columns, **{one.name: one for one in chosen.values()}},
            modified=chosen.get("edited"),
        )
        return ChildTable(
            table=view,
            parents=parents,
            columns={role: column.name for role, column in chosen.items()},
            options=line.options,
        )

    def _keys(self, line: ChildLine, table: ObjectTable) -> list[ForeignKey]:
        keys = self._relations.of(table)
        wanted = line.options.get(PARENT)
        if wanted:
            keys = [key for key in keys if key.name == wanted]
        if not keys:
            place = f"{wanted} of {table.name} is" if wanted else f"{table.name} has"
            msg = (
                f"{place} no foreign key to the table whose records its rows belong to. Declare "
                f"it in the database, or name it under Foreign keys. It has {_list(table)}."
            )
            raise MistakeError(msg)
        return keys

    def _column(
        self, line: ChildLine, table: ObjectTable, role: Role, free: Sequence[TableColumn]
    ) -> TableColumn | None:
        named = line.options.get(role.name)
        if named:
            column = table.columns.get(named)
            if column is None:
                msg = (
                    f"{table.name} has no column {named} for its {role.name}, only {_list(table)}."
                )
                raise MistakeError(msg)
            fitting = self._fitting(column, role)
            if fitting is None:
                msg = (
                    f"{table.name}.{named} holds {column.field.native_type}, which is nothing for "
                    f"its {role.name}: a column of {role.kind} is needed."
                )
                raise MistakeError(msg)
            return fitting
        if named is None:
            guess = self._guess(table, role, free)
            if guess is not None:
                return guess
        if role.is_needed:
            msg = (
                f"{table.name} has no column of {role.kind} for its {role.name} under a usual name "
                f"({', '.join(role.usual)}). Write {table.table.name}: {role.name}=column; it has "
                f"{_list(table)}."
            )
            raise MistakeError(msg)
        return None

    def _guess(
        self, table: ObjectTable, role: Role, free: Sequence[TableColumn]
    ) -> TableColumn | None:
        if role.name == "edited" and table.modified is not None:
            return table.modified
        by_name = {column.name.lower(): column for column in free}
        candidates = [by_name[name] for name in role.usual if name in by_name]
        fitting = [found for one in candidates if (found := self._fitting(one, role))]
        return fitting[0] if fitting else None

    def _fitting(self, column: TableColumn, role: Role) -> TableColumn | None:
        """Return the column as it serves this role, or None."""
        dialect, zone = self._database.dialect.name, self._schema.rules.zone
        if role.kind == "time" and column.is_text and dialect == "sqlite":
            return _as_time(column, dialect, zone)
        fits = {
            "text": column.codec.type in {ValueType.TEXT, ValueType.OPTION}
            and column.codec.write is not None,
            "number": column.codec.type is ValueType.NUMBER,
            "time": column.is_time,
            "bytes": column.is_binary,
        }
        return column if fits[role.kind] else None


def _as_time(column: TableColumn, dialect: str, zone: tzinfo) -> TableColumn:
    """Return a text column as one of date-times: SQLite has none of its own."""
    codec = datetime_codec(dialect, zone)
    return replace(
        column, codec=codec, field=replace(column.field, type=codec.type, max_length=None)
    )


def _parents(
    table: ObjectTable, keys: Sequence[ForeignKey], filled: set[str]
) -> dict[str, ForeignKey]:
    """Return the foreign keys under which a row can be added, by object type."""
    needed = {column.name for column in table.columns.values() if column.field.required}
    found: dict[str, ForeignKey] = {}
    unmet: set[str] = set()
    for key in keys:
        missing = needed - filled - {column.name for column in key.columns}
        if not missing and key.can_set:
            found.setdefault(key.parent.name, key)
        unmet |= missing
    if not found:
        msg = (
            f"A row of {table.name} needs a value in {', '.join(sorted(unmet)) or keys[0].name}, "
            "which HubConnect cannot give. Let the database fill it in, or allow it to be empty."
        )
        raise MistakeError(msg)
    return found


def _list(table: ObjectTable) -> str:
    return ", ".join(table.columns)


def _words(dialects: frozenset[str]) -> str:
    return " and ".join(sorted(DIALECTS[name].label for name in dialects))
