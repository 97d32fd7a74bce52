"""Closes failures, and has the directions that waited behind them read the record afresh."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from django.db import transaction

from hubconnect.connectors.errors import Category
from hubconnect.core.models import User
from hubconnect.engine.plan import LinkState
from hubconnect.integrations.models import Failure, Flow, FollowUp, Link, QueuedRead, Side
from hubconnect.integrations.services import rereading
from hubconnect.integrations.services.session import Session

_BATCH: Final = 500
_REASON: Final = "It waited behind a failure."
_WAITS: Final = {Side.LEFT: "waits_to_right", Side.RIGHT: "waits_to_left"}
_READ: Final = (
    "flow_id",
    "type_pair_id",
    "side",
    "record_id",
    "target_id",
    "child",
    "category",
    "candidates",
    "waits_to_right",
    "waits_to_left",
)


def close(
    failure: Failure, state: Failure.State, now: datetime, *, actor: User | None = None
) -> None:
    """Mark one failure healed or dismissed and queue what waited for it."""
    close_all([failure.pk], state, now, actor=actor)


@transaction.atomic
def close_all(
    ids: Sequence[int],
    state: Failure.State,
    now: datetime,
    *,
    actor: User | None = None,
    hint: str = "",
) -> int:
    """Mark failures healed or dismissed and queue what waited for them.

    What somebody else closed meanwhile is left as it is.

    Returns:
        How many were closed.
    """
    closed = 0
    for start in range(0, len(ids), _BATCH):
        some = Failure.objects.filter(pk__in=ids[start : start + _BATCH], state=Failure.State.OPEN)
        rows = list(some.select_for_update().order_by("pk").only(*_READ))
        if not rows:
            continue
        changes: dict[str, object] = {"hint": hint} if hint else {}
        Failure.objects.filter(pk__in=[row.pk for row in rows]).update(
            state=state,
            closed_at=now,
            closed_by=actor,
            next_try_at=None,
            waits_to_right=False,
            waits_to_left=False,
            **changes,
        )
        _let_go_on(rows, now)
        closed += len(rows)
    return closed


@transaction.atomic
def release(flow_ids: Iterable[int], now: datetime) -> None:
    """Let go on what waits behind flows whose integration stops: they mend nothing meanwhile.

    Before one of them is switched off or deleted it stops, so that nothing is left waiting.
    """
    held = Failure.objects.filter(flow_id__in=list(flow_ids), state=Failure.State.OPEN)
    for name in _WAITS.values():
        while rows := list(held.filter(**{name: True}).order_by("pk").only(*_READ)[:_BATCH]):
            _let_go_on(rows, now)
            Failure.objects.filter(pk__in=[row.pk for row in rows]).update(
                waits_to_right=False, waits_to_left=False
            )


def try_soon(session: Session, links: Iterable[LinkState], now: datetime) -> None:
    """Try what failed about records that were linked from the other side a moment ago.

    Its counterpart exists now: mostly there is nothing left to do, and nothing must wait for it.
    """
    made = [link.target_id for link in links if link.pk == 0]
    if made:
        Failure.objects.filter(
            type_pair_id=session.lease.type_pair_id,
            state=Failure.State.OPEN,
            side=session.flow.source_side.other,
            record_id__in=made,
            level=Failure.Level.RECORD,
            child="",
        ).update(next_try_at=now)


def free_candidates(rows: Sequence[Failure], now: datetime) -> None:
    """Have those read afresh that a lost reply may be about, and that waited for a person."""
    _free_comments(rows, now)
    lost = [row for row in rows if row.category == Category.UNKNOWN_OUTCOME and not row.child]
    held = [row for row in lost if row.candidates and row.side]
    flows = _flows(held)
    rereading.ask(
        QueuedRead(flow_id=flow_id, record_id=one["id"], reason=_REASON, due_at=now)
        for row in held
        for one in row.candidates or ()
        for flow_id in flows[row.type_pair_id, Side(row.side).other]
    )


def _free_comments(rows: Sequence[Failure], now: datetime) -> None:
    kind = FollowUp.Kind.COMMENTS
    lost = [row for row in rows if row.category == Category.UNKNOWN_OUTCOME and row.side]
    held = [row for row in lost if row.child.startswith(f"{kind} ") and row.target_id]
    flows = _flows(held)
    looks = {
        (flow_id, row.target_id)
        for row in held
        for flow_id in flows[row.type_pair_id, Side(row.side).other]
    }
    FollowUp.objects.bulk_create(
        [
            FollowUp(flow_id=flow_id, record_id=record_id, kind=kind, due_at=now)
            for flow_id, record_id in sorted(looks)
        ],
        update_conflicts=True,
        unique_fields=["flow", "record_id", "kind", "waits_type", "waits_id"],
        update_fields=["due_at"],
    )


def _let_go_on(rows: Sequence[Failure], now: datetime) -> None:
    """Queue the records in each flow that reads from a side that waited, once."""
    free_candidates(rows, now)
    waiting = [row for row in rows if row.waits_to_right or row.waits_to_left or _is_of_both(row)]
    if not waiting:
        return
    flows = _flows(waiting)
    counterparts = _counterparts(waiting)
    reads = []
    for row in waiting:
        for side, name in _WAITS.items():
            if not (getattr(row, name) or _is_of_both(row)):
                continue
            record_id = row.record_id if row.side == side else counterparts[row.pk]
            reads += [
                QueuedRead(flow_id=flow_id, record_id=record_id, reason=_REASON, due_at=now)
                for flow_id in flows[row.type_pair_id, side]
                if record_id and (flow_id != row.flow_id or _is_of_both(row))
            ]
    rereading.ask(reads)


def _is_of_both(row: Failure) -> bool:
    """Tell whether it is about fields that both sides changed: each flow reads them afresh."""
    return row.child == Failure.IN_CONFLICT


def _flows(rows: Sequence[Failure]) -> dict[tuple[int | None, Side], list[int]]:
    """Return the flows that are switched on, of any integration, by type pair and side read."""
    if not rows:
        return defaultdict(list)
    found = Flow.objects.filter(
        pair__type_pair_id__in={row.type_pair_id for row in rows}, is_enabled=True
    ).select_related("pair")
    flows: dict[tuple[int | None, Side], list[int]] = defaultdict(list)
    for flow in found:
        flows[flow.pair.type_pair_id, flow.source_side].append(flow.pk)
    return flows


def _counterparts(rows: Iterable[Failure]) -> dict[int, str]:
    """Return the counterpart's id of each failed record; it may have been linked since."""
    known: dict[tuple[int | None, str, str], str] = {}
    asked: dict[tuple[int | None, str], list[str]] = defaultdict(list)
    for row in rows:
        asked[row.type_pair_id, row.side].append(row.record_id)
    for (type_pair_id, side), ids in asked.items():
        if type_pair_id is None or not side:
            continue
        other = Side(side).other
        found = Link.objects.filter(type_pair_id=type_pair_id, **{f"{side}_id__in": ids})
        for own_id, other_id in found.values_list(f"{side}_id", f"{other}_id"):
            known[type_pair_id, side, own_id] = other_id
    return {
        row.pk: known.get((row.type_pair_id, row.side, row.record_id), row.target_id)
        for row in rows
    }
