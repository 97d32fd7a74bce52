"""Carries the files of linked records, each once by its content.

What may carry files (a note, a row of a table) is read until all its files are carried, and then
remembered. A file passes through a directory on disk, never whole through memory.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

from django.db import transaction

from hubconnect.connectors.base import Window
from hubconnect.connectors.children import FileInfo
from hubconnect.connectors.errors import Category, RecordError
from hubconnect.engine.plan import LinkState
from hubconnect.integrations.services import attachment_links, child_failures
from hubconnect.integrations.services.carriers.file_desk import (
    KIND,
    Desk,
    Holding,
    Memory,
    look_soon,
)
from hubconnect.integrations.services.carriers.file_sending import Target, send
from hubconnect.integrations.services.lease import Keeper, renew
from hubconnect.integrations.services.session import Session
from hubconnect.integrations.services.spooling import Fetched, Spool, spool, too_large
from hubconnect.integrations.stores import links_by_source

SLICE = 500
# Files fetched before they are sent together.
BATCH = 10
BATCH_BYTES = 64_000_000


def carry(session: Session, links: Sequence[LinkState]) -> None:
    """Compare the files of these records with what is known, and carry what is new.

    Raises:
        ConnectorError: a system stopped the work; nothing is lost, all is compared again.
        LeaseLostError: another worker took over.
    """
    chosen = session.spec.children.files
    reader, writer = session.source.attaching, session.target.attaching
    if chosen is None or reader is None or writer is None:
        return
    flow = session.flow
    found = reader.holder_ids(flow.source_type, [link.source_id for link in links])
    memory = Memory.of(session, links)
    open_ones = [
        (link, holder)
        for link in links
        for holder in found.get(link.source_id, ())
        if (link.pk, holder) not in memory.seen
    ]
    desk = Desk(session, reader, writer, chosen, memory)
    free = [one for one in open_ones if not desk.is_held(one)]
    for start in range(0, len(free), SLICE):
        _work_slice(desk, free[start : start + SLICE])
    if memory.failures:
        source_ids = [link.source_id for link in links]
        child_failures.heal(session, source_ids, KIND, but=memory.standing)


def look_again(session: Session, holders: Iterable[Holding]) -> None:
    """Have the files of changed notes compared soon, though they were looked at before."""
    chosen = list(holders)
    attachment_links.forget(
        session.flow.source_side, [(link.pk, holder) for link, holder in chosen]
    )
    for record_id in dict.fromkeys(link.source_id for link, _ in chosen):
        look_soon(session, record_id, timedelta(0))


def look_at_changed(session: Session, window: Window, *, again: bool) -> None:
    """Have files compared soon of what changed in a span: calls, meetings, rows of a table.

    ``again`` holders are read again though they were looked at before.
    """
    reader = session.source.attaching
    if session.spec.children.files is None or reader is None:
        return
    for page in reader.changed_holders(session.flow.source_type, window):
        links = links_by_source(session.flow, {one for ids in page.values() for one in ids})
        if again:
            holders = [(h, one) for h, ids in page.items() for one in ids if one in links]
            look_again(session, [(links[one], holder) for holder, one in holders])
        else:
            for record_id in links:
                look_soon(session, record_id, timedelta(0))


def _work_slice(desk: Desk, holdings: Sequence[Holding]) -> None:
    session, side = desk.session, desk.session.flow.source_side
    ids = dict.fromkeys(holder for _, holder in holdings)
    held = desk.reader.read_holders(session.flow.source_type, list(ids))
    with transaction.atomic():
        renew(session.lease)
        wanted = [
            (link, file)
            for link, holder in holdings
            for file in held.get(holder, ())
            if _is_wanted(desk, link, file)
        ]
    if wanted:
        there = Target.of(desk, [link for link, _ in wanted])
        for group in _groups(wanted):
            with spool(Keeper(session.lease)) as directory:
                _carry_group(desk, there, directory, group)
    done = [(link.pk, holder) for link, holder in holdings if holder in held]
    attachment_links.see(side, [one for one in done if one not in desk.unfinished])


def _is_wanted(desk: Desk, link: LinkState, file: FileInfo) -> bool:
    """Tell whether a file is to be fetched; store why not, where that is a failure."""
    if file.digest and (link.pk, file.digest) in desk.memory.known:
        return False
    if desk.is_dismissed(link, file):
        return False
    if desk.waits(link, file):
        desk.stands(link, file)
        return False
    return _is_allowed(desk, link, file)


def _is_allowed(desk: Desk, link: LinkState, file: FileInfo) -> bool:
    """Tell whether the limits let a file pass; store that they do not."""
    reason = desk.rules.refuse_reason(file.name, file.size)
    if reason:
        hint = "Change the limits in the mapping if it is to be carried."
        desk.refuse(link, file, RecordError(reason, hint=hint, category=Category.FILE_REFUSED))
        return False
    if file.size is not None and file.size > desk.most:
        desk.refuse(link, file, too_large(file.name, desk.most))
        return False
    return True


def _groups(
    wanted: Sequence[tuple[LinkState, FileInfo]],
) -> Iterator[list[tuple[LinkState, FileInfo]]]:
    """Part files into groups that fit on disk together, as far as their sizes are known."""
    group: list[tuple[LinkState, FileInfo]] = []
    size = 0
    for one in wanted:
        if group and (len(group) == BATCH or size + (one[1].size or 0) > BATCH_BYTES):
            yield group
            group, size = [], 0
        group.append(one)
        size += one[1].size or 0
    if group:
        yield group


def _carry_group(
    desk: Desk,
    there: Target,
    directory: Spool,
    group: Sequence[tuple[LinkState, FileInfo]],
) -> None:
    session, kind = desk.session, desk.session.flow.source_type
    sending: dict[tuple[int, str], tuple[LinkState, FileInfo, Fetched]] = {}
    for link, file in group:
        try:
            fetched = directory.fetch(desk.reader, kind, file, desk.most)
        except RecordError as error:
            desk.refuse(link, file, error)
            continue
        key = (link.pk, fetched.digest)
        if key in desk.memory.known or key in sending:
            continue
        if desk.is_being_sent(link, file, fetched.digest):
            continue
        same = there.find(link, fetched, directory)
        if same is None:
            sending[key] = (link, file, fetched)
            continue
        with transaction.atomic():
            renew(session.lease)
            attachment_links.adopt(session.flow.source_side, link.pk, file, same, fetched.digest)
        desk.memory.known |= attachment_links.load([link.pk])
    if sending:
        send(desk, list(sending.values()))
