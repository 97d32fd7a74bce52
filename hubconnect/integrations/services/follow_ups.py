"""What comes after a record: durable rows that say what of it is still to be looked at.

A page's commit leaves a row for each linked record it read, so that a crash forgets nothing. The
carriers compare both sides in batches and commit by themselves; doing it twice does no harm.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from hubconnect.engine.plan import LinkState
from hubconnect.integrations.models import FollowUp, QueuedRead
from hubconnect.integrations.services.session import Session
from hubconnect.integrations.stores import links_by_source

Kind = FollowUp.Kind
# Compares one kind of thing on linked records of the source and carries what is new.
Carrier = Callable[[Session, Sequence[LinkState]], None]

# Linked records looked at in one go: what one call to HubSpot answers.
BATCH = 1000


def kinds_of(session: Session) -> tuple[FollowUp.Kind, ...]:
    """Return what this flow carries beside fields, in the order in which it is carried."""
    children = session.spec.children
    wanted = (
        (Kind.REMOTE, bool(children.remote.on_source or children.remote.on_target)),
        (Kind.ASSOCIATIONS, bool(children.associations)),
        (Kind.COMMENTS, children.comments is not None),
        (Kind.FILES, children.files is not None),
    )
    return tuple(kind for kind, is_carried in wanted if is_carried)


def note(session: Session, worked: Iterable[str], seen: Iterable[str], now: datetime) -> None:
    """Remember that what hangs on linked records is to be looked at.

    ``worked`` ones were linked or changed just now; the others were only ``seen``, which is no
    reason to look at the counterpart's id and address again.
    """
    done = list(dict.fromkeys(worked))
    ids = list(dict.fromkeys([*done, *seen]))
    for kind in kinds_of(session):
        look_at(session, kind, done if kind == Kind.REMOTE else ids, now)


def look_at(
    session: Session, kind: FollowUp.Kind, record_ids: Iterable[str], due_at: datetime
) -> None:
    """Have one kind of thing compared on these records."""
    rows = [
        FollowUp(flow=session.flow, record_id=one, kind=kind, due_at=due_at)
        for one in dict.fromkeys(record_ids)
    ]
    FollowUp.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["flow", "record_id", "kind", "waits_type", "waits_id"],
        update_fields=["due_at"],
    )


def waits_type(identity: str, object_type: str) -> str:
    """Name an object type of an account, as rows that wait for one of its records do."""
    return f"{identity}/{object_type}"


def wake(session: Session, links: Iterable[LinkState], now: datetime) -> None:
    """Make due what waits, in any flow, for records that were just linked."""
    flow = session.flow
    made = [link for link in links if link.pk == 0]
    if not made:
        return
    source = waits_type(flow.source_system.identity, flow.source_type)
    target = waits_type(flow.target_system.identity, flow.target_type)
    FollowUp.objects.filter(
        Q(waits_type=source, waits_id__in=[link.source_id for link in made])
        | Q(waits_type=target, waits_id__in=[link.target_id for link in made])
    ).update(due_at=now)


def follow_up(session: Session, carriers: Mapping[FollowUp.Kind, Carrier]) -> None:
    """Carry what is due, kind by kind, in batches."""
    for kind in kinds_of(session):
        last = 0
        while rows := _due(session, kind, last):
            last = rows[-1].pk
            links = links_by_source(session.flow, {row.record_id for row in rows})
            if links:
                carriers[kind](session, list(links.values()))
            _read_again(session, [row.record_id for row in rows if row.record_id not in links])
            _finish(rows)


def _due(session: Session, kind: FollowUp.Kind, last: int) -> list[FollowUp]:
    found = FollowUp.objects.filter(
        flow=session.flow, kind=kind, due_at__lte=timezone.now(), pk__gt=last
    )
    return list(found.order_by("pk")[:BATCH])


def _read_again(session: Session, record_ids: Iterable[str]) -> None:
    """Have records that waited to be created read afresh; what they waited for is there."""
    now, reason = timezone.now(), "A record that it is linked with was synced."
    QueuedRead.objects.bulk_create(
        [
            QueuedRead(flow=session.flow, record_id=one, reason=reason, due_at=now)
            for one in record_ids
        ],
        ignore_conflicts=True,
    )


def _finish(rows: Sequence[FollowUp]) -> None:
    """Forget what was carried. A row that was made due anew meanwhile stays for the next run."""
    moments = {row.due_at for row in rows}
    FollowUp.objects.filter(pk__in=[row.pk for row in rows], due_at__in=moments).delete()
