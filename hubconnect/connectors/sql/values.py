"""Canonical values from a column's own, and back."""

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from typing import Any

from sqlalchemy import types

from hubconnect.connectors.base import Value, ValueType
from hubconnect.connectors.sql.integers import checked_integer, limit_of

Read = Callable[[Any], Value]
# Raises ValueError with a sentence for the person.
Write = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Codec:
    """How values of one column cross the border; ``write`` is None for what is only read.

    Neither is called with None: an absent value is None on both sides.
    """

    type: ValueType
    read: Read
    write: Write | None = None


def build_codec(column_type: types.TypeEngine[Any], dialect: str, zone: tzinfo) -> Codec:
    """Return the codec for a column's type as the database declares it.

    Args:
        column_type: the reflected type.
        dialect: the dialect's name.
        zone: time zone of date-times without one.
    """
    for kinds, build in _BUILDERS:
        if isinstance(column_type, kinds):
            return build(column_type, dialect, zone)
    return Codec(ValueType.TEXT, _read_shown)


def datetime_codec(dialect: str, zone: tzinfo, *, has_zone: bool = False) -> Codec:
    """Return the codec for date-times that carry a zone themselves or stand in ``zone``."""
    if dialect == "sqlite":
        return Codec(
            ValueType.DATETIME,
            lambda raw: _aware(_loose_datetime(raw), zone),
            lambda value: _local(value, zone).isoformat(" "),
        )
    if has_zone:
        return Codec(ValueType.DATETIME, lambda raw: _aware(raw, UTC), lambda v: _local(v, None))
    return Codec(
        ValueType.DATETIME, lambda raw: _aware(raw, zone), lambda value: _local(value, zone)
    )


# --- One builder per kind of type ----------------------------------------------------------------


def _text(column_type: Any, dialect: str, _zone: tzinfo) -> Codec:  # noqa: ANN401 - many types
    is_padded = isinstance(column_type, types.CHAR) and dialect != "sqlite"
    return Codec(ValueType.TEXT, _read_padded if is_padded else _read_text, _write_text)


def _option(column_type: Any, _dialect: str, _zone: tzinfo) -> Codec:  # noqa: ANN401 - many types
    allowed = frozenset(column_type.enums)

    def write(value: Value) -> str:
        if value not in allowed:
            msg = f"{value!r} is not one of its options."
            raise ValueError(msg)
        return str(value)

    return Codec(ValueType.OPTION, _read_text, write)


def _boolean(column_type: Any, dialect: str, _zone: tzinfo) -> Codec:  # noqa: ANN401 - many types
    if dialect == "sqlite" or isinstance(column_type, types.Integer):
        return Codec(ValueType.BOOLEAN, _read_boolean, lambda value: int(_checked_boolean(value)))
    return Codec(ValueType.BOOLEAN, _read_boolean, _checked_boolean)


def _integer(column_type: Any, dialect: str, zone: tzinfo) -> Codec:  # noqa: ANN401 - many types
    # MySQL spells BOOLEAN so.
    if getattr(column_type, "display_width", None) == 1 and dialect in {"mysql", "mariadb"}:
        return _boolean(column_type, dialect, zone)
    limit = limit_of(column_type, dialect)
    return Codec(
        ValueType.NUMBER,
        _read_number,
        lambda value: checked_integer(_whole(value), limit),
    )


def _number(column_type: Any, dialect: str, _zone: tzinfo) -> Codec:  # noqa: ANN401 - many types
    if dialect == "sqlite":
        scale = getattr(column_type, "scale", None)
        return Codec(ValueType.NUMBER, _scaled_reader(scale), lambda value: str(_decimal(value)))
    if isinstance(column_type, types.Float):
        return Codec(ValueType.NUMBER, _read_number, lambda value: float(_decimal(value)))
    return Codec(ValueType.NUMBER, _read_number, _decimal)


def _date(_type: object, dialect: str, _zone: tzinfo) -> Codec:
    if dialect == "sqlite":
        return Codec(ValueType.DATE, _read_loose_date, lambda value: _plain_date(value).isoformat())
    return Codec(ValueType.DATE, _read_date, _plain_date)


def _datetime(column_type: Any, dialect: str, zone: tzinfo) -> Codec:  # noqa: ANN401 - many types
    if dialect in {"mysql", "mariadb"} and isinstance(column_type, types.TIMESTAMP):
        return datetime_codec(dialect, UTC)  # kept in UTC; the session's zone is set to it
    return datetime_codec(dialect, zone, has_zone=bool(column_type.timezone))


