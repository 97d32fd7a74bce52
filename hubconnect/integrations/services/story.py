"""Tells what happened to a failed record: field by field from the source to the answer."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from hubconnect.connectors.base import Field, Option, ValueType
from hubconnect.connectors.errors import Category, ConnectorError
from hubconnect.core.wording import counted
from hubconnect.engine.values import Stored, as_text, from_stored, show
from hubconnect.integrations.models import Failure, Flow, Side
from hubconnect.mappings.models import Direction, FieldMapping
from hubconnect.systems.services import schema

_FORMS: Final = {
    ValueType.NUMBER: "a number, such as 1250.5",
    ValueType.BOOLEAN: "yes or no",
    ValueType.DATE: "a date, such as 2026-03-31",
    ValueType.DATETIME: "a date with a time",
    ValueType.OPTION: "one of its options",
    ValueType.OPTIONS: "several of its options",
    ValueType.USER: "the e-mail address of an active user",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A value as a person reads it, and as it is kept where that differs."""

    text: str
    internal: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One row of the mapping as it went this time.

    Attributes:
        source, target: label and internal name.
        says, sent: the values.
        rule: what the row does with the value.
        fault: what the system said about it, or "".
        accepts: options the target takes, for a field at fault.
        expects: the form of value it takes, for a field at fault.
        is_hidden_requirement: mandatory, though its description does not say so.
        is_preparable: a pair, a default or cutting would mend it.
        has_row: False for a field that was refused and that no row writes.
    """

    source: tuple[str, str]
    target: tuple[str, str]
    says: Shown
    sent: Shown
    is_sent: bool
    rule: str
    fault: str = ""
    accepts: tuple[Option, ...] = ()
    expects: str = ""
    is_hidden_requirement: bool = False
    is_preparable: bool = False
    has_row: bool = True


def path(failure: Failure) -> list[Step]:
    """Return the rows of the mapping that this record met, those at fault first.

    Labels come from the kept schema; when it cannot be read, internal names stand for them.
    """
    if failure.level == Failure.Level.FLOW:
        return []
    told = _Telling(failure)
    rows = [
        row
        for row in failure.flow.pair.mapping.rows.prefetch_related("value_map")
        if told.target_of(row) and row.direction in (Direction.BOTH, failure.flow.direction)
    ]
    steps = [told.step(row) for row in rows]
    steps += told.without_row({told.target_of(row) for row in rows})
    seen = [one for one in steps if one.is_sent or one.says.text or one.fault]
    return sorted(seen, key=lambda one: (not one.fault, not one.is_sent))


class _Telling:
    """What is known of one failure while its rows are told."""

    def __init__(self, failure: Failure) -> None:
        self.failure, self.flow = failure, failure.flow
        self.source = _fields(self.flow, is_source=True)
        self.target = _fields(self.flow, is_source=False)
        self.faults: dict[str, dict[str, Any]] = {}
        for fault in failure.faults:
            self.faults.setdefault(fault["field"], fault)

    def target_of(self, row: FieldMapping) -> str:
        return row.right_field if self.flow.is_to_right else row.left_field

    def step(self, row: FieldMapping) -> Step:
        """Return a row with the values it met."""
        from_name = row.left_field if self.flow.is_to_right else row.right_field
        to_name = self.target_of(row)
        from_field = self.source.get(from_name)
        step = Step(
            source=(from_field.label if from_field else from_name, from_name),
            target=self._named(to_name),
            says=_shown(self.failure.source_values.get(from_name), from_field),
            sent=_shown(self.failure.sent_values.get(to_name), self.target.get(to_name)),
            is_sent=to_name in self.failure.sent_values,
            rule=_rule(row, self.flow),
        )
        fault = self.faults.get(to_name) or self.faults.get(from_name)
        return self._with_fault(step, to_name, fault) if fault else step

    def without_row(self, written: set[str]) -> list[Step]:
        """Return the fields that were refused and that no row writes."""
        nothing = Shown("")
        return [
            self._with_fault(
                Step(("", ""), self._named(name), nothing, nothing, False, "No row", has_row=False),  # noqa: FBT003
                name,
                fault,
            )
            for name, fault in self.faults.items()
            if name not in written and (name in self.target or name not in self.source)
        ]

    def _named(self, name: str) -> tuple[str, str]:
        field = self.target.get(name)
        return (field.label if field else name, name)

    def _with_fault(self, step: Step, name: str, fault: Mapping[str, Any]) -> Step:
        field = self.target.get(name)
        accepts = _accepts(tuple(fault.get("accepted", ())), field)
        is_missing = not step.has_row or not step.says.text
        can_cut = self.failure.category == Category.TOO_LONG and bool(field and field.max_length)
        can_stand_in = self.failure.category == Category.CONVERSION
        return replace(
            step,
            fault=fault["message"],
            accepts=accepts,
            is_preparable=bool(accepts) or is_missing or can_cut or can_stand_in,
            expects=fault.get("expects") or _expects(field),
            is_hidden_requirement=bool(fault.get("is_hidden_requirement")),
        )


def _accepts(named: tuple[str, ...], field: Field | None) -> tuple[Option, ...]:
    """Return the options as the system named them, else as it describes its field."""
    known = field.options if field is not None else ()
    if not named:
        return tuple(option for option in known if not option.hidden)
    labels = {option.value: option.label for option in known}
    return tuple(Option(value, labels.get(value, value)) for value in named)


def _expects(field: Field | None) -> str:
    if field is None:
        return ""
    form = _FORMS.get(field.type, "")
    if field.max_length is not None:
        form = f"{form or 'a text'} of at most {field.max_length:,} characters"
    return form


def _fields(flow: Flow, *, is_source: bool) -> dict[str, Field]:
    try:
        if is_source:
            return schema.fields(flow.source_system, flow.source_type)
        return schema.fields(flow.target_system, flow.target_type)
    except (ConnectorError, LookupError):
        return {}


def _shown(stored: Stored, field: Field | None) -> Shown:
    value = from_stored(stored)
    text, internal = show(value, field), as_text(value)
    return Shown(text, internal if internal != text else "")


def _rule(row: FieldMapping, flow: Flow) -> str:
    default = row.default_right if flow.is_to_right else row.default_left
    pairs = len(row.value_map.all())
    parts = [f"Value map, {counted(pairs, 'pair')}"] if pairs else []
    if default:
        parts.append(f"default “{default}”")
    return ", ".join(parts) or "As it is"


def waiting(failure: Failure) -> list[str]:
    """Return which directions hold changes of this record back."""
    mapping, pair = failure.flow.pair.mapping, failure.flow.pair
    left, right = mapping.left_system, mapping.right_system
    if pair.is_swapped:
        left, right = right, left
    waits = {Side.LEFT: failure.waits_to_right, Side.RIGHT: failure.waits_to_left}
    names = {Side.LEFT: f"{left} → {right}", Side.RIGHT: f"{right} → {left}"}
    return [names[side] for side, is_waiting in waits.items() if is_waiting]
