"""Checks what criteria compare with: one JSON value against the field it is meant for."""

import json
from datetime import datetime
from decimal import Decimal
from difflib import get_close_matches

from hubconnect.connectors.base import Field, Value, ValueType
from hubconnect.engine.values import TEXTS, ConversionError, parse_text

_OPTION_TYPES = frozenset({ValueType.OPTION, ValueType.OPTIONS})
_MOST_DIGITS = 40
_SHOWN_OPTIONS = 8


class CriteriaInvalidError(ValueError):
    """Criteria that cannot be used.

    Attributes:
        message: what is wrong.
        hint: what would be right, or "".
        index: place of the condition at fault, from 0, or None.
        line: line of the text, from 1, or None.
        column: column of the text, from 1, or None.
    """

    def __init__(self, message: str, hint: str = "", index: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.index = index
        self.line: int | None = None
        self.column: int | None = None

    @property
    def place(self) -> str:
        """Say where it is, for a person: ``line 3, column 7`` or ``condition 2``, or nothing."""
        if self.line is not None:
            return f"line {self.line}" + (f", column {self.column}" if self.column else "")
        return f"condition {self.index + 1}" if self.index is not None else ""


def read_value(raw: object, field: Field, index: int, key: str = "value") -> Value:
    """Return the canonical value of what stands in the JSON under ``key``.

    Raises:
        CriteriaInvalidError: nothing stands there, or nothing this field could hold.
    """
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        msg = f"{field.label} has no “{key}” to compare with: an empty one finds nothing."
        raise CriteriaInvalidError(
            msg,
            "To find records without a value use NOT_HAS_PROPERTY, with one HAS_PROPERTY.",
            index,
        )
    if field.type in _OPTION_TYPES:
        _check_option(raw, field, index)
    if isinstance(raw, bool) and field.type is ValueType.BOOLEAN:
        return raw
    number = _number(raw)
    if number is not None and field.type is ValueType.NUMBER:
        return number
    if isinstance(raw, str) and _is_storable(raw) and not _lacks_zone(raw, field):
        try:
            value = parse_text(raw if field.type in TEXTS else raw.strip(), field)
        except ConversionError as error:
            msg = f"{field.label}: {error}"
            raise CriteriaInvalidError(msg, index=index) from None
        if not isinstance(value, Decimal) or _number(value) is not None:
            return value
    msg = f"{field.label} cannot be compared with {_said(raw)}."
    raise CriteriaInvalidError(msg, _WANTED[field.type], index)


def _number(raw: object) -> Decimal | None:
    """Return a JSON number, unless it is beyond what any field holds."""
    if isinstance(raw, bool) or not isinstance(raw, int | float | Decimal):
        return None
    number = Decimal(str(raw))
    return number if number.is_finite() and abs(number.adjusted()) < _MOST_DIGITS else None


def _is_storable(text: str) -> bool:
    """Tell whether a database takes it: no NUL, no half of a surrogate pair."""
    return not any(sign == "\0" or "\ud800" <= sign <= "\udfff" for sign in text)


def _lacks_zone(text: str, field: Field) -> bool:
    if field.type is not ValueType.DATETIME:
        return False
    try:
        return datetime.fromisoformat(text.strip()).tzinfo is None
    except ValueError:
        return False


def _check_option(raw: object, field: Field, index: int) -> None:
    known = {option.value for option in field.options}
    parts = raw.split(";") if field.type is ValueType.OPTIONS and isinstance(raw, str) else [raw]
    for part in parts:
        if not isinstance(part, str) or part in known or (field.open_options or not known):
            continue
        words = {option.label.casefold(): option.value for option in field.options}
        words |= {option.value.casefold(): option.value for option in field.options}
        typed = part.strip().casefold()
        near = [typed] if typed in words else get_close_matches(typed, words, 1)
        shown = ", ".join(option.value for option in field.options[:_SHOWN_OPTIONS])
        more = " and others" if len(field.options) > _SHOWN_OPTIONS else ""
        msg = f"“{part}” is not an option of {field.label}."
        hint = f"Options are {shown}{more}."
        if near:
            hint = f"Did you mean “{words[near[0]]}”? Criteria take the internal value."
        raise CriteriaInvalidError(msg, hint, index)


def _said(raw: object) -> str:
    if isinstance(raw, Decimal):
        return str(raw)[:_MOST_DIGITS]
    text = raw if isinstance(raw, str) else json.dumps(raw, default=str)
    return f"“{text[:60]}”"


_DATE = "Write the date like “2026-01-31”."
_WANTED: dict[ValueType, str] = {
    ValueType.TEXT: "Write a text between quotes.",
    ValueType.RICH_TEXT: "Write a text between quotes.",
    ValueType.NUMBER: "Write a number, such as 12.5.",
    ValueType.BOOLEAN: "Write true or false.",
    ValueType.DATE: _DATE,
    ValueType.DATETIME: "Write the time with its zone, like “2025-06-15T03:00:29.864Z”.",
    ValueType.OPTION: "Write the internal value of an option between quotes.",
    ValueType.OPTIONS: "Write the internal values between quotes, “one;two”.",
    ValueType.USER: "Write the e-mail address of a user between quotes.",
    ValueType.REFERENCE: "Write the id of a record between quotes.",
}
