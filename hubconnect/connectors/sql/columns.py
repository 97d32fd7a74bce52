"""Columns as fields: types, what is required, what the database fills in by itself."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import Any

from sqlalchemy import Column, Identity, Table, types
from sqlalchemy.exc import CompileError

from hubconnect.connectors.base import Field, ValueType
from hubconnect.connectors.sql.tables import TableColumn, label_of, options_of
from hubconnect.connectors.sql.values import Codec, build_codec, datetime_codec


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnRules:
    """What is known of a table's columns beside their reflection.

    Attributes:
        zone: time zone of date-times without one.
        modified: name of the modified-at column; HubConnect writes it unless a mapping does.
        remote_id: name of the column that takes the key of a create, or "".
        unique: columns that are unique by themselves.
        options: allowed values by column.
        has_row_id: the database gives a whole-number key by itself.
    """

    dialect: str
    zone: tzinfo
    modified: str
    remote_id: str
    unique: frozenset[str]
    options: Mapping[str, tuple[str, ...]]
    has_row_id: bool


def build_columns(table: Table, rules: ColumnRules) -> dict[str, TableColumn]:
    """Return a table's columns by name, in the table's order."""
    automatic = table.autoincrement_column if rules.has_row_id else None
    return {
        column.name: _build(column, rules, is_automatic=column is automatic)
        for column in table.columns
    }


def _build(column: Column[Any], rules: ColumnRules, *, is_automatic: bool) -> TableColumn:
    declared = column.info.get("type", column.type)
    codec = _codec(column, declared, rules)
    is_automatic = is_automatic or column.identity is not None
    is_fixed = (
        column.computed is not None
        or (isinstance(column.identity, Identity) and bool(column.identity.always))
        or (is_automatic and column.primary_key)
    )
    has_default = is_automatic or column.server_default is not None
    if rules.dialect == "postgresql" and is_automatic and column.identity is None:
        # Told so, SQLAlchemy inserts many rows in one statement and still knows which got which id.
        column.server_default = None
    is_filled = has_default or column.name in {rules.modified, rules.remote_id}
    field = Field(
        name=column.name,
        label=label_of(column.name),
        type=codec.type,
        native_type=_native(declared),
        required=(not column.nullable or column.primary_key)
        and not is_filled
        and codec.write is not None,
        has_default=is_filled,
        read_only=is_fixed or codec.write is None,
        unique=column.name in rules.unique,
        max_length=_max_length(declared),
        scale=_scale(declared),
        help=_help(column),
    )
    allowed = rules.options.get(column.name) or getattr(declared, "enums", ())
    if allowed:
        field = replace(field, type=ValueType.OPTION, options=options_of(allowed), max_length=None)
        codec = replace(codec, type=ValueType.OPTION)
    return TableColumn(name=column.name, column=column, codec=codec, field=field)


def _codec(column: Column[Any], declared: types.TypeEngine[Any], rules: ColumnRules) -> Codec:
    # SQLite has no date-times of its own; many tables declare them as text.
    is_text_time = rules.dialect == "sqlite" and isinstance(declared, types.String)
    if column.name == rules.modified and is_text_time:
        return datetime_codec(rules.dialect, rules.zone)
    return build_codec(declared, rules.dialect, rules.zone)


def _native(declared: types.TypeEngine[Any]) -> str:
    try:
        return str(declared).lower()
    except CompileError:  # a type without a name of its own
        return type(declared).__name__.lower()


def _max_length(declared: types.TypeEngine[Any]) -> int | None:
    return declared.length if isinstance(declared, types.String) else None


def _scale(declared: types.TypeEngine[Any]) -> int | None:
    if isinstance(declared, types.Integer):
        return 0
    if isinstance(declared, types.Numeric) and not isinstance(declared, types.Float):
        return declared.scale
    return None


def _help(column: Column[Any]) -> str:
    targets = sorted(key.target_fullname for key in column.foreign_keys)
    return f"Refers to {', '.join(targets)}." if targets else (column.comment or "")
