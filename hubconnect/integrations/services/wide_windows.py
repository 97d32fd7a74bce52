"""Reads a flow's last hours, and its last days, once more: what became visible late is found then.

A search index may show a change, and a database may commit a row, long after its modified time;
the windows of ordinary runs have passed by then. So each running flow looks back hourly over two
hours and nightly over two days, with cursors of its own. Ordinary runs go first: a look back ends
with its page when one is due, and goes on later. What is known is dropped as in any window.

(What hangs on records without moving a date is another matter: see ``sweeping``.)
"""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from hubconnect.connectors.base import Page, Window
from hubconnect.integrations.models import Flow, Run, WideWindow
from hubconnect.integrations.services import aligning, lease as leases
from hubconnect.integrations.services.child_settling import settle_children
from hubconnect.integrations.services.counting import note_calls
from hubconnect.integrations.services.ending import close_vanished, end, timed
from hubconnect.integrations.services.flowspec import build_spec
from hubconnect.integrations.services.lease import Lease, LeaseLostError
from hubconnect.integrations.services.merging import source_links
from hubconnect.integrations.services.opening import open_ends, opposite_of
from hubconnect.integrations.services.page import work_page
from hubconnect.integrations.services.reading import has_modified_times, needs_second_pass
from hubconnect.integrations.services.session import Cursor, Session
from hubconnect.integrations.services.setbacks import setback_of
from hubconnect.integrations.services.settling import settle_intents

log = structlog.get_logger()

Kind = WideWindow.Kind


def plan_missing() -> None:
    """Have the flows that run look back from now on, each at its times."""
    now = timezone.now()
    flows = Flow.objects.filter(phase=Flow.Phase.RUNNING, wide_windows=None)
    WideWindow.objects.bulk_create(
        [
            WideWindow(flow=flow, kind=kind, next_at=next_at(flow, kind, now))
            for flow in flows.select_related("pair__integration")
            for kind in Kind
        ],
        ignore_conflicts=True,
    )


def span(kind: str) -> timedelta:
    """Return how far a look reaches back; none at all switches it off."""
    is_hourly = kind == Kind.HOURLY
    return timedelta(seconds=settings.HOURLY_SPAN_S if is_hourly else settings.NIGHTLY_SPAN_S)


def next_at(flow: Flow, kind: str, now: datetime) -> datetime:
    """Return when the next look begins: in an hour, or in the next night of the integration."""
    if kind == Kind.HOURLY:
        return now + timedelta(hours=1)
    zone = ZoneInfo(flow.pair.integration.time_zone)
    night = time.fromisoformat(settings.NIGHTLY_AT)
    day = now.astimezone(zone).date()
    moment = datetime.combine(day, night, zone)
    return moment if moment > now else datetime.combine(day + timedelta(days=1), night, zone)


def look_back(wide_id: int) -> Run | None:
    """Look back, or go on doing so, if it is time and no ordinary run is due; return the run."""
    wide = (
        WideWindow.objects.select_related(
            "flow__pair__integration",
            "flow__pair__mapping__left_system",
            "flow__pair__mapping__right_system",
        )
        .filter(pk=wide_id)
        .first()
    )
    if wide is None or not _is_time(wide) or _gives_way(wide):
        return None
    if aligning.is_open(wide.flow.pair_id):
        return None  # rows that are not in line yet are not to be merged by their rules
    type_pair_id = wide.flow.pair.type_pair_id
    lease = leases.claim(type_pair_id, wide.flow_id) if type_pair_id is not None else None
    if lease is None:
        return None
    try:
        wide.refresh_from_db()
        return _run(wide, lease) if _is_time(wide) else None
    finally:
        leases.release(lease)


def _is_time(wide: WideWindow) -> bool:
    flow = wide.flow
    is_on = flow.is_enabled and flow.pair.integration.is_active and not flow.is_paused
    return is_on and flow.phase == Flow.Phase.RUNNING and wide.next_at <= timezone.now()


def _gives_way(wide: WideWindow) -> bool:
    """Tell whether an ordinary run goes first; one that is never over holds a look up for a while.

    After that a page is read now and then, between any two of them.
    """
    is_late = wide.next_at < timezone.now() - timedelta(minutes=10)
    return not is_late and _is_ordinary_due(wide)


def _is_ordinary_due(wide: WideWindow) -> bool:
    """Tell whether a flow over the same object types should run now."""
    return Flow.objects.filter(
        pair__type_pair=wide.flow.pair.type_pair_id,
        next_run_at__lte=timezone.now(),
        is_enabled=True,
        is_paused=False,
        pair__integration__is_active=True,
    ).exists()


