"""What carrying files works with: both sides, the limits, and what is remembered."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from django.utils import timezone

from hubconnect.connectors.children import Attaching, FileInfo
from hubconnect.connectors.errors import Category, RecordError
from hubconnect.engine.children import FileFlow
from hubconnect.engine.plan import LinkState
from hubconnect.integrations.models import ChildIntent, Failure, FollowUp
from hubconnect.integrations.services import (
    attachment_links,
    child_failures,
    child_intents,
    follow_ups,
)
from hubconnect.integrations.services.session import Session

KIND = FollowUp.Kind.FILES
LOOK_SOON = timedelta(seconds=10)
# What carries files, on a linked record.
Holding = tuple[LinkState, str]


def look_soon(session: Session, record_id: str, wait: timedelta = LOOK_SOON) -> None:
    """Have the files of a record compared by one of the next runs."""
    follow_ups.look_at(session, KIND, [record_id], timezone.now() + wait)


@dataclass(slots=True)
class Memory:
    """What is remembered about the files of some links."""

    seen: set[tuple[int, str]]
    known: attachment_links.Known
    failures: dict[tuple[str, str], Failure]
    intents: dict[int, list[ChildIntent]]
    dismissed: Collection[tuple[str, str]]  # what a person let go of, as record and child
    standing: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, session: Session, links: Sequence[LinkState]) -> "Memory":
        """Read what is remembered."""
        ids = [link.pk for link in links]
        failures = Failure.objects.filter(
            flow=session.flow,
            state=Failure.State.OPEN,
            record_id__in=[link.source_id for link in links],
            child__startswith=f"{KIND} ",
        )
        return cls(
            attachment_links.seen(session.flow.source_side, ids),
            attachment_links.load(ids),
            {(one.record_id, one.child): one for one in failures},
            child_intents.open_on(ids, ChildIntent.Kind.FILE),
            child_failures.dismissed(session, KIND, links),
        )


@dataclass(slots=True)
class Desk:
    """Both sides' files, the rules between them, and what is remembered."""

    session: Session
    reader: Attaching
    writer: Attaching
    rules: FileFlow
    memory: Memory
    # Holders with a file that could not be carried yet.
    unfinished: set[tuple[int, str]] = field(default_factory=set)

    @property
    def most(self) -> int:
        """Return how many bytes a file may have."""
        limit = self.writer.max_file_bytes(self.session.flow.target_type)
        return self.rules.max_bytes if limit is None else min(limit, self.rules.max_bytes)

    def is_held(self, holding: Holding) -> bool:
        """Tell whether a lost reply leaves open whose file this is; it is looked at soon."""
        link, holder = holding
        side = self.session.flow.source_side
        is_open = any(
            intent.source_side != side or intent.sent["holder"] == holder
            for intent in self.memory.intents.get(link.pk, ())
        )
        if is_open:
            look_soon(self.session, link.source_id)
            prefix = f"{KIND} {holder}/"
            self.memory.standing |= {
                f"{record_id}\n{child}"
                for record_id, child in self.memory.failures
                if record_id == link.source_id and child.startswith(prefix)
            }
        return is_open

    def is_being_sent(self, link: LinkState, file: FileInfo, digest: str) -> bool:
        """Tell whether a lost reply leaves open if this very content arrived, from elsewhere."""
        is_open = any(
            intent.sent["digest"] == digest for intent in self.memory.intents.get(link.pk, ())
        )
        if is_open:
            self.stands(link, file)
            look_soon(self.session, link.source_id)
        return is_open

    def waits(self, link: LinkState, file: FileInfo) -> bool:
        """Tell whether a file failed, and its time has not come."""
        failure = self.memory.failures.get((link.source_id, child_of(file)))
        # Limits are asked anew each time: the mapping may allow it now.
        if failure is None or failure.category == Category.FILE_REFUSED:
            return False
        return failure.next_try_at is None or failure.next_try_at > timezone.now()

    def is_dismissed(self, link: LinkState, file: FileInfo) -> bool:
        """Tell whether a person let go of a file."""
        return (link.source_id, child_of(file)) in self.memory.dismissed

    def stands(self, link: LinkState, file: FileInfo) -> None:
        """Note that a file is not carried yet."""
        self.unfinished.add((link.pk, file.holder))
        self.memory.standing.add(f"{link.source_id}\n{child_of(file)}")

    def refuse(self, link: LinkState, file: FileInfo, error: RecordError) -> None:
        """Store that a file could not be carried; the same refusal is told once."""
        self.stands(link, file)
        known = self.memory.failures.get((link.source_id, child_of(file)))
        is_told = known is not None and known.message == error.message and not known.next_try_at
        if not (is_told and error.category == Category.FILE_REFUSED):
            child_failures.record(self.session, link, child_of(file), error)


def child_of(file: FileInfo) -> str:
    """Name a file in failures."""
    return f"{KIND} {file.holder}/{file.id}"[:255]
