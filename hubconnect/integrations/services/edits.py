"""Values that a person wants sent for one failed record, in place of the mapped ones.

``Failure.edited_values`` is ``{"values": {target field: stored}, "for": hash}``. The hash is of the
mapped source values that the person saw: once these change the edit is not sent, and is asked anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.db import transaction
from django.utils import timezone

from hubconnect.connectors.base import Field, Value
from hubconnect.connectors.errors import ConnectorError, RecordError
from hubconnect.core.models import User
from hubconnect.engine.mapping import (
    Direction,
    FieldFlow,
    MappingBrokenError,
    build_flow,
)
from hubconnect.engine.plan import values_hash
from hubconnect.engine.values import as_text, from_stored, restore_all, show, store_all, to_stored
from hubconnect.integrations.models import Failure
from hubconnect.integrations.services import failures
from hubconnect.integrations.services.flowspec import rules_of
from hubconnect.integrations.services.nudging import Nudge
from hubconnect.systems.services import schema

_LONGEST_SHOWN: Final = 80


class EditRefusedError(Exception):
    """The edit cannot be taken; the text says why."""


@dataclass(frozen=True, slots=True)
class Line:
    """One target field of the form.

    Attributes:
        source: what the source calls its field, and its value as text; "" without a row.
        mapped: what the mapping makes of it.
        is_unmapped: the mapping cannot make anything of it.
        value: what stands in the form first: the edit, else what is sent.
        fault: what the target said about it.
    """

    field: Field
    source: tuple[str, str]
    mapped: Value
    value: Value
    fault: str = ""
    is_unmapped: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """The form's lines; ``seen`` tells the source values they were made of from later ones."""

    lines: tuple[Line, ...]
    seen: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Edited:
    """What was stored: the change in words, and the runs it asked for."""

    words: str
    nudge: Nudge


@dataclass(frozen=True, slots=True)
class Shown:
    """An edit as the failure's page shows it; outdated: the source changed since."""

    lines: tuple[tuple[str, str], ...]
    is_outdated: bool


def can_edit(failure: Failure) -> bool:
    """Tell whether a person may say what is sent for it."""
    is_open = failure.state == Failure.State.OPEN and failure.level == Failure.Level.RECORD
    return is_open and not failure.child and bool(failure.source_values)


def seen(failure: Failure) -> str:
    """Return the hash of the mapped source values a failure is about, as ``source_hash`` does."""
    names = failures.mapped_fields(failure.flow)
    values = {name: failure.source_values.get(name) for name in names}
    return values_hash(restore_all(values))


def draft(failure: Failure) -> Draft:
    """Return the form for a failure, from the mapping and the kept schema of the target."""
    flow, now = failure.flow, seen(failure)
    try:
        sources = schema.fields(flow.source_system, flow.source_type)
        targets = schema.fields(flow.target_system, flow.target_type)
        left, right = (sources, targets) if flow.is_to_right else (targets, sources)
        rows = build_flow(rules_of(flow.pair.mapping), left, right, Direction(flow.direction))
    except ConnectorError as error:
        return Draft((), now, error.message)
    except LookupError:
        return Draft((), now, f"{flow.target_system} cannot be asked for its fields now.")
    except MappingBrokenError as error:
        return Draft((), now, f"The mapping names {error.field}, which is not there any more.")
    faults = {one["field"]: one["message"] for one in reversed(failure.faults)}
    lines = [_line(failure, row, faults.get(row.target.name, "")) for row in rows]
    written = {line.field.name for line in lines}
    lines += [
        Line(targets[name], ("", ""), None, _kept(failure, name, None), message)
        for name, message in faults.items()
        if name in targets and name not in written
    ]
    return Draft(tuple(sorted(lines, key=lambda line: not line.fault)), now)


def _line(failure: Failure, row: FieldFlow, fault: str) -> Line:
    name = row.source.name if row.source is not None else ""
    value = from_stored(failure.source_values.get(name)) if name else None
    mapped, is_unmapped = None, False
    try:
        mapped = row.convert(value)
    except RecordError:
        is_unmapped = True
    label = row.source.label if row.source is not None else ""
    return Line(
        field=row.target,
        source=(label, show(value, row.source)),
        mapped=mapped,
        value=_kept(failure, row.target.name, as_text(value) if is_unmapped else mapped),
        fault=fault,
        is_unmapped=is_unmapped,
    )


def _kept(failure: Failure, name: str, mapped: Value) -> Value:
    """Return the edit of a field, else what was sent, else what the mapping makes."""
    edited = (failure.edited_values or {}).get("values", {})
    if name in edited:
        return from_stored(edited[name])
    if name in failure.sent_values:
        return from_stored(failure.sent_values[name])
    return mapped


@transaction.atomic
def save(
    failure: Failure, draft: Draft, values: Mapping[str, Value], made_for: str, actor: User
) -> Edited:
    """Store what is to be sent and have it tried at once.

    Raises:
        EditRefusedError: nothing differs from the mapping, or the source changed meanwhile.
    """
    row = Failure.objects.select_for_update().get(pk=failure.pk)
    if row.state != Failure.State.OPEN:
        raise EditRefusedError(_CLOSED)
    if seen(row) != made_for:
        msg = f"{failure.flow.source_system} changed the record since. Look at its values of now."
        raise EditRefusedError(msg)
    changed = {
        line.field.name: values[line.field.name]
        for line in draft.lines
        if line.field.name in values and _differs(line, values[line.field.name])
    }
    if not changed:
        raise EditRefusedError(_SAME)
    row.edited_values = {"values": store_all(changed), "for": made_for}
    row.edited_by, row.edited_at = actor, timezone.now()
    row.save(update_fields=["edited_values", "edited_by", "edited_at"])
    return Edited(_in_words(draft, changed), failures.retry(row, actor))


def _differs(line: Line, value: Value) -> bool:
    return line.is_unmapped or to_stored(value) != to_stored(line.mapped)


_CLOSED: Final = "This failure is closed already; nothing is sent for it."
_SAME: Final = "Nothing differs from what the mapping sends. Change a value, or press Retry."


def _in_words(draft: Draft, changed: Mapping[str, Value]) -> str:
    parts = [
        f"{line.field.label}: “{_short(line.mapped, line.field)}” → "
        f"“{_short(changed[line.field.name], line.field)}”"
        for line in draft.lines
        if line.field.name in changed
    ]
    return "; ".join(parts)


def _short(value: Value, of: Field | None) -> str:
    text = show(value, of)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def shown(failure: Failure) -> Shown | None:
    """Return the edit of a failure for its page, or None."""
    edit = failure.edited_values
    if not edit:
        return None
    try:
        fields = schema.fields(failure.flow.target_system, failure.flow.target_type)
    except (ConnectorError, LookupError):
        fields = {}
    lines = []
    for name, stored in edit["values"].items():
        of = fields.get(name)
        lines.append((of.label if of is not None else name, _short(from_stored(stored), of)))
    is_open = failure.state == Failure.State.OPEN
    return Shown(tuple(lines), is_open and edit["for"] != seen(failure))
