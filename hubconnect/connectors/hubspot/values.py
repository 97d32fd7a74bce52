"""HubSpot's texts as canonical values, and back.

HubSpot gives every value as a text or null, and takes an empty text for "clear this". Forms of
values as on its "Properties" and "Understanding the CRM" pages.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

from hubconnect.connectors import rich_text
from hubconnect.connectors.base import Field, Value, ValueType
from hubconnect.connectors.errors import Category, FieldFault, RecordError
from hubconnect.connectors.numbers import parse_number

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST_TEXT = 65_536
SEPARATOR = ";"

Parse = Callable[[str], Value]
Format = Callable[[Value], str]


class Owners(Protocol):
    """Owner ids and the e-mails that stand for them elsewhere."""

    def email_of(self, owner_id: str) -> str:
        """Return the owner's e-mail, or the id itself if there is no such owner."""

    def id_of(self, email: str) -> str:
        """Return the id of the active owner with this e-mail, or ""."""


def is_id(text: str) -> bool:
    """Tell whether a text can be an id of HubSpot's. What is none must not get into a path."""
    return text.isascii() and text.isdigit()


def parse_boolean(text: str) -> bool:
    """Return a boolean."""
    return text.lower() == "true"


def parse_date(text: str) -> date | None:
    """Return a date, from its usual form or from the milliseconds of its midnight."""
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        moment = parse_moment(text)
        return moment.date() if moment else None


def parse_moment(text: str) -> datetime | None:
    """Return an aware UTC time, from ISO 8601 or from milliseconds since 1970."""
    try:
        if text.isdigit():
            return EPOCH + timedelta(milliseconds=int(text))
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is UTC:
        return moment
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def parse_options(text: str) -> frozenset[str] | None:
    """Return the set of chosen options."""
    return frozenset(part for part in text.split(SEPARATOR) if part) or None


def parse_rich_text(text: str) -> str | None:
    """Return HTML without anything that could act."""
    return rich_text.clean(text) or None


def format_rich_text(text: str) -> str:
    """Return HTML without anything that could act, and mentions as the plain text "@Name"."""
    return rich_text.strip_mentions(rich_text.clean(text))


def keep_text(text: str) -> str:
    """Return the text as it is."""
    return text


def build_parser(field: Field, owners: Owners) -> Parse:
    """Return the function that turns the field's text into its canonical value."""
    if field.type is ValueType.USER:
        return owners.email_of
    return PARSERS.get(field.type, keep_text)


PARSERS: Mapping[ValueType, Parse] = {
    ValueType.RICH_TEXT: parse_rich_text,
    ValueType.NUMBER: parse_number,
    ValueType.BOOLEAN: parse_boolean,
    ValueType.DATE: parse_date,
    ValueType.DATETIME: parse_moment,
    ValueType.OPTIONS: parse_options,
}


def format_moment(moment: datetime) -> str | None:
    """Return a time as HubSpot prints it, in UTC; None when it is not known where it was."""
    if moment.tzinfo is None:
        return None
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z"


def format_number(number: Decimal) -> str | None:
    """Return a number without an exponent, or None for what is no number."""
    return format(number, "f") if number.is_finite() else None


def format_boolean(value: bool) -> str:  # noqa: FBT001 - it is the value
    """Return a boolean as HubSpot spells it."""
    return "true" if value else "false"


def format_options(options: frozenset[str]) -> str:
    """Return chosen options, always in the same order."""
    return SEPARATOR.join(sorted(options))


# Python type of the canonical values, and the function that gives the text or None.
FORMATS: Mapping[ValueType, tuple[type, Callable[[Any], str | None]]] = {
    ValueType.TEXT: (str, keep_text),
    ValueType.OPTION: (str, keep_text),
    ValueType.REFERENCE: (str, keep_text),
    ValueType.NUMBER: (Decimal, format_number),
    ValueType.BOOLEAN: (bool, format_boolean),
    ValueType.DATE: (date, date.isoformat),
    ValueType.DATETIME: (datetime, format_moment),
    ValueType.OPTIONS: (frozenset, format_options),
}


def milliseconds(moment: datetime) -> int:
    """Return whole milliseconds since 1970."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


# The form a value must have, by the type of its field, for a person who has to correct it.
EXPECTATIONS: Mapping[ValueType, str] = {
    ValueType.NUMBER: "a number, such as 1200.50",
    ValueType.BOOLEAN: "true or false",
    ValueType.DATE: "a date without a time of day, such as 2026-05-01",
    ValueType.DATETIME: "a date and time with its zone, such as 2026-05-01T12:30:00Z",
    ValueType.OPTION: "the internal value of one option",
    ValueType.OPTIONS: "internal values of options",
    ValueType.USER: "the e-mail of an active owner in HubSpot",
    ValueType.REFERENCE: "the id of a record",
}


def expectation_of(field: Field) -> str:
    """Return the form a value of this field must have, or "" where any text will do."""
    return EXPECTATIONS.get(field.type, "")


@dataclass(frozen=True, slots=True)
class Formatter:
    """Turns canonical values of one field into HubSpot's texts."""

    field: Field
    owners: Owners
    write_rich_text: Callable[[str], str] = format_rich_text

    def __call__(self, value: Value) -> str:
        """Return the text to write; "" clears.

        Raises:
            RecordError: the value is none of this field's type, too long or an unknown user.
        """
        if value is None:
            return ""
        text = self._text(value)
        if text is None:
            kind = self.field.type.value.replace("_", " ")
            msg = f"{self.field.label} takes a {kind}, and {value!r} is none."
            raise self._fault(msg, Category.CONVERSION)
        if len(text) > LONGEST_TEXT:
            msg = f"{self.field.label} takes {LONGEST_TEXT} characters, and there are {len(text)}."
            raise self._fault(msg, Category.TOO_LONG, f"at most {LONGEST_TEXT:,} characters")
        return text

    def _text(self, value: Value) -> str | None:
        """Return the text, or None when the value is not of the field's type."""
        if self.field.type is ValueType.USER:
            return self._owner(value) if isinstance(value, str) else None
        if self.field.type is ValueType.RICH_TEXT:
            return self.write_rich_text(value) if isinstance(value, str) else None
        expected, to_text = FORMATS[self.field.type]
        if not isinstance(value, expected) or (expected is date and isinstance(value, datetime)):
            return None
        return to_text(value)

    def _owner(self, email: str) -> str:
        found = self.owners.id_of(email)
        if not found:
            msg = f"{self.field.label}: HubSpot has no active owner with the e-mail {email}."
            raise self._fault(msg, Category.CONVERSION)
        return found

    def _fault(self, message: str, category: Category, expects: str = "") -> RecordError:
        return RecordError(
            message,
            hint="Correct the value where it comes from, or change the field mapping.",
            category=category,
            faults=(
                FieldFault(
                    self.field.name,
                    message,
                    category.value,
                    expects=expects or expectation_of(self.field),
                ),
            ),
        )
