"""Failures as the rows of a file, read in pieces."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.db.models import QuerySet

from hubconnect.core.models import User
from hubconnect.integrations.models import Failure, Flow

HEADER: Final = (
    "Failure",
    "State",
    "Level",
    "Integration",
    "Mapping",
    "From",
    "To",
    "Record",
    "Counterpart",
    "Name",
    "Part",
    "Category",
    "Field",
    "What happened",
    "What to do",
    "Tries",
    "First",
    "Last",
    "Next try",
    "Closed",
    "Closed by",
    "Address",
)
_READ: Final = (
    "pk",
    "state",
    "level",
    "flow_id",
    "record_id",
    "target_id",
    "title",
    "child",
    "category",
    "field",
    "message",
    "hint",
    "attempts",
    "first_at",
    "last_at",
    "next_try_at",
    "closed_at",
    "closed_by_id",
    "record_url",
)
_CHUNK: Final = 1000
_STATES: Final = dict(Failure.State.choices)
_LEVELS: Final = dict(Failure.Level.choices)


def rows(found: QuerySet[Failure]) -> Iterator[Sequence[object]]:
    """Return one row a failure, the oldest first; memory does not grow with their number."""
    flows = {flow.pk: _names(flow) for flow in _flows()}
    people = {user.pk: str(user) for user in User.objects.all()}
    lean = found.select_related(None).defer(None).order_by("pk").values(*_READ)
    last = 0
    while chunk := list(lean.filter(pk__gt=last)[:_CHUNK]):
        last = chunk[-1]["pk"]
        for one in chunk:
            yield _row(one, flows.get(one["flow_id"], ("",) * 4), people)


def _flows() -> QuerySet[Flow]:
    return Flow.objects.select_related(
        "pair__integration", "pair__mapping__left_system", "pair__mapping__right_system"
    )


def _names(flow: Flow) -> tuple[str, ...]:
    """Return what a flow is called: integration, mapping, source and target."""
    names = (flow.pair.integration.name, flow.pair.mapping.name)
    return (*names, flow.source_system.name, flow.target_system.name)


def _row(
    one: Mapping[str, Any], flow: tuple[str, ...], people: Mapping[int, str]
) -> Sequence[object]:
    named = ("record_id", "target_id", "title", "child", "category", "field", "message", "hint")
    moments = ("first_at", "last_at", "next_try_at", "closed_at")
    return (
        one["pk"],
        _STATES[one["state"]],
        _LEVELS[one["level"]],
        *flow,
        *(one[name] for name in named),
        one["attempts"],
        *(_moment(one[name]) for name in moments),
        people.get(one["closed_by_id"], ""),
        one["record_url"],
    )


def _moment(moment: datetime | None) -> str:
    return moment.isoformat(timespec="seconds") if moment is not None else ""