def _run(wide: WideWindow, lease: Lease) -> Run:
    flow = wide.flow
    close_vanished(flow)
    run = Run.objects.create(
        flow=flow, reason=Run.Reason.SWEEP, started_at=timezone.now(), fence=lease.fence
    )
    with structlog.contextvars.bound_contextvars(run_id=run.pk, flow_id=flow.pk):
        try:
            _work(wide, run, lease)
        except LeaseLostError as error:
            end(run, Run.State.STOPPED, str(error), "The other worker goes on.")
        except Exception as error:  # noqa: BLE001 - the last line of defence; it is logged there
            setback = setback_of(flow, error)
            setback.record(flow, run)
            end(run, setback.state, setback.error.message, setback.error.hint)
            later = timezone.now() + setback.wait(wide.setbacks + 1)
            changes = {"next_at": later, "setbacks": wide.setbacks + 1, "nudged_at": None}
            WideWindow.objects.filter(pk=wide.pk).update(**changes)
    return run


def _work(wide: WideWindow, run: Run, lease: Lease) -> None:
    flow = wide.flow
    with open_ends(flow) as (source, target):
        spec = build_spec(flow, source, target)
        opposite = opposite_of(flow)
        session = Session(flow, run, lease, spec, source, target, opposite, wide=wide)
        try:
            with timed(run, "settle"):
                settle_intents(session)
                settle_children(session)
            with timed(run, "look back"):
                is_done = not has_modified_times(session) or _read(session, wide)
        finally:
            note_calls(session)
    _finish(session, wide, is_done=is_done)
    end(run, Run.State.WITH_FAILURES if run.failed else Run.State.DONE)


def _read(session: Session, wide: WideWindow) -> bool:
    """Read the window until it is done or an ordinary run is due; tell whether it is done."""
    _open(session, wide)
    run = session.run
    run.window_lower, run.window_upper = wide.lower, wide.upper
    run.save(update_fields=["window_lower", "window_upper"])
    if not wide.is_second_pass:
        for page in _pages(session, wide):
            work_page(session, list(page.records), Cursor(page.after), is_settled=page.settled)
            if _is_ordinary_due(wide):
                return False
        if not needs_second_pass(session):
            return True
        wide.is_second_pass, wide.after_id = True, ""
        _store(session, wide, "is_second_pass", "after_id")
    for page in _pages(session, wide):
        links = source_links(session, page.records)
        linked = [record for record in page.records if record.id in links]
        work_page(session, linked, Cursor(page.after), is_settled=page.settled)
        if _is_ordinary_due(wide):
            return False
    return True


def _open(session: Session, wide: WideWindow) -> None:
    """Fix the window's ends, unless one is open that was read with the same mapping."""
    if wide.is_open and wide.spec_hash == session.spec.hash:
        return
    floor = session.flow.start_at
    wide.upper = session.source.now()
    wide.lower = max(filter(None, (wide.upper - span(wide.kind), floor)))
    wide.after_id, wide.spec_hash = "", session.spec.hash
    wide.is_open, wide.is_second_pass = True, False
    cursor = ("lower", "upper", "after_id", "spec_hash", "is_open", "is_second_pass")
    _store(session, wide, *cursor)


def _pages(session: Session, wide: WideWindow) -> Iterator[Page]:
    if wide.lower is None or wide.upper is None:
        msg = "An open look back has both ends of its window."
        raise ValueError(msg)
    window = Window(wide.lower, wide.upper)
    criteria = () if wide.is_second_pass else session.spec.criteria
    return session.source.changes(
        session.flow.source_type, window, criteria, session.spec.read_fields, wide.after_id
    )


def _finish(session: Session, wide: WideWindow, *, is_done: bool) -> None:
    """Have the next look begin at its time; one that gave way goes on as soon as it can."""
    now = timezone.now()
    wide.setbacks, wide.nudged_at = 0, None
    if is_done:
        wide.is_open = wide.is_second_pass = False
        wide.after_id = ""
        wide.next_at = next_at(session.flow, wide.kind, now)
    cursor = ("is_open", "is_second_pass", "after_id", "next_at")
    _store(session, wide, "setbacks", "nudged_at", *cursor)


def _store(session: Session, wide: WideWindow, *fields: str) -> None:
    with transaction.atomic():
        leases.renew(session.lease)
        wide.save(update_fields=fields)
