"""Failures of what hangs on a record: one association, comment or file. The record goes on."""

from collections.abc import Collection, Iterable
from datetime import datetime

from django.utils import timezone

from hubconnect.connectors.errors import Category, RecordError
from hubconnect.engine.plan import LinkState
from hubconnect.integrations.models import Failure, FollowUp, Link
from hubconnect.integrations.services import closing, follow_ups, rollup
from hubconnect.integrations.services.backoff import next_try
from hubconnect.integrations.services.session import Session

# How a person calls what failed, by the kind of its follow-up.
WORDS = {
    FollowUp.Kind.REMOTE: "Id and link",
    FollowUp.Kind.ASSOCIATIONS: "A link",
    FollowUp.Kind.COMMENTS: "A comment",
    FollowUp.Kind.FILES: "A file",
}

_ONLY_BY_HAND = frozenset({Category.UNKNOWN_OUTCOME, Category.FILE_REFUSED})


def record(
    session: Session, link: LinkState, child: str, error: RecordError, *, version: str = ""
) -> Failure:
    """Store that one thing of a linked record could not be carried, or count one more time.

    ``child`` starts with its kind and tells it apart: ``comments 55``, ``files notes/55/900``.
    What may have been carried after all, and what a limit refuses, time alone does not mend: it
    is not tried again by itself.
    """
    flow, now = session.flow, timezone.now()
    failure = Failure.objects.filter(
        flow=flow, record_id=link.source_id, child=child[:255], state=Failure.State.OPEN
    ).first()
    if failure is None:
        failure = Failure(
            flow=flow, record_id=link.source_id, child=child[:255], first_at=now, attempts=0
        )
        session.run.failed += 1
        rollup.add(flow.pk, now, failed=1)
    failure.type_pair_id = session.lease.type_pair_id
    failure.level = Failure.Level.RECORD
    failure.side = flow.source_side
    failure.target_id = link.target_id
    failure.title = failure.title or _title(link, child)
    failure.record_url = session.source.url(flow.source_type, link.source_id)
    failure.category = error.category
    failure.message = error.message
    failure.hint = error.hint
    failure.field = error.faults[0].field if error.faults else ""
    failure.answer = error.answer
    failure.source_version = version
    failure.note_try(session.run, now)
    failure.next_try_at = None
    if error.category not in _ONLY_BY_HAND:
        failure.next_try_at = next_try(failure.attempts, flow.pair.integration, now)
    failure.save()
    session.run.save(update_fields=["failed"])
    return failure


def _title(link: LinkState, child: str) -> str:
    """Name what failed and on which record: ``A file of Ana``."""
    name = Link.objects.filter(pk=link.pk).values_list("title", flat=True).first()
    word = WORDS[FollowUp.Kind(child.partition(" ")[0])]
    return f"{word} of {name or link.source_id}"[:255]


def heal(session: Session, source_ids: Collection[str], kind: str, *, but: Iterable[str]) -> None:
    """Close the failures of one kind on these records, save those that stood this time too.

    Args:
        session: of the run that looked at the records.
        source_ids: linked records that were looked at in full.
        kind: of a ``FollowUp``; failures' ``child`` begins with it.
        but: ``record id`` + newline + ``child`` of what failed or waits now.
    """
    kept, now = set(but), timezone.now()
    found = Failure.objects.filter(
        flow=session.flow,
        state=Failure.State.OPEN,
        record_id__in=source_ids,
        child__startswith=f"{kind} ",
    )
    for failure in found:
        if f"{failure.record_id}\n{failure.child}" not in kept:
            closing.close(failure, Failure.State.HEALED, now)


def dismissed(
    session: Session, kind: str, links: Iterable[LinkState], *, but: str = ""
) -> dict[tuple[str, str], str]:
    """Return what a person let go of on these records: the version, by record and child.

    Failures of the category ``but`` are left out.
    """
    found = Failure.objects.filter(
        flow=session.flow,
        state=Failure.State.DISMISSED,
        record_id__in=[link.source_id for link in links],
        child__startswith=f"{kind} ",
    ).exclude(category=but)
    rows = found.order_by("pk").values_list("record_id", "child", "source_version")
    return {(record_id, child): version for record_id, child, version in rows}


def make_due(session: Session, now: datetime) -> None:
    """Have what failed on a record looked at again, if its time has come."""
    due = Failure.objects.filter(
        flow=session.flow, state=Failure.State.OPEN, next_try_at__lte=now
    ).exclude(child__in=("", Failure.IN_CONFLICT, Failure.NOT_STORED))
    due = due.exclude(category=Category.MERGED)  # of links, not of what hangs on records
    kinds = follow_ups.kinds_of(session)
    wanted: dict[FollowUp.Kind, list[str]] = {kind: [] for kind in kinds}
    for failure in due:
        kind = failure.child.partition(" ")[0]
        if kind in kinds:
            wanted[FollowUp.Kind(kind)].append(failure.record_id)
        else:  # the mapping does not carry it any more
            closing.close(failure, Failure.State.HEALED, now)
    for kind, record_ids in wanted.items():
        follow_ups.look_at(session, kind, record_ids, now)