def _uuid(_type: object, dialect: str, _zone: tzinfo) -> Codec:
    def write(value: Value) -> Any:  # noqa: ANN401 - the driver's
        found = uuid.UUID(str(value))
        return str(found) if dialect == "sqlite" else found

    return Codec(ValueType.TEXT, _read_text, write)


def _json(_type: object, _dialect: str, _zone: tzinfo) -> Codec:
    return Codec(ValueType.TEXT, _read_json)


def _binary(_type: object, _dialect: str, _zone: tzinfo) -> Codec:
    return Codec(ValueType.TEXT, lambda raw: f"{len(raw)} bytes")


# In order: Enum is a String and Boolean an Enum's cousin, so the narrow ones come first.
_BUILDERS: tuple[tuple[Any, Callable[[Any, str, tzinfo], Codec]], ...] = (
    (types.Enum, _option),
    (types.Boolean, _boolean),
    (types.String, _text),
    (types.Integer, _integer),
    (types.Numeric, _number),
    (types.Float, _number),
    (types.DateTime, _datetime),
    (types.Date, _date),
    (types.Uuid, _uuid),
    (types.JSON, _json),
    (types.LargeBinary, _binary),
)

# --- Values ------------------------------------------------------------------------------------


def _read_text(raw: Any) -> Value:  # noqa: ANN401 - any driver's
    return (raw if isinstance(raw, str) else str(raw)) or None


def _read_padded(raw: Any) -> Value:  # noqa: ANN401 - any driver's
    return str(raw).rstrip(" ") or None


def _read_shown(raw: Any) -> Value:  # noqa: ANN401 - any driver's
    return f"{len(raw)} bytes" if isinstance(raw, bytes | memoryview) else str(raw) or None


def _read_json(raw: Any) -> Value:  # noqa: ANN401 - any driver's
    return raw if isinstance(raw, str) else json.dumps(raw, ensure_ascii=False, sort_keys=True)


def _read_boolean(raw: Any) -> Value:  # noqa: ANN401 - any driver's
    if isinstance(raw, str):
        return raw.strip().lower() in {"1", "t", "true", "y", "yes"}
    return bool(raw)


def _read_number(raw: Any) -> Decimal:  # noqa: ANN401 - any driver's
    if isinstance(raw, Decimal):
        return raw
    return Decimal(repr(raw)) if isinstance(raw, float) else Decimal(raw)


def _scaled_reader(scale: int | None) -> Read:
    if scale is None:
        return _read_number
    unit = Decimal(1).scaleb(-scale)

    def read(raw: Any) -> Value:  # noqa: ANN401 - any driver's
        number = _read_number(raw)
        # SQLite keeps decimals as binary fractions: 12.5 stands for 12.50.
        rounded = number.quantize(unit)
        return rounded if rounded == number else number

    return read


def _read_date(raw: Any) -> Value:  # noqa: ANN401 - any driver's
    return raw.date() if isinstance(raw, datetime) else raw


def _read_loose_date(raw: Any) -> Value:  # noqa: ANN401 - any driver's
    return date.fromisoformat(str(raw)[:10])


def _loose_datetime(raw: Any) -> datetime:  # noqa: ANN401 - SQLite's: a text or seconds since 1970
    if isinstance(raw, int | float):
        return datetime.fromtimestamp(raw, UTC)
    return datetime.fromisoformat(raw.strip())


def _aware(moment: datetime, zone: tzinfo) -> datetime:
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return moment if moment.tzinfo is UTC else moment.astimezone(UTC)


def _local(value: Value, zone: tzinfo | None) -> datetime:
    if not isinstance(value, datetime) or value.tzinfo is None:
        msg = "a date with a time is needed."
        raise ValueError(msg)
    return value if zone is None else value.astimezone(zone).replace(tzinfo=None)


def _write_text(value: Value) -> str:
    if not isinstance(value, str):
        msg = "a text is needed."
        raise ValueError(msg)  # noqa: TRY004 - a value of the wrong kind, not a bug
    return value


def _checked_boolean(value: Value) -> bool:
    if not isinstance(value, bool):
        msg = "yes or no is needed."
        raise ValueError(msg)  # noqa: TRY004 - a value of the wrong kind, not a bug
    return value


def _decimal(value: Value) -> Decimal:
    if not isinstance(value, Decimal) or not value.is_finite():
        msg = "a number is needed."
        raise ValueError(msg)
    return value


def _whole(value: Value) -> int:
    number = _decimal(value)
    if number != int(number):
        msg = f"{number} has decimal places, and the column holds whole numbers."
        raise ValueError(msg)
    return int(number)


def _plain_date(value: Value) -> date:
    if not isinstance(value, date) or isinstance(value, datetime):
        msg = "a date is needed."
        raise ValueError(msg)  # noqa: TRY004 - a value of the wrong kind, not a bug
    return value
