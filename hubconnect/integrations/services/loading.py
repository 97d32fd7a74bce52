"""Cuts a load into slices that run side by side, and ends it when all of them are done.

The run that begins a load plans its slices in one transaction and gives its lease back; it stays
open as the load's one line of history. Each slice is a wake-up message, worked by ``slicing``.
"""

from datetime import timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from hubconnect.integrations.models import Flow, Intent, Run, Slice, TypePair
from hubconnect.integrations.services import rollup
from hubconnect.integrations.services.counting import merged, note_calls
from hubconnect.integrations.services.lease import Lease, release, renew
from hubconnect.integrations.services.nudging import Nudge
from hubconnect.integrations.services.session import Session

log = structlog.get_logger()


def cut(session: Session) -> bool:
    """Have the load done in slices if it is worth it; tell whether that is so.

    Nothing of the load may have been read. The lease is given back with the plan.

    Raises:
        ConnectorError: the source cannot say where to cut.
        LeaseLostError: another worker took over.
    """
    flow, run, spec = session.flow, session.run, session.spec
    parts = min(settings.LOAD_SLICES, (run.expected or 0) // settings.LOAD_SLICE_LEAST)
    if parts <= 1 or flow.after_id:
        return False
    ranges = session.source.cut(flow.source_type, spec.criteria, parts)
    if len(ranges) <= 1:
        return False
    now = timezone.now()
    note_calls(session)
    with transaction.atomic():
        renew(session.lease)
        Run.objects.filter(pk=run.pk).update(calls=run.calls, api_calls=run.api_calls)
        TypePair.objects.filter(pk=session.lease.type_pair_id).update(loading_run=run)
        slices = Slice.objects.bulk_create(
            Slice(
                flow=flow,
                run=run,
                position=position,
                above_id=one.above,
                upto_id=one.upto,
                spec_hash=spec.hash,
                next_turn_at=now,
                nudged_at=now,
            )
            for position, one in enumerate(ranges)
        )
        release(session.lease)
        transaction.on_commit(Nudge(slice_ids=tuple(one.pk for one in slices)).send)
    log.info("load.cut", slices=len(slices), expected=run.expected)
    session.is_handed_over = True
    return True


def finish(flow: Flow, lease: Lease) -> Run | None:
    """End a load whose slices are all done, or forget one that was given up.

    Returns the load's run if its flow is to do nothing else now; None: there is no such load.

    Raises:
        LeaseLostError: another worker took over.
    """
    run = Run.objects.filter(
        pk__in=TypePair.objects.filter(pk=lease.type_pair_id).values("loading_run")
    ).first()
    if run is None:
        return None
    unfinished = run.slices.exclude(state=Slice.State.DONE).exists()
    is_over = run.flow_id == flow.pk and flow.phase == Flow.Phase.LOADING and not unfinished
    if not is_over and run.flow_id != flow.pk:
        return None  # that load rests: its integration does
    now = timezone.now()
    for part in run.slices.all():
        run.calls = merged(run.calls, part.calls)
    run.finished_at = now
    if is_over:
        run.state = Run.State.WITH_FAILURES if run.failed else Run.State.DONE
        run.message = run.hint = ""
    else:
        run.state = Run.State.STOPPED
        run.message = "The mapping, the criteria or the start changed; the load begins anew."
        run.hint = "What is linked already is recognised."
    run.is_idle = is_over and not run.has_moved_something
    run.timings["pages"] = round((now - run.started_at) / timedelta(seconds=1), 3)
    with transaction.atomic():
        renew(lease)
        changed = ("state", "message", "hint", "finished_at", "calls", "timings", "is_idle")
        run.save(update_fields=changed)
        rollup.add_ended(run)
        run.slices.filter(state=Slice.State.OPEN).update(state=Slice.State.VOID)
        Intent.objects.filter(slice__run=run).update(slice=None)
        TypePair.objects.filter(pk=lease.type_pair_id).update(loading_run=None)
        if is_over:
            end_load(flow)
    log.info("load.ended", run_id=run.pk, is_over=is_over, created=run.created)
    return run if is_over else None


def end_load(flow: Flow) -> None:
    """Let the flow go on with changes: its window begins where the load began."""
    flow.phase = Flow.Phase.RUNNING
    flow.after_id = ""
    flow.is_window_open = False
    flow.widened_from = None
    flow.save(update_fields=["phase", "after_id", "is_window_open", "widened_from"])
