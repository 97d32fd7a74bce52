"""Finds out what became of writes whose reply was lost, before anything new is read."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from hubconnect.connectors.base import Connector, Record, SentCreate, Settled
from hubconnect.connectors.errors import Category
from hubconnect.engine.values import Stored, restore_all, store_all
from hubconnect.integrations.models import (
    Claim,
    Failure,
    Intent,
    Link,
    QueuedRead,
    RecordEvent,
    Side,
)
from hubconnect.integrations.services import counting, rollup
from hubconnect.integrations.services.committing import CLAIM_KEEP
from hubconnect.integrations.services.lease import renew
from hubconnect.integrations.services.session import Session

# Indexes and replicas are behind by this much at most, on top of the system's own request time.
LAG = timedelta(minutes=1)


def settle_intents(session: Session) -> int:
    """Settle every open intent of the type pair, in both directions; return how many were.

    What cannot be said for sure yet stays open; both flows leave its records alone meanwhile.
    """
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


def _target(session: Session, source: Side) -> tuple[Connector, str]:
    """Return the connector and object type that intents of this source side write to."""
    flow = session.flow
    if source == flow.source_side:
        return session.target, flow.target_type
    return session.source, flow.source_type


def _mapped(session: Session, source: Side) -> tuple[str, ...]:
    spec = session.spec.plan
    return spec.target_fields if source == session.flow.source_side else spec.source_fields


def _settle_creates(session: Session, side: Side, intents: list[Intent]) -> int:
    target, object_type = _target(session, side)
    sent = [SentCreate(i.key, restore_all(i.sent_values), i.sent_at) for i in intents]
    answers = target.settle(object_type, sent)
    ids = [answer.id for answer in answers.values() if answer.id]
    fields = dict.fromkeys([*_mapped(session, side), *_sent_fields(intents)])
    found = target.read(object_type, ids, list(fields)) if ids else {}
    settled = 0
    with transaction.atomic():
        renew(session.lease)
        for intent in intents:
            answer = answers.get(intent.key, Settled(is_certain=False))
            settled += _settle_create(session, intent, answer, found, target)
    return settled


def _sent_fields(intents: Iterable[Intent]) -> list[str]:
    return [name for intent in intents for name in intent.sent_values]


def _settle_create(
    session: Session,
    intent: Intent,
    answer: Settled,
    found: Mapping[str, Record],
    target: Connector,
) -> int:
    if answer.id:
        record = found.get(answer.id)
        values = store_all(record.values) if record else intent.sent_values
        _link(session, intent, answer.id, values, record.version if record else "")
    elif answer.is_certain:
        _plan_anew(intent, "Its create was not carried out.")
    elif not is_overdue(intent.sent_at, target):
        return 0
    else:
        _give_up(session, intent, answer)
    intent.delete()
    return 1


def _link(
    session: Session,
    intent: Intent,
    target_id: str,
    target_values: Mapping[str, Stored],
    version: str,
) -> None:
    """Link what a lost reply had created or changed, with the bases the reply would have given."""
    source = Side(intent.source_side)
    source_base = {k: [v, intent.source_version] for k, v in intent.source_values.items()}
    target_base = {k: [v, version] for k, v in target_values.items()}
    link = Link.objects.filter(
        type_pair_id=intent.type_pair_id, **{f"{source}_id": intent.source_id}
    ).first()
    if link is None:
        if Link.objects.filter(
            type_pair_id=intent.type_pair_id, **{f"{source.other}_id": target_id}
        ).exists():
            return  # linked by other means meanwhile; the next reading decides
        link = Link(type_pair_id=intent.type_pair_id, title=intent.title)
        setattr(link, f"{source}_id", intent.source_id)
        setattr(link, f"{source.other}_id", target_id)
    setattr(link, f"{source}_base", getattr(link, f"{source}_base") | source_base)
    setattr(link, f"{source.other}_base", getattr(link, f"{source.other}_base") | target_base)
    setattr(link, f"{source}_version", intent.source_version)
    is_new = link.pk is None
    link.save()
    is_create = intent.kind == Intent.Kind.CREATE
    if intent.lookup_key:
        _claim(session, intent, target_id)
    RecordEvent.objects.create(
        run=session.run,
        kind=RecordEvent.Kind.CREATED if is_create else RecordEvent.Kind.UPDATED,
        source_id=intent.source_id,
        target_id=target_id,
        title=intent.title,
        detail={"reason": "Its reply had been lost; the record shows that it was carried out."},
        at=timezone.now(),
    )
    name = "created" if is_create else "updated"
    counting.count(session, name)
    rollup.add(session.flow.pk, timezone.now(), linked=int(is_new), **{name: 1})


def _claim(session: Session, intent: Intent, target_id: str) -> None:
    """Keep the created record findable by its lookup while searches may not show it yet."""
    Claim.objects.update_or_create(
        type_pair_id=intent.type_pair_id,
        side=Side(intent.source_side).other,
        key=intent.lookup_key,
        defaults={
            "source_id": intent.source_id,
            "target_id": target_id,
            "fence": session.lease.fence,
            "expires_at": timezone.now() + CLAIM_KEEP,
        },
    )


def _plan_anew(intent: Intent, reason: str) -> None:
    QueuedRead.objects.get_or_create(
        flow_id=intent.flow_id,
        record_id=intent.source_id,
        defaults={"reason": reason, "due_at": timezone.now()},
    )


def is_overdue(sent_at: datetime, target: Connector) -> bool:
    """Tell whether a request must be over, wherever it got lost."""
    return target.now() > sent_at + longest_request(target) + LAG


def longest_request(target: Connector) -> timedelta:
    """Return how long after sending a request may still take effect."""
    return timedelta(seconds=settings.REQUEST_TIMEOUT_S) + target.server_time


def _give_up(session: Session, intent: Intent, answer: Settled) -> None:
    """Leave a create that cannot be settled to a person, with what it may be."""
    flow = intent.flow
    shown = ", ".join(answer.candidates) or "none was found"
    now = timezone.now()
    Failure.objects.update_or_create(
        flow=flow,
        record_id=intent.source_id,
        child="",
        state=Failure.State.OPEN,
        defaults={
            "type_pair_id": intent.type_pair_id,
            "run": session.run,
            "level": Failure.Level.RECORD,
            "side": intent.source_side,
            "title": intent.title,
            "category": Category.UNKNOWN_OUTCOME,
            "message": f"The reply to creating it in {flow.target_system} was lost, and nothing "
            f"there tells for sure whether it exists. Candidates: {shown}.",
            "hint": f"Look in {flow.target_system}. If it is there, delete it or give the flow a "
            "lookup that finds it; then press Retry.",
            "source_values": intent.source_values,
            "sent_values": intent.sent_values,
            "source_version": intent.source_version,
            "target_id": answer.candidates[0] if len(answer.candidates) == 1 else "",
            "first_at": now,
            "last_at": now,
            "next_try_at": None,
        },
    )


def _settle_updates(session: Session, side: Side, intents: list[Intent]) -> int:
    target, object_type = _target(session, side)
    fields = dict.fromkeys([*_mapped(session, side), *_sent_fields(intents)])
    found = target.read(object_type, [intent.target_id for intent in intents], list(fields))
    settled = 0
    with transaction.atomic():
        renew(session.lease)
        for intent in intents:
            settled += _settle_update(session, intent, found.get(intent.target_id), target)
    return settled


def _settle_update(
    session: Session, intent: Intent, record: Record | None, target: Connector
) -> int:
    """Judge by what the target holds: the old values, or something that came after ours."""
    now_held = store_all(record.values) if record is not None else {}
    is_old = all(
        now_held.get(name) == intent.target_values.get(name) for name in intent.sent_values
    )
    if record is None:
        _plan_anew(intent, "Its counterpart was not found when its update was settled.")
    elif not is_old:
        # Ours arrived. Where another value stands on top of it, the base is what was sent, so
        # that the other value is seen as the edit it is.
        _link(session, intent, intent.target_id, intent.sent_values, record.version)
    elif target.now() <= intent.sent_at + longest_request(target):
        return 0  # it may still arrive
    else:
        _plan_anew(intent, "Its update was not carried out.")
    intent.delete()
    return 1
