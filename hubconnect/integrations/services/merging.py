"""Follows merged records: their links go on under the new id, and where two links meet, one stays.

A merge gives two records one new id. The survivor of a reading names the ids it had before, and a
record asked for by such an id is answered under the new one. Either way is followed here, in a
transaction of its own, before anything is decided about the record.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from hubconnect.connectors.base import Record
from hubconnect.connectors.errors import Category, RecordError
from hubconnect.engine.plan import LinkState
from hubconnect.integrations.models import (
    Decision,
    Failure,
    FollowUp,
    Link,
    QueuedRead,
    RecordEvent,
    Side,
)
from hubconnect.integrations.services import closing, counting, renaming, retiring
from hubconnect.integrations.services.follow_ups import waits_type
from hubconnect.integrations.services.lease import renew
from hubconnect.integrations.services.retiring import id_of
from hubconnect.integrations.services.session import Session, event
from hubconnect.integrations.stores import links_by_source

# What of a record failed, as ``Failure.child`` begins: its link met another one.
CHILD = "merged"
LOOK_AGAIN = timedelta(hours=1)
SWITCH = "switch"  # a person's choice: the other counterpart is to be linked


def source_links(session: Session, records: Sequence[Record]) -> dict[str, LinkState]:
    """Return the links of source records by their ids, those of merged ones under the new id.

    Raises:
        LeaseLostError: another worker took over.
    """
    flow = session.flow
    follow_records(session, flow.source_side, records)
    links = links_by_source(flow, [record.id for record in records])
    if session.is_preview:
        merged = [one for one in records if one.former_ids and one.id not in links]
        before = links_by_source(flow, [former for one in merged for former in one.former_ids])
        for record in merged:
            found = next((before[one] for one in record.former_ids if one in before), None)
            if found is not None:
                links[record.id] = replace(found, source_id=record.id)
    return links


def follow_records(session: Session, side: Side, records: Iterable[Record]) -> None:
    """Have links follow the merges that these records tell of.

    Raises:
        LeaseLostError: another worker took over.
    """
    follow(session, side, {one.id: one.former_ids for one in records if one.former_ids})


def follow_answer(session: Session, side: Side, answer: Mapping[str, Record]) -> None:
    """Have links follow the merges that a reading by ids tells of; keys are the asked ids.

    Raises:
        LeaseLostError: another worker took over.
    """
    families: dict[str, list[str]] = {}
    for asked, record in answer.items():
        if asked != record.id or record.former_ids:
            families.setdefault(record.id, []).extend((*record.former_ids, asked))
    follow(session, side, families)


def follow(session: Session, side: Side, families: Mapping[str, Sequence[str]]) -> None:
    """Have links on one side go on under the ids of survivors.

    Args:
        session: of the run that learned of the merges.
        side: on which records were merged.
        families: ids that a record had before, by the one it has now.

    Raises:
        LeaseLostError: another worker took over.
    """
    if session.is_preview:
        return
    now_id = {
        former: new for new, formers in families.items() for former in formers if former != new
    }
    if not now_id:
        return
    _wake(session, side, now_id)
    asked = [*now_id, *families]
    rows = Link.objects.filter(
        type_pair_id=session.lease.type_pair_id, **{f"{side}_id__in": asked}
    ).select_related("type_pair")
    links: dict[str, list[Link]] = {}
    for row in rows:
        old = id_of(row, side)
        links.setdefault(now_id.get(old, old), []).append(row)
    _rename_failed(session, side, now_id, {id_of(row, side) for row in rows})
    moving = {
        new: found for new, found in links.items() if len(found) > 1 or id_of(found[0], side) != new
    }
    if not moving:
        return
    with transaction.atomic():
        renew(session.lease)
        for new, found in moving.items():
            _join(session, side, new, _in_order(found, side, new, families[new]))


def _rename_failed(
    session: Session, side: Side, now_id: Mapping[str, str], linked: Collection[str]
) -> None:
    """Have failures of records without a link follow; those of linked ones follow the link."""
    pair = session.lease.type_pair_id
    failed = renaming.failed_among(pair, side, (one for one in now_id if one not in linked))
    if failed:
        with transaction.atomic():
            renew(session.lease)
            renaming.rename_failed(pair, side, {one: now_id[one] for one in sorted(failed)})


def _wake(session: Session, side: Side, formers: Iterable[str]) -> None:
    """Have what waits for a former id look again: from then on it waits for the new one."""
    end = session.end(side)
    name = waits_type(end.system.identity, end.object_type)
    FollowUp.objects.filter(waits_type=name, waits_id__in=list(formers)).update(
        due_at=timezone.now()
    )


def _in_order(links: list[Link], side: Side, new: str, formers: Sequence[str]) -> list[Link]:
    """Put first the link that stays: the survivor's own, else that of the first former id."""
    places = {one: place for place, one in enumerate((new, *formers))}
    return sorted(links, key=lambda link: (places.get(id_of(link, side), len(places)), link.pk))


