"""Closes failures, and has the directions that waited behind them read the record afresh."""

from datetime import datetime

from hubconnect.core.models import User
from hubconnect.integrations.models import Failure, Flow, QueuedRead, Side
from hubconnect.mappings.models import Direction


def close(
    failure: Failure, state: Failure.State, now: datetime, *, actor: User | None = None
) -> None:
    """Mark a failure healed or dismissed and queue what waited for it."""
    failure.state = state
    failure.closed_at = now
    failure.closed_by = actor
    failure.next_try_at = None
    waits = {Side.LEFT: failure.waits_to_right, Side.RIGHT: failure.waits_to_left}
    failure.waits_to_right = failure.waits_to_left = False
    failure.save()
    is_about_both = failure.child == Failure.IN_CONFLICT
    for source, is_waiting in waits.items():
        if is_waiting or is_about_both:
            record_id = failure.record_id if failure.side == source else failure.target_id
            _queue(failure, source, record_id, now)


def _queue(failure: Failure, source: Side, record_id: str, now: datetime) -> None:
    """Queue the record in the flow of the same pair that reads from this side."""
    pair = failure.flow.pair
    is_left = (source == Side.LEFT) != pair.is_swapped
    flow = Flow.objects.filter(
        pair=pair, direction=Direction.TO_RIGHT if is_left else Direction.TO_LEFT, is_enabled=True
    ).first()
    if flow is not None and record_id:
        QueuedRead.objects.get_or_create(
            flow=flow,
            record_id=record_id,
            defaults={"reason": "It waited behind a failure.", "due_at": now},
        )
