"""Canonical values: comparing, storing, reading what a person typed, converting between types.

Stored form (JSON), used in bases, intents and failures::

    None null · str "text" · bool true · Decimal {"n": "1.5"} · date {"d": "2026-05-01"}
    datetime {"t": "2026-05-01T10:00:00+00:00"} · frozenset {"o": ["a", "b"]}

Two values are the same when their stored forms are.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from hubconnect.connectors import rich_text
from hubconnect.connectors.base import Field, Value, ValueType
from hubconnect.connectors.errors import Category, FieldFault, RecordError
from hubconnect.connectors.numbers import parse_number

Stored = Any  # JSON
Converter = Callable[[Value], Value]

TEXTS = frozenset({ValueType.TEXT, ValueType.RICH_TEXT})
_TRUE = frozenset({"true", "yes", "y", "1", "on"})
_FALSE = frozenset({"false", "no", "n", "0", "off"})


class ConversionError(ValueError):
    """A value has no counterpart in the target field's type. The text says why."""


def to_stored(value: Value) -> Stored:
    """Return the stored form of a value; an empty text or set is stored as nothing."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return value or None
    if isinstance(value, Decimal):
        return {"n": number_text(value)}
    if isinstance(value, datetime):
        return {"t": value.astimezone(UTC).isoformat()}
    if isinstance(value, date):
        return {"d": value.isoformat()}
    return {"o": sorted(value)} if value else None


def from_stored(stored: Stored) -> Value:
    """Return the value of a stored form."""
    if isinstance(stored, Mapping):
        ((kind, plain),) = stored.items()
        readers: dict[str, Callable[[Any], Value]] = {
            "n": Decimal,
            "t": datetime.fromisoformat,
            "d": date.fromisoformat,
            "o": frozenset,
        }
        return readers[kind](plain)
    value: Value = stored
    return value


def store_all(values: Mapping[str, Value]) -> dict[str, Stored]:
    """Return the stored forms of a record's values."""
    return {name: to_stored(value) for name, value in values.items()}


def restore_all(stored: Mapping[str, Stored]) -> dict[str, Value]:
    """Return the values of stored forms."""
    return {name: from_stored(one) for name, one in stored.items()}


def is_same(one: Value, other: Value) -> bool:
    """Tell whether two canonical values are the same: 1.0 is 1, an empty text is nothing."""
    return one == other or to_stored(one) == to_stored(other)


def number_text(number: Decimal) -> str:
    """Return a number in plain digits, without exponent or superfluous zeros."""
    text = format(number, "f")  # not normalize(): that rounds to the context's precision
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def show(value: Value, field: Field | None = None) -> str:
    """Return the text a page shows for a value; options by their label."""
    if value is None:
        return ""
    labels = {option.value: option.label for option in field.options} if field else {}
    if isinstance(value, frozenset):
        return ", ".join(labels.get(one, one) for one in sorted(value))
    if isinstance(value, str) and value in labels:
        return labels[value]
    return as_text(value)


