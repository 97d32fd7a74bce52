"""Target lookup: finding the counterpart of a record before creating one.

Written like criteria, for the target, with the source's values between ``@`` signs, alone or in a
longer text::

    [
        {"condition": "EQUALS", "field": "email", "value": "@email@"},
        {"condition": "EQUALS", "field": "number", "value": "A-@order_number@"},
    ]

``@name@`` is the field of the source, or where it has none, the value that the mapping gives to
the target's field of that name. ``@oh_internal_id@`` stands for the id of the source record.
"""

import hashlib
import json
import re
from collections.abc import Collection, Iterator, Mapping
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
from hubconnect.engine.conditions import MANY, NO_VALUE, RawCondition, find_field, read_conditions
from hubconnect.engine.criteria import decode, line_of
from hubconnect.engine.criteria_values import CriteriaInvalidError, read_value
from hubconnect.engine.values import (
    ConversionError,
    as_text,
    can_convert,
    converter,
    parse_text as parse_value,
    to_stored,
)

INTERNAL_ID = "oh_internal_id"
MAX_CONDITIONS = 3
_PLACEHOLDER = re.compile(r"@([^@\s]+)@")
_ID_FIELD = Field(name=INTERNAL_ID, label="The record’s id", type=ValueType.TEXT)
_TEXT = Field(name="", label="A text", type=ValueType.TEXT)
_WHY = "One rule holds for criteria and lookups: three. Several values of one field fit into an IN."


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
class Placeholder:
    """A value of the source record; ``is_mapped``: the one the mapping makes of it."""

    field: Field
    is_mapped: bool = False


@dataclass(frozen=True, slots=True)
class Template:
    """A value to compare with: fixed, or made of texts and placeholders."""

    parts: tuple[str | Placeholder, ...] = ()
    fixed: Value = None


@dataclass(frozen=True, slots=True)
class LookupCondition:
    """One condition on a field of the target."""

    target: Field
    operator: Operator
    value: Template | None = None
    values: tuple[Template, ...] = ()
    high: Template | None = None

    @property
    def templates(self) -> tuple[Template, ...]:
        """All values it compares with."""
        return tuple(one for one in (self.value, *self.values, self.high) if one is not None)


