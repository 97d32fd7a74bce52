"""Carries out a page's plans at the target and works out what each outcome means."""

from collections.abc import Collection, Sequence
from datetime import timedelta

from django.utils import timezone

from hubconnect.connectors.base import Values
from hubconnect.connectors.errors import ConnectorError
from hubconnect.engine.apply import Applied, Fate, Written, apply_creates, apply_updates
from hubconnect.engine.loops import Trace, mark, remembered
from hubconnect.engine.plan import (
    CreatePlan,
    LinkState,
    UpdatePlan,
    create_bases,
    not_stored,
    title_of,
    unanswered,
)
from hubconnect.engine.settle import agreed_at_create
from hubconnect.engine.values import to_stored
from hubconnect.integrations.models import RecordEvent
from hubconnect.integrations.services import conflicts, duplicates, overwritten, unstored
from hubconnect.integrations.services.conflicts import Known
from hubconnect.integrations.services.intents import IntentJournal
from hubconnect.integrations.services.linked_already import already_linked
from hubconnect.integrations.services.session import (
    Fault,
    Plans,
    Queue,
    Result,
    Session,
    event,
)
from hubconnect.integrations.stores import links_by_target

SETTLE_WAIT = timedelta(seconds=10)
REPLY_LOST = "The reply was lost. The next run finds out whether it was stored."
HISTORY_UNREAD = (
    "It was written, but the history of its fields could not be read. The next run finds out "
    "whether somebody's edit was overwritten."
)


def carry_out(session: Session, plans: Plans, result: Result) -> ConnectorError | None:
    """Write the plans; return what stopped the work before its end, if anything did."""
    journal = IntentJournal(session, plans.lookup_keys)
    target, object_type = session.target, session.flow.target_type
    applied = apply_creates(plans.creates, target, object_type, journal)
    _take_creates(session, applied, plans, result)
    if applied.stopped_by is not None:
        return applied.stopped_by
    sending = [plan for plan in plans.updates if plan.writes]
    for plan in plans.updates:
        _give_back(session, plan, result)
        if not plan.writes:
            known = plans.known.get(plan.source.id)
            _agreed_only(session, plan, result)
            _heal_unstored(plan, known, result)
            conflicts.note(session, plan, known, result, is_done=True)
    changed = apply_updates(sending, target, object_type, journal)
    _take_updates(session, changed, plans, result)
    return changed.stopped_by


def _take_creates(
    session: Session, applied: Applied[CreatePlan], plans: Plans, result: Result
) -> None:
    answers = _complete_answers(session, applied.written)
    created = [one.target_id for one in applied.written if one.fate is Fate.DONE]
    taken = links_by_target(session.flow, created) if created else {}
    refused: list[Written[CreatePlan]] = []
    for written in applied.written:
        record = written.plan.source
        other = taken.get(written.target_id) if written.fate is Fate.DONE else None
        if other is not None and other.source_id != record.id:
            result.intents_done.append(written.key)
            error = already_linked(session.flow, record.id, written.target_id, other.source_id)
            result.faults.append(Fault(record, error, written.target_id, written.plan.values))
        elif written.fate is Fate.DONE:
            _created(session, written, answers[written.key], plans, result)
        elif written.fate is Fate.UNKNOWN:
            _unknown(session, written, result, REPLY_LOST)
        else:
            result.intents_done.append(written.key)
            refused.append(written)
    duplicates.judge(session, refused, result)


def _created(
    session: Session,
    written: Written[CreatePlan],
    stored: Values,
    plans: Plans,
    result: Result,
) -> None:
    plan, spec = written.plan, session.spec.plan
    record = plan.source
    if written.was_there:
        stored = agreed_at_create(plan.values, stored)
    lost = not_stored(plan.values, {}, stored)
    source_base, target_base = create_bases(plan, stored, written.version, spec, lost)
    title = title_of(record, spec)
    link = LinkState(0, record.id, written.target_id, source_base, target_base, record.version)
    result.links[record.id] = (link, title)
    result.intents_done.append(written.key)
    result.count("created")
    if record.id in plans.lookup_keys:
        result.claims.append((plans.lookup_keys[record.id], record.id, written.target_id))
    result.events.append(
        event(
            session,
            RecordEvent.Kind.CREATED,
            record,
            timezone.now(),
            title=title,
            target_id=written.target_id,
            changes=() if session.run.reason == session.run.Reason.LOAD else plan.changes,
        )
    )
    if lost:
        unstored.note(session, record, written.target_id, lost, plan.values, result)


def _take_updates(
    session: Session, applied: Applied[UpdatePlan], plans: Plans, result: Result
) -> None:
    answers = _complete_answers(session, applied.written)
    told = overwritten.find(session, applied.written)
    for written in applied.written:
        plan = written.plan
        known = plans.known.get(plan.source.id)
        is_unread = written.key in told.unread
        is_done = written.fate is Fate.DONE and not is_unread
        found = told.entries.get(plan.source.id, ())
        conflicts.note(session, plan, known, result, is_done=is_done, overwritten=found)
        if written.fate is Fate.UNKNOWN or is_unread:
            _unknown(session, written, result, HISTORY_UNREAD if is_unread else REPLY_LOST)
            if known is not None:  # what a person chose is looked at once this is settled
                reason = "A choice of a person waits for a lost reply."
                result.queued.append(Queue(session.flow.pk, plan.source.id, reason, SETTLE_WAIT))
            continue
        result.intents_done.append(written.key)
        if written.fate is Fate.DONE:
            _updated(session, written, answers[written.key], known, result)
        elif written.fate is Fate.STALE:
            reason = "The target changed between reading and writing."
            result.queued.append(Queue(session.flow.pk, plan.source.id, reason))
            result.count("held")
        elif written.fate is Fate.GONE:
            # A reading of it alone decides: it may have been merged, or deleted.
            reason = f"Its counterpart {plan.link.target_id} was not there to be written."
            result.queued.append(Queue(session.flow.pk, plan.source.id, reason))
            result.count("held")
        else:
            error = written.error or duplicates.vanished()
            fault = Fault(plan.source, error, plan.link.target_id, plan.writes)
            result.faults.append(fault)