def as_text(value: Value) -> str:
    """Return a value as plain text, the way a text field of another system should hold it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return number_text(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return value if isinstance(value, str) else ";".join(sorted(value))


def parse_text(text: str, field: Field) -> Value:
    """Return the canonical value of what a person typed for a field.

    Raises:
        ConversionError: with the sentence for the person.
    """
    typed = Field(name="", label="", type=ValueType.TEXT)
    return converter(typed, field)(text) if text else None


def can_convert(source: Field, target: Field) -> str:
    """Return why values of ``source`` can never go into ``target``, or ""."""
    if source.type in _SOURCES[target.type]:
        return ""
    held, wanted = _KIND[source.type], _KIND[target.type]
    return f"{source.label} holds {held}, and {held} cannot become {wanted} for {target.label}."


def converter(source: Field, target: Field) -> Converter:
    """Return the function that turns values of one field into those of another.

    It raises ``ConversionError`` for a value that has no counterpart. Lengths are not looked at.
    """
    if source.type not in _SOURCES[target.type]:
        reason = can_convert(source, target)

        def refuse(value: Value) -> Value:
            raise ConversionError(reason)

        return refuse
    if source.type is target.type and target.type not in (ValueType.OPTION, ValueType.OPTIONS):
        return _same_type
    make = _MAKERS[target.type](source, target)

    def convert(value: Value) -> Value:
        return None if value is None or value == "" else make(value)

    return convert


def fit(text: Value, target: Field, *, cut: bool) -> Value:
    """Return a text that the target can hold, cut if that was chosen.

    Raises:
        RecordError: it is too long and must not be cut.
    """
    limit = target.max_length
    if limit is None or not isinstance(text, str) or len(text) <= limit:
        return text
    if cut:
        return text[:limit]
    sentence = f"{target.label} holds {limit} characters; the value has {len(text)}."
    raise RecordError(
        sentence,
        category=Category.TOO_LONG,
        hint="Shorten it at its source, or let the mapping row cut what is too long.",
        faults=(FieldFault(target.name, sentence, "TOO_LONG"),),
    )


def _same_type(value: Value) -> Value:
    return None if value == "" else value


def _to_text(source: Field, target: Field) -> Converter:
    if source.type is ValueType.RICH_TEXT:
        return lambda value: rich_text.to_plain(as_text(value))
    return as_text


def _to_rich_text(source: Field, target: Field) -> Converter:
    return lambda value: rich_text.from_plain(as_text(value))


def _to_number(source: Field, target: Field) -> Converter:
    def make(value: Value) -> Value:
        if isinstance(value, bool):
            return Decimal(int(value))
        text = as_text(value).strip()
        number = parse_number(text)
        if number is None:
            msg = f"“{text}” is not a number."
            raise ConversionError(msg)
        return number

    return make


def _to_boolean(source: Field, target: Field) -> Converter:
    def make(value: Value) -> Value:
        text = as_text(value).strip().lower()
        if text in _TRUE:
            return True
        if text in _FALSE:
            return False
        msg = f"“{text}” is neither true nor false."
        raise ConversionError(msg)

    return make


def _to_date(source: Field, target: Field) -> Converter:
    def make(value: Value) -> Value:
        if isinstance(value, datetime):
            return value.astimezone(UTC).date()
        text = as_text(value).strip()
        try:
            return (
                date.fromisoformat(text[:10])
                if len(text) == len("2026-01-31")
                else _moment(text).date()
            )
        except ValueError:
            msg = f"“{text}” is not a date. Write it like 2026-01-31."
            raise ConversionError(msg) from None

    return make


def _to_datetime(source: Field, target: Field) -> Converter:
    def make(value: Value) -> Value:
        if isinstance(value, date):
            return datetime.combine(value, time(), UTC)
        text = as_text(value).strip()
        try:
            return _moment(text)
        except ValueError:
            msg = f"“{text}” is not a time. Write it like 2026-01-31T09:30:00Z."
            raise ConversionError(msg) from None

    return make


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def option_of(text: str, target: Field, by_label: Mapping[str, str]) -> str:
    """Return the internal value a text means: itself, or the option of that label.

    A text that is neither goes on as it is: what is kept of the options may be out of date, and
    the target's own answer is the better message.
    """
    return by_label.get(text.casefold(), text)


def _labels(target: Field) -> dict[str, str]:
    by_label = {option.label.casefold(): option.value for option in target.options}
    return by_label | {option.value.casefold(): option.value for option in target.options}


def _to_option(source: Field, target: Field) -> Converter:
    by_label = _labels(target)

    def make(value: Value) -> Value:
        if isinstance(value, frozenset) and len(value) > 1:
            msg = f"{target.label} holds one option; {len(value)} were given."
            raise ConversionError(msg)
        return option_of(as_text(value).strip(), target, by_label)

    return make


def _to_options(source: Field, target: Field) -> Converter:
    by_label = _labels(target)

    def make(value: Value) -> Value:
        parts = value if isinstance(value, frozenset) else as_text(value).split(";")
        found = {option_of(part.strip(), target, by_label) for part in parts if part.strip()}
        return frozenset(found) or None

    return make


def _to_user(source: Field, target: Field) -> Converter:
    def make(value: Value) -> Value:
        text = as_text(value).strip()
        if "@" not in text:
            msg = f"“{text}” is not the e-mail address of a user."
            raise ConversionError(msg)
        return text.lower()

    return make


_T = ValueType
_SIMPLE = frozenset({_T.TEXT, _T.OPTION, _T.USER, _T.REFERENCE})
_SOURCES: dict[ValueType, frozenset[ValueType]] = {
    _T.TEXT: frozenset(ValueType),
    _T.RICH_TEXT: frozenset(ValueType),
    _T.NUMBER: _SIMPLE - {_T.USER} | {_T.NUMBER, _T.BOOLEAN},
    _T.BOOLEAN: frozenset({_T.TEXT, _T.OPTION, _T.NUMBER, _T.BOOLEAN}),
    _T.DATE: frozenset({_T.TEXT, _T.DATE, _T.DATETIME}),
    _T.DATETIME: frozenset({_T.TEXT, _T.DATE, _T.DATETIME}),
    _T.OPTION: _SIMPLE | {_T.NUMBER, _T.BOOLEAN, _T.OPTIONS},
    _T.OPTIONS: _SIMPLE | {_T.NUMBER, _T.BOOLEAN, _T.OPTIONS},
    _T.USER: frozenset({_T.TEXT, _T.USER}),
    _T.REFERENCE: frozenset({_T.TEXT, _T.NUMBER, _T.REFERENCE}),
}
_MAKERS: dict[ValueType, Callable[[Field, Field], Converter]] = {
    _T.TEXT: _to_text,
    _T.RICH_TEXT: _to_rich_text,
    _T.NUMBER: _to_number,
    _T.BOOLEAN: _to_boolean,
    _T.DATE: _to_date,
    _T.DATETIME: _to_datetime,
    _T.OPTION: _to_option,
    _T.OPTIONS: _to_options,
    _T.USER: _to_user,
    _T.REFERENCE: _to_text,
}
_KIND: dict[ValueType, str] = {
    _T.TEXT: "text",
    _T.RICH_TEXT: "rich text",
    _T.NUMBER: "numbers",
    _T.BOOLEAN: "yes or no",
    _T.DATE: "dates",
    _T.DATETIME: "dates with time",
    _T.OPTION: "an option",
    _T.OPTIONS: "several options",
    _T.USER: "users",
    _T.REFERENCE: "references to records",
}
