"""Sends files: what the target holds already is told by content, the rest is streamed to it."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from hubconnect.connectors.base import Outcome
from hubconnect.connectors.children import FileDraft, FileInfo
from hubconnect.connectors.errors import Category, ConnectorError, RecordError
from hubconnect.engine.plan import LinkState
from hubconnect.integrations.models import ChildIntent
from hubconnect.integrations.services import attachment_links, child_intents
from hubconnect.integrations.services.carriers.file_desk import Desk, look_soon
from hubconnect.integrations.services.lease import renew
from hubconnect.integrations.services.session import Session
from hubconnect.integrations.services.spooling import Fetched, Spool


@dataclass(slots=True)
class Target:
    """The files that the target records hold already, whoever put them there."""

    desk: Desk
    files: dict[str, list[FileInfo]]

    @classmethod
    def of(cls, desk: Desk, links: Sequence[LinkState]) -> "Target":
        """Read what hangs on these target records and was not put there by us."""
        kind, writer = desk.session.flow.target_type, desk.writer
        by_id = {link.target_id: link for link in links}
        holders = writer.holder_ids(kind, list(by_id))
        ours = attachment_links.seen(
            desk.session.flow.source_side.other, [link.pk for link in links]
        )
        theirs = {
            record_id: [one for one in ids if (by_id[record_id].pk, one) not in ours]
            for record_id, ids in holders.items()
        }
        wanted = dict.fromkeys(one for ids in theirs.values() for one in ids)
        held = writer.read_holders(kind, list(wanted)) if wanted else {}
        return cls(
            desk,
            {
                record_id: [file for holder in ids for file in held.get(holder, ())]
                for record_id, ids in theirs.items()
            },
        )

    def find(self, link: LinkState, fetched: Fetched, directory: Spool) -> FileInfo | None:
        """Return the target's file of the same content, fetching one whose digest is not told."""
        for file in self.files.get(link.target_id, ()):
            if file.digest:
                is_same = file.digest == fetched.digest
            else:
                is_same = self._looks_same(file, fetched) and self._holds(file, fetched, directory)
            if is_same:
                return file
        return None

    @staticmethod
    def _looks_same(file: FileInfo, fetched: Fetched) -> bool:
        return file.name == fetched.name and file.size in (None, fetched.size)

    def _holds(self, file: FileInfo, fetched: Fetched, directory: Spool) -> bool:
        kind = self.desk.session.flow.target_type
        try:
            there = directory.fetch(self.desk.writer, kind, file, fetched.size)
        except RecordError:
            return False  # it cannot be read, or is longer: another file
        return there.digest == fetched.digest


def send(desk: Desk, files: Sequence[tuple[LinkState, FileInfo, Fetched]]) -> None:
    """Send files, and store what became of each; what is unknown stays an intent."""
    session = desk.session
    sent = {}
    drafts = []
    for link, file, fetched in files:
        intent = _intent(session, link, file, fetched)
        sent[intent.key] = (intent, link, file)
        drafts.append(
            FileDraft(
                key=intent.key,
                record_id=link.target_id,
                name=fetched.name,
                media_type=fetched.media_type,
                size=fetched.size,
                digest=fetched.digest,
                open=fetched.open,
            )
        )
    rows = [intent for intent, _, _ in sent.values()]
    child_intents.announce(session, rows)
    try:
        outcomes = desk.writer.add_files(session.flow.target_type, drafts)
    except ConnectorError as error:
        child_intents.withdraw(rows, error)
        raise
    with transaction.atomic():
        renew(session.lease)
        for outcome in outcomes:
            _take(desk, *sent[outcome.key], outcome)
    desk.memory.known |= attachment_links.load([link.pk for link, _, _ in files])


def _intent(session: Session, link: LinkState, file: FileInfo, fetched: Fetched) -> ChildIntent:
    told = {
        "record_id": link.target_id,
        "holder": file.holder,
        "file": file.id,
        "name": fetched.name,
        "size": fetched.size,
        "digest": fetched.digest,
    }
    return child_intents.make(session, link, ChildIntent.Kind.FILE, fetched.digest, told)


def _take(
    desk: Desk, intent: ChildIntent, link: LinkState, file: FileInfo, outcome: Outcome
) -> None:
    if outcome.id:
        attachment_links.conclude(desk.session, intent, outcome.id)
        return
    desk.stands(link, file)
    if outcome.is_unknown:
        desk.memory.intents.setdefault(link.pk, []).append(intent)
        look_soon(desk.session, link.source_id)
        return
    intent.delete()
    desk.refuse(link, file, outcome.error or _gone(desk.session, link, file))


def _gone(session: Session, link: LinkState, file: FileInfo) -> RecordError:
    flow = session.flow
    return RecordError(
        f"{flow.target_type} {link.target_id} does not exist in {flow.target_system} any more, so "
        f"{file.name} has nowhere to go.",
        hint="Restore the record there, or dismiss this.",
        category=Category.TARGET_DELETED,
    )
