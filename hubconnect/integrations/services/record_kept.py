"""What is stored about one record: events, failures, open writes, reads, what hangs on it."""

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from hubconnect.integrations.models import (
    ChildIntent,
    Failure,
    FollowUp,
    Intent,
    QueuedRead,
    RecordEvent,
)
from hubconnect.integrations.services.record_story import Story

SHOWN = 50  # rows of what hangs on a record


def events_of(story: Story, only: str = "") -> QuerySet[RecordEvent]:
    """Return what was decided about both records; ``only`` changes, or comments and files."""
    by_flow = Q(pk__in=())
    for flow in story.flows:
        end = story.mine if flow.direction == story.place.direction else story.theirs
        if end.record_id:
            by_flow |= Q(source_id=end.record_id, run__flow=flow)
    kinds = {
        "changes": ("created", "updated", "linked"),
        "children": ("comment", "file"),
    }.get(only)
    # The ids alone lead to the few rows; which flow read them is looked at there.
    ids = [end.record_id for end in (story.mine, story.theirs) if end.record_id]
    found = RecordEvent.objects.filter(by_flow, source_id__in=ids).select_related(
        "run__flow__pair__mapping__left_system", "run__flow__pair__mapping__right_system"
    )
    return found.filter(kind__in=kinds) if kinds else found


@dataclass(frozen=True, slots=True)
class Kept:
    """What is stored beside the events: open writes, queued reads, failures, what hangs on it."""

    failures: list[Failure]
    intents: list[Intent]
    child_intents: list[ChildIntent]
    queued: list[QueuedRead]
    follow_ups: list[FollowUp]
    comments: list[tuple[str, str, str]]
    files: list[tuple[str, int, bool]]
    associations: int
    comment_count: int
    file_count: int


def kept_about(story: Story) -> Kept:
    """Return what is stored about a record and its counterpart; the newest of long lists."""
    place, link = story.place, story.link
    side, other = place.stored_side, place.stored_side.other
    mine = Q(record_id=story.mine.record_id, side=side)
    my_intents = Q(source_side=side, source_id=story.mine.record_id)
    reads = Q(pk__in=())
    for flow in story.flows:
        end = story.mine if flow.direction == place.direction else story.theirs
        if end.record_id:
            reads |= Q(flow=flow, record_id=end.record_id)
    if story.theirs.record_id:
        mine |= Q(record_id=story.theirs.record_id, side=other)
        my_intents |= Q(source_side=other, source_id=story.theirs.record_id)
    failures = Failure.objects.filter(
        mine, type_pair=place.pair.type_pair_id, state__in=Failure.State.values
    )
    comments = link.comment_links.order_by("-pk") if link is not None else None
    files = link.attachment_links.order_by("-pk") if link is not None else None
    return Kept(
        failures=list(failures.order_by("-last_at")[:SHOWN]),
        intents=list(Intent.objects.filter(my_intents, type_pair=place.pair.type_pair_id)[:SHOWN]),
        child_intents=list(link.child_intents.all()[:SHOWN]) if link is not None else [],
        queued=list(QueuedRead.objects.filter(reads).select_related("flow__pair__mapping")),
        follow_ups=list(FollowUp.objects.filter(reads).order_by("due_at")[:SHOWN]),
        comments=[
            (getattr(one, f"{side}_id"), getattr(one, f"{other}_id"), one.reason)
            for one in (comments[:SHOWN] if comments is not None else ())
        ],
        files=[
            (one.name, one.size, bool(one.left_file and one.right_file))
            for one in (files[:SHOWN] if files is not None else ())
        ],
        associations=link.association_links.count() if link is not None else 0,
        comment_count=comments.count() if comments is not None else 0,
        file_count=files.count() if files is not None else 0,
    )
