"""Sends comments: an intent is stored before each batch, and goes with its outcome."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from django.db import transaction

from hubconnect.connectors.base import Outcome
from hubconnect.connectors.children import Comment, CommentDraft, CommentPatch
from hubconnect.connectors.errors import Category, ConnectorError, RecordError
from hubconnect.engine.comments import (
    AddComment,
    EditComment,
    RememberComment,
    Why,
    excerpt,
    text_hash,
)
from hubconnect.engine.plan import LinkState
from hubconnect.integrations.models import ChildIntent
from hubconnect.integrations.services import child_intents, comment_links
from hubconnect.integrations.services.carriers.comment_desk import Desk, Memory, look_soon, refuse
from hubconnect.integrations.services.lease import renew
from hubconnect.integrations.services.session import Session

_Row = TypeVar("_Row")


def send_adds(desk: Desk, memory: Memory, adds: Sequence[tuple[LinkState, AddComment]]) -> None:
    """Add comments, and store what became of each."""
    for chunk in _chunks(desk, adds):
        intents = {}
        drafts = []
        for link, add in chunk:
            intent = _add_intent(desk.session, link, add)
            intents[intent.key] = (intent, link, add.comment)
            drafts.append(
                CommentDraft(
                    key=intent.key,
                    record_id=link.target_id,
                    body=add.body,
                    author=add.comment.author,
                    written_at=add.comment.created_at,
                )
            )
        _send(desk, memory, intents, drafts)


def send_edits(desk: Desk, memory: Memory, edits: Sequence[tuple[LinkState, EditComment]]) -> None:
    """Change copies, and store what became of each."""
    for chunk in _chunks(desk, edits):
        intents = {}
        patches = []
        for link, edit in chunk:
            intent = _edit_intent(desk.session, link, edit)
            intents[intent.key] = (intent, link, edit.comment)
            patches.append(
                CommentPatch(
                    key=intent.key,
                    id=edit.known.target_id,
                    record_id=link.target_id,
                    body=edit.body,
                )
            )
        _send(desk, memory, intents, patches)


def _chunks(desk: Desk, rows: Sequence[_Row]) -> Iterator[Sequence[_Row]]:
    size = desk.session.target.batch_size
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def _add_intent(session: Session, link: LinkState, add: AddComment) -> ChildIntent:
    comment = add.comment
    base = text_hash(comment.body)
    sent = {
        "record_id": link.target_id,
        "body": add.body,
        "author": comment.author,
        "written_at": comment.created_at.isoformat() if comment.created_at else "",
        "base": base,
        "version": comment_links.version_of(comment.version),
        "line": add.line,
        "known": add.replaces.pk if add.replaces is not None else 0,
        "summary": excerpt(comment.body),
    }
    # Posted again after an edit it is another comment, and another key.
    former = add.replaces.target_id if add.replaces is not None else ""
    content = f"{former} {base}" if former else ""
    return child_intents.make(
        session, link, ChildIntent.Kind.COMMENT, comment.id, sent, content=content
    )


def _edit_intent(session: Session, link: LinkState, edit: EditComment) -> ChildIntent:
    comment, known = edit.comment, edit.known
    base = text_hash(comment.body)
    sent = {
        "record_id": link.target_id,
        "body": edit.body,
        "base": base,
        "version": comment_links.version_of(comment.version),
        "before": edit.before,
        "known": known.pk,
        "summary": excerpt(comment.body),
    }
    return child_intents.make(
        session,
        link,
        ChildIntent.Kind.EDIT,
        comment.id,
        sent,
        content=f"{base} {session.lease.fence}",
        target_id=known.target_id,
    )


_Intents = dict[str, tuple[ChildIntent, LinkState, Comment]]


def _send(
    desk: Desk,
    memory: Memory,
    intents: _Intents,
    things: Sequence[CommentDraft] | Sequence[CommentPatch],
) -> None:
    """Send one batch, and store what became of it; what is unknown stays an intent."""
    session, kind = desk.session, desk.session.flow.target_type
    rows = [intent for intent, _, _ in intents.values()]
    child_intents.announce(session, rows)
    try:
        drafts = [one for one in things if isinstance(one, CommentDraft)]
        patches = [one for one in things if isinstance(one, CommentPatch)]
        outcomes = (
            desk.writer.add_comments(kind, drafts)
            if drafts
            else desk.writer.edit_comments(kind, patches)
        )
    except ConnectorError as error:
        child_intents.withdraw(rows, error)
        raise
    bodies = _stored_bodies(desk, outcomes)
    with transaction.atomic():
        renew(session.lease)
        for outcome in outcomes:
            _take(session, memory, intents[outcome.key], outcome, bodies)


def _stored_bodies(desk: Desk, outcomes: Sequence[Outcome]) -> dict[str, str]:
    """Return the texts as stored, by comment id; where an answer shows none, it is read."""
    shown: dict[str, str] = {}
    for outcome in outcomes:
        body = outcome.values.get("body")
        if outcome.id and isinstance(body, str):
            shown[outcome.id] = body
    hidden = [one.id for one in outcomes if one.id and one.id not in shown]
    if hidden:
        found = desk.writer.read_comments(desk.session.flow.target_type, hidden)
        shown |= {one.id: one.body for one in found.values()}
    return shown


def _take(
    session: Session,
    memory: Memory,
    sent: tuple[ChildIntent, LinkState, Comment],
    outcome: Outcome,
    bodies: dict[str, str],
) -> None:
    intent, link, comment = sent
    if outcome.id:
        body = bodies.get(outcome.id, intent.sent["body"])
        comment_links.conclude(session, intent, outcome.id, body, outcome.version)
        return
    if outcome.is_unknown:
        memory.stands(link, comment.id)
        look_soon(session, link.source_id)
        return
    intent.delete()
    if outcome.is_gone and intent.kind == ChildIntent.Kind.EDIT:
        known = memory.known[link.pk, comment.id]
        gone = RememberComment(comment=comment, reason=Why.GONE, known=known)
        comment_links.keep_quiet(session.flow.source_side, [(link.pk, gone)])
        return
    refuse(session, memory, link, comment, outcome.error or _gone(session, link))


def _gone(session: Session, link: LinkState) -> RecordError:
    flow = session.flow
    return RecordError(
        f"{flow.target_type} {link.target_id} does not exist in {flow.target_system} any more, so "
        "the comment has nowhere to go.",
        hint="Restore the record there, or dismiss this.",
        category=Category.TARGET_DELETED,
    )
