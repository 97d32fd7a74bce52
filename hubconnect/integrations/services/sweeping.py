"""Looks at what hangs on all linked records, now and then: some changes move no date.

A note that is linked with another record later stays as old as it was, and so does the record.
The sweep asks by ascending link, a bounded number of them a run, and goes on in the next run.
"""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from hubconnect.connectors.base import Window
from hubconnect.integrations.models import FollowUp, Link
from hubconnect.integrations.services import follow_ups
from hubconnect.integrations.services.carriers import comment_window, files
from hubconnect.integrations.services.carrying import CARRIERS
from hubconnect.integrations.services.lease import renew
from hubconnect.integrations.services.session import Session
from hubconnect.integrations.stores import link_state

# Links looked at in one run: ordinary changes go on meanwhile.
BATCHES = 5
# How far back edits of comments are read once more.
REACH = timedelta(hours=2)
KINDS = (FollowUp.Kind.ASSOCIATIONS, FollowUp.Kind.COMMENTS, FollowUp.Kind.FILES)


def sweep(session: Session) -> None:
    """Begin a sweep if one is due, or go on with the one that is under way.

    Raises:
        ConnectorError: a system stopped the work; the sweep goes on from its last batch.
        LeaseLostError: another worker took over.
    """
    flow, now = session.flow, timezone.now()
    kinds = [kind for kind in follow_ups.kinds_of(session) if kind in KINDS]
    if not kinds:
        return
    every = timedelta(seconds=settings.SWEEP_EVERY_S)
    if flow.next_sweep_at is None:
        # All that is linked until now was just looked at.
        flow.next_sweep_at = now + every
        flow.save(update_fields=["next_sweep_at"])
        return
    if not flow.sweep_after:
        if flow.next_sweep_at > now:
            return
        comment_window.reach_back(session, REACH)
        upper = session.source.now()
        files.look_at_changed(session, Window(upper - every - REACH, upper), again=True)
        flow.next_sweep_at = now + every
    for _ in range(BATCHES):
        if not _sweep_batch(session, kinds):
            return


def _sweep_batch(session: Session, kinds: list[FollowUp.Kind]) -> bool:
    """Look at the next links; return whether there may be more."""
    flow = session.flow
    rows = Link.objects.filter(type_pair_id=flow.pair.type_pair_id, pk__gt=flow.sweep_after)
    batch = list(rows.order_by("pk")[: follow_ups.BATCH])
    links = [link_state(row, flow.source_side) for row in batch]
    for kind in kinds:
        if links:
            CARRIERS[kind](session, links)
    is_last = len(batch) < follow_ups.BATCH
    with transaction.atomic():
        renew(session.lease)
        flow.sweep_after = 0 if is_last else batch[-1].pk
        flow.save(update_fields=["sweep_after", "next_sweep_at"])
    return not is_last
