"""Reads what a flow has to carry: due retries, the first load, or a window of changes.

A window is read by the criteria. Where linked records outside them keep syncing, a second pass
reads the same window without criteria and keeps linked records only.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from hubconnect.connectors.base import ALL_IDS, Criteria, IdRange, Page, Record, Window
from hubconnect.connectors.errors import AttentionError
from hubconnect.engine.plan import source_hash
from hubconnect.integrations.models import (
    Decision,
    Failure,
    Flow,
    Link,
    QueuedRead,
    RecordEvent,
    Run,
)
from hubconnect.integrations.services import loading, merging, widening
from hubconnect.integrations.services.committing import commit, store_decisions
from hubconnect.integrations.services.lease import renew
from hubconnect.integrations.services.merging import source_links
from hubconnect.integrations.services.page import work_page
from hubconnect.integrations.services.session import Cursor, Result, Session, event
from hubconnect.integrations.stores import links_by_source

# Records read afresh in one go, and at most in one run: ordinary changes go on meanwhile.
RETRY_BATCH = 100
RETRY_LIMIT = 1000


def overlap(session: Session) -> timedelta:
    """Return how far a window reaches back, by setting or by the connector's own measure."""
    seconds: int | None = settings.OVERLAPS_S.get(session.source.slug)
    return session.source.overlap if seconds is None else timedelta(seconds=seconds)


@dataclass(frozen=True, slots=True)
class Due:
    """Records that a flow reads afresh: queued ones and failures whose time has come, by id."""

    reads: dict[str, QueuedRead]
    failures: dict[str, Failure]

    @property
    def ids(self) -> list[str]:
        """Return all record ids, each once."""
        return list(dict.fromkeys([*self.reads, *self.failures]))


def find_due(flow: Flow) -> Due:
    """Return what a run of the flow would read afresh now; at most ``RETRY_LIMIT`` of each."""
    now = timezone.now()
    queued = QueuedRead.objects.filter(flow=flow, due_at__lte=now).order_by("pk")[:RETRY_LIMIT]
    failures = Failure.objects.filter(
        flow=flow,
        state=Failure.State.OPEN,
        level=Failure.Level.RECORD,
        child__in=("", Failure.NOT_STORED),
        next_try_at__lte=now,
    ).order_by("next_try_at")[:RETRY_LIMIT]
    return Due({one.record_id: one for one in queued}, {one.record_id: one for one in failures})


def retry_due(session: Session) -> None:
    """Read afresh and carry what is due: queued reads and failures whose time has come."""
    flow, due = session.flow, find_due(session.flow)
    ids, reads, waiting = due.ids, due.reads, due.failures
    session.has_more_due = max(len(reads), len(waiting)) >= RETRY_LIMIT
    for start in range(0, len(ids), RETRY_BATCH):
        batch = ids[start : start + RETRY_BATCH]
        found = session.source.read(flow.source_type, batch, session.spec.read_fields)
        merging.follow_answer(session, flow.source_side, found)
        result = Result(reads_done=[reads[one] for one in batch if one in reads])
        gone = [record_id for record_id in batch if record_id not in found]
        result.gone = [waiting[one].pk for one in gone if one in waiting]
        _tell_gone(session, gone, result)
        work_page(session, list(found.values()), None, is_settled=True, result=result)


def _tell_gone(session: Session, gone: Sequence[str], result: Result) -> None:
    """Leave a line about linked records that were deleted: their counterparts stay."""
    source, target = session.flow.source_system, session.flow.target_system
    for record_id, link in (links_by_source(session.flow, gone) if gone else {}).items():
        reason = (
            f"It no longer exists in {source}. Deleting is not carried on: its counterpart "
            f"{link.target_id} in {target} stays."
        )
        result.count("skipped")
        result.events.append(
            event(
                session,
                RecordEvent.Kind.SKIPPED,
                Record(record_id, {}),
                timezone.now(),
                target_id=link.target_id,
                reason=reason,
            )
        )


def read_flow(session: Session) -> None:
    """Bring the flow forward: start it, go on with its first load, or read a window of changes."""
    flow = session.flow
    if flow.phase == Flow.Phase.NEW:
        _begin(session)
    if flow.phase == Flow.Phase.LOADING:
        _load(session)
    else:
        _read_window(session)


def _begin(session: Session) -> None:
    """Set the first cursor. The window of changes will start where the load starts."""
    flow = session.flow
    now = session.source.now()
    if flow.start == Flow.Start.NOW:
        flow.start_at = now
    flow.window_lower = flow.start_at or now
    flow.window_upper = None
    flow.after_id = ""
    flow.is_window_open = False
    is_load = flow.start == Flow.Start.EVERYTHING or not has_modified_times(session)
    flow.phase = Flow.Phase.LOADING if is_load else Flow.Phase.RUNNING
    flow.taken_by = flow.criteria
    cursor = ["window_lower", "window_upper", "after_id", "is_window_open"]
    _store(session, "phase", "start_at", "taken_by", *cursor)


def _store(session: Session, *fields: str) -> None:
    """Store how far the flow is, unless the fence moved: its successor knows better then.

    Raises:
        LeaseLostError: another worker took over.
    """
    with transaction.atomic():
        renew(session.lease)
        session.flow.save(update_fields=fields)


def has_modified_times(session: Session) -> bool:
    """Tell whether the source says when its records changed.

    Raises:
        AttentionError: it has no such records any more.
    """
    flow = session.flow
    types = {one.name: one for one in session.source.object_types()}
    if flow.source_type not in types:
        msg = f"{flow.source_system} does not show {flow.source_type} any more."
        hint = "It was removed or renamed, or may not be read any more. Bring it back."
        raise AttentionError(msg, hint=hint)
    return bool(types[flow.source_type].modified_field)


