"""Sync now: has both flows read a record afresh, and tells what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from hubconnect.core.models import User
from hubconnect.integrations.models import Decision, Flow, Link, QueuedRead, RecordEvent, Run, Side
from hubconnect.integrations.services import rereading
from hubconnect.integrations.services.finding_records import Place
from hubconnect.integrations.services.nudging import Nudge
from hubconnect.integrations.services.record_story import flows_of

# What a person's wish sets aside; a link that was given up is not made anew by a glance.
_PASSED_BY = (Decision.Kind.KNOWN, Decision.Kind.SKIPPED, Decision.Kind.DISMISSED)


class NotSyncedError(Exception):
    """Nothing can be read afresh now; the text says why and what to do."""


def sync_now(place: Place, actor: User) -> Nudge:
    """Queue a fresh read of the record, and of its counterpart, in the flows that read them.

    Decisions that leave an unlinked record alone are set aside: this is the wish of a person.

    Raises:
        NotSyncedError: no flow would read it.
    """
    return sync_all([place], actor)


def sync_all(places: Sequence[Place], actor: User) -> Nudge:
    """Queue fresh reads of several records of one pair, as ``sync_now`` does.

    Raises:
        NotSyncedError: no flow would read them.
    """
    flows = _usable(places[0])
    now, reason = timezone.now(), f"Sync now, by {actor}."
    rows = [
        QueuedRead(flow=flow, record_id=record_id, reason=reason[:255], due_at=now)
        for flow, record_id in _reads(places, flows)
    ]
    if not rows:
        msg = "Only the other direction is at work, and the record has no counterpart to be read."
        raise NotSyncedError(msg)
    ids = {flow.pk for flow in flows if any(row.flow_id == flow.pk for row in rows)}
    with transaction.atomic():
        for side in Side:
            Decision.objects.filter(
                type_pair=places[0].pair.type_pair_id,
                side=side,
                record_id__in=[one.record_id for one in places if one.stored_side == side],
                kind__in=_PASSED_BY,
            ).delete()
        rereading.ask(rows)
        Flow.objects.filter(pk__in=ids).update(next_run_at=now, nudged_at=None)
        nudge = Nudge.of(sorted(ids))
        transaction.on_commit(nudge.send)
    return nudge


def can_sync(place: Place) -> bool:
    """Tell whether a flow is at work that reads the record, or its counterpart."""
    try:
        return bool(_reads([place], _usable(place)))
    except NotSyncedError:
        return False


def _usable(place: Place) -> list[Flow]:
    integration = place.pair.integration
    if not integration.is_active:
        msg = f"{integration} is inactive. Activate it first."
        raise NotSyncedError(msg)
    flows = [one for one in flows_of(place) if one.is_enabled and not one.is_paused]
    if not flows:
        msg = "No direction of this pair is at work: they are off, or paused by the safety brake."
        raise NotSyncedError(msg)
    return flows


def _reads(places: Sequence[Place], flows: Sequence[Flow]) -> list[tuple[Flow, str]]:
    """Return which flow is to read which record: these, and the counterparts of linked ones."""
    other_ids: dict[tuple[Side, str], str] = {}
    for side in Side:
        ids = [one.record_id for one in places if one.stored_side == side]
        found = Link.objects.filter(
            type_pair=places[0].pair.type_pair_id, **{f"{side}_id__in": ids}
        ).values_list(f"{side}_id", f"{side.other}_id")
        other_ids |= {(side, own): other for own, other in found}
    reads: dict[tuple[int, str], tuple[Flow, str]] = {}
    for place in places:
        other_id = other_ids.get((place.stored_side, place.record_id), "")
        for flow in flows:
            record_id = place.record_id if flow.direction == place.direction else other_id
            if record_id:
                reads[flow.pk, record_id] = flow, record_id
    return list(reads.values())


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a wish to sync now is.

    Attributes:
        waits: reads that are still to come.
        running: a run that is at work, whose page shows more.
        events: what was decided since it was asked.
    """

    waits: int
    running: Run | None
    events: list[RecordEvent]

    @property
    def is_over(self) -> bool:
        """Tell whether everything was read."""
        return not self.waits


def progress(place: Place, since: datetime) -> Progress:
    """Return what became of a record since a moment."""
    reads = _reads([place], flows_of(place))
    waits, events, running = 0, [], None
    for flow, record_id in reads:
        waits += QueuedRead.objects.filter(flow=flow, record_id=record_id).count()
        events += list(
            RecordEvent.objects.filter(source_id=record_id, run__flow=flow, at__gte=since)
            .select_related("run")
            .order_by("-pk")[:10]
        )
        running = running or flow.runs.filter(state=Run.State.RUNNING).order_by("-pk").first()
    return Progress(waits, running, events)
