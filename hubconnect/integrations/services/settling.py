"""Finds out what became of writes whose reply was lost, before anything new is read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import QuerySet

from hubconnect.connectors.base import Connector, Record, SentCreate, SentUpdate, Settled
from hubconnect.connectors.errors import RecordError
from hubconnect.connectors.remembering import History
from hubconnect.engine.plan import Names
from hubconnect.engine.settle import Trail, judge_update
from hubconnect.engine.values import restore_all
from hubconnect.integrations.models import Intent, Side
from hubconnect.integrations.services import claims, late_conflicts, merging
from hubconnect.integrations.services.lease import renew
from hubconnect.integrations.services.session import End, Session
from hubconnect.integrations.services.settled import (
    give_up,
    link_created,
    link_updated,
    plan_anew,
    remember_sent,
)
from hubconnect.integrations.services.settling_creates import complete

log = structlog.get_logger()

# Indexes and replicas are behind by this much at most, on top of the system's own request time.
LAG = timedelta(minutes=1)
# Clocks of a system's machines differ; HubSpot's Date has whole seconds.
CLOCK_ROOM = timedelta(seconds=5)


def settle_intents(session: Session) -> int:
    """Settle every open intent of the type pair, in both directions; return how many were.

    What cannot be said for sure yet stays open; both flows leave its records alone meanwhile. What
    another worker has under way, with a lease of its own that still holds, is that worker's.
    """
    claims.clear(session.lease)
    intents = list(_open(session))
    settled = 0
    for side in Side:
        of_side = [intent for intent in intents if intent.source_side == side]
        creates = [intent for intent in of_side if intent.kind == Intent.Kind.CREATE]
        updates = [intent for intent in of_side if intent.kind == Intent.Kind.UPDATE]
        if creates:
            settled += _settle_creates(session, side, creates)
        if updates:
            settled += _settle_updates(session, side, updates)
    return settled


def _open(session: Session) -> QuerySet[Intent]:
    """Return what this session is to settle; a slice leaves what the others have under way."""
    intents = Intent.objects.filter(type_pair_id=session.flow.pair.type_pair_id)
    return intents if session.slice is None else intents.filter(slice=session.slice)


def _fields(session: Session, source: Side, intents: Sequence[Intent]) -> list[str]:
    """Return what to read of the records that intents of this source side write."""
    spec = session.spec.plan
    mapped = spec.target_fields if source == session.flow.source_side else spec.source_fields
    sent = [name for intent in intents for name in intent.sent_values]
    return list(dict.fromkeys([*mapped, *sent]))


def _settle_creates(session: Session, side: Side, intents: list[Intent]) -> int:
    end = session.end(side.other)
    sent = [SentCreate(i.key, restore_all(i.sent_values), i.sent_at) for i in intents]
    asked_at = end.connector.now()  # what began later is not seen by what is read now
    answers = complete(session, side, intents, end.connector.settle(end.object_type, sent))
    ids = [one for answer in answers.values() for one in (answer.id, *answer.candidates) if one]
    fields = _fields(session, side, intents)
    found = end.connector.read(end.object_type, list(dict.fromkeys(ids)), fields) if ids else {}
    settled = 0
    with transaction.atomic():
        renew(session.lease)
        for intent in intents:
            answer = answers.get(intent.key, Settled(is_certain=False))
            settled += _settle_create(session, intent, answer, found, end, asked_at)
    return settled


def _settle_create(
    session: Session,
    intent: Intent,
    answer: Settled,
    found: Mapping[str, Record],
    end: End,
    asked_at: datetime,
) -> int:
    if answer.id:
        link_created(session, intent, answer.id, found.get(answer.id))
    elif answer.is_certain:
        remember_sent(intent)
        plan_anew(intent, "Its create was not carried out.")
    elif not is_overdue(intent.sent_at, asked_at, end.connector):
        return 0
    else:
        give_up(session, intent, [found[one] for one in answer.candidates if one in found])
    intent.delete()
    return 1


def is_overdue(sent_at: datetime, asked_at: datetime, target: Connector) -> bool:
    """Tell whether a reading begun at ``asked_at`` must show a request, wherever it got lost."""
    return asked_at > sent_at + longest_request(target) + LAG


def longest_request(target: Connector) -> timedelta:
    """Return how long after an intent was stored one of its requests may still take effect."""
    return target.context.longest_series + target.server_time


def _settle_updates(session: Session, side: Side, intents: list[Intent]) -> int:
    end = session.end(side.other)
    asked_at = end.connector.now()
    ids = [intent.target_id for intent in intents]
    # Asked first: what lands after it is seen in the records, or the next time.
    sent = [SentUpdate(i.key, i.target_id, i.sent_at) for i in intents]
    noted = end.connector.arrived(end.object_type, sent)
    found = end.connector.read(end.object_type, ids, _fields(session, side, intents))
    asked = late_conflicts.asked_rows(intents)
    unclear = [i for i in intents if i.key in asked or _is_open(i, found.get(i.target_id))]
    histories = _histories(end, unclear)
    settled = 0
    with transaction.atomic():
        renew(session.lease)
        for intent in intents:
            record = found.get(intent.target_id)
            history = histories.get(intent.target_id, {})
            seen = _Seen(record, history, asked.get(intent.key, ()), noted.get(intent.key))
            settled += _settle_update(session, intent, seen, end, asked_at)
    merging.follow_answer(session, side.other, found)
    return settled


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the target shows of the record of a lost update."""

    record: Record | None
    history: History
    asked: Sequence[Names] = ()  # its fields about which a person is asked
    is_noted: bool | None = None  # the target's own note says whether the update arrived


