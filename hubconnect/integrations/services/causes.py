"""Failures by their cause: what holds most comes first."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Case, Count, F, Max, Min, Q, QuerySet, TextField, Value, When, Window
from django.db.models.functions import RowNumber
from django.urls import reverse

from hubconnect.connectors.errors import Category
from hubconnect.integrations.models import Failure

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
MOST_CAUSES = 50
SAMPLES = 5
# Where a field is at fault it is the cause, whatever the value; else the message is.
_SAME = ("flow", "level", "category", "field", "words")
_WORDS = Case(When(field="", then=F("message")), default=Value(""), output_field=TextField())


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
    return Failure.objects.select_related(
        "flow__pair__integration",
        "flow__pair__mapping__left_system",
        "flow__pair__mapping__right_system",
    )


def open_failures() -> QuerySet[Failure]:
    """Return those that wait."""
    return failures().filter(state=Failure.State.OPEN)


@dataclass(frozen=True, slots=True)
class Cause:
    """Failures of one flow with one message.

    Attributes:
        first: the newest of them, which speaks for all.
        samples: the newest few.
        waiting: how many of them hold the opposite direction back.
    """

    first: Failure
    samples: list[Failure]
    count: int
    waiting: int
    oldest_at: datetime
    newest_at: datetime

    @property
    def is_flow(self) -> bool:
        """Tell whether a whole flow stands still."""
        return self.first.level == Failure.Level.FLOW

    @property
    def fix_url(self) -> str:
        """Where the editor prepares what would mend all of them, or ""."""
        return repair_url(self.first)

    @property
    def rest(self) -> int:
        """How many are not among the samples."""
        return self.count - len(self.samples)


def group(found: QuerySet[Failure]) -> list[Cause]:
    """Return the causes, flows first, then those with most records; two queries."""
    waits = Q(waits_to_right=True) | Q(waits_to_left=True)
    found = found.annotate(words=_WORDS)
    rows = list(
        found.order_by()
        .values(*_SAME)
        .annotate(
            count=Count("pk"),
            waiting=Count("pk", filter=waits),
            newest=Max("last_at"),
            oldest=Min("first_at"),
        )
        .order_by("level", "-count", "-newest")[:MOST_CAUSES]
    )
    samples = _samples(found)
    return [
        Cause(few[0], few, row["count"], row["waiting"], row["oldest"], row["newest"])
        for row in rows
        if (few := samples.get(tuple(row[name] for name in _SAME)))
    ]


def _samples(found: QuerySet[Failure]) -> dict[tuple[object, ...], list[Failure]]:
    """Return the newest failures of each cause, all read at once."""
    place = Window(RowNumber(), partition_by=list(_SAME), order_by=("-last_at", "-pk"))
    rows = found.annotate(place=place).filter(place__lte=SAMPLES).order_by("-last_at", "-pk")
    grouped: dict[tuple[object, ...], list[Failure]] = {}
    for failure in rows:
        grouped.setdefault(_key(failure), []).append(failure)
    return grouped


def _key(failure: Failure) -> tuple[object, ...]:
    words = "" if failure.field else failure.message
    return (failure.flow_id, failure.level, failure.category, failure.field, words)


def alike(found: QuerySet[Failure], failure: Failure) -> QuerySet[Failure]:
    """Narrow to failures of the same cause."""
    same = dict(zip(_SAME, _key(failure), strict=True))
    return found.annotate(words=_WORDS).filter(**same)


def others_like(failure: Failure) -> int:
    """Return how many other open failures have the same cause."""
    return alike(open_failures(), failure).exclude(pk=failure.pk).count()
