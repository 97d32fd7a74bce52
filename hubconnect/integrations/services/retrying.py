"""What a failure's page tells about its tries and about what waits behind it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Q

from hubconnect.core.wording import counted
from hubconnect.integrations.models import Failure, Flow, FollowUp, Run
from hubconnect.integrations.services import story
from hubconnect.integrations.services.follow_ups import waits_type

_MOST: Final = 1000
_CHILDREN: Final = {
    FollowUp.Kind.COMMENTS: ("comment", "Its comments"),
    FollowUp.Kind.FILES: ("file", "Its files"),
    FollowUp.Kind.ASSOCIATIONS: ("link", "Its links with other records"),
    FollowUp.Kind.REMOTE: ("link", "Its counterpart’s id and address"),
}


@dataclass(frozen=True, slots=True)
class Behind:
    """One thing that waits for a failure: an icon's name and words."""

    icon: str
    words: str


@dataclass(frozen=True, slots=True)
class Try:
    """One try that failed; ``run`` is None where that run is not kept any more."""

    at: datetime
    run: int | None
    category: str
    message: str


def is_tried(flow: Flow) -> bool:
    """Tell whether the flow is at work, so that what is due is tried."""
    return flow.is_enabled and not flow.is_paused and flow.pair.integration.is_active


def behind(failure: Failure) -> list[Behind]:
    """Return what waits until this failure is healed or dismissed."""
    if failure.level == Failure.Level.FLOW or failure.state != Failure.State.OPEN:
        return []
    found = [
        Behind("s-wait", f"{direction}: changes of this record")
        for direction in story.waiting(failure)
    ]
    if failure.child:
        return found
    flow = failure.flow
    kind = waits_type(flow.source_system.identity, flow.source_type)
    of_others = FollowUp.objects.filter(waits_type=kind, waits_id=failure.record_id)
    if number := of_others[:_MOST].count():
        found.append(Behind("link", f"{counted(number, 'link')} of other records with it"))
    own = FollowUp.objects.filter(Q(waits_id=""), flow=flow, record_id=failure.record_id)
    for name in own.values_list("kind", flat=True):
        icon, words = _CHILDREN[FollowUp.Kind(name)]
        found.append(Behind(icon, words))
    return found


def tries(failure: Failure) -> list[Try]:
    """Return the last tries that failed, the newest first."""
    lines: list[dict[str, Any]] = failure.tries
    runs = {line["run"] for line in lines if line["run"] is not None}
    kept = set(Run.objects.filter(pk__in=runs).values_list("pk", flat=True))
    return [
        Try(
            datetime.fromisoformat(line["at"]),
            line["run"] if line["run"] in kept else None,
            line["category"],
            line["message"],
        )
        for line in lines
    ]
