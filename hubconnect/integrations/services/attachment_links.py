"""Keeps what is known of files: which content both sides of a linked record hold, and where."""

from collections.abc import Collection, Iterable
from typing import Any

from django.utils import timezone

from hubconnect.connectors.base import Record
from hubconnect.connectors.children import FileInfo
from hubconnect.integrations.models import (
    AttachmentLink,
    ChildIntent,
    Link,
    RecordEvent,
    SeenHolder,
    Side,
)
from hubconnect.integrations.services.session import Session, event

# By link and MD5 of the content.
Known = dict[tuple[int, str], AttachmentLink]


def load(link_ids: Collection[int]) -> Known:
    """Return the files that both sides of these links hold."""
    rows = AttachmentLink.objects.filter(link_id__in=link_ids)
    return {(row.link_id, row.digest): row for row in rows}


def seen(side: Side, link_ids: Collection[int]) -> set[tuple[int, str]]:
    """Return what needs not be looked at again on one side, as link and holder."""
    rows = SeenHolder.objects.filter(side=side, link_id__in=link_ids)
    return set(rows.values_list("link_id", "holder"))


def see(side: Side, holders: Iterable[tuple[int, str]]) -> None:
    """Remember holders whose files are all carried, or none."""
    rows = [
        SeenHolder(link_id=link_id, side=side, holder=holder[:255]) for link_id, holder in holders
    ]
    SeenHolder.objects.bulk_create(rows, ignore_conflicts=True)


def forget(side: Side, holders: Iterable[tuple[int, str]]) -> None:
    """Have holders looked at again."""
    wanted = set(holders)
    near = SeenHolder.objects.filter(
        side=side,
        link_id__in={link_id for link_id, _ in wanted},
        holder__in={holder for _, holder in wanted},
    )
    found = [row.pk for row in near if (row.link_id, row.holder) in wanted]
    SeenHolder.objects.filter(pk__in=found).delete()


def adopt(side: Side, link_id: int, source: FileInfo, target: FileInfo, digest: str) -> None:
    """Store that both sides hold the same content already."""
    AttachmentLink.objects.create(
        link_id=link_id,
        digest=digest,
        name=source.name[:255],
        size=source.size or 0,
        **_place(side, source.holder, source.id),
        **_place(side.other, target.holder, target.id),
    )


def conclude(session: Session, intent: ChildIntent, holder: str) -> None:
    """Store that a sent file hangs on the target record; the intent goes with it."""
    side, sent = Side(intent.source_side), intent.sent
    AttachmentLink.objects.create(
        link_id=intent.link_id,
        digest=sent["digest"],
        name=sent["name"][:255],
        size=sent["size"],
        **_place(side, sent["holder"], sent["file"]),
        **_place(side.other, holder, ""),
    )
    # What we made there is never taken for something new.
    see(side.other, [(intent.link_id, holder)])
    _tell(session, intent, holder)
    intent.delete()


def _place(side: Side, holder: str, file: str) -> dict[str, Any]:
    return {f"{side}_holder": holder[:255], f"{side}_file": file[:255]}


def _tell(session: Session, intent: ChildIntent, holder: str) -> None:
    """Count it, and leave a line in the record's story."""
    link = Link.objects.get(pk=intent.link_id)
    side = Side(intent.source_side)
    line = event(
        session,
        RecordEvent.Kind.FILE,
        Record(getattr(link, f"{side}_id"), {}),
        timezone.now(),
        title=link.title,
        target_id=getattr(link, f"{side.other}_id"),
        reason=f"File {intent.sent['name']} ({intent.sent['size']:,} bytes) → {holder}.",
    )
    line.save()
    session.run.files += 1
    session.run.save(update_fields=["files"])
