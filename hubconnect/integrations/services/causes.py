"""Failures by their cause: what stops flows comes first, then what holds most records."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Count, Max, Min, Q, QuerySet
from django.urls import reverse

from hubconnect.connectors.errors import Category
from hubconnect.integrations.models import Failure, Flow
from hubconnect.systems.models import System

# What a mapping can mend: the values that were sent, or those that were not.
MENDABLE = frozenset(
    {
        Category.VALIDATION_ERROR,
        Category.REQUIRED_FIELD,
        Category.CONVERSION,
        Category.TOO_LONG,
        Category.NOT_STORED,
    }
)
MOST_CAUSES: Final = 50
# What only the page of one failure shows.
HEAVY: Final = ("source_values", "sent_values", "answer", "tries", "conflicts", "edited_values")


def is_mendable(failure: Failure) -> bool:
    """Tell whether the mapping's rows are where this failure can be mended."""
    is_open = failure.state == Failure.State.OPEN and failure.level == Failure.Level.RECORD
    is_of_rows = is_open and failure.child in ("", Failure.NOT_STORED) and bool(failure.faults)
    return is_of_rows and failure.category in MENDABLE


def repair_url(failure: Failure) -> str:
    """Return the editor's address that prepares the repair, or "" when there is none."""
    if not is_mendable(failure):
        return ""
    editor = reverse("mappings:edit", args=[failure.flow.pair.mapping_id])
    return f"{editor}?fix={failure.pk}#repair"


def failures() -> QuerySet[Failure]:
    """Return failures with everything that a line about them names."""
    sides = ("flow__pair__mapping__left_system", "flow__pair__mapping__right_system")
    found = Failure.objects.select_related("flow__pair__integration", *sides)
    return found.defer(*(f"{side}__{name}" for side in sides for name in ("secrets", "report")))


def open_failures() -> QuerySet[Failure]:
    """Return those that wait."""
    return failures().filter(state=Failure.State.OPEN)


@dataclass(frozen=True, slots=True)
class Cause:
    """Open failures with one cause; see models.cause.

    Attributes:
        key: the cause's own.
        first: the failure that came last, which speaks for all.
        waiting: how many of them hold another direction back.
        flows: for what stops whole flows: these.
    """

    key: str
    first: Failure
    count: int
    waiting: int
    oldest_at: datetime
    newest_at: datetime
    flows: Sequence[Flow] = ()

    @property
    def is_flow(self) -> bool:
        """Tell whether whole flows stand still."""
        return self.first.level == Failure.Level.FLOW

    @property
    def fix_url(self) -> str:
        """Where the editor prepares what would mend all of them, or ""."""
        return repair_url(self.first)

    @property
    def next_at(self) -> datetime | None:
        """When the first of the flows is tried again by itself."""
        moments = [flow.next_run_at for flow in self.flows if flow.next_run_at is not None]
        return min(moments, default=None)

    @property
    def systems(self) -> list[System]:
        """Return the systems that the message of a flow's failure names."""
        ends = (self.first.flow.source_system, self.first.flow.target_system)
        return [one for one in ends if self.is_flow and one.name in self.first.message]


@dataclass(frozen=True, slots=True)
class CausePage:
    """Causes, those that stop flows first, then those with most records.

    Attributes:
        next_skip: how many causes stand before the next page, None at the end.
    """

    causes: list[Cause]
    next_skip: int | None


def group(found: QuerySet[Failure], skip: int = 0) -> CausePage:
    """Return causes of open failures; three queries, however many failures there are."""
    waits = Q(waits_to_right=True) | Q(waits_to_left=True)
    rows = list(
        found.order_by()
        .values("cause")
        .annotate(
            count=Count("pk"),
            waiting=Count("pk", filter=waits),
            newest=Max("last_at"),
            oldest=Min("first_at"),
            head=Max("pk"),
            reach=Min("level"),  # "flow" comes before "record"
        )
        .order_by("reach", "-count", "-newest", "cause")[skip : skip + MOST_CAUSES + 1]
    )
    shown = rows[:MOST_CAUSES]
    heads = failures().defer(*HEAVY).in_bulk([row["head"] for row in shown])
    flows = _flows([row["cause"] for row in shown if row["reach"] == Failure.Level.FLOW])
    made = [
        Cause(
            key=row["cause"],
            first=heads[row["head"]],
            count=row["count"],
            waiting=row["waiting"],
            oldest_at=row["oldest"],
            newest_at=row["newest"],
            flows=flows.get(row["cause"], ()),
        )
        for row in shown
        if row["head"] in heads
    ]
    return CausePage(made, skip + MOST_CAUSES if len(rows) > MOST_CAUSES else None)


def _flows(keys: Sequence[str]) -> dict[str, list[Flow]]:
    """Return the flows that stand still by cause; a flow has one such failure."""
    if not keys:
        return {}
    found: dict[str, list[Flow]] = {}
    stopped = failures().filter(state=Failure.State.OPEN, level=Failure.Level.FLOW, cause__in=keys)
    for failure in stopped.defer(*HEAVY, "faults"):
        found.setdefault(failure.cause, []).append(failure.flow)
    return found


def alike(found: QuerySet[Failure], failure: Failure) -> QuerySet[Failure]:
    """Narrow to failures of the same cause."""
    return found.filter(cause=failure.cause) if failure.cause else found.filter(pk=failure.pk)


def others_like(failure: Failure) -> int:
    """Return how many other open failures have the same cause."""
    found = Failure.objects.filter(state=Failure.State.OPEN)
    return alike(found, failure).exclude(pk=failure.pk).count()