@dataclass(frozen=True, slots=True)
class Lookup:
    """Conditions that the counterpart of a record fulfils, all of them."""

    conditions: tuple[LookupCondition, ...]

    @property
    def placeholders(self) -> Iterator[Placeholder]:
        """The values of the source record it needs."""
        for condition in self.conditions:
            for template in condition.templates:
                yield from (one for one in template.parts if isinstance(one, Placeholder))

    @property
    def source_fields(self) -> tuple[str, ...]:
        """Names of the source's fields it needs."""
        names = [
            one.field.name
            for one in self.placeholders
            if not one.is_mapped and one.field is not _ID_FIELD
        ]
        return tuple(dict.fromkeys(names))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person should know of it: sentences, none if it is as it should be."""
        return tuple(_warnings(self))


# --- Reading -----------------------------------------------------------------------------------


def parse_text(
    text: str,
    target_fields: Mapping[str, Field],
    source_fields: Mapping[str, Field],
    mapped: Collection[str] | None = None,
) -> Lookup | None:
    """Return the lookup a person typed, or None for an empty text.

    Raises:
        CriteriaInvalidError: with line and column in the text.
    """
    if not text.strip():
        return None
    conditions = decode(text)
    try:
        return parse(conditions, target_fields, source_fields, mapped)
    except CriteriaInvalidError as error:
        error.line = line_of(text, conditions, error)
        raise


def parse(
    conditions: object,
    target_fields: Mapping[str, Field],
    source_fields: Mapping[str, Field],
    mapped: Collection[str] | None = None,
) -> Lookup | None:
    """Return the checked lookup from decoded JSON, or None where there is none.

    Args:
        conditions: the decoded JSON.
        target_fields: of the object type that is searched.
        source_fields: of the records whose counterpart is looked for.
        mapped: target fields to which the mapping gives a value; None: not known here.

    Raises:
        CriteriaInvalidError: naming the condition at fault.
    """
    if conditions in (None, []):
        return None
    reader = _Reader(target_fields, source_fields, mapped)
    found = Lookup(
        tuple(
            reader.condition(raw)
            for raw in read_conditions(conditions, target_fields, MAX_CONDITIONS, _WHY)
        )
    )
    if not any(found.placeholders):
        msg = "No condition uses a value of the source, so every record would find the same."
        hint = f"Write a field of the source between @ signs, or “@{INTERNAL_ID}@” for its id."
        raise CriteriaInvalidError(msg, hint, 0)
    return found


class _Reader:
    """Reads values and placeholders against both schemas."""

    def __init__(
        self,
        targets: Mapping[str, Field],
        sources: Mapping[str, Field],
        mapped: Collection[str] | None,
    ) -> None:
        self._targets, self._sources, self._mapped = targets, sources, mapped

    def condition(self, raw: RawCondition) -> LookupCondition:
        """Return one condition.

        Raises:
            CriteriaInvalidError: a value or a placeholder cannot be used.
        """
        if raw.operator in NO_VALUE:
            return LookupCondition(raw.field, raw.operator)
        if raw.operator in MANY:
            values = tuple(self._template(one, raw) for one in raw.values)
            return LookupCondition(raw.field, raw.operator, values=values)
        value = self._template(raw.value, raw)
        if raw.operator is not Operator.BETWEEN:
            return LookupCondition(raw.field, raw.operator, value)
        high = self._template(raw.high, raw, "highValue")
        return LookupCondition(raw.field, raw.operator, value, high=high)

    def _template(self, value: object, raw: RawCondition, key: str = "value") -> Template:
        if not isinstance(value, str) or _PLACEHOLDER.search(value) is None:
            return Template(fixed=read_value(value, raw.field, raw.index, key))
        pieces = _PLACEHOLDER.split(value)  # text, name, text, name, ..., text
        parts = tuple(
            self._placeholder(piece, raw.index) if place % 2 else piece
            for place, piece in enumerate(pieces)
            if piece
        )
        alone = parts[0] if len(parts) == 1 else None
        source = alone.field if isinstance(alone, Placeholder) else _TEXT
        if reason := can_convert(source, raw.field):
            hint = "Look up by a field of the same type."
            raise CriteriaInvalidError(reason, hint, raw.index)
        return Template(parts)

    def _placeholder(self, name: str, index: int) -> Placeholder:
        if name == INTERNAL_ID and name not in self._sources:
            return Placeholder(_ID_FIELD)
        if name in self._sources or name not in self._targets:
            return Placeholder(find_field(name, self._sources, index))
        if self._mapped is not None and name not in self._mapped:
            label = self._targets[name].label
            msg = (
                f"“{name}” ({label}) is a field of the target, and no row of the mapping fills it."
            )
            hint = "Map it, or name a field of the source."
            raise CriteriaInvalidError(msg, hint, index)
        return Placeholder(self._targets[name], is_mapped=True)


def _warnings(lookup: Lookup) -> Iterator[str]:
    exact = [one.target for one in lookup.conditions if one.operator is Operator.EQUALS]
    if not any(field.unique for field in exact):
        names = ", ".join(one.target.label for one in lookup.conditions)
        yield (
            f"The target does not keep {names} unique, so several records may be found; the rule "
            "for several decides then."
        )
    costly = [
        one
        for one in lookup.conditions
        if one.operator in (Operator.CONTAINS_TOKEN, Operator.NOT_CONTAINS_TOKEN)
        and any(isinstance(part, Placeholder) for each in one.templates for part in each.parts)
    ]
    if costly:
        yield (
            f"{costly[0].operator} with a value of the source asks the target once for each "
            "record. EQUALS asks for a hundred at a time."
        )


# --- Resolving ---------------------------------------------------------------------------------


def resolve(
    lookup: Lookup, source_values: Values, mapped_values: Values, source_id: str
) -> Criteria:
    """Return the criteria that find the counterpart of one source record.

    Raises:
        LookupEmptyError: the record has no value to look up by.
        RecordError: its value can be none of the target field's.
    """
    record = _Resolver(source_values, mapped_values, source_id)
    return tuple(record.condition(one) for one in lookup.conditions)


@dataclass(frozen=True, slots=True)
class _Resolver:
    """One source record, whose values take the placeholders' places."""

    source_values: Values
    mapped_values: Values
    source_id: str

    def condition(self, one: LookupCondition) -> Condition:
        return Condition(
            one.target.name,
            one.operator,
            None if one.value is None else self._fill(one.value, one.target),
            tuple(self._fill(each, one.target) for each in one.values),
            None if one.high is None else self._fill(one.high, one.target),
        )

    def _fill(self, template: Template, target: Field) -> Value:
        if not template.parts:
            return template.fixed
        first = template.parts[0]
        try:
            if len(template.parts) == 1 and isinstance(first, Placeholder):
                wanted = converter(first.field, target)(self._value(first))
            else:
                wanted = parse_value("".join(map(self._text, template.parts)), target)
        except ConversionError as error:
            raise _refused(template, error) from None
        if _is_empty(wanted):
            empty = next(one for one in template.parts if isinstance(one, Placeholder))
            raise LookupEmptyError(empty.field.name, empty.field.label)
        return wanted

    def _text(self, part: str | Placeholder) -> str:
        return part if isinstance(part, str) else as_text(self._value(part))

    def _value(self, one: Placeholder) -> Value:
        if one.field is _ID_FIELD:
            return self.source_id
        values = self.mapped_values if one.is_mapped else self.source_values
        value = values.get(one.field.name)
        if isinstance(value, str):
            value = value.strip()
        if _is_empty(value):
            raise LookupEmptyError(one.field.name, one.field.label)
        return value


def _is_empty(value: Value) -> bool:
    return value is None or value in ("", frozenset())


def _refused(template: Template, error: ConversionError) -> RecordError:
    field = next(one.field for one in template.parts if isinstance(one, Placeholder))
    return RecordError(
        f"{field.label} cannot be looked up: {error}",
        hint=f"Correct {field.label}, or change the target lookup of this flow.",
        category=Category.LOOKUP,
        faults=(FieldFault(field.name, str(error), "LOOKUP"),),
    )


def key(criteria: Criteria) -> str:
    """Return a short stable text for what is looked up; the same whatever the capitals."""
    parts = sorted(
        [one.field, one.operator.value, *map(_folded, (one.value, one.high, *one.values))]
        for one in criteria
    )
    text = json.dumps(parts, ensure_ascii=False)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def _folded(value: Value) -> str:
    if value is None:
        return ""
    return json.dumps(to_stored(value), sort_keys=True, ensure_ascii=False).casefold()


def describe(conditions: object) -> str:
    """Say in a few words what a stored lookup compares: ``email``, ``legacy_id = id``."""
    listed = conditions if isinstance(conditions, list) else []
    return " and ".join(_named(one) for one in listed if isinstance(one, Mapping))


def _named(one: Mapping[str, object]) -> str:
    field, value = str(one.get("field", "")), one.get("value")
    if one.get("condition") != Operator.EQUALS:
        return f"{field} …"
    found = _PLACEHOLDER.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return f"{field} = {value}"
    return field if found[1] == field else f"{field} = {found[1].replace(INTERNAL_ID, 'id')}"
