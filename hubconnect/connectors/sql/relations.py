"""Foreign keys between tables: declared in the database, or named in the system's settings."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from hubconnect.connectors.base import Value, ValueType
from hubconnect.connectors.sql.keys import record_id
from hubconnect.connectors.sql.schema import Schema
from hubconnect.connectors.sql.tables import ObjectTable, TableColumn

FOREIGN_KEYS_PARAMETER = "foreign_keys"
# A table, its column, and the table whose key that holds.
_NAMED = re.compile(r"^([^\s.=]+)\.([^\s.=]+)\s*(?:=|->|→)\s*([^\s.=]+)$")


@dataclass(frozen=True, slots=True)
class NamedKey:
    """A foreign key of one column that the settings name."""

    table: str
    column: str
    parent: str

    def __str__(self) -> str:
        return f"{self.table}.{self.column} = {self.parent}"


def parse_named_keys(text: str) -> tuple[NamedKey, ...]:
    """Return the foreign keys a setting names, one per line.

    Raises:
        ValueError: with a sentence for the person.
    """
    found = []
    for line in text.splitlines():
        if not line.strip():
            continue
        match = _NAMED.match(line.strip())
        if match is None:
            msg = (
                f"“{line.strip()}” names no foreign key. Write table.column = table, like "
                "orders.customer_id = customers."
            )
            raise ValueError(msg)
        found.append(NamedKey(match[1], match[2], match[3]))
    return tuple(found)


@dataclass(frozen=True, kw_only=True)
class ForeignKey:
    """Columns of a table that hold the key of a row of another, in the order of that key."""

    holder: ObjectTable
    columns: tuple[TableColumn, ...]
    parent: ObjectTable

    @property
    def name(self) -> str:
        """The columns' names."""
        return ",".join(column.name for column in self.columns)

    @property
    def can_change(self) -> bool:
        """Tell whether rows that exist can be given another parent."""
        keys = {column.name for column in self.holder.key}
        return self.can_set and not any(column.name in keys for column in self.columns)

    @property
    def can_set(self) -> bool:
        """Tell whether new rows can be given a parent."""
        return all(column.codec.write and not column.field.read_only for column in self.columns)

    @property
    def is_required(self) -> bool:
        """Tell whether a row needs a parent that the database does not give by itself."""
        return any(column.field.required for column in self.columns)

    @property
    def may_be_empty(self) -> bool:
        """Tell whether a row can be without a parent."""
        return any(column.column.nullable for column in self.columns)

    def parent_id(self, raw: Sequence[Any]) -> str:
        """Return the parent's id from the columns' raw values, or "" while one is empty."""
        return "" if any(part is None for part in raw) else record_id(raw)

    def values_for(self, parent_id: str) -> dict[str, Value] | None:
        """Return the columns' canonical values for a parent, or None for what cannot be an id."""
        key = self.parent.key_of(parent_id)
        if key is None:
            return None
        pairs = zip(self.columns, key, strict=True)
        return {column.name: column.codec.read(part) for column, part in pairs}


@dataclass(frozen=True, kw_only=True)
class Join:
    """A table that only joins two others, seen from one of them."""

    table: ObjectTable
    near: ForeignKey
    far: ForeignKey


