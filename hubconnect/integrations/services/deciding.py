"""What a person decides about fields in conflict: which side's value holds.

A choice is about the values the person saw. It is carried out by the flow that reads from the
chosen side; if either value changed until then, the flow asks again instead of writing.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from hubconnect.connectors.base import Field
from hubconnect.connectors.errors import Category, ConnectorError
from hubconnect.core.models import User
from hubconnect.engine.values import Stored, from_stored, show
from hubconnect.integrations.models import Failure, Flow, Link, QueuedRead, Side
from hubconnect.integrations.services import parts, rereading
from hubconnect.integrations.services.closing import close
from hubconnect.integrations.services.conflicts import End, Entry
from hubconnect.integrations.services.nudging import Nudge
from hubconnect.integrations.services.parts import Acted, Part, PartRefusedError
from hubconnect.systems.models import System
from hubconnect.systems.services import schema

REASON = "A person decided about fields in conflict."


@dataclass(frozen=True, slots=True)
class ShownEnd:
    """One side of a field in conflict as a person sees it."""

    side: str
    system: System
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class ShownConflict:
    """One field in conflict as a person sees it.

    Attributes:
        name: of the choice in the form.
        agreed: what both last agreed on, or None where nothing was.
        choice: the side chosen already, which waits for its flow, or "".
    """

    name: str
    label: str
    ends: tuple[ShownEnd, ShownEnd]
    agreed: str | None
    choice: str

    @property
    def chosen(self) -> System | None:
        """Return the system whose value was chosen."""
        return next((end.system for end in self.ends if end.side == self.choice), None)


@dataclass(frozen=True, slots=True)
class ShownConflicts:
    """All fields in conflict of one failure; ``seen`` tells these values from later ones."""

    seen: str
    fields: tuple[ShownConflict, ...]

    @property
    def is_decided(self) -> bool:
        """Tell whether every field waits only for its flow."""
        return all(one.choice for one in self.fields)


def shown(failure: Failure) -> ShownConflicts | None:
    """Return what a person is to decide about, or None for a failure of another kind."""
    entries: list[Entry] = failure.conflicts
    if failure.child != Failure.IN_CONFLICT or not entries:
        return None
    systems = _systems(failure)
    fields = {side: _fields(failure, side) for side in Side}
    return ShownConflicts(
        seen=_digest(entries),
        fields=tuple(_shown(at, entry, systems, fields) for at, entry in enumerate(entries)),
    )


def _shown(
    at: int,
    entry: Entry,
    systems: Mapping[Side, System],
    fields: Mapping[Side, Mapping[str, Field]],
) -> ShownConflict:
    ends = []
    for side in Side:
        end = end_of(entry, side)
        value, note = end["value"], ""
        if entry.get("overwritten") == side:
            value, note = entry.get("lost"), "overwritten"
        text = _text(value, fields[side].get(end["field"]))
        ends.append(ShownEnd(side.value, systems[side], text, note))
    left, right = (end_of(entry, side) for side in Side)
    agreed = None
    if entry["has_base"]:
        of_left = _text(left["base"], fields[Side.LEFT].get(left["field"]))
        of_right = _text(right["base"], fields[Side.RIGHT].get(right["field"]))
        agreed = of_left if of_left == of_right or not of_right else f"{of_left} · {of_right}"
    is_same = left["label"].casefold() == right["label"].casefold()
    return ShownConflict(
        name=f"field-{at}",
        label=left["label"] if is_same else f"{left['label']} ↔ {right['label']}",
        ends=(ends[0], ends[1]),
        agreed=agreed,
        choice=entry.get("choice", ""),
    )


def _text(stored: Stored, field: Field | None) -> str:
    return show(from_stored(stored), field)


def end_of(entry: Entry, side: Side) -> End:
    """Return one side of a field in conflict."""
    return entry["left"] if side is Side.LEFT else entry["right"]


def _systems(failure: Failure) -> dict[Side, System]:
    flow = failure.flow
    return {flow.source_side: flow.source_system, flow.source_side.other: flow.target_system}


def _fields(failure: Failure, side: Side) -> Mapping[str, Field]:
    """Return the fields of one side as last known; none where they cannot be had."""
    flow = failure.flow
    is_source = side == flow.source_side
    system = flow.source_system if is_source else flow.target_system
    try:
        return schema.fields(system, flow.source_type if is_source else flow.target_type)
    except (ConnectorError, LookupError):
        return {}


def _digest(entries: list[Entry]) -> str:
    text = json.dumps(entries, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@transaction.atomic
def decide(failure: Failure, posted: Mapping[str, str], actor: User) -> Acted:
    """Take a person's choices by field (``field-0``: ``left`` or ``right``); carry them out soon.

    ``seen`` tells which values they are about.

    Raises:
        PartRefusedError: nothing was chosen, or the values are others than the person saw.
    """
    row = Failure.objects.select_for_update().get(pk=failure.pk)
    if row.state != Failure.State.OPEN or row.child != Failure.IN_CONFLICT:
        msg = "This conflict is closed already: nothing is left to decide."
        raise PartRefusedError(msg)
    entries: list[Entry] = row.conflicts
    if _digest(entries) != posted.get("seen", ""):
        msg = "A value changed since this page was shown. Look at the values of now, then choose."
        raise PartRefusedError(msg)
    taken = {at: posted.get(f"field-{at}", "") for at in range(len(entries))}
    taken = {at: side for at, side in taken.items() if side in set(Side.values)}
    if not taken:
        msg = "Choose a value for at least one field."
        raise PartRefusedError(msg)
    for at, side in taken.items():
        entries[at]["choice"] = side
    # What was written over somebody's value stands there already.
    left = [one for one in entries if not _stands_already(one)]
    if not left:
        close(row, Failure.State.HEALED, timezone.now(), actor=actor)
        return Acted("What was written stays.")
    row.conflicts = left
    row.save(update_fields=["conflicts"])
    nudge = _carry_out(row, {_side_read(one) for one in left if "choice" in one})
    integration = row.flow.pair.integration
    if not integration.is_active:
        return Acted(f"Your choice is kept until {integration} is active again.", nudge)
    return Acted("Your choice is carried out with the next run.", nudge)


def _stands_already(entry: Entry) -> bool:
    return "overwritten" in entry and entry.get("choice", "") not in ("", entry["overwritten"])


def _side_read(entry: Entry) -> Side:
    """Return the side whose flow carries a choice out: to put a value back, it writes there."""
    side = Side(entry["choice"])
    return side.other if "overwritten" in entry else side


def _carry_out(failure: Failure, sides: set[Side]) -> Nudge:
    """Have the flows that read from the chosen sides look at the record at once.

    Where the flow from a side is off, the other one notes the choice.
    """
    now = timezone.now()
    by_side = {flow.source_side: flow for flow in _flows(failure)}
    flows: list[Flow] = []
    for side in sides:
        flow = by_side.get(side) or by_side.get(side.other)
        if flow is not None:
            flows.append(flow)
            QueuedRead.objects.update_or_create(
                flow=flow,
                record_id=record_on(failure, flow.source_side),
                defaults={"reason": REASON, "due_at": now},
            )
    ids = [flow.pk for flow in flows]
    Flow.objects.filter(pk__in=ids, pair__integration__is_active=True).update(
        next_run_at=now, nudged_at=None
    )
    nudge = Nudge.of(sorted(ids))
    transaction.on_commit(nudge.send)
    return nudge


def _flows(failure: Failure) -> list[Flow]:
    flows = Flow.objects.filter(pair=failure.flow.pair_id, is_enabled=True)
    return list(flows.select_related("pair__mapping"))


def record_on(failure: Failure, side: Side) -> str:
    """Return the id of the failed record, or of its counterpart, on one side."""
    return failure.record_id if failure.side == side else failure.target_id


def look_again(failures: Iterable[Failure]) -> None:
    """Have both flows read these records afresh, whatever was chosen; called in a transaction."""
    rows = list(failures)
    pairs = {failure.flow.pair_id for failure in rows}
    flows = Flow.objects.filter(pair__in=pairs, is_enabled=True).select_related("pair__mapping")
    by_pair: dict[int, list[Flow]] = {}
    for flow in flows:
        by_pair.setdefault(flow.pair_id, []).append(flow)
    now, reason = timezone.now(), "A person asked to look again."
    reads = [
        QueuedRead(
            flow=flow,
            record_id=record_on(failure, flow.source_side),
            reason=reason,
            due_at=now,
        )
        for failure in rows
        for flow in by_pair.get(failure.flow.pair_id, [])
    ]
    rereading.ask(reads)


def let_go(failure: Failure) -> None:
    """Leave both sides as they are: what they hold now counts as agreed on.

    Called in a transaction. The difference stays until one side changes.
    """
    link = (
        Link.objects.select_for_update(no_key=True)
        .filter(type_pair_id=failure.type_pair_id, **{f"{failure.side}_id": failure.record_id})
        .first()
    )
    if link is None:
        return
    entries: list[Entry] = failure.conflicts
    for side in Side:
        base, version = getattr(link, f"{side}_base"), getattr(link, f"{side}_version")
        for entry in entries:
            if "overwritten" not in entry:
                end = end_of(entry, side)
                base[end["field"]] = [end["value"], version]
    link.save(update_fields=["left_base", "right_base", "updated_at"])


def register() -> None:
    """Offer the choice on the pages of conflicts."""
    template = "integrations/failure_parts/conflict.html"
    parts.register(Part("conflict", template, shown, decide), Category.CONFLICT)
