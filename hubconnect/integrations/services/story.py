"""Tells what happened to a failed record: field by field from the source to the answer."""

from dataclasses import dataclass

from hubconnect.connectors.base import Field
from hubconnect.connectors.errors import ConnectorError
from hubconnect.engine.values import from_stored, show
from hubconnect.integrations.models import Failure, Flow, Side
from hubconnect.mappings.models import FieldMapping
from hubconnect.systems.services import schema


@dataclass(frozen=True, slots=True)
class Step:
    """One row of the mapping as it went this time.

    Attributes:
        source, target: label and internal name.
        says, sent: the values as text.
        rule: what the row does with the value.
        fault: what the system said about it, or "".
    """

    source: tuple[str, str]
    target: tuple[str, str]
    says: str
    sent: str
    is_sent: bool
    rule: str
    fault: str


def path(failure: Failure) -> list[Step]:
    """Return the rows of the mapping that this record met, those at fault first.

    Labels come from the kept schema; when it cannot be read, internal names stand for them.
    """
    flow = failure.flow
    if failure.level == Failure.Level.FLOW:
        return []
    source = _fields(flow, is_source=True)
    target = _fields(flow, is_source=False)
    faults = {one["field"]: one["message"] for one in failure.faults}
    steps = [
        _step(row, flow, failure, source, target, faults)
        for row in flow.pair.mapping.rows.prefetch_related("value_map")
        if _name(row, flow, is_source=False)
    ]
    told = [one for one in steps if one.is_sent or one.says or one.fault]
    return sorted(told, key=lambda one: (not one.fault, not one.is_sent))


def _fields(flow: Flow, *, is_source: bool) -> dict[str, Field]:
    try:
        if is_source:
            return schema.fields(flow.source_system, flow.source_type)
        return schema.fields(flow.target_system, flow.target_type)
    except (ConnectorError, LookupError):
        return {}


def _name(row: FieldMapping, flow: Flow, *, is_source: bool) -> str:
    return row.left_field if flow.is_to_right == is_source else row.right_field


def _step(
    row: FieldMapping,
    flow: Flow,
    failure: Failure,
    source: dict[str, Field],
    target: dict[str, Field],
    faults: dict[str, str],
) -> Step:
    from_name = _name(row, flow, is_source=True)
    to_name = _name(row, flow, is_source=False)
    from_field, to_field = source.get(from_name), target.get(to_name)
    said = from_stored(failure.source_values.get(from_name))
    sent = from_stored(failure.sent_values.get(to_name))
    return Step(
        source=(from_field.label if from_field else from_name, from_name),
        target=(to_field.label if to_field else to_name, to_name),
        says=show(said, from_field),
        sent=show(sent, to_field),
        is_sent=to_name in failure.sent_values,
        rule=_rule(row, flow),
        fault=faults.get(to_name) or faults.get(from_name, ""),
    )


def _rule(row: FieldMapping, flow: Flow) -> str:
    default = row.default_right if flow.is_to_right else row.default_left
    pairs = len(row.value_map.all())
    parts = [f"Value map, {pairs} pairs"] if pairs else []
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
