"""Value rules of writes: what each property type accepts and what is then stored.

All problems of a record are collected and told together, as HubSpot does; nothing is written then.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from hubconnect.sandbox.errors import Problem, invalid
from hubconnect.sandbox.moments import DAY_MS, date_from_text, from_text, to_text
from hubconnect.sandbox.schema import Property, Schema

MAX_TEXT = 65_536
_EMAIL = re.compile(r"[^@\s<>,;]+@[^@\s<>,;.]+(\.[^@\s<>,;.]+)+")
_OPTIONS_SHOWN = 200
_ACTIVE = re.compile(r"<(script|style)\b.*?(</\1\s*>|$)", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"<[a-z][^>]*>", re.IGNORECASE)
_HANDLER = re.compile(r"\son\w+\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s>]+)", re.IGNORECASE)


class ValueRefusedError(Exception):
    """A value does not fit its property."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(slots=True)
class Checked:
    """The outcome of checking one record.

    Attributes:
        changes: values to store; None clears.
        problems: what is wrong; nothing may be written unless it is empty.
    """

    changes: dict[str, str | None] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def _refuse(code: str, message: str) -> NoReturn:
    raise ValueRefusedError(code, message)


def check(schema: Schema, incoming: Mapping[str, Any], before: Mapping[str, str]) -> Checked:
    """Check the properties of one write.

    Args:
        schema: of the record's object type.
        incoming: values as they stood in the request.
        before: present properties of the record, empty for a new one.
    """
    checked = Checked()
    for name, given in incoming.items():
        if given is None:
            continue  # HubSpot documents only the empty text as "clear"; be no kinder than that
        value = _to_text(name, given)
        found = schema.find(name)
        try:
            checked.changes[name] = _check_one(schema, found, name, value, before)
        except ValueRefusedError as error:
            checked.problems.append(Problem(name, error.code, str(error), value))
    _check_stage(schema, checked, before)
    _hold_lifecycle(schema, checked, before)
    return checked


def _to_text(name: str, given: object) -> str:
    if isinstance(given, bool):
        return "true" if given else "false"
    if isinstance(given, (str, int, float)):
        return str(given)
    message = f"Invalid input JSON: property {name} must be a text."
    raise invalid(message)


def _check_one(
    schema: Schema, found: Property | None, name: str, value: str, before: Mapping[str, str]
) -> str | None:
    if found is None:
        _refuse("PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist')
    if found.is_calculated or found.is_read_only:
        manner = "calculated" if found.is_calculated else "read only"
        message = f'"{name}" is a {manner} property; its value cannot be set.'
        _refuse("READ_ONLY_VALUE", message)
    if value == "":
        return None
    if name == "email" and schema.kind.name == "contacts":
        return _email(value)
    if found.is_owner:
        return _owner(schema, value)
    if found.field_type == "html":
        return _html(value)
    if found.type == "enumeration":
        return _enumeration(found, value, before.get(name))
    return _BY_TYPE[found.type](value)


def _text(value: str) -> str:
    if len(value) > MAX_TEXT:
        message = f"Property value is too long: {len(value)} characters, at most {MAX_TEXT}."
        _refuse("PROPERTY_VALUE_TOO_LONG", message)
    return value


def _html(value: str) -> str | None:
    """Take out what could act, and leave the rest as it was sent."""
    kept = _ACTIVE.sub("", _text(value))
    return _TAG.sub(lambda tag: _HANDLER.sub("", tag[0]), kept) or None


def _email(value: str) -> str:
    address = value.strip().lower()
    if not _EMAIL.fullmatch(address):
        _refuse("INVALID_EMAIL", f"Email address {value} is invalid")
    return address


def _owner(schema: Schema, value: str) -> str:
    if value not in schema.owners:
        _refuse("INVALID_OWNER_ID", f"Owner {value} does not exist.")
    return value


def _enumeration(found: Property, value: str, before: str | None) -> str:
    if not found.is_multiple:
        _require_option(found, value)
        return value
    parts = [part for part in value.split(";") if part]
    for part in parts:
        _require_option(found, part)
    if value.startswith(";") and before:
        parts = [*before.split(";"), *parts]
    return ";".join(dict.fromkeys(parts))


def _require_option(found: Property, value: str) -> None:
    if found.definition["externalOptions"] or value in found.options:
        return
    allowed = ", ".join(found.options[:_OPTIONS_SHOWN])
    message = f"{value} was not one of the allowed options: [{allowed}]"
    _refuse("INVALID_OPTION", message)


def _boolean(value: str) -> str:
    if value.lower() not in {"true", "false"}:
        message = f"{value} was not one of the allowed options: [true, false]"
        _refuse("INVALID_BOOLEAN", message)
    return value.lower()


def _number(value: str) -> str:
    try:
        finite = Decimal(value).is_finite()
    except InvalidOperation:
        finite = False
    if not finite or "_" in value or value != value.strip():
        _refuse("INVALID_NUMBER", f"{value} was not a valid number")
    return value


def _date(value: str) -> str:
    try:
        day = date_from_text(value)
    except (ValueError, OverflowError, OSError):
        _refuse("INVALID_LONG", f"{value} was not a valid long.")
    if value.lstrip("-").isdigit() and int(value) % DAY_MS:
        at = to_text(int(value))[11:19]
        _refuse("INVALID_DATE", f"{value} is at {at} UTC, not midnight!")
    return day


def _datetime(value: str) -> str:
    try:
        return to_text(from_text(value))
    except (ValueError, OverflowError, OSError):
        _refuse("INVALID_LONG", f"{value} was not a valid long.")


_BY_TYPE: dict[str, Callable[[str], str]] = {
    "string": _text,
    "phone_number": _text,
    "number": _number,
    "bool": _boolean,
    "date": _date,
    "datetime": _datetime,
}


def _check_stage(schema: Schema, checked: Checked, before: Mapping[str, str]) -> None:
    """A stage must belong to the pipeline; moving to another pipeline needs both at once."""
    pipeline_name, stage_name = schema.kind.pipeline_property, schema.kind.stage_property
    if not ({pipeline_name, stage_name} & checked.changes.keys()):
        return
    merged = {**before, **checked.changes}
    pipeline = merged.get(pipeline_name) or next(iter(schema.pipelines), "")
    if pipeline not in schema.pipelines:
        _refuse_option(checked, pipeline_name, pipeline, schema.pipelines)
        return
    stage = merged.get(stage_name)
    if stage is None:
        return
    if stage not in schema.pipelines[pipeline]:
        _refuse_option(checked, stage_name, stage, schema.pipelines[pipeline])
        return
    checked.changes.setdefault(pipeline_name, pipeline)


def _refuse_option(checked: Checked, name: str, value: str, allowed: Mapping[str, object]) -> None:
    message = f"{value} was not one of the allowed options: [{', '.join(allowed)}]"
    checked.problems.append(Problem(name, "INVALID_OPTION", message, value))


def _hold_lifecycle(schema: Schema, checked: Checked, before: Mapping[str, str]) -> None:
    """The lifecycle stage only moves forward; a step back is passed over without an error."""
    new, old = checked.changes.get("lifecyclestage"), before.get("lifecyclestage")
    found = schema.find("lifecyclestage")
    if not new or not old or found is None or not {new, old} <= set(found.options):
        return
    if found.options.index(new) < found.options.index(old):
        del checked.changes["lifecyclestage"]