class Relations:
    """The foreign keys of one database, found when first asked for."""

    def __init__(self, schema: Schema, named: Sequence[NamedKey]) -> None:
        """Keep where to look."""
        self._schema, self._named = schema, named
        self._reading = -1
        self._keys: list[ForeignKey] = []
        self._joins: list[Join] = []
        self._mistakes: list[str] = []

    @property
    def keys(self) -> list[ForeignKey]:
        """Every foreign key that refers to the primary key of an object type."""
        self._look()
        return self._keys

    @property
    def mistakes(self) -> list[str]:
        """What is wrong with the foreign keys that the settings name, as sentences."""
        self._look()
        return self._mistakes

    def of(self, table: ObjectTable) -> list[ForeignKey]:
        """Return the foreign keys this table holds."""
        return [key for key in self.keys if key.holder.name == table.name]

    def to(self, table: ObjectTable) -> list[ForeignKey]:
        """Return the foreign keys of object types that refer to this table, but for joins."""
        joining = {join.table.name for join in self.joins}
        return [
            key
            for key in self.keys
            if key.parent.name == table.name and key.holder.key and key.holder.name not in joining
        ]

    @property
    def joins(self) -> list[Join]:
        """Every joining table, once from each side."""
        self._look()
        return self._joins

    def joins_of(self, table: ObjectTable) -> list[Join]:
        """Return the joins seen from this table."""
        return [join for join in self.joins if join.near.parent.name == table.name]

    def _look(self) -> None:
        tables = self._schema.tables()
        if self._reading == self._schema.reading:
            return
        every = [*tables, *self._schema.keyless_tables]
        self._mistakes = []
        self._keys = [key for table in every for key in _declared(table, tables)]
        for named in self._named:
            self._add(named, every, tables)
        self._joins = [join for table in every for join in self._joins_in(table)]
        self._reading = self._schema.reading

    def _add(
        self, named: NamedKey, every: Sequence[ObjectTable], tables: Sequence[ObjectTable]
    ) -> None:
        holder, parent = table_named(every, named.table), table_named(tables, named.parent)
        column = holder.columns.get(named.column) if holder else None
        if holder is None or parent is None:
            missing = named.table if holder is None else named.parent
            self._mistakes.append(f"{named}: there is no table {missing} with a primary key.")
        elif column is None:
            listed = ", ".join(holder.columns)
            self._mistakes.append(
                f"{named}: {named.table} has no column {named.column}, only {listed}."
            )
        elif len(parent.key) != 1:
            self._mistakes.append(
                f"{named}: the key of {named.parent} has several columns; declare this foreign "
                "key in the database."
            )
        else:
            found = ForeignKey(holder=holder, columns=(column,), parent=parent)
            known = {(key.holder.name, key.name, key.parent.name) for key in self._keys}
            if (holder.name, found.name, parent.name) not in known:
                self._keys.append(found)

    def _joins_in(self, table: ObjectTable) -> list[Join]:
        keys = [key for key in self._keys if key.holder is table and key.can_set]
        used = [column.name for key in keys for column in key.columns]
        if len(keys) != 2 or len(set(used)) != len(used):  # noqa: PLR2004 - it joins two
            return []
        own = {column.name for column in table.key} - set(used)
        others = [column for column in table.columns.values() if column.name not in used]
        if not all(_fills_itself(column, is_key=column.name in own) for column in others):
            return []
        first, second = keys
        return [
            Join(table=table, near=first, far=second),
            Join(table=table, near=second, far=first),
        ]


def table_named(tables: Iterable[ObjectTable], name: str) -> ObjectTable | None:
    """Return the table a setting names, with or without its schema, or None."""
    return next((one for one in tables if name in {one.name, one.table.name}), None)


def _declared(holder: ObjectTable, tables: Sequence[ObjectTable]) -> list[ForeignKey]:
    found: list[ForeignKey] = []
    constraints = sorted(
        holder.table.foreign_key_constraints,
        key=lambda one: [list(holder.columns).index(name) for name in one.column_keys],
    )
    for constraint in constraints:
        targets = [part.target_fullname.rpartition(".") for part in constraint.elements]
        parent = _folded(tables, targets[0][0])
        if parent is None:
            continue
        # SQLite does not mind capitals in names.
        places = {target[2].casefold(): place for place, target in enumerate(targets)}
        names = [column.name.casefold() for column in parent.key]
        if sorted(places) != sorted(names):
            continue  # it refers to other columns than the key, so its values are no ids
        columns = [holder.columns[constraint.column_keys[places[name]]] for name in names]
        found.append(ForeignKey(holder=holder, columns=tuple(columns), parent=parent))
    return found


def _folded(tables: Sequence[ObjectTable], name: str) -> ObjectTable | None:
    exact = next((one for one in tables if one.name == name), None)
    return exact or next((one for one in tables if one.name.casefold() == name.casefold()), None)


def _fills_itself(column: TableColumn, *, is_key: bool) -> bool:
    """Tell whether a column of a joining table asks for no value of ours."""
    if is_key:
        return column.field.has_default
    is_time = column.codec.type in {ValueType.DATETIME, ValueType.DATE}
    return is_time and (column.field.has_default or bool(column.column.nullable))
