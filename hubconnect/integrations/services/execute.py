"""Runs a flow once: lease, connectors, settling, reading; then says how it went."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.utils import timezone

from hubconnect.connectors.base import Connector
from hubconnect.connectors.errors import (
    AttentionError,
    Category,
    ConnectorError,
    OutcomeUnknownError,
    RateLimitedError,
    TemporaryError,
)
from hubconnect.engine.criteria import CriteriaInvalidError
from hubconnect.engine.mapping import MappingBrokenError
from hubconnect.integrations.models import Flow, Run
from hubconnect.integrations.schedules import next_time
from hubconnect.integrations.services import flow_failures, lease as leases, rollup
from hubconnect.integrations.services.carriers.comment_window import read_changed
from hubconnect.integrations.services.carrying import follow
from hubconnect.integrations.services.child_settling import settle_children
from hubconnect.integrations.services.committing import note_calls
from hubconnect.integrations.services.flowspec import build_spec
from hubconnect.integrations.services.lease import Lease, LeaseLostError
from hubconnect.integrations.services.page import SafetyBrakeError
from hubconnect.integrations.services.reading import read_flow, retry_due
from hubconnect.integrations.services.session import Session
from hubconnect.integrations.services.settling import settle_intents
from hubconnect.integrations.services.sweeping import sweep
from hubconnect.mappings.models import Direction
from hubconnect.systems.models import System
from hubconnect.systems.services import schema
from hubconnect.systems.services.connections import open_connector

log = structlog.get_logger()

FIRST_SETBACK = timedelta(seconds=10)
LONGEST_SETBACK = timedelta(minutes=15)


def run_flow(flow_id: int) -> Run | None:
    """Run a flow if it is due and nobody else works on its type pair; return the run.

    A message is only a wake-up, and may come twice: the row says whether there is work.
    """
    flow = _load(flow_id)
    if flow is None or not is_due(flow) or flow.pair.type_pair_id is None:
        return None
    lease = leases.claim(flow.pair.type_pair_id)
    if lease is None:
        return None
    try:
        flow.refresh_from_db()  # another worker may have run it before the lease was ours
        return _run(flow, lease) if is_due(flow) else None
    finally:
        leases.release(lease)


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


def opposite_of(flow: Flow) -> Flow | None:
    """Return the flow that carries the same pair the other way, if it is at work."""
    direction = Direction.TO_LEFT if flow.is_to_right else Direction.TO_RIGHT
    return (
        Flow.objects.filter(pair=flow.pair, direction=direction, is_enabled=True, is_paused=False)
        .select_related("pair__mapping__left_system", "pair__mapping__right_system")
        .first()
    )


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
    if waits_for_load(flow, opposite):
        _schedule(flow, timezone.now() + timedelta(seconds=1))
        return None
    _close_vanished(flow)
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


def _close_vanished(flow: Flow) -> None:
    """Mark runs whose worker never came back: we hold the lease, so they are over."""
    for run in Run.objects.filter(flow=flow, state=Run.State.RUNNING):  # one, if any
        message = "Its worker ended without a word. The next run went on from its last page."
        _close(run, Run.State.CRASHED, message)


def _guarded(flow: Flow, run: Run, lease: Lease, opposite: Flow | None) -> None:
    """Do the work and turn each kind of error into the run's end."""
    try:
        _work(flow, run, lease, opposite)
    except LeaseLostError as error:
        _end(run, Run.State.STOPPED, str(error), "The other worker goes on.")
    except SafetyBrakeError as error:
        Flow.objects.filter(pk=flow.pk).update(is_paused=True)
        _fail(flow, run, Run.State.FAILED, error)
    except AttentionError as error:
        _fail(flow, run, Run.State.FAILED, error)
    except (OutcomeUnknownError, RateLimitedError) as error:
        # Both are expected to pass: the next run settles, or has its calls back.
        _setback(flow, run, error)
    except TemporaryError as error:
        flow_failures.record(flow, run, error.category, error.message, error.hint)
        _setback(flow, run, error)
    except (MappingBrokenError, CriteriaInvalidError) as error:
        _fail(flow, run, Run.State.FAILED, _configuration_error(flow, error))
    except Exception:
        log.exception("run.crashed")
        msg = "An error in HubConnect itself ended the run. Nothing was lost."
        hint = "The log has the details under this run's number. The run is repeated by itself."
        flow_failures.record(flow, run, Category.INTERNAL, msg, hint)
        _setback(flow, run, TemporaryError(msg, hint=hint), Run.State.CRASHED)


