"""Target lookup: finding the counterpart of a record before creating one.

Written like criteria, for the target, with the source's values between ``@`` signs::

    [{"condition": "EQUALS", "field": "email", "value": "@email@"}]

``@oh_internal_id@`` stands for the id of the source record.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from hubconnect.connectors.base import (
    Condition,
    Criteria,
    Field,
    Operator,
    Value,
    Values,
    ValueType,
)
from hubconnect.connectors.errors import Category, FieldFault, RecordError
from hubconnect.engine.criteria import as_condition, as_list, find_field
from hubconnect.engine.criteria_values import CriteriaInvalidError
from hubconnect.engine.values import ConversionError, as_text, can_convert, converter

INTERNAL_ID = "oh_internal_id"
_PLACEHOLDER = re.compile(r"@([^@\s]+)@")
_ID_FIELD = Field(name=INTERNAL_ID, label="the record's id", type=ValueType.TEXT)


class LookupEmptyError(RecordError):
    """A record has no value to look its counterpart up by. It is neither linked nor created.

    Attributes:
        field: internal name of the field that is empty.
    """

    def __init__(self, field: str, label: str) -> None:
        sentence = f"{label} is empty, and the target lookup needs it."
        super().__init__(
            sentence,
            hint=f"Give {label} a value, or change the target lookup of this flow.",
            category=Category.LOOKUP,
            faults=(FieldFault(field, sentence, "LOOKUP_EMPTY"),),
        )
        self.field = field


@dataclass(frozen=True, slots=True)
class Lookup:
    """One unique field of the target equals one value of the source.

    ``source`` is the field the value is read from. ``is_mapped`` tells that it is a field of the
    target instead, whose mapped value is taken.
    """

    target: Field
    source: Field
    is_mapped: bool = False


def parse(
    conditions: object,
    target_fields: Mapping[str, Field],
    source_fields: Mapping[str, Field],
    max_conditions: int | None = None,  # noqa: ARG001 - one is all that is offered so far
) -> Lookup | None:
    """Return the checked lookup from decoded JSON, or None where there is none.

    Raises:
        CriteriaInvalidError: anything but one EQUALS on a unique target field with a placeholder.
    """
    if conditions in (None, []):
        return None
    listed = as_list(conditions)
    if len(listed) > 1:
        msg = "A target lookup has one condition."
        hint = "Look up by one field that is unique in the target."
        raise CriteriaInvalidError(msg, hint, 1)
    plain = as_condition(listed[0], 0)
    if plain.get("condition") != Operator.EQUALS:
        msg = "A target lookup compares with EQUALS."
        raise CriteriaInvalidError(msg, 'Write "condition": "EQUALS".', 0)
    target = find_field(plain.get("field"), target_fields, 0)
    _check_unique(target, target_fields)
    return _lookup(plain.get("value"), target, target_fields, source_fields)


def _check_unique(target: Field, target_fields: Mapping[str, Field]) -> None:
    if target.unique:
        return
    unique = [field.name for field in target_fields.values() if field.unique]
    msg = f"{target.label} is not unique in the target, so it may find several records."
    hint = f"Unique are {', '.join(unique[:8])}." if unique else "No field of the target is unique."
    raise CriteriaInvalidError(msg, hint, 0)


def _lookup(
    value: object,
    target: Field,
    target_fields: Mapping[str, Field],
    source_fields: Mapping[str, Field],
) -> Lookup:
    found = _PLACEHOLDER.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        msg = "The value of a target lookup names a field of the source between @ signs."
        raise CriteriaInvalidError(msg, f"Write “@email@”, or “@{INTERNAL_ID}@” for its id.", 0)
    name = found[1]
    if name == INTERNAL_ID and name not in source_fields:
        return Lookup(target, _ID_FIELD)
    if name not in source_fields and name in target_fields:
        return Lookup(target, target_fields[name], is_mapped=True)
    source = find_field(name, source_fields, 0)
    if reason := can_convert(source, target):
        raise CriteriaInvalidError(reason, "Look up by a field of the same type.", 0)
    return Lookup(target, source)


def resolve(
    lookup: Lookup, source_values: Values, mapped_values: Values, source_id: str
) -> Criteria:
    """Return the criteria that find the counterpart of one source record.

    Raises:
        LookupEmptyError: the record has no value to look up by.
        RecordError: its value can be none of the target field's.
    """
    name = lookup.source.name
    value: Value
    if lookup.source is _ID_FIELD:
        value = source_id
    else:
        value = (mapped_values if lookup.is_mapped else source_values).get(name)
    if isinstance(value, str):
        value = value.strip()
    if value in (None, "", frozenset()):
        raise LookupEmptyError(name, lookup.source.label)
    try:
        wanted = converter(lookup.source, lookup.target)(value)
    except ConversionError as error:
        raise _refused(lookup, error) from None
    if wanted is None:
        raise LookupEmptyError(name, lookup.source.label)
    return (Condition(lookup.target.name, Operator.EQUALS, wanted),)


def _refused(lookup: Lookup, error: ConversionError) -> RecordError:
    name, label = lookup.source.name, lookup.source.label
    return RecordError(
        f"{label} cannot be looked up: {error}",
        hint=f"Correct {label}, or change the target lookup of this flow.",
        category=Category.LOOKUP,
        faults=(FieldFault(name, str(error), "LOOKUP"),),
    )


def key(criteria: Criteria) -> str:
    """Return a stable text for what is looked up; the same whatever the capitals."""
    parts = (
        f"{one.field} {one.operator} {as_text(one.value).casefold()}"
        for one in sorted(criteria, key=lambda one: one.field)
    )
    return "\n".join(parts)


def describe(lookup: Lookup | None) -> str:
    """Say in a few words what is compared, for lists: ``email``, ``legacy_id = id``."""
    if lookup is None:
        return ""
    if lookup.source.name == lookup.target.name:
        return lookup.target.name
    return f"{lookup.target.name} = {lookup.source.name.replace(INTERNAL_ID, 'id')}"
