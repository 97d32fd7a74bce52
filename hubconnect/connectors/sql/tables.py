"""A table as an object type: its columns as fields, its key, what it offers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlalchemy import Column, Table, UniqueConstraint, types

from hubconnect.connectors.base import Field, Option, ValueType
from hubconnect.connectors.errors import AttentionError
from hubconnect.connectors.sql.keys import Part, key_of
from hubconnect.connectors.sql.values import Codec


@dataclass(frozen=True, kw_only=True)
class TableColumn:
    """One column: SQLAlchemy's, how its values cross the border, and its field."""

    name: str
    column: Column[Any]
    codec: Codec
    field: Field

    @property
    def is_text(self) -> bool:
        """Tell whether its values are texts that compare whatever their capitals."""
        return (
            self.codec.type in {ValueType.TEXT, ValueType.OPTION}
            and self.codec.write is not None
            and isinstance(self.column.type, types.String)
            and not isinstance(self.column.type, types.Enum)
        )

    @property
    def is_time(self) -> bool:
        """Tell whether its values are dates with a time."""
        return self.codec.type is ValueType.DATETIME

    @property
    def is_binary(self) -> bool:
        """Tell whether it holds bytes."""
        return isinstance(self.column.type, types.LargeBinary)


@dataclass(frozen=True, kw_only=True)
class ObjectTable:
    """One table with a primary key.

    Attributes:
        name: the object type's name.
        key: columns of the primary key, in its order.
        parts: what reads each part of the key from an id.
        modified: column with the time of the last change, or None.
        author: column that tells who made that change, or None.
        remote_id: column that takes the key of a create where there is no ledger, or None.
    """

    name: str
    table: Table
    columns: Mapping[str, TableColumn]
    key: tuple[TableColumn, ...]
    parts: tuple[Part, ...]
    modified: TableColumn | None = None
    author: TableColumn | None = None
    remote_id: TableColumn | None = None
    # Sets of columns whose values the database keeps unique.
    unique: tuple[frozenset[str], ...] = field(default=())

    def columns_of(self, names: Iterable[str]) -> list[TableColumn]:
        """Return columns by name.

        Raises:
            AttentionError: a column has vanished.
        """
        try:
            return [self.columns[name] for name in names]
        except KeyError as error:
            msg = f"Table {self.name} has no column {error.args[0]!r} (any more)."
            raise AttentionError(
                msg,
                hint="Correct the mapping or the criteria, or add the column to the table.",
            ) from error

    def key_of(self, identifier: str) -> tuple[Any, ...] | None:
        """Return the primary key an id stands for, or None for what cannot be one."""
        return key_of(identifier, self.parts)

    @cached_property
    def key_columns(self) -> tuple[Column[Any], ...]:
        """SQLAlchemy's columns of the primary key."""
        return tuple(one.column for one in self.key)


def label_of(name: str) -> str:
    """Return a name as a person would write it: ``order_lines`` is "Order lines"."""
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:] if words else name


def unique_sets(table: Table) -> tuple[frozenset[str], ...]:
    """Return the sets of columns the database keeps unique, without conditions on the rows."""
    keys = frozenset(column.name for column in table.primary_key)
    found = {keys} if keys else set()
    for constraint in table.constraints:
        if isinstance(constraint, UniqueConstraint):
            found.add(frozenset(column.name for column in constraint.columns))
    for index in table.indexes:
        is_partial = any(
            index.dialect_kwargs.get(f"{name}_where") is not None
            for name in ("postgresql", "sqlite")
        )
        names = [getattr(part, "name", None) for part in index.expressions]
        if index.unique and not is_partial and all(str(name) in table.columns for name in names):
            found.add(frozenset(str(name) for name in names))
    return tuple(sorted(found, key=sorted))


def options_of(values: Iterable[str]) -> tuple[Option, ...]:
    """Return options for the values a column may hold."""
    return tuple(Option(value, label_of(value)) for value in values)