def _join(session: Session, side: Side, new: str, links: Sequence[Link]) -> None:
    kept, *others = links
    formers = [id_of(link, side) for link in links if id_of(link, side) != new]
    for other in others:
        _retire(session, side, other, kept, new, formers)
    old = id_of(kept, side)
    if old != new:
        renaming.rename(kept, side, new)
        counting.count(session, "updated")
        system = session.end(side).system
        _tell(session, kept, f"{old} was merged into {new} in {system}; its link goes on.")


def _retire(
    session: Session, side: Side, lost: Link, kept: Link, new: str, formers: Sequence[str]
) -> None:
    """Give up the link of a merged record whose survivor has another counterpart."""
    here, there = session.end(side).system, session.end(side.other).system
    left_over, counterpart = id_of(lost, side.other), id_of(kept, side.other)
    reason = (
        f"{id_of(lost, side)} was merged into {new} in {here}, which is linked with {counterpart}; "
        f"{left_over} in {there} has no counterpart any more."
    )
    _tell(session, lost, reason, kind=RecordEvent.Kind.UNLINKED)
    retiring.give_up(lost, {side.other: reason}, kind=Decision.Kind.RETIRED)
    names = " and ".join(formers)
    message = (
        f"{names} were merged in {here}; the record is {new} now. In {there}, {counterpart} and "
        f"{left_over} were their counterparts: {counterpart} keeps the link, {left_over} has none."
        if len(formers) > 1
        else f"{names} was merged into {new} in {here}. In {there}, {counterpart} and {left_over} "
        f"were their counterparts: {counterpart} keeps the link, {left_over} has none."
    )
    hint = (
        f"Merge or delete {left_over} in {there}, and this is seen within the hour. Or choose "
        "here which of the two stays linked."
    )
    error = RecordError(message, hint=hint, category=Category.MERGED)
    error.candidates = (counterpart, left_over)
    is_source = side == session.flow.source_side
    ends = (new, counterpart) if is_source else (counterpart, new)
    _fail(session, ends, error, title=lost.title)


def _fail(session: Session, ends: tuple[str, str], error: RecordError, *, title: str) -> None:
    """Leave the second of the candidates to a person. The kept link goes on meanwhile."""
    flow, now = session.flow, timezone.now()
    source_id, target_id = ends
    end = session.end(flow.source_side)
    Failure.objects.update_or_create(
        flow=flow,
        record_id=source_id,
        child=f"{CHILD} {error.candidates[1]}"[:255],
        state=Failure.State.OPEN,
        defaults={
            "type_pair_id": session.lease.type_pair_id,
            "run": session.run,
            "level": Failure.Level.RECORD,
            "side": flow.source_side,
            "target_id": target_id,
            "title": title,
            "record_url": end.connector.url(end.object_type, source_id),
            "category": error.category,
            "message": error.message,
            "hint": error.hint,
            "candidates": [{"id": one} for one in error.candidates],
            "first_at": now,
            "last_at": now,
            "next_try_at": now + LOOK_AGAIN,
        },
    )
    counting.count(session, "failed")


