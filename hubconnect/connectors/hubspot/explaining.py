"""What HubSpot refused, explained by what is known of the fields: names, options, forms."""

import re
from collections.abc import Mapping
from dataclasses import replace

from hubconnect.connectors.base import Field, ValueType
from hubconnect.connectors.errors import Category, FieldFault, RecordError
from hubconnect.connectors.hubspot.errors import REFUSED
from hubconnect.connectors.hubspot.schema import Schema
from hubconnect.connectors.hubspot.values import expectation_of

REQUIRED, OPTION = "REQUIRED_FIELD", "INVALID_OPTION"
# Faults that tell that our copy of the property definitions is out of date.
STALE = {OPTION, "PROPERTY_DOESNT_EXIST", "READ_ONLY_VALUE"}
# Of two forms: "[a, b]", or a list of whole definitions.
ALLOWED = re.compile(r"allowed options: \[(.*)\]", re.DOTALL)
DEFINED = re.compile(r'value: "([^"]*)"')
# Codes say what is wrong, but the same code stands for several types; these are sure.
EXPECTS: Mapping[str, str] = {
    "INVALID_EMAIL": "an e-mail address, such as ana@example.com",
    "INVALID_INTEGER": "a whole number",
    "INVALID_DATE": "a date without a time of day, such as 2026-05-01",
    "PROPERTY_VALUE_TOO_LONG": "at most 65,536 characters",
}


def explain(error: RecordError, schema: Schema) -> RecordError:
    """Return the error with the fields' labels, what each accepts, and what was required unseen."""
    if not error.faults or error.category in {Category.DUPLICATE, Category.MISSING_LINK}:
        return error
    faults = tuple(_explained(fault, schema) for fault in error.faults)
    return RecordError(
        REFUSED + _sentence(faults, schema),
        hint=_hint(faults) or error.hint,
        category=error.category,
        faults=faults,
        existing_id=error.existing_id,
        answer=error.answer,
    )


def is_stale(error: RecordError) -> bool:
    """Tell whether the property definitions should be read anew."""
    return any(fault.code in STALE for fault in error.faults)


def _explained(fault: FieldFault, schema: Schema) -> FieldFault:
    field = schema.fields.get(fault.field)
    if fault.code == REQUIRED:
        kind = schema.kind
        is_told = fault.field in (*kind.required, *kind.required_any)
        return replace(fault, is_hidden_requirement=not is_told, expects=_expected(fault, field))
    return replace(fault, accepted=_accepted(fault, field), expects=_expected(fault, field))


def _accepted(fault: FieldFault, field: Field | None) -> tuple[str, ...]:
    if field is not None and field.type is ValueType.BOOLEAN:
        return ("true", "false")
    if fault.code != OPTION:
        return ()
    listed = ALLOWED.search(fault.message)
    if listed is None:
        return _visible(field)
    defined = DEFINED.findall(listed[1])
    if defined:
        return tuple(defined)
    known = _visible(field)
    # A value may hold the very comma the list is parted by; those that are known are told apart.
    inside = tuple(value for value in known if value in listed[1])
    parts = tuple(part for part in listed[1].split(", ") if part)
    return inside if ", ".join(inside) == listed[1] else parts


def _visible(field: Field | None) -> tuple[str, ...]:
    return tuple(one.value for one in field.options if not one.hidden) if field else ()


def _expected(fault: FieldFault, field: Field | None) -> str:
    if fault.code in EXPECTS:
        return EXPECTS[fault.code]
    is_about_value = fault.code == REQUIRED or fault.code.startswith("INVALID")
    return expectation_of(field) if field is not None and is_about_value else ""


def _sentence(faults: tuple[FieldFault, ...], schema: Schema) -> str:
    named = {fault.field for fault in faults}
    one_of = schema.kind.required_any
    if one_of and named == set(one_of):
        return f"it needs at least one of {', '.join(_name(each, schema) for each in one_of)}."
    return "; ".join(f"{_name(fault.field, schema)}: {fault.message}" for fault in faults)


def _name(name: str, schema: Schema) -> str:
    """Return a field's label with its internal name, as far as HubSpot has it."""
    field = schema.fields.get(name)
    return f"{field.label} ({name})" if field is not None and field.label != name else name


def _hint(faults: tuple[FieldFault, ...]) -> str:
    if any(fault.is_hidden_requirement for fault in faults):
        return (
            "HubSpot asks for it though the property's definition does not say so: a rule of the "
            "account, perhaps. Map a field to it or give it a default, then retry."
        )
    return ""
