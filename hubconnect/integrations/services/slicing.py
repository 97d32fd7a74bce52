"""Works one slice of a load for a while: settles what it left open, then carries page after page.

A slice gives its worker back after some time, so that other flows have their turns; it goes on
from its cursor. What a record waits for (a retry, a file, a comment) comes when the load is done.
"""

import time

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from hubconnect.connectors.base import IdRange
from hubconnect.integrations.models import Run, Slice
from hubconnect.integrations.services import flow_failures, lease as leases
from hubconnect.integrations.services.counting import note_slice
from hubconnect.integrations.services.flowspec import build_spec
from hubconnect.integrations.services.lease import Lease, LeaseLostError
from hubconnect.integrations.services.nudging import Nudge
from hubconnect.integrations.services.opening import open_ends, opposite_of
from hubconnect.integrations.services.reading import carry_loaded, loaded_pages
from hubconnect.integrations.services.session import Session
from hubconnect.integrations.services.setbacks import Setback, setback_of
from hubconnect.integrations.services.settling import settle_intents

log = structlog.get_logger()


def run_slice(slice_id: int) -> Slice | None:
    """Work a slice if it is due and nobody else does; return it as it stands then."""
    lease = leases.claim_slice(slice_id)
    if lease is None:
        return None
    try:
        part = _load(slice_id)
        with structlog.contextvars.bound_contextvars(run_id=part.run_id, slice=part.position):
            _guarded(part, lease)
    finally:
        leases.release(lease)
    _nudge_next(part)
    return part


def _load(slice_id: int) -> Slice:
    return Slice.objects.select_related(
        "run",
        "flow__pair__integration",
        "flow__pair__mapping__left_system",
        "flow__pair__mapping__right_system",
    ).get(pk=slice_id)


def _guarded(part: Slice, lease: Lease) -> None:
    """Do the work and turn each kind of error into a wait."""
    try:
        _work(part, lease)
    except LeaseLostError as error:
        log.warning("slice.lost", message=str(error))
    except Exception as error:  # noqa: BLE001 - the last line of defence; it is logged there
        _setback(part, setback_of(part.flow, error))


def _work(part: Slice, lease: Lease) -> None:
    flow, run = part.flow, part.run
    _show(run)
    with open_ends(flow) as (source, target):
        spec = build_spec(flow, source, target)
        if spec.hash != part.spec_hash:
            _give_up(part)
            return
        session = Session(flow, run, lease, spec, source, target, opposite_of(flow), slice=part)
        try:
            settle_intents(session)
            is_done = _read(session, part)
        finally:
            note_slice(session)
    _end_turn(part, lease, is_done=is_done)


def _read(session: Session, part: Slice) -> bool:
    """Carry pages until the slice is done, its time is over or its load is to rest."""
    pages = loaded_pages(session, part.after_id, IdRange(part.above_id, part.upto_id))
    row = Slice.objects.filter(pk=part.pk)
    ends_at = time.monotonic() + settings.LOAD_TURN_S
    for page in pages:
        carry_loaded(session, page)
        if time.monotonic() > ends_at or not leases.at_work(row).exists():
            return False
    return True


def _show(run: Run) -> None:
    """Have the load's run stand as going on, should it have rested."""
    Run.objects.filter(pk=run.pk).exclude(state=Run.State.RUNNING).update(
        state=Run.State.RUNNING, finished_at=None, message="", hint=""
    )


def _setback(part: Slice, setback: Setback) -> None:
    """Have the slice wait; its load's run tells why until it goes on."""
    setback.record(part.flow, part.run)
    setbacks = part.setbacks + 1
    wait_until = timezone.now() + setback.wait(setbacks)
    Slice.objects.filter(pk=part.pk).update(
        setbacks=setbacks, next_turn_at=wait_until, nudged_at=None
    )
    error = setback.error
    Run.objects.filter(pk=part.run_id).update(message=error.message, hint=error.hint)
    log.warning("slice.setback", category=error.category, setbacks=setbacks)


def _end_turn(part: Slice, lease: Lease, *, is_done: bool) -> None:
    part.setbacks = 0
    part.nudged_at = None
    part.next_turn_at = timezone.now()
    if is_done:
        part.state, part.finished_at = Slice.State.DONE, timezone.now()
    with transaction.atomic():
        leases.renew(lease)
        part.save(update_fields=["setbacks", "nudged_at", "next_turn_at", "state", "finished_at"])
    if not leases.at_work(part.run.slices.filter(setbacks__gt=0)).exists():
        flow_failures.heal(part.flow)
        Run.objects.filter(pk=part.run_id).update(message="", hint="")


def _give_up(part: Slice) -> None:
    """Void the load: it was planned for another mapping or other criteria."""
    part.run.slices.exclude(state=Slice.State.DONE).update(state=Slice.State.VOID)


def _nudge_next(part: Slice) -> None:
    """Send for the slice's next turn, or for the load's end; the tick would a little later."""
    rows = leases.at_work(Slice.objects.filter(run=part.run_id))
    if rows.filter(pk=part.pk, setbacks=0).update(nudged_at=timezone.now()):
        Nudge(slice_ids=(part.pk,)).send()
    elif not rows.exists():
        Nudge(flow_ids=(part.flow_id,)).send()
