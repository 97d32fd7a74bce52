"""Which flows stand still now, since when and why: what people are told about."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from hubconnect.integrations.models import Failure, Flow, Slice
from hubconnect.integrations.services import lease

# A flow that no worker has taken for so long stands still too.
OVERDUE = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a flow stands still, since when, and what to do."""

    flow: Flow
    reason: str
    hint: str
    since: datetime


def watched_flows() -> QuerySet[Flow]:
    """Return the flows that should be at work."""
    return Flow.objects.filter(is_enabled=True, pair__integration__is_active=True).select_related(
        "pair__integration", "pair__mapping__left_system", "pair__mapping__right_system"
    )


def current_troubles() -> dict[int, Trouble]:
    """Return by flow why it stands still. A flow's own failure tells more than its system's state.

    Three queries, however many flows there are.
    """
    now = timezone.now()
    failures = {
        failure.flow_id: failure
        for failure in Failure.objects.filter(
            level=Failure.Level.FLOW, state=Failure.State.OPEN
        ).only("flow_id", "message", "hint", "first_at")
    }
    found = {}
    waiting = _wait_for_loads(now)
    for flow in watched_flows():
        if flow.pk in waiting:
            flow.next_run_at = None  # workers are at its load, or at one that it waits for
        trouble = _trouble(flow, failures.get(flow.pk), now)
        if trouble is not None:
            found[flow.pk] = trouble
    return found


def _wait_for_loads(now: datetime) -> set[int]:
    """Return the flows that wait for a load in slices at which workers are."""
    late = now - OVERDUE
    at_work = lease.at_work(
        Slice.objects.filter(Q(leased_until__gt=late) | Q(next_turn_at__gt=late))
    )
    flows = Flow.objects.filter(
        lease.waits_for_slices(), pair__type_pair__loading_run__in=at_work.values("run")
    )
    return set(flows.values_list("pk", flat=True))


def _trouble(flow: Flow, failure: Failure | None, now: datetime) -> Trouble | None:
    if failure is not None:
        return Trouble(flow, failure.message, failure.hint, failure.first_at)
    for system in (flow.source_system, flow.target_system):
        if system.needs_person:
            reason, since = f"{system}: {system.state_reason}", system.checked_at or now
            return Trouble(flow, reason, "Open the system and follow what it says.", since)
    due = flow.next_run_at
    if due is not None and due < now - OVERDUE and not flow.is_paused:
        reason = "It is due, but no worker has taken it."
        return Trouble(flow, reason, "See whether a worker runs, and whether it is busy.", due)
    return None
