"""What is due now. Schedules are columns of integrations and flows; beat only ticks."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from hubconnect.integrations.models import Flow, Reconciliation, Slice, WideWindow
from hubconnect.integrations.services import lease, wide_windows

# A message for a flow that still waits in the queue is not repeated before this time, nor while
# the lease of a worker that vanished with one still stands.
NUDGE_AGAIN_S = 30
# A next run further ahead than any schedule can ask for comes from a clock that jumped.
FURTHEST = timedelta(days=366 * 20)


def due_flows() -> QuerySet[Flow]:
    """Return the flows whose time has come and for which no message is under way.

    Flows over object types that are being loaded in slices wait; the load's own flow is due when
    its slices are done.
    """
    now = timezone.now()
    return Flow.objects.filter(
        _not_nudged(now),
        Q(next_run_at__lte=now) | Q(next_run_at__gt=now + FURTHEST),
        ~lease.waits_for_slices(),
        is_enabled=True,
        is_paused=False,
        pair__integration__is_active=True,
    ).order_by("next_run_at")


def due_slices() -> QuerySet[Slice]:
    """Return the slices that nobody works on and for which no message is under way."""
    now = timezone.now()
    found = Slice.objects.filter(_not_nudged(now), lease.is_free(now), next_turn_at__lte=now)
    return lease.at_work(found).order_by("pk")


def due_looks_back() -> QuerySet[WideWindow]:
    """Return the looks back whose time has come and for which no message is under way.

    Flows that began to run since the last time are given theirs first.
    """
    wide_windows.plan_missing()
    off = [kind for kind in WideWindow.Kind if not wide_windows.span(kind)]
    now = timezone.now()
    return (
        WideWindow.objects.filter(
            _not_nudged(now),
            next_at__lte=now,
            flow__phase=Flow.Phase.RUNNING,
            flow__is_enabled=True,
            flow__is_paused=False,
            flow__pair__integration__is_active=True,
        )
        .exclude(kind__in=off)
        .order_by("next_at")
    )


def due_reconciliations() -> QuerySet[Reconciliation]:
    """Return the comparisons that nobody works on and for which no message is under way."""
    now = timezone.now()
    return Reconciliation.objects.filter(
        _not_nudged(now),
        Q(state=Reconciliation.State.WORKING) | Q(has_asked=True),
        lease.is_free(now),
        next_turn_at__lte=now,
    ).order_by("pk")


def _not_nudged(now: datetime) -> Q:
    again = now - timedelta(seconds=min(NUDGE_AGAIN_S, settings.LEASE_S))
    return Q(nudged_at=None) | Q(nudged_at__lt=again) | Q(nudged_at__gt=now)


def mark_nudged(
    rows: Sequence[Flow] | Sequence[Slice] | Sequence[WideWindow] | Sequence[Reconciliation],
) -> list[int]:
    """Note that a message is sent for each of these; return their keys."""
    keys = [row.pk for row in rows]
    if rows:
        type(rows[0])._default_manager.filter(pk__in=keys).update(nudged_at=timezone.now())
    return keys
