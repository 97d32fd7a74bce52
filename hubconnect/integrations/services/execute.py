"""Runs a flow once: lease, connectors, settling, reading; then says how it went."""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from django.utils import timezone

from hubconnect.integrations.models import Flow, Run
from hubconnect.integrations.schedules import next_time
from hubconnect.integrations.services import aligning, flow_failures, lease as leases, loading
from hubconnect.integrations.services.carriers.comment_window import read_changed
from hubconnect.integrations.services.carrying import follow
from hubconnect.integrations.services.child_settling import settle_children
from hubconnect.integrations.services.counting import note_calls
from hubconnect.integrations.services.ending import close_vanished, end, timed
from hubconnect.integrations.services.flowspec import build_spec
from hubconnect.integrations.services.lease import Lease, LeaseLostError
from hubconnect.integrations.services.merging import look_again
from hubconnect.integrations.services.opening import open_ends, opposite_of
from hubconnect.integrations.services.reading import read_flow, retry_due
from hubconnect.integrations.services.session import Session
from hubconnect.integrations.services.setbacks import Setback, setback_of
from hubconnect.integrations.services.settling import settle_intents
from hubconnect.integrations.services.sweeping import sweep
from hubconnect.mappings.models import Direction

log = structlog.get_logger()


def run_flow(flow_id: int) -> Run | None:
    """Run a flow if it is due and nobody else works on its type pair; return the run.

    A message is only a wake-up, and may come twice: the row says whether there is work.
    """
    flow = _load(flow_id)
    if flow is None or not is_due(flow) or flow.pair.type_pair_id is None:
        return None
    lease = leases.claim(flow.pair.type_pair_id, flow.pk)
    if lease is None:
        return None
    try:
        flow.refresh_from_db()  # another worker may have run it before the lease was ours
        if not is_due(flow):
            return None
        load = loading.finish(flow, lease)
        if load is None:
            return _run(flow, lease)
        _schedule(flow, timezone.now())  # changes since the load began
        return load
    finally:
        leases.release(lease)
        _have_others_nudged(flow)


def _have_others_nudged(flow: Flow) -> None:
    """Let the next tick send again for flows that found their object types taken by this one."""
    Flow.objects.filter(
        pair__type_pair=flow.pair.type_pair_id, next_run_at__lte=timezone.now()
    ).exclude(pk=flow.pk).update(nudged_at=None)


def _load(flow_id: int) -> Flow | None:
    return (
        Flow.objects.select_related(
            "pair__integration", "pair__mapping__left_system", "pair__mapping__right_system"
        )
        .filter(pk=flow_id)
        .first()
    )


def is_due(flow: Flow) -> bool:
    """Tell whether a flow should run now."""
    is_on = flow.is_enabled and flow.pair.integration.is_active and not flow.is_paused
    return is_on and flow.next_run_at is not None and flow.next_run_at <= timezone.now()


def waits_for_load(flow: Flow, opposite: Flow | None) -> bool:
    """Tell whether a flow holds off because the other direction is to load first.

    One direction loads after the other, the one that was configured first beginning.
    """
    if opposite is None:
        return False
    loads = Flow.Phase.NEW, Flow.Phase.LOADING
    if opposite.phase == Flow.Phase.LOADING and flow.phase != Flow.Phase.LOADING:
        return True
    return (
        flow.phase == Flow.Phase.NEW
        and opposite.phase in loads
        and opposite.start == Flow.Start.EVERYTHING
        and flow.direction == Direction.TO_LEFT
    )


def _run(flow: Flow, lease: Lease) -> Run | None:
    opposite = opposite_of(flow)
    if waits_for_load(flow, opposite) or aligning.waits(flow, opposite):
        _schedule(flow, timezone.now() + timedelta(seconds=1))
        return None
    close_vanished(flow)
    run = Run.objects.create(
        flow=flow,
        reason=Run.Reason.MANUAL if flow.asked_by_id else Run.Reason.SCHEDULE,
        started_by=flow.asked_by,
        started_at=timezone.now(),
        fence=lease.fence,
    )
    if flow.asked_by_id:
        Flow.objects.filter(pk=flow.pk).update(asked_by=None)
    with structlog.contextvars.bound_contextvars(run_id=run.pk, flow_id=flow.pk):
        _guarded(flow, run, lease, opposite)
    return run


def _guarded(flow: Flow, run: Run, lease: Lease, opposite: Flow | None) -> None:
    """Do the work and turn each kind of error into the run's end."""
    try:
        _work(flow, run, lease, opposite)
    except LeaseLostError as error:
        log.warning("run.lost", message=str(error))
        end(run, Run.State.STOPPED, str(error), "The other worker goes on.")
    except Exception as error:  # noqa: BLE001 - the last line of defence; it is logged there
        setback = setback_of(flow, error)
        setback.record(flow, run)
        _setback(flow, run, setback)


def _work(flow: Flow, run: Run, lease: Lease, opposite: Flow | None) -> None:
    with open_ends(flow) as (source, target):
        spec = build_spec(flow, source, target)
        session = Session(flow, run, lease, spec, source, target, opposite)
        try:
            for name, step in _steps():
                with timed(run, name):
                    step(session)
                if session.is_handed_over:
                    return  # slices go on with this run, and end it
        finally:
            note_calls(session)
    state = Run.State.WITH_FAILURES if run.failed else Run.State.DONE
    flow_failures.heal(flow)
    end(run, state)
    Flow.objects.filter(pk=flow.pk).update(setbacks=0)
    _schedule(flow, timezone.now() if session.has_more_due else _next_time(flow))


def _steps() -> tuple[tuple[str, Callable[[Session], object]], ...]:
    return (
        ("settle", settle_intents),
        ("settle comments", settle_children),
        ("merged", look_again),
        ("align", aligning.align),
        ("retry", retry_due),
        ("pages", read_flow),
        ("comments", read_changed),
        ("follow", follow),
        ("sweep", sweep),
    )


def _setback(flow: Flow, run: Run, setback: Setback) -> None:
    """End a run before its time; it is tried again now and then, and may heal."""
    end(run, setback.state, setback.error.message, setback.error.hint)
    setbacks = flow.setbacks + 1
    Flow.objects.filter(pk=flow.pk).update(setbacks=setbacks)
    _schedule(flow, timezone.now() + setback.wait(setbacks))


def _next_time(flow: Flow) -> datetime | None:
    return next_time(flow.pair.integration, timezone.now())


def _schedule(flow: Flow, moment: datetime | None) -> None:
    Flow.objects.filter(pk=flow.pk).update(next_run_at=moment, nudged_at=None)
