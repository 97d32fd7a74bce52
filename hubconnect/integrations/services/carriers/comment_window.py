"""Reads which comments were written or edited since the last run, in windows of their own.

An edit of a comment moves no date of its record, so it is found here alone.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.db import transaction

from hubconnect.connectors.base import Window
from hubconnect.connectors.children import Comment, Commenting
from hubconnect.engine.plan import LinkState
from hubconnect.integrations.services import child_failures
from hubconnect.integrations.services.carriers import comments, files
from hubconnect.integrations.services.carriers.comment_desk import (
    KIND,
    Desk,
    Memory,
    child_of,
)
from hubconnect.integrations.services.lease import renew
from hubconnect.integrations.services.reading import overlap
from hubconnect.integrations.services.session import Session
from hubconnect.integrations.stores import links_by_source


def read_changed(session: Session) -> None:
    """Carry the comments that changed since the last run.

    The first run only fixes where the next one starts: new links have all their comments compared.
    While a lost reply leaves open what some comments are, the window is read again.

    Raises:
        ConnectorError: a system stopped the work; the window is read again.
        LeaseLostError: another worker took over.
    """
    if not _is_wanted(session):
        return
    flow = session.flow
    upper = session.source.now()
    is_whole = flow.comments_read_to is None or read_since(
        session, flow.comments_read_to - overlap(session), upper
    )
    if not is_whole:
        return
    with transaction.atomic():
        renew(session.lease)
        flow.comments_read_to = upper
        flow.save(update_fields=["comments_read_to"])


def reach_back(session: Session, span: timedelta) -> None:
    """Read the comments that changed in a longer span once more: an index may have been late."""
    if _is_wanted(session) and session.flow.comments_read_to is not None:
        upper = session.source.now()
        read_since(session, upper - span, upper)


def _is_wanted(session: Session) -> bool:
    children = session.spec.children
    source = session.source
    is_any = children.comments is not None or children.files is not None
    return is_any and not (source.commenting is None and source.attaching is None)


def read_since(session: Session, lower: datetime, upper: datetime) -> bool:
    """Carry the comments that changed in a span, and look again at the files they carry.

    Returns False where some had to be left alone for now.

    Where asking costs nothing that is metered, other holders of files are asked for as well; of
    HubSpot's calls and meetings the sweep does that.
    """
    reader, desk = session.source.commenting, Desk.open(session)
    floor = session.flow.start_at
    window = Window(lower if floor is None else max(lower, floor), upper)
    if not session.source.is_metered:
        files.look_at_changed(session, window, again=False)
    if reader is None:
        return True
    held = 0
    for page in reader.changed_comments(session.flow.source_type, window):
        hanging = _hanging(session, page.records)
        if not hanging:
            continue
        if desk is not None:
            memory = Memory.of(session, [link for link, _ in hanging], {one for _, one in hanging})
            found = _carry(desk, memory, hanging)
            held += memory.held
        else:
            found = _read(session, reader, hanging)
        if session.spec.children.files is not None:
            carrying = [(link, one.holder) for link, one in found if one.has_files and one.holder]
            files.look_again(session, carrying)
    return not held


def _hanging(session: Session, records: Mapping[str, Iterable[str]]) -> list[tuple[LinkState, str]]:
    record_ids = {one for ids in records.values() for one in ids}
    links = links_by_source(session.flow, record_ids)
    return [
        (links[record_id], comment_id)
        for comment_id, ids in records.items()
        for record_id in ids
        if record_id in links
    ]


def _carry(
    desk: Desk, memory: Memory, hanging: list[tuple[LinkState, str]]
) -> list[tuple[LinkState, Comment]]:
    found = comments.work(desk, memory, hanging)
    if memory.failures:
        looked_at = {(link.source_id, child_of(one)) for link, one in hanging}
        others = {f"{record}\n{child}" for record, child in set(memory.failures) - looked_at}
        source_ids = {link.source_id for link, _ in hanging}
        kept = memory.standing | others
        child_failures.heal(desk.session, source_ids, KIND, but=kept)
    return found


def _read(
    session: Session, reader: Commenting, hanging: list[tuple[LinkState, str]]
) -> list[tuple[LinkState, Comment]]:
    ids = dict.fromkeys(one for _, one in hanging)
    found = reader.read_comments(session.flow.source_type, list(ids)) if ids else {}
    return [(link, found[one]) for link, one in hanging if one in found]
