"""Stores what a lost reply turned out to be: a link, a new plan, or a question to a person.

All of it is called within a transaction of a run that has the lease.
"""

from collections.abc import Mapping, Sequence

from django.db import IntegrityError, transaction
from django.utils import timezone

from hubconnect.connectors.base import Record, Value
from hubconnect.connectors.errors import Category
from hubconnect.engine.plan import Names
from hubconnect.engine.settle import Verdict, agreed_at_create
from hubconnect.engine.values import Stored, restore_all, to_stored
from hubconnect.integrations.models import (
    Decision,
    Failure,
    Intent,
    Link,
    PastCreate,
    QueuedRead,
    RecordEvent,
    Side,
)
from hubconnect.integrations.services import claims, counting, late_conflicts
from hubconnect.integrations.services.candidates import listed, lost_create
from hubconnect.integrations.services.linked_already import left_over
from hubconnect.integrations.services.session import Session

Base = dict[str, list[Stored]]


def link_created(session: Session, intent: Intent, target_id: str, record: Record | None) -> None:
    """Link what a lost reply had created, with the bases the reply would have given.

    What somebody wrote there since stays an edit, also in a field that was empty and not sent.
    """
    source = Side(intent.source_side)
    sent = restore_all(intent.sent_values)
    version, fields = (record.version, record.values) if record is not None else ("", sent)
    agreed = agreed_at_create(sent, record.values) if record is not None else sent
    link = Link(
        type_pair_id=intent.type_pair_id,
        title=intent.title,
        **{
            f"{source}_id": intent.source_id,
            f"{source.other}_id": record.id if record is not None else target_id,
            f"{source}_base": {k: [v, intent.source_version] for k, v in _read(intent).items()},
            f"{source.other}_base": {
                name: [to_stored(agreed.get(name)), version] for name in {*fields, *agreed}
            },
            f"{source}_version": intent.source_version,
        },
    )
    try:
        with transaction.atomic():
            link.save()
    except IntegrityError:
        # One of both was linked by other means meanwhile: the next reading says with what.
        _leave_over(session, intent, target_id)
        plan_anew(intent, f"Its create was settled: {target_id} is linked already.")
        return
    Decision.objects.filter(
        type_pair_id=intent.type_pair_id, side=source, record_id=intent.source_id
    ).delete()
    if intent.lookup_key:
        kept = (source.other, intent.lookup_key, intent.source_id, target_id)
        claims.keep(session.lease, [kept])
    _tell(session, intent, target_id, RecordEvent.Kind.CREATED, "created")


def _leave_over(session: Session, intent: Intent, target_id: str) -> None:
    """Keep what was created for a record that got another link meanwhile from coming back."""
    side, links = Side(intent.source_side), Link.objects.filter(type_pair_id=intent.type_pair_id)
    own = links.filter(**{f"{side}_id": intent.source_id}).first()
    if own is None or links.filter(**{f"{side.other}_id": target_id}).exists():
        return
    counterpart = getattr(own, f"{side.other}_id")
    reason = left_over(session.end(side).system, intent.source_id, counterpart)
    Decision.objects.update_or_create(
        type_pair_id=intent.type_pair_id,
        side=side.other,
        record_id=target_id,
        defaults={"kind": Decision.Kind.RETIRED, "values_hash": "", "reason": reason},
    )


def link_updated(
    session: Session,
    intent: Intent,
    record: Record,
    verdict: Verdict,
    lost: Mapping[Names, Value],
) -> None:
    """Move the bases of the fields that a lost reply had written.

    Where somebody's edit stands on top of what was sent, the base is what was sent, so that the
    edit is seen as one. About values in ``lost``, which it overwrote unseen, a person is asked.
    """
    source = Side(intent.source_side)
    link = (
        Link.objects.select_for_update(no_key=True)
        .filter(type_pair_id=intent.type_pair_id, **{f"{source}_id": intent.source_id})
        .first()
    )
    target_base_then = getattr(link, f"{source.other}_base") if link is not None else {}
    changes = _changes(session, intent, verdict, target_base_then)
    if lost:
        late_conflicts.store(session, intent, link, record, lost)
    if link is None:
        # Found by a lookup, or given up meanwhile: the next reading decides about the link.
        _tell(session, intent, intent.target_id, RecordEvent.Kind.UPDATED, "updated", changes)
        return
    values, moved = _read(intent), verdict.kept | verdict.topped
    names = set(values)
    if intent.pairs is not None:  # None: a release of before announced it
        left = {s for s, t in intent.pairs if t not in moved}  # another target still lacks it
        names = {s for s, _ in intent.pairs if s} - left
        moved &= {t for _, t in intent.pairs}
    source_base = {n: [values.get(n), intent.source_version] for n in names}
    target_base: Base = {
        name: [to_stored(record.values.get(name)), record.version] for name in verdict.kept & moved
    }
    topped = verdict.topped & moved
    target_base |= {name: [intent.sent_values[name], record.version] for name in topped}
    setattr(link, f"{source}_base", getattr(link, f"{source}_base") | source_base)
    setattr(link, f"{source.other}_base", getattr(link, f"{source.other}_base") | target_base)
    setattr(link, f"{source}_version", intent.source_version)
    link.save()
    _tell(session, intent, intent.target_id, RecordEvent.Kind.UPDATED, "updated", changes)


