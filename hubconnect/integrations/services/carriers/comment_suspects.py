"""Comments of the side read that may be copies whose reply was lost, and of which a person decides.

Until then they are left alone, or the comment they may be a copy of would come back doubled. Once
the person let go of it, as one does who found the copy, they stay where they are.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from hubconnect.connectors.children import Comment
from hubconnect.connectors.errors import Category
from hubconnect.engine.comments import excerpt
from hubconnect.engine.plan import LinkState
from hubconnect.integrations.models import Failure, FollowUp
from hubconnect.integrations.services.session import Session

# A copy made up to this long after it was given up: clocks differ.
MARGIN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Suspects:
    """What was given up on the counterparts of some records, by id of the record read."""

    failures: dict[str, list[Failure]]

    @classmethod
    def of(cls, session: Session, links: Iterable[LinkState]) -> "Suspects":
        """Read it; few, mostly none."""
        own_id = {link.target_id: link.source_id for link in links}
        found: dict[str, list[Failure]] = {}
        for failure in Failure.objects.filter(
            type_pair_id=session.lease.type_pair_id,
            side=session.flow.source_side.other,
            record_id__in=list(own_id),
            child__startswith=f"{FollowUp.Kind.COMMENTS} ",
            category=Category.UNKNOWN_OUTCOME,
            state__in=(Failure.State.OPEN, Failure.State.DISMISSED),
        ).only("record_id", "state", "candidates", "last_at"):
            found.setdefault(own_id[failure.record_id], []).append(failure)
        return cls(found)

    def state_of(self, link: LinkState, comment: Comment) -> Failure.State | None:
        """Return how the failure stands about what may be this comment; None if there is none."""
        for failure in self.failures.get(link.source_id, ()):
            if _is_about(failure, comment):
                return Failure.State(failure.state)
        return None


def _is_about(failure: Failure, comment: Comment) -> bool:
    if comment.created_at is not None and comment.created_at > failure.last_at + MARGIN:
        return False
    text = excerpt(comment.body)
    return any(
        one["id"] == comment.id or (not one["id"] and one.get("text") == text)
        for one in failure.candidates or ()
    )