def look_again(session: Session) -> None:
    """Carry out what was chosen about links that met; close what a person mended elsewhere.

    Raises:
        ConnectorError: a system does not answer; it is looked at again with the next run.
        LeaseLostError: another worker took over.
    """
    due = list(
        Failure.objects.filter(
            flow=session.flow,
            state=Failure.State.OPEN,
            category=Category.MERGED,
            next_try_at__lte=timezone.now(),
        ).order_by("pk")[:100]
    )
    by_side: dict[Side, list[Failure]] = {}
    for failure in due:
        by_side.setdefault(left_over_side(failure), []).append(failure)
    for side, failures in by_side.items():
        end = session.end(side)
        ids = [left_over(failure) for failure in failures]
        found = end.connector.read(end.object_type, ids, ())
        with transaction.atomic():
            renew(session.lease)
            for failure in failures:
                _look_at(session, side, failure, found.get(left_over(failure)))


def left_over(failure: Failure) -> str:
    """Return the id of the record that lost its link."""
    return failure.child.partition(" ")[2]


def left_over_side(failure: Failure) -> Side:
    """Return the side of the record that lost its link: that of the candidates."""
    candidates = [one["id"] for one in failure.candidates or ()]
    own = Side(failure.side)
    return own if failure.record_id in candidates else own.other


def _look_at(session: Session, side: Side, failure: Failure, record: Record | None) -> None:
    now, lost_id = timezone.now(), left_over(failure)
    if record is None or record.id != lost_id:
        Decision.objects.filter(
            type_pair_id=failure.type_pair_id, side=side, record_id=lost_id
        ).delete()
        closing.close(failure, Failure.State.HEALED, now)
    elif failure.remedy == SWITCH:
        _switch(session, side, failure)
        closing.close(failure, Failure.State.HEALED, now)
    else:
        failure.next_try_at = now + LOOK_AGAIN
        failure.save(update_fields=["next_try_at"])


def _switch(session: Session, side: Side, failure: Failure) -> None:
    """Link the left-over in the place of the counterpart that had kept the link."""
    kept_id = failure.record_id if side == failure.side else failure.target_id
    survivor = failure.target_id if side == failure.side else failure.record_id
    lost_id, system = left_over(failure), session.end(side).system
    kept = (
        Link.objects.filter(type_pair_id=failure.type_pair_id, **{f"{side}_id": kept_id})
        .select_related("type_pair")
        .first()
    )
    if kept is None or id_of(kept, side.other) != survivor:
        return
    reason = f"{lost_id} was chosen in its place to be linked with {survivor}."
    _tell(session, kept, reason, kind=RecordEvent.Kind.UNLINKED)
    retiring.give_up(kept, {side: reason}, kind=Decision.Kind.RETIRED)
    Decision.objects.filter(
        type_pair_id=failure.type_pair_id, side=side, record_id=lost_id
    ).delete()
    new = {f"{side}_id": lost_id, f"{side.other}_id": survivor}
    link = Link.objects.create(type_pair_id=kept.type_pair_id, title=kept.title, **new)
    QueuedRead.objects.get_or_create(
        flow=session.flow,
        record_id=id_of(link, session.flow.source_side),
        defaults={"reason": f"Linked with another record in {system}.", "due_at": timezone.now()},
    )


def _tell(
    session: Session,
    link: Link,
    reason: str,
    *,
    kind: RecordEvent.Kind = RecordEvent.Kind.LINKED,
) -> None:
    """Leave a line in the story of a link's records."""
    source = session.flow.source_side
    line = event(
        session,
        kind,
        Record(id_of(link, source), {}),
        timezone.now(),
        title=link.title,
        target_id=id_of(link, source.other),
        reason=reason,
    )
    line.save()