def _is_open(intent: Intent, record: Record | None) -> bool:
    """Tell whether values alone leave open whether an update arrived, and what stands there."""
    if record is None:
        return False
    sent = restore_all(intent.sent_values)
    verdict = judge_update(sent, restore_all(intent.target_values), record.values)
    return verdict.kept != sent.keys()


def _histories(end: End, intents: Sequence[Intent]) -> Mapping[str, History]:
    """Ask the target's history about updates, by the target's ids; none where it keeps none."""
    remembering = end.connector.remembering
    if remembering is None or not intents:
        return {}
    names = sorted({name for intent in intents for name in intent.sent_values})
    ids = [intent.target_id for intent in intents]
    try:
        return remembering.history(end.object_type, ids, names)
    except RecordError as error:
        # Refused for good: what the records hold must do.
        log.warning("history.refused", records=len(ids), error=error.message)
        return {}


def _trail(intent: Intent, history: History) -> Trail | None:
    """Return which fields our app wrote since an update was sent; None: that cannot be told."""
    told = {name: history.get(name, ()) for name in intent.sent_values}
    if not any(told.values()) or any(one.is_ours is None for each in told.values() for one in each):
        return None
    since = intent.sent_at - CLOCK_ROOM
    reached = {n for n, each in told.items() if any(e.is_ours and e.at >= since for e in each)}
    newest = {n for n in reached if told[n][0].is_ours}
    return Trail(frozenset(reached), frozenset(newest))


def _settle_update(
    session: Session, intent: Intent, seen: _Seen, end: End, asked_at: datetime
) -> int:
    """Judge by what the target holds now, and by its history if it keeps one."""
    record = seen.record
    if record is None:
        plan_anew(intent, "Its counterpart was not found when its update was settled.")
        intent.delete()
        return 1
    verdict = judge_update(
        restore_all(intent.sent_values),
        restore_all(intent.target_values),
        record.values,
        _trail(intent, seen.history),
        is_noted=seen.is_noted,
    )
    if verdict.has_arrived:
        since = intent.sent_at - CLOCK_ROOM
        lost = late_conflicts.lost_values(intent, verdict, seen.history, seen.asked, since)
        link_updated(session, intent, record, verdict, lost)
        if verdict.undone:
            names = ", ".join(sorted(verdict.undone))
            plan_anew(intent, f"Its update arrived, and {names} still holds the old value.")
    elif record.id == intent.target_id and asked_at <= intent.sent_at + longest_request(
        end.connector
    ):
        return 0  # it may still arrive; not so under an id that was merged away
    else:
        plan_anew(intent, "Its update was not carried out.")
    intent.delete()
    return 1
