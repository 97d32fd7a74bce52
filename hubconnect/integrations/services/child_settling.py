"""Finds out what became of comments and files whose reply was lost, in both directions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from hubconnect.connectors.base import Settled
from hubconnect.connectors.children import Comment, CommentDraft, SentComment, SentFile
from hubconnect.connectors.errors import Category, RecordError
from hubconnect.engine.comments import excerpt, text_hash
from hubconnect.engine.plan import LinkState
from hubconnect.integrations.models import ChildIntent, CommentLink, FollowUp, Link, Side
from hubconnect.integrations.services import (
    attachment_links,
    child_failures,
    comment_links,
    follow_ups,
)
from hubconnect.integrations.services.lease import renew
from hubconnect.integrations.services.session import Session
from hubconnect.integrations.services.settling import is_overdue, longest_request

Kind = ChildIntent.Kind


def settle_children(session: Session) -> int:
    """Settle what is open of this type pair; return how many were.

    What cannot be said for sure yet stays open; both flows leave it alone meanwhile.
    """
    groups: dict[tuple[str, int], list[ChildIntent]] = {}
    rows = ChildIntent.objects.filter(type_pair_id=session.lease.type_pair_id)
    for intent in rows.select_related(
        "flow__pair__integration",
        "flow__pair__mapping__left_system",
        "flow__pair__mapping__right_system",
    ):
        groups.setdefault((intent.source_side, intent.flow_id), []).append(intent)
    return sum(_settle_group(_seen_by(session, group), group) for group in groups.values())


def _seen_by(session: Session, intents: Sequence[ChildIntent]) -> Session:
    """Return the session as it is for the flow that sent these."""
    first = intents[0]
    if first.source_side == session.flow.source_side:
        return replace(session, flow=first.flow)
    return replace(session, flow=first.flow, source=session.target, target=session.source)


@dataclass(frozen=True, slots=True)
class _Answers:
    """What the target says about sent things, by key; comments as they stand, by id."""

    settled: Mapping[str, Settled]
    comments: Mapping[str, Comment]
    asked_at: datetime  # by the target's clock


def _settle_group(session: Session, intents: Sequence[ChildIntent]) -> int:
    answers = _ask(session, intents)
    links = {
        link.pk: link for link in Link.objects.filter(pk__in=[intent.link_id for intent in intents])
    }
    settled = 0
    with transaction.atomic():
        renew(session.lease)
        for intent in intents:
            side = Side(intent.source_side)
            link = _state(links[intent.link_id], side)
            if intent.kind == Kind.EDIT:
                settled += _settle_edit(session, intent, link, answers)
            else:
                settled += _settle_add(session, intent, link, answers)
    return settled


def _state(link: Link, side: Side) -> LinkState:
    """Return a link without its bases, which do not matter here."""
    source_id, target_id = getattr(link, f"{side}_id"), getattr(link, f"{side.other}_id")
    return LinkState(link.pk, source_id, target_id, {}, {})


def _ask(session: Session, intents: Sequence[ChildIntent]) -> _Answers:
    target, object_type = session.target, session.flow.target_type
    asked_at = target.now()
    settled: dict[str, Settled] = {}
    found: dict[str, Comment] = {}
    added = [_sent_comment(one) for one in intents if one.kind == Kind.COMMENT]
    files = [_sent_file(one) for one in intents if one.kind == Kind.FILE]
    if target.commenting is not None:
        if added:
            settled |= target.commenting.settle_comments(
                object_type, added, _linked(session, intents)
            )
        ids = [one.target_id for one in intents if one.kind == Kind.EDIT]
        ids += [one.id for one in settled.values() if one.id]
        found = target.commenting.read_comments(object_type, ids) if ids else {}
    if target.attaching is not None and files:
        settled |= target.attaching.settle_files(object_type, files)
    return _Answers(settled, found, asked_at)


def _linked(session: Session, intents: Sequence[ChildIntent]) -> set[str]:
    """Return the comments of these records that are the copy of one already."""
    side = session.flow.source_side.other
    rows = CommentLink.objects.filter(link_id__in={one.link_id for one in intents})
    return set(rows.exclude(**{f"{side}_id": ""}).values_list(f"{side}_id", flat=True))


def _sent_comment(intent: ChildIntent) -> SentComment:
    sent = intent.sent
    written = datetime.fromisoformat(sent["written_at"]) if sent["written_at"] else None
    draft = CommentDraft(
        key=intent.key,
        record_id=sent["record_id"],
        body=sent["body"],
        author=sent["author"],
        written_at=written,
    )
    return SentComment(draft, intent.sent_at)


def _sent_file(intent: ChildIntent) -> SentFile:
    sent = intent.sent
    return SentFile(
        key=intent.key,
        record_id=sent["record_id"],
        name=sent["name"],
        size=sent["size"],
        digest=sent["digest"],
        sent_at=intent.sent_at,
    )


def _settle_add(session: Session, intent: ChildIntent, link: LinkState, answers: _Answers) -> int:
    """Link a comment or file that is there; else have it sent again, or ask a person."""
    answer = answers.settled.get(intent.key, Settled(is_certain=False))
    if answer.id and intent.kind == Kind.FILE:
        attachment_links.conclude(session, intent, answer.id)
        return 1
    if answer.id:
        stands = answers.comments.get(answer.id)
        body = _arrived(intent.sent["body"], stands)
        version = stands.version if stands is not None else ""
        comment_links.conclude(session, intent, answer.id, body, version)
        return 1
    if answer.is_certain:
        _send_again(session, intent, link)
    elif is_overdue(intent.sent_at, answers.asked_at, session.target):
        _give_up(session, intent, link, answer)
    else:
        return 0
    intent.delete()
    return 1


def _arrived(sent: str, stands: Comment | None) -> str:
    """Return the text that arrived: as the target wrote it down, unless somebody edited it since.

    What was edited differs from what both sides agreed on, and goes back.
    """
    is_as_sent = stands is not None and excerpt(stands.body, len(sent)) == excerpt(sent, len(sent))
    return stands.body if stands is not None and is_as_sent else sent


def _settle_edit(session: Session, intent: ChildIntent, link: LinkState, answers: _Answers) -> int:
    """Judge by what the comment says now: the old text, or one that came after ours."""
    comment = answers.comments.get(intent.target_id)
    is_old = comment is not None and text_hash(comment.body) == intent.sent["before"]
    if comment is not None and not is_old:
        # Where another text stands on top of ours, the base is ours, so that it is an edit.
        comment_links.conclude(
            session, intent, intent.target_id, intent.sent["body"], comment.version
        )
        return 1
    if is_old and answers.asked_at <= intent.sent_at + longest_request(session.target):
        return 0  # it may still arrive
    _send_again(session, intent, link)
    intent.delete()
    return 1


def _send_again(session: Session, intent: ChildIntent, link: LinkState) -> None:
    """Have the flow compare the record anew: what was sent did not arrive."""
    kind = FollowUp.Kind.FILES if intent.kind == Kind.FILE else FollowUp.Kind.COMMENTS
    if intent.kind != Kind.FILE:
        # An edit, or a comment posted again, is known; it is read only when it is asked for.
        comment_links.look_again(link.pk, Side(intent.source_side), intent.source_id)
    follow_ups.look_at(session, kind, [link.source_id], timezone.now())


def _give_up(session: Session, intent: ChildIntent, link: LinkState, answer: Settled) -> None:
    """Leave what cannot be settled to a person, with what it may be."""
    flow, sent = session.flow, intent.sent
    shown = ", ".join(answer.candidates) or "none was found"
    is_file = intent.kind == Kind.FILE
    what = f"the file {sent['name']}" if is_file else f"the comment “{sent['summary']}”"
    child = f"files {sent['holder']}/{sent['file']}" if is_file else f"comments {intent.source_id}"
    error = RecordError(
        f"The reply to adding {what} in {flow.target_system} was lost, and nothing there tells "
        f"for sure whether it exists. Candidates: {shown}.",
        hint=f"Look in {flow.target_system}. If it is there, dismiss this; if not, press Retry.",
        category=Category.UNKNOWN_OUTCOME,
    )
    version = "" if is_file else sent["version"]
    failure = child_failures.record(session, link, child, error, version=version)
    failure.candidates = [{"id": one} for one in answer.candidates]
    if not is_file:  # files are known by their content
        failure.candidates.append({"id": "", "text": excerpt(sent["body"])})
    failure.save(update_fields=["candidates"])
