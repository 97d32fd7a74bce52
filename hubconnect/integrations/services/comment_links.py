"""Keeps what is known of comments: which two are the same, and what both sides agreed on."""

from collections.abc import Collection, Iterable
from typing import Any

from django.utils import timezone

from hubconnect.connectors.base import Record
from hubconnect.connectors.children import Comment
from hubconnect.engine.comments import (
    AgreeComment,
    KnownComment,
    RememberComment,
    Why,
    text_hash,
)
from hubconnect.integrations.models import ChildIntent, CommentLink, Link, RecordEvent, Side
from hubconnect.integrations.services.session import Session, event

# By link and id at the source.
Known = dict[tuple[int, str], KnownComment]
Quiet = AgreeComment | RememberComment


def load(
    side: Side, link_ids: Collection[int], comment_ids: Collection[str] | None = None
) -> Known:
    """Return what is known of the comments that these links' records have on one side."""
    rows = CommentLink.objects.filter(link_id__in=link_ids).exclude(**{f"{side}_id": ""})
    if comment_ids is not None:
        rows = rows.filter(**{f"{side}_id__in": comment_ids})
    return {(row.link_id, getattr(row, f"{side}_id")): seen_from(row, side) for row in rows}


def seen_from(row: CommentLink, side: Side) -> KnownComment:
    """Return a row with its sides named by their part in a flow."""
    other = side.other
    return KnownComment(
        pk=row.pk,
        source_id=getattr(row, f"{side}_id"),
        target_id=getattr(row, f"{other}_id"),
        source_base=getattr(row, f"{side}_base"),
        target_base=getattr(row, f"{other}_base"),
        source_version=getattr(row, f"{side}_version"),
        source_line=getattr(row, f"{side}_line"),
        target_line=getattr(row, f"{other}_line"),
        reason=row.reason,
    )


def version_of(version: str) -> str:
    """Return a version as it is kept; an empty one asks for another reading."""
    return version[:255] or "-"


def keep_quiet(side: Side, decisions: Iterable[tuple[int, Quiet]]) -> None:
    """Store decisions that send nothing."""
    fresh = []
    for link_id, decision in decisions:
        if _is_stored(decision):
            continue
        values = _state(side, decision.comment)
        if isinstance(decision, RememberComment):
            values["reason"] = decision.reason
        elif decision.target is not None:
            values |= _state(side.other, decision.target)
        if decision.known is not None:
            CommentLink.objects.filter(pk=decision.known.pk).update(
                **values, updated_at=timezone.now()
            )
        else:
            comment_id = {f"{side}_id": decision.comment.id}
            fresh.append(CommentLink(link_id=link_id, **comment_id, **values))
    CommentLink.objects.bulk_create(fresh)


def _is_stored(decision: Quiet) -> bool:
    """Tell whether all that a decision says is known already: an echo in a window read twice."""
    if not isinstance(decision, AgreeComment) or decision.target is not None:
        return False
    known, comment = decision.known, decision.comment
    is_read = known.source_version == version_of(comment.version)
    return is_read and known.source_base == text_hash(comment.body)


def _state(side: Side, comment: Comment) -> dict[str, Any]:
    return {
        f"{side}_base": text_hash(comment.body),
        f"{side}_version": version_of(comment.version),
    }


def look_again(link_id: int, side: Side, comment_id: str) -> None:
    """Have the next look at this record read a known comment, though nothing says it changed."""
    CommentLink.objects.filter(link_id=link_id, **{f"{side}_id": comment_id}).update(
        **{f"{side}_version": ""}
    )


def conclude(
    session: Session, intent: ChildIntent, target_id: str, body: str, version: str
) -> None:
    """Store that a sent comment, or an edit of one, stands at the target with this text.

    Called in a transaction; the intent goes with it.
    """
    side, sent = Side(intent.source_side), intent.sent
    values = {
        f"{side}_base": sent["base"],
        f"{side}_version": sent["version"],
        f"{side.other}_base": text_hash(body),
        f"{side.other}_version": version_of(version),
        "reason": "",
    }
    if intent.kind == ChildIntent.Kind.EDIT:
        CommentLink.objects.filter(pk=sent["known"]).update(**values, updated_at=timezone.now())
    else:
        _pair(intent, values | {f"{side.other}_id": target_id, f"{side.other}_line": sent["line"]})
    _tell(session, intent, target_id)
    intent.delete()


def _pair(intent: ChildIntent, values: dict[str, Any]) -> None:
    """Store a new copy. An older one of the same comment stays known, so that it never returns."""
    side = Side(intent.source_side)
    former = CommentLink.objects.filter(pk=intent.sent.get("known") or 0).first()
    if former is None:
        CommentLink.objects.create(
            link_id=intent.link_id, **{f"{side}_id": intent.source_id}, **values
        )
        return
    old_id = getattr(former, f"{side.other}_id")
    old_base = getattr(former, f"{side.other}_base")
    for name, value in values.items():
        setattr(former, name, value)
    former.save()
    if old_id:
        CommentLink.objects.create(
            link_id=intent.link_id,
            reason=Why.REPLACED,
            **{f"{side.other}_id": old_id, f"{side.other}_base": old_base},
        )


def _tell(session: Session, intent: ChildIntent, target_id: str) -> None:
    """Count it, and leave a line in the record's story."""
    verb = "Edited" if intent.kind == ChildIntent.Kind.EDIT else "New"
    link = Link.objects.get(pk=intent.link_id)
    side = Side(intent.source_side)
    line = event(
        session,
        RecordEvent.Kind.COMMENT,
        Record(getattr(link, f"{side}_id"), {}),
        timezone.now(),
        title=link.title,
        target_id=getattr(link, f"{side.other}_id"),
        reason=f"{verb} comment {intent.source_id} → {target_id}: “{intent.sent['summary']}”.",
    )
    line.save()
    session.run.comments += 1
    session.run.save(update_fields=["comments"])