def _load(session: Session) -> None:
    """Have the first load cut into slices; a small one is read here, from where it stopped."""
    flow, run = session.flow, session.run
    if flow.spec_hash != session.spec.hash:  # what was passed over may be wanted now
        flow.after_id, flow.spec_hash = "", session.spec.hash
        _store(session, "after_id", "spec_hash")
    run.reason = Run.Reason.LOAD
    run.phase = "load"
    if run.expected is None:
        run.expected = session.source.count(flow.source_type, session.spec.criteria)
    run.window_lower = flow.window_lower
    run.save(update_fields=["reason", "phase", "expected", "window_lower"])
    if loading.cut(session):
        return
    for page in loaded_pages(session, flow.after_id, ALL_IDS):
        carry_loaded(session, page)
    with transaction.atomic():
        renew(session.lease)
        loading.end_load(flow)


def loaded_pages(session: Session, after: str, within: IdRange) -> Iterator[Page]:
    """Yield the pages of a load, or of a slice of it, from behind ``after`` on."""
    fields, criteria = widening.read_fields(session), session.spec.criteria
    return session.source.everything(session.flow.source_type, criteria, fields, after, within)


def carry_loaded(session: Session, page: Page) -> None:
    """Carry a page of a load, or remember it if the flow begins with changes from now on."""
    flow, cursor = session.flow, Cursor(page.after)
    if flow.widened_from is not None:
        new = widening.newly_taken(session, page.records)
        passed = Result(counts={"read": len(page.records) - len(new)})
        passed.count("unchanged", len(page.records) - len(new))
        work_page(session, new, cursor, is_settled=page.settled, result=passed)
    elif flow.start == Flow.Start.EVERYTHING:
        work_page(session, list(page.records), cursor, is_settled=page.settled)
    else:
        _remember_known(session, page)


def _remember_known(session: Session, page: Page) -> None:
    """Note what is there already: without modified times it cannot be told from what is new."""
    flow, spec = session.flow, session.spec.plan
    store_decisions(
        [
            Decision(
                type_pair_id=session.lease.type_pair_id,
                side=flow.source_side,
                record_id=record.id,
                kind=Decision.Kind.KNOWN,
                values_hash=source_hash(record, spec),
                reason="It was there when the flow started with changes from then on.",
            )
            for record in page.records
        ]
    )
    result = Result(counts={"read": len(page.records), "unchanged": len(page.records)})
    commit(session, result, Cursor(page.after))


def _read_window(session: Session) -> None:
    """Read one window of changes to its end; go on with the open one if there is one."""
    flow, run = session.flow, session.run
    _open_window(session)
    window = Window(_known(flow.window_lower), _known(flow.window_upper))
    run.window_lower, run.window_upper = window.lower, window.upper
    run.phase = "changes"
    run.save(update_fields=["window_lower", "window_upper", "phase"])
    reading = Window(reach_back(session, window.lower), window.upper)
    if not flow.is_second_pass:
        _work(session, _changes(session, reading, session.spec.criteria))
    if flow.is_second_pass or needs_second_pass(session):
        _read_again(session, reading)
    flow.after_id = ""
    flow.is_window_open = flow.is_second_pass = False
    flow.window_lower = window.upper
    _store(session, "after_id", "is_window_open", "is_second_pass", "window_lower")


def _changes(session: Session, window: Window, criteria: Criteria) -> Iterator[Page]:
    flow = session.flow
    return session.source.changes(
        flow.source_type, window, criteria, session.spec.read_fields, flow.after_id
    )


def needs_second_pass(session: Session) -> bool:
    """Tell whether linked records outside the criteria may have changed."""
    flow = session.flow
    if not session.spec.criteria or flow.outside != Flow.Outside.KEEP:
        return False
    return Link.objects.filter(type_pair_id=flow.pair.type_pair_id).exists()


def _read_again(session: Session, window: Window) -> None:
    """Read the window without criteria, for what is linked; go on where an earlier run stopped."""
    flow, run = session.flow, session.run
    if not flow.is_second_pass:
        flow.after_id, flow.is_second_pass = "", True
        _store(session, "after_id", "is_second_pass")
    run.phase = "linked"
    run.save(update_fields=["phase"])
    before = _calls(session)
    try:
        for page in _changes(session, window, ()):
            links = source_links(session, page.records)
            linked = [record for record in page.records if record.id in links]
            work_page(session, linked, Cursor(page.after), is_settled=page.settled)
    finally:
        run.second_pass_calls = _calls(session) - before
        run.save(update_fields=["second_pass_calls"])


def _calls(session: Session) -> int:
    return sum(session.source.calls.values())


def reach_back(session: Session, lower: datetime) -> datetime:
    """Return where reading starts: earlier than the window, but not before the flow's start."""
    floor = session.flow.start_at
    earlier = lower - overlap(session)
    return earlier if floor is None else max(earlier, floor)


def _open_window(session: Session) -> None:
    """Fix the window's ends, unless one is open and was read with the same mapping."""
    flow = session.flow
    if flow.is_window_open and flow.spec_hash == session.spec.hash:
        return
    flow.window_upper = session.source.now()
    flow.after_id = ""
    flow.is_window_open = True
    flow.is_second_pass = False
    flow.spec_hash = session.spec.hash
    cursor = ["window_upper", "after_id", "is_window_open", "is_second_pass"]
    _store(session, "spec_hash", *cursor)


def _known(moment: datetime | None) -> datetime:
    if moment is None:
        msg = "A running flow has both ends of its window."
        raise ValueError(msg)
    return moment


def _work(session: Session, pages: Iterator[Page]) -> None:
    for page in pages:
        work_page(session, list(page.records), Cursor(page.after), is_settled=page.settled)
