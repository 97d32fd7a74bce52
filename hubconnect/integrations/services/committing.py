"""Stores what a page brought about in one transaction, refused once the fence moved."""

from dataclasses import asdict
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from hubconnect.connectors.base import Record
from hubconnect.connectors.errors import Category
from hubconnect.engine.plan import LinkState, source_hash, title_of
from hubconnect.engine.values import store_all
from hubconnect.integrations.models import (
    Decision,
    Failure,
    Flow,
    Intent,
    QueuedRead,
    RecordEvent,
)
from hubconnect.integrations.services import (
    claims,
    closing,
    conflicts,
    counting,
    follow_ups,
    rereading,
    suspects,
)
from hubconnect.integrations.services.backoff import next_try
from hubconnect.integrations.services.candidates import describe
from hubconnect.integrations.services.lease import renew
from hubconnect.integrations.services.linked_already import in_the_way, left_over
from hubconnect.integrations.services.session import Cursor, Fault, Queue, Result, Session, event
from hubconnect.integrations.stores import save_links
from hubconnect.systems.services import requirements

SOURCE_GONE = "The record no longer exists at its source."
# Trying again changes nothing by itself: these wait for a person.
ONLY_BY_HAND = frozenset({Category.NOT_STORED, Category.LOOP})


def commit(session: Session, result: Result, cursor: Cursor | None) -> None:
    """Store the page.

    Raises:
        LeaseLostError: another worker took over; nothing was stored.
    """
    now = timezone.now()
    with transaction.atomic():
        renew(session.lease)
        if result.links:
            _save_links(session, result)
            follow_ups.wake(session, (state for state, _ in result.links.values()), now)
            closing.try_soon(session, (state for state, _ in result.links.values()), now)
        if not result.is_silent:
            follow_ups.note(session, result.links, result.seen, now)
        _store_faults(session, result, now)
        conflicts.store(session, result, now)
        _heal(result, now)
        _store_waits(session, result)
        suspects.store(session, result)
        _queue(result, now)
        _decide(session, result)
        _end_claims(session, result)
        RecordEvent.objects.bulk_create(result.events)
        if result.intents_done:
            Intent.objects.filter(key__in=result.intents_done).delete()
        counting.count_page(session, result, cursor, now)
        if cursor is not None:
            _move_cursor(session, cursor)


def _save_links(session: Session, result: Result) -> None:
    """Store the links; one that another link stands in the way of becomes a fault naming both."""
    refused = save_links(session.flow, session.lease.type_pair_id, result.links)
    _leave_over(session, result, refused)
    for source_id, other in refused.items():
        state, _ = result.links.pop(source_id)
        record = Record(source_id, {}, version=state.source_version)
        error = in_the_way(session.flow, state, other)
        result.faults.append(Fault(record, error, state.target_id))
    _forget_decisions(session, [state for state, _ in result.links.values()])


def _leave_over(session: Session, result: Result, refused: dict[str, LinkState]) -> None:
    """Keep what was created for a record that got another link meanwhile from coming back."""
    side, kind = session.flow.source_side.other, RecordEvent.Kind.CREATED
    created = {one.source_id: one.target_id for one in result.events if one.kind == kind}
    store_decisions(
        [
            Decision(
                type_pair_id=session.lease.type_pair_id,
                side=side,
                record_id=created[source_id],
                kind=Decision.Kind.RETIRED,
                values_hash="",  # nobody has read it: its next reading tells
                reason=left_over(session.flow.source_system, source_id, other.target_id),
            )
            for source_id, other in refused.items()
            if source_id in created and other.source_id == source_id
        ]
    )


def _forget_decisions(session: Session, states: list[LinkState]) -> None:
    """Forget why records were left alone that are linked, or were changed, now."""
    side = session.flow.source_side
    linked = Q(side=side, record_id__in=[state.source_id for state in states])
    targets = [state.target_id for state in states if state.pk == 0]
    if targets:
        linked |= Q(side=side.other, record_id__in=targets)
    Decision.objects.filter(linked, type_pair_id=session.lease.type_pair_id).delete()


def _store_faults(session: Session, result: Result, now: datetime) -> None:
    if not result.faults:
        return
    flow = session.flow
    known = {
        (failure.record_id, failure.child): failure
        for failure in Failure.objects.select_for_update().filter(
            flow=flow,
            state=Failure.State.OPEN,
            child__in=("", Failure.NOT_STORED),
            record_id__in=[fault.record.id for fault in result.faults],
        )
    }
    for fault in result.faults:
        failure = known.get((fault.record.id, fault.child))
        if failure is None:
            failure = Failure(flow=flow, record_id=fault.record.id, first_at=now, attempts=0)
            failure.child = fault.child
        elif failure.category != fault.error.category:
            closing.free_candidates([failure], now)
        _fill(session, failure, fault, now)
        failure.save()
        _learn(flow, fault)
        known[fault.record.id, fault.child] = failure
        result.count("failed")
        result.events.append(
            event(
                session,
                RecordEvent.Kind.FAILED,
                fault.record,
                now,
                title=failure.title,
                target_id=fault.target_id,
                reason=f"{failure.category}: {failure.message}",
            )
        )


