"""Carries comments of linked records: new ones, edited ones, and what failed before.

Only comments that are unknown, failed, or said to have changed are read. A comment is sent with
an intent stored before, and is known from the transaction that stores its outcome on.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import transaction

from hubconnect.connectors.children import Comment
from hubconnect.connectors.errors import RecordError
from hubconnect.engine.comments import (
    AddComment,
    AgreeComment,
    EditComment,
    decide_comment,
    let_go,
    needs_target,
)
from hubconnect.engine.plan import LinkState
from hubconnect.integrations.services import child_failures, comment_links
from hubconnect.integrations.services.carriers.comment_desk import (
    KIND,
    Desk,
    Hanging,
    Memory,
    close_counterpart,
    look_soon,
    refuse,
)
from hubconnect.integrations.services.carriers.comment_sending import send_adds, send_edits
from hubconnect.integrations.services.lease import renew
from hubconnect.integrations.services.session import Session

# Comments read, decided and sent in one go, so that a long history needs little memory.
SLICE = 500


def carry(session: Session, links: Sequence[LinkState]) -> None:
    """Compare the comments of these records with what is known, and carry what is new.

    Raises:
        ConnectorError: a system stopped the work; nothing is lost, all is compared again.
        LeaseLostError: another worker took over.
    """
    desk = Desk.open(session)
    if desk is None:
        return
    ids = desk.reader.comment_ids(session.flow.source_type, [link.source_id for link in links])
    hanging = [(link, one) for link in links for one in ids.get(link.source_id, ())]
    memory = Memory.of(session, links)
    work(desk, memory, [one for one in hanging if memory.must_read(one)])
    if memory.failures:
        source_ids = [link.source_id for link in links]
        child_failures.heal(session, source_ids, KIND, but=memory.standing)


def work(desk: Desk, memory: Memory, hanging: Sequence[Hanging]) -> list[tuple[LinkState, Comment]]:
    """Read these comments and do what each asks for; return those that exist."""
    free = []
    for one in hanging:
        if memory.is_held(one):
            memory.held += 1
            memory.stands(*one)
            look_soon(desk.session, one[0].source_id)
        else:
            free.append(one)
    found = []
    for start in range(0, len(free), SLICE):
        found += _work_slice(desk, memory, free[start : start + SLICE])
    return found


@dataclass(slots=True)
class _Todo:
    """What a slice asks for."""

    quiet: list[tuple[LinkState, comment_links.Quiet]] = field(default_factory=list)
    adds: list[tuple[LinkState, AddComment]] = field(default_factory=list)
    edits: list[tuple[LinkState, EditComment]] = field(default_factory=list)
    refused: list[tuple[LinkState, Comment, RecordError]] = field(default_factory=list)


def _work_slice(
    desk: Desk, memory: Memory, hanging: Sequence[Hanging]
) -> list[tuple[LinkState, Comment]]:
    session = desk.session
    ids = dict.fromkeys(comment_id for _, comment_id in hanging)
    found = desk.reader.read_comments(session.flow.source_type, list(ids))
    there = [(link, found[one]) for link, one in hanging if one in found]
    ready = []
    for link, comment in there:
        if memory.waits(link, comment):
            memory.stands(link, comment.id)
        else:
            ready.append((link, comment))
    todo = _decide(desk, memory, ready)
    if todo.quiet or todo.refused:
        with transaction.atomic():
            renew(session.lease)
            _keep_quiet(session, todo.quiet)
            for link, comment, error in todo.refused:
                refuse(session, memory, link, comment, error)
    send_adds(desk, memory, todo.adds)
    send_edits(desk, memory, todo.edits)
    return there


def _keep_quiet(
    session: Session, decisions: Sequence[tuple[LinkState, comment_links.Quiet]]
) -> None:
    side = session.flow.source_side
    comment_links.keep_quiet(side, [(link.pk, decision) for link, decision in decisions])
    for link, decision in decisions:
        if isinstance(decision, AgreeComment) and decision.target is not None:
            close_counterpart(session, link, decision.target.id)


def _decide(desk: Desk, memory: Memory, ready: Sequence[tuple[LinkState, Comment]]) -> _Todo:
    rules, known = desk.rules, memory.known
    wanted = {
        known[link.pk, comment.id].target_id
        for link, comment in ready
        if needs_target(comment, known.get((link.pk, comment.id)), rules)
    }
    targets = (
        desk.writer.read_comments(desk.session.flow.target_type, sorted(wanted)) if wanted else {}
    )
    todo = _Todo()
    for link, comment in ready:
        one = known.get((link.pk, comment.id))
        target = targets.get(one.target_id) if one is not None else None
        if memory.is_dismissed(link, comment):
            todo.quiet.append((link, let_go(comment, one)))
            continue
        try:
            decision = decide_comment(comment, one, target, rules)
        except RecordError as error:
            todo.refused.append((link, comment, error))
            continue
        if isinstance(decision, AddComment):
            todo.adds.append((link, decision))
        elif isinstance(decision, EditComment):
            todo.edits.append((link, decision))
        else:
            todo.quiet.append((link, decision))
    todo.adds.sort(key=lambda add: _moment(add[1].comment))
    return todo


def _moment(comment: Comment) -> float:
    return comment.created_at.timestamp() if comment.created_at is not None else 0.0