def _changes(
    session: Session, intent: Intent, verdict: Verdict, target_base: Base
) -> list[dict[str, object]]:
    """Return what the update changed, and where it overruled what somebody had entered there."""
    is_ours = intent.source_side == session.flow.source_side
    fields = session.spec.target_fields if is_ours else session.spec.source_fields
    changes: list[dict[str, object]] = []
    for name in sorted(verdict.kept | verdict.topped):
        old, new = intent.target_values.get(name), intent.sent_values[name]
        agreed = target_base[name][0] if name in target_base else None
        remark = "" if old in (agreed, None) else "both sides had changed; this value was written"
        label = fields[name].label if name in fields else name
        changes.append({"field": name, "label": label, "old": old, "new": new, "remark": remark})
    return changes


def _read(intent: Intent) -> Mapping[str, Stored]:
    """Return the source's values as they were read for the write."""
    values: Mapping[str, Stored] = intent.source_values
    return values


def _tell(
    session: Session,
    intent: Intent,
    target_id: str,
    kind: RecordEvent.Kind,
    count: str,
    changes: Sequence[dict[str, object]] = (),
) -> None:
    detail: dict[str, object] = {
        "reason": "Its reply had been lost; the record shows that it was carried out."
    }
    if changes:
        detail["fields"] = list(changes)
    RecordEvent.objects.create(
        run=session.run,
        kind=kind,
        source_id=intent.source_id,
        target_id=target_id,
        title=intent.title,
        detail=detail,
        at=timezone.now(),
    )
    counting.count(session, count, linked=int(kind == RecordEvent.Kind.CREATED))


def plan_anew(intent: Intent, reason: str) -> None:
    """Have the source record read afresh."""
    QueuedRead.objects.get_or_create(
        flow_id=intent.flow_id,
        record_id=intent.source_id,
        defaults={"reason": reason[:255], "due_at": timezone.now()},
    )


def remember_sent(intent: Intent) -> None:
    """Remember when a create was sent first that, as it seems, was not carried out.

    Should a second one be refused because the record is there, this tells that it may be ours.
    """
    row, is_new = PastCreate.objects.get_or_create(
        type_pair_id=intent.type_pair_id,
        side=intent.source_side,
        record_id=intent.source_id,
        defaults={"sent_at": intent.sent_at},
    )
    if not is_new and row.sent_at is None:
        row.sent_at = intent.sent_at
        row.save(update_fields=["sent_at"])


def give_up(session: Session, intent: Intent, candidates: Sequence[Record]) -> None:
    """Leave a create that cannot be settled to a person, with what it may be."""
    flow, side = intent.flow, Side(intent.source_side)
    remember_sent(intent)
    end, source = session.end(side.other), session.end(side)
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
            "record_url": source.connector.url(source.object_type, intent.source_id),
            "category": Category.UNKNOWN_OUTCOME,
            "message": lost_create(flow.target_system, [one.id for one in candidates]),
            "hint": f"Look in {flow.target_system}. If one of them is it, link the two. If none "
            "is, press Retry, which creates it.",
            "source_values": intent.source_values,
            "sent_values": intent.sent_values,
            "source_version": intent.source_version,
            "target_id": candidates[0].id if len(candidates) == 1 else "",
            "candidates": listed(
                end, [one.id for one in candidates], candidates, list(intent.sent_values)
            ),
            "first_at": now,
            "last_at": now,
            "next_try_at": None,
        },
    )
