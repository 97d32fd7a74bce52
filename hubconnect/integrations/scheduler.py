"""What is due now. Schedules are columns of integrations and flows; beat only ticks."""

from datetime import timedelta

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from hubconnect.integrations.models import Flow

# A message for a flow that still waits in the queue is not repeated before this time, nor while
# the lease of a worker that vanished with one still stands.
NUDGE_AGAIN_S = 30
# A next run further ahead than any schedule can ask for comes from a clock that jumped.
FURTHEST = timedelta(days=366 * 20)


def due_flows() -> QuerySet[Flow]:
    """Return the flows whose time has come and for which no message is under way."""
    now = timezone.now()
    again = now - timedelta(seconds=min(NUDGE_AGAIN_S, settings.LEASE_S))
    return Flow.objects.filter(
        Q(nudged_at=None) | Q(nudged_at__lt=again) | Q(nudged_at__gt=now),
        Q(next_run_at__lte=now) | Q(next_run_at__gt=now + FURTHEST),
        is_enabled=True,
        is_paused=False,
        pair__integration__is_active=True,
    ).order_by("next_run_at")


def mark_nudged(flow_ids: list[int]) -> None:
    """Note that a message was sent for these flows."""
    Flow.objects.filter(pk__in=flow_ids).update(nudged_at=timezone.now())
