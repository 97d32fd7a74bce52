"""Judges creates that the target refused, foremost those because the record is there already."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.utils import timezone

from hubconnect.connectors.base import Record
from hubconnect.connectors.errors import Category, RecordError
from hubconnect.engine.apply import Written
from hubconnect.engine.plan import CreatePlan, LinkState, title_of
from hubconnect.integrations.models import PastCreate, RecordEvent
from hubconnect.integrations.services import merging
from hubconnect.integrations.services.linked_already import already_linked
from hubconnect.integrations.services.session import Fault, Queue, Result, Session, event
from hubconnect.integrations.stores import links_by_target

# Clocks of a system's machines differ; HubSpot's Date has whole seconds.
CLOCK_ROOM = timedelta(seconds=5)


def judge(session: Session, refused: Sequence[Written[CreatePlan]], result: Result) -> None:
    """Make faults of refused creates; one that turns out to be our own becomes a link.

    "Already there" is ours only if the same create was sent before, the record is younger than
    that, and nothing links it. Any other record with the value belongs to somebody: a person says
    whether the two are the same.
    """
    existing = {
        one.key: one.error.existing_id for one in refused if one.error and one.error.existing_id
    }
    if not existing:
        for one in refused:
            _fault(one, one.error or vanished(), result)
        return
    found = _read(session, list(dict.fromkeys(existing.values())))
    taken = links_by_target(session.flow, [record.id for record in found.values()])
    sent = _sent_before(session, [one.plan.source.id for one in refused])
    for one in refused:
        error = one.error or vanished()
        record = found.get(existing.get(one.key, ""))
        if record is None:
            _fault(one, error, result)
        elif record.id in taken:
            other = taken[record.id].source_id
            error = already_linked(session.flow, one.plan.source.id, record.id, other)
            _fault(one, error, result, record.id)
        elif _is_ours(record, sent.get(one.plan.source.id)):
            _recognise(session, one.plan.source, record, result)
        else:
            _fault(one, error, result, record.id, record)


def vanished() -> RecordError:
    """Return the error for a record that an answer says nothing about."""
    return RecordError(
        "The target system answered without saying what became of the record.",
        category=Category.UNKNOWN_OUTCOME,
        hint="Press Retry.",
    )


def _read(session: Session, ids: Sequence[str]) -> dict[str, Record]:
    """Return the records that are there already, by the id that the refusal names."""
    flow, fields = session.flow, session.spec.plan.target_fields
    found = session.target.read(flow.target_type, ids, fields)
    merging.follow_answer(session, flow.source_side.other, found)
    return found


def _sent_before(session: Session, source_ids: Sequence[str]) -> dict[str, datetime]:
    """Return when the counterparts of records were sent to be created, for an earlier try."""
    flow = session.flow
    rows = PastCreate.objects.filter(
        type_pair_id=flow.pair.type_pair_id, side=flow.source_side, record_id__in=source_ids
    ).exclude(sent_at=None)
    return {record_id: at for record_id, at in rows.values_list("record_id", "sent_at") if at}


def _is_ours(record: Record, sent_at: datetime | None) -> bool:
    if sent_at is None or record.created_at is None or record.made_by_us is False:
        return False
    return record.created_at >= sent_at - CLOCK_ROOM


def _recognise(session: Session, source: Record, target: Record, result: Result) -> None:
    """Link a record with what an earlier try had created after all; then compare both."""
    title = title_of(source, session.spec.plan)
    result.links[source.id] = (LinkState(0, source.id, target.id, {}, {}), title)
    reason = "An earlier try had created its counterpart after all."
    result.queued.append(Queue(session.flow.pk, source.id, reason))
    result.count("created")
    kind, now = RecordEvent.Kind.LINKED, timezone.now()
    result.events.append(
        event(session, kind, source, now, title=title, target_id=target.id, reason=reason)
    )


def _fault(
    written: Written[CreatePlan],
    error: RecordError,
    result: Result,
    target_id: str = "",
    found: Record | None = None,
) -> None:
    plan = written.plan
    shown = (found,) if found is not None else ()
    result.faults.append(
        Fault(plan.source, error, target_id or error.existing_id, plan.values, found=shown)
    )