def _fill(session: Session, failure: Failure, fault: Fault, now: datetime) -> None:
    flow, error, record = session.flow, fault.error, fault.record
    failure.type_pair_id = flow.pair.type_pair_id
    failure.level = Failure.Level.RECORD
    failure.side = flow.source_side
    failure.target_id = fault.target_id
    failure.title = title_of(record, session.spec.plan)
    failure.record_url = record.url or session.source.url(flow.source_type, record.id)
    failure.category = error.category
    failure.message = error.message
    failure.hint = error.hint
    failure.field = error.faults[0].field if error.faults else ""
    failure.faults = [asdict(one) for one in error.faults]
    failure.source_values = store_all(record.values)
    failure.sent_values = store_all(fault.sent)
    failure.answer = error.answer
    failure.candidates = describe(
        session.end(flow.source_side.other), error, fault.found, list(fault.sent)
    )
    failure.remedy = failure.remedy_id = ""
    failure.source_version = record.version
    failure.note_try(session.run, now)
    failure.next_try_at = None
    if error.category not in ONLY_BY_HAND:
        failure.next_try_at = next_try(failure.attempts, flow.pair.integration, now)


def _learn(flow: Flow, fault: Fault) -> None:
    """Remember what the target demands beyond its description, for the mapping editor."""
    hidden = [one for one in fault.error.faults if one.is_hidden_requirement]
    if hidden:
        demanded = {one.field: one.message for one in hidden}
        requirements.learn(flow.target_system, flow.target_type, demanded)


def _heal(result: Result, now: datetime) -> None:
    failed = {(fault.record.id, fault.child) for fault in result.faults}
    healed = [one.pk for one in result.healed if (one.record_id, one.child) not in failed]
    closing.close_all(healed, Failure.State.HEALED, now)
    closing.close_all(result.gone, Failure.State.DISMISSED, now, hint=SOURCE_GONE)


def _store_waits(session: Session, result: Result) -> None:
    """Mark this direction as waiting; what closed meanwhile holds nothing back any more."""
    if not result.waiting:
        return
    held = Failure.objects.filter(pk__in=list(result.waiting), state=Failure.State.OPEN)
    at_work = held.filter(flow__is_enabled=True, flow__pair__integration__is_active=True)
    locked = at_work.select_for_update(of=("self",)).order_by("pk")
    open_ids = set(locked.values_list("pk", flat=True))
    Failure.objects.filter(pk__in=open_ids).update(**{session.waits_field: True})
    for failure_id, record_id in result.waiting.items():
        if failure_id not in open_ids:
            reason = "What it waited for is over."
            result.queued.append(Queue(session.flow.pk, record_id, reason))


def _queue(result: Result, now: datetime) -> None:
    rows = [
        QueuedRead(
            flow_id=one.flow_id,
            record_id=one.record_id,
            reason=one.reason[:255],
            due_at=now + one.wait,
        )
        for one in result.queued
    ]
    # What is done goes first: the same record may be queued anew.
    rereading.finish(result.reads_done)
    QueuedRead.objects.bulk_create(rows, ignore_conflicts=True)


def _decide(session: Session, result: Result) -> None:
    spec, flow, lookup = session.spec.plan, session.flow, session.spec.lookup
    asked = lookup.source_fields if lookup is not None else ()
    rows = [
        Decision(
            type_pair_id=session.lease.type_pair_id,
            side=flow.source_side,
            record_id=one.record.id,
            kind=one.kind,
            values_hash=source_hash(
                one.record, spec, asked if one.kind == Decision.Kind.SKIPPED else ()
            ),
            reason=one.reason,
        )
        for one in result.skipped
    ]
    store_decisions(rows)


def store_decisions(rows: list[Decision]) -> None:
    """Store decisions, each in place of an older one about the same record."""
    Decision.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["type_pair", "side", "record_id"],
        update_fields=["kind", "values_hash", "reason"],
    )


def _end_claims(session: Session, result: Result) -> None:
    side = session.flow.source_side.other
    claims.give_back(session.lease, [(side, *claim) for claim in result.claims])


def _move_cursor(session: Session, cursor: Cursor) -> None:
    part = session.slice or session.wide
    if part is not None:
        part.after_id = cursor.after_id
        part.save(update_fields=["after_id"])
        return
    flow = session.flow
    flow.after_id = cursor.after_id
    flow.is_window_open = cursor.is_window_open
    flow.save(update_fields=["after_id", "is_window_open"])
