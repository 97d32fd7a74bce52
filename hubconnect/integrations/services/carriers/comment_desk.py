"""What carrying comments works with: both sides, the rules, and what is remembered."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from hubconnect.connectors.children import Comment, Commenting
from hubconnect.connectors.errors import Category, RecordError
from hubconnect.engine.comments import Rules
from hubconnect.engine.plan import LinkState
from hubconnect.integrations.models import ChildIntent, Failure, FollowUp
from hubconnect.integrations.services import (
    child_failures,
    child_intents,
    closing,
    comment_links,
    follow_ups,
)
from hubconnect.integrations.services.carriers.comment_suspects import Suspects
from hubconnect.integrations.services.session import Session

KIND = FollowUp.Kind.COMMENTS
LOOK_SOON = timedelta(seconds=10)
# A record of the source and one of its comments.
Hanging = tuple[LinkState, str]


@dataclass(frozen=True, slots=True)
class Desk:
    """Both sides' comments, and the rules between them."""

    session: Session
    reader: Commenting
    writer: Commenting
    rules: Rules

    @classmethod
    def open(cls, session: Session) -> "Desk | None":
        """Return what carries comments in this flow, or None where it carries none."""
        flow, chosen = session.flow, session.spec.children.comments
        reader, writer = session.source.commenting, session.target.commenting
        if chosen is None or reader is None or writer is None:
            return None
        rules = Rules(
            flow=chosen,
            abilities=writer.comment_abilities(flow.target_type),
            since=flow.start_at,
            source_name=str(flow.source_system),
            target_name=str(flow.target_system),
        )
        return cls(session, reader, writer, rules)


@dataclass(slots=True)
class Memory:
    """What is remembered about the comments of some links.

    Attributes:
        standing: failures that stand this time too, as ``child_failures.heal`` names them.
        held: comments that were left alone until a lost reply is settled.
    """

    session: Session
    known: comment_links.Known
    failures: dict[tuple[str, str], Failure]
    intents: dict[int, list[ChildIntent]]
    dismissed: Mapping[
        tuple[str, str], str
    ]  # version at which a person let go, by record and child
    suspects: Suspects
    standing: set[str] = field(default_factory=set)
    held: int = 0

    @classmethod
    def of(
        cls, session: Session, links: Iterable[LinkState], comment_ids: Iterable[str] | None = None
    ) -> "Memory":
        """Read what is remembered, of these comments only or of all."""
        by_id = {link.pk: link for link in links}
        wanted = None if comment_ids is None else set(comment_ids)
        failures = Failure.objects.filter(
            flow=session.flow,
            state=Failure.State.OPEN,
            record_id__in=[link.source_id for link in by_id.values()],
            child__startswith=f"{KIND} ",
        )
        kinds = ChildIntent.Kind.COMMENT, ChildIntent.Kind.EDIT
        return cls(
            session,
            comment_links.load(session.flow.source_side, list(by_id), wanted),
            {(one.record_id, one.child): one for one in failures},
            child_intents.open_on(list(by_id), *kinds),
            child_failures.dismissed(session, KIND, by_id.values()),
            Suspects.of(session, by_id.values()),
        )

    def must_read(self, hanging: Hanging) -> bool:
        """Tell whether a comment is unknown, failed, or marked to be read again."""
        link, comment_id = hanging
        known = self.known.get((link.pk, comment_id))
        if known is None or not known.source_version:
            return True
        key = link.source_id, child_of(comment_id)
        return key in self.failures or self.dismissed.get(key, "") not in ("", known.source_version)

    def is_held(self, hanging: Hanging) -> bool:
        """Tell whether a lost reply leaves open what this comment is, or what became of it."""
        link, comment_id = hanging
        side = self.session.flow.source_side
        is_new = (link.pk, comment_id) not in self.known
        for intent in self.intents.get(link.pk, ()):
            if intent.source_side == side:
                if intent.source_id == comment_id:
                    return True
            elif intent.target_id == comment_id or (is_new and not intent.target_id):
                return True
        return False

    def waits(self, link: LinkState, comment: Comment) -> bool:
        """Tell whether a comment failed and neither its time has come nor its text changed.

        What may be there already, and what may be a copy, waits for a person whatever it says.
        """
        if self._state_of_suspect(link, comment) == Failure.State.OPEN:
            return True
        failure = self.failures.get((link.source_id, child_of(comment.id)))
        if failure is None:
            return False
        if failure.category == Category.UNKNOWN_OUTCOME and failure.next_try_at is None:
            return True
        if failure.source_version != comment_links.version_of(comment.version):
            return False
        due = failure.next_try_at
        return due is None or due > timezone.now()

    def is_dismissed(self, link: LinkState, comment: Comment) -> bool:
        """Tell whether a person let go of a comment as it stands, or of what it is a copy of."""
        if self._state_of_suspect(link, comment) == Failure.State.DISMISSED:
            return True
        version = comment_links.version_of(comment.version)
        return self.dismissed.get((link.source_id, child_of(comment.id))) == version

    def _state_of_suspect(self, link: LinkState, comment: Comment) -> Failure.State | None:
        is_known = (link.pk, comment.id) in self.known
        return None if is_known else self.suspects.state_of(link, comment)

    def stands(self, link: LinkState, comment_id: str) -> None:
        """Note that the failure of a comment, if there is one, is not over."""
        self.standing.add(f"{link.source_id}\n{child_of(comment_id)}")


def child_of(comment_id: str) -> str:
    """Name a comment in failures."""
    return f"{KIND} {comment_id}"


def look_soon(session: Session, record_id: str) -> None:
    """Have the comments of a record compared by one of the next runs."""
    follow_ups.look_at(session, KIND, [record_id], timezone.now() + LOOK_SOON)


def refuse(
    session: Session, memory: Memory, link: LinkState, comment: Comment, error: RecordError
) -> None:
    """Store that a comment could not be carried; called in a transaction.

    A comment edited on both sides is one failure, of the flow that saw it first.
    """
    memory.stands(link, comment.id)
    if error.category == Category.CONFLICT and _is_told(session, memory, link, comment):
        return
    version = comment_links.version_of(comment.version)
    child_failures.record(session, link, child_of(comment.id), error, version=version)


def _is_told(session: Session, memory: Memory, link: LinkState, comment: Comment) -> bool:
    known = memory.known[link.pk, comment.id]
    return _of_counterpart(session, link, known.target_id).exists()


def close_counterpart(session: Session, link: LinkState, target_id: str) -> None:
    """Close what the opposite flow had about a comment on which both sides agree now."""
    for failure in _of_counterpart(session, link, target_id):
        closing.close(failure, Failure.State.HEALED, timezone.now())


def _of_counterpart(session: Session, link: LinkState, target_id: str) -> QuerySet[Failure]:
    return Failure.objects.filter(
        type_pair_id=session.lease.type_pair_id,
        side=session.flow.source_side.other,
        record_id=link.target_id,
        child=child_of(target_id)[:255],
        category=Category.CONFLICT,
        state=Failure.State.OPEN,
    )