def _configuration_error(
    flow: Flow, error: MappingBrokenError | CriteriaInvalidError
) -> AttentionError:
    if isinstance(error, CriteriaInvalidError):
        return AttentionError(
            f"The criteria or the lookup do not fit any more: {error}",
            hint="Deactivate the integration and correct them.",
        )
    on_right = error.side.value == Direction.TO_RIGHT.value
    mapping = flow.pair.mapping
    system = mapping.right_system if on_right else mapping.left_system
    kind = mapping.right_type if on_right else mapping.left_type
    schema.forget(system)
    return AttentionError(
        f"Mapping {mapping}: {kind} in {system} has no field {error.field} any more.",
        hint=f"Deactivate the integration and remove or change that row, or bring {error.field} "
        "back; the flow then goes on by itself.",
    )


def _work(flow: Flow, run: Run, lease: Lease, opposite: Flow | None) -> None:
    source_system, target_system = flow.source_system, flow.target_system
    with open_connector(source_system) as source, open_connector(target_system) as target:
        verify_identity(source_system, source)
        verify_identity(target_system, target)
        spec = build_spec(flow, source, target)
        session = Session(flow, run, lease, spec, source, target, opposite)
        try:
            for name, step in _steps():
                with _timed(run, name):
                    step(session)
        finally:
            note_calls(session)
    state = Run.State.WITH_FAILURES if run.failed else Run.State.DONE
    flow_failures.heal(flow)
    _end(run, state)
    Flow.objects.filter(pk=flow.pk).update(setbacks=0)
    _schedule(flow, _next_time(flow))


def _steps() -> tuple[tuple[str, Callable[[Session], object]], ...]:
    return (
        ("settle", settle_intents),
        ("settle comments", settle_children),
        ("retry", retry_due),
        ("pages", read_flow),
        ("comments", read_changed),
        ("follow", follow),
        ("sweep", sweep),
    )


@contextmanager
def _timed(run: Run, name: str) -> Iterator[None]:
    run.phase = name
    Run.objects.filter(pk=run.pk).update(phase=name)
    began = time.monotonic()
    try:
        yield
    finally:
        run.timings[name] = round(time.monotonic() - began, 3)


def verify_identity(system: System, connector: Connector) -> None:
    """Refuse another account than the one the links belong to.

    Raises:
        AttentionError: naming both accounts.
    """
    found = connector.identity()
    if system.identity and found != system.identity:
        msg = f"{system} now leads to account {found}; its links belong to {system.identity}."
        hint = (
            f"Give {system} the credentials of {system.identity} again, or make a new system for "
            "the other account."
        )
        raise AttentionError(msg, hint=hint, category=Category.IDENTITY)


def _fail(flow: Flow, run: Run, state: Run.State, error: ConnectorError) -> None:
    """End a run that a person must look at; it is tried again now and then, and may heal."""
    flow_failures.record(flow, run, error.category, error.message, error.hint)
    _setback(flow, run, error, state)


def _setback(
    flow: Flow, run: Run, error: ConnectorError, state: Run.State = Run.State.STOPPED
) -> None:
    """End a run before its time and wait longer with each setback in a row."""
    _end(run, state, error.message, error.hint)
    setbacks = flow.setbacks + 1
    wait = min(FIRST_SETBACK * 2 ** min(setbacks - 1, 10), LONGEST_SETBACK)
    if isinstance(error, TemporaryError) and error.retry_after is not None:
        wait = max(wait, error.retry_after)
    Flow.objects.filter(pk=flow.pk).update(setbacks=setbacks)
    _schedule(flow, timezone.now() + wait)


def _end(run: Run, state: Run.State, message: str = "", hint: str = "") -> None:
    _close(run, state, message, hint, "calls", "api_calls", "timings", "expected")
    log.info("run.finished", state=state, created=run.created, updated=run.updated)


def _close(run: Run, state: Run.State, message: str, hint: str = "", *fields: str) -> None:
    """Store a run's end, with the named fields, and add it to the figures of the hour."""
    run.state, run.message, run.hint = state, message, hint
    run.finished_at = timezone.now()
    run.is_idle = state == Run.State.DONE and not run.has_moved_something
    ended = ("state", "message", "hint", "finished_at", "is_idle")
    with transaction.atomic():
        run.save(update_fields=[*ended, *fields])
        rollup.add_ended(run)


def _next_time(flow: Flow) -> datetime | None:
    return next_time(flow.pair.integration, timezone.now())


def _schedule(flow: Flow, moment: datetime | None) -> None:
    Flow.objects.filter(pk=flow.pk).update(next_run_at=moment, nudged_at=None)