def _updated(
    session: Session,
    written: Written[UpdatePlan],
    stored: Values,
    known: Known | None,
    result: Result,
) -> None:
    plan = written.plan
    lost = not_stored(plan.writes, plan.expected, stored)
    done = [(s, t) for s, t in plan.sent if t not in lost]
    values = {**plan.target.values, **stored}
    stays = plan.stays | {s for s, t in plan.sent if t in lost}
    _move(session, plan, [*done, *plan.agreed], values, written.version, result, stays)
    result.count("updated")
    result.events.append(
        event(
            session,
            RecordEvent.Kind.UPDATED,
            plan.source,
            timezone.now(),
            title=title_of(plan.source, session.spec.plan),
            target_id=plan.target.id,
            changes=plan.changes,
        )
    )
    if lost:
        waiting = [target for _, target in plan.kept]
        unstored.note(session, plan.source, plan.target.id, [*lost, *waiting], plan.writes, result)
    else:
        _heal_unstored(plan, known, result)


def _heal_unstored(plan: UpdatePlan, known: Known | None, result: Result) -> None:
    """Close the failure about values that were not kept, if none is left out any more."""
    if known is not None and known.not_stored is not None and not plan.kept:
        result.healed.append(known.not_stored)


def _agreed_only(session: Session, plan: UpdatePlan, result: Result) -> None:
    """Store what both sides turned out to hold already, or that two records are the same."""
    is_new = plan.link.pk == 0
    target = plan.target
    _move(session, plan, plan.agreed, target.values, target.version, result, plan.stays)
    result.count("updated" if is_new else "unchanged")
    is_told = plan.link.source_version == plan.source.version  # by an earlier run
    if is_new or (any(change.remark for change in plan.changes) and not is_told):
        result.events.append(
            event(
                session,
                RecordEvent.Kind.LINKED if is_new else RecordEvent.Kind.UNCHANGED,
                plan.source,
                timezone.now(),
                title=title_of(plan.source, session.spec.plan),
                target_id=plan.target.id,
                reason="Found by the lookup; both sides hold the same." if is_new else "",
                changes=plan.changes,
            )
        )


def _move(  # noqa: PLR0913, PLR0917 - what was written, and what it was written from
    session: Session,
    plan: UpdatePlan,
    pairs: Sequence[tuple[str, str]],
    target_values: Values,
    target_version: str,
    result: Result,
    stays: Collection[str],
) -> None:
    """Move the bases of the fields both sides now agree on; of the source's not those that stay."""
    record, link = plan.source, plan.link
    source_base = {name: list(base) for name, base in link.source_base.items()}
    target_base = {name: list(base) for name, base in link.target_base.items()}
    for source_name, target_name in pairs:
        if source_name and source_name not in stays:
            value = to_stored(record.values.get(source_name))
            source_base[source_name] = [value, record.version]
        target_base[target_name] = [to_stored(target_values.get(target_name)), target_version]
    now = timezone.now()
    changed = frozenset(one for one, _ in pairs if one and one not in stays)
    moved = changed, frozenset(one for _, one in pairs)
    new = [
        Trace(now, True, *names, mark(plan.writes[names[1]]), mark(target_values.get(names[1])))  # noqa: FBT003 - to the target
        for names in pairs
        if names in plan.sent
    ]
    state = LinkState(
        link.pk,
        record.id,
        plan.target.id,
        source_base,
        target_base,
        record.version,
        remembered(link.recent, new, now),
        moved,
    )
    result.links[record.id] = (state, title_of(record, session.spec.plan))


def _give_back(session: Session, plan: UpdatePlan, result: Result) -> None:
    """Have the opposite flow read the target, whose values belong on the source."""
    if plan.gives_back and session.opposite is not None:
        reason = "The other side's value goes first here."
        result.queued.append(Queue(session.opposite.pk, plan.target.id, reason))


def _unknown(
    session: Session,
    written: Written[CreatePlan] | Written[UpdatePlan],
    result: Result,
    reason: str,
) -> None:
    record = written.plan.source
    result.count("held")
    result.events.append(
        event(
            session,
            RecordEvent.Kind.HELD,
            record,
            timezone.now(),
            title=title_of(record, session.spec.plan),
            reason=reason,
        )
    )


def _complete_answers(
    session: Session, written: Sequence[Written[CreatePlan]] | Sequence[Written[UpdatePlan]]
) -> dict[str, Values]:
    """Return the stored values by key; where an answer leaves a sent field open, read it."""
    done = [one for one in written if one.fate is Fate.DONE]
    answers: dict[str, Values] = {one.key: one.stored for one in done}
    open_ids = {one.target_id: one.key for one in done if unanswered(_sent(one), one.stored)}
    if open_ids:
        found = session.target.read(
            session.flow.target_type, list(open_ids), session.spec.plan.target_fields
        )
        for target_id, record in found.items():
            answers[open_ids[target_id]] = record.values
    return answers


def _sent(written: Written[CreatePlan] | Written[UpdatePlan]) -> Values:
    plan = written.plan
    return plan.values if isinstance(plan, CreatePlan) else plan.writes
