"""Key figures of the overview, and records carried over time."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Sum
from django.db.models.functions import TruncDay, TruncHour
from django.utils import timezone

from hubconnect.core.charts import Plot, Series
from hubconnect.integrations.models import Failure, Link, Run
from hubconnect.integrations.services.history import IDLE
from hubconnect.mappings.models import Mapping
from hubconnect.systems.models import System

_DAY_HOURS = 24
_MARKS = 9


def counts() -> tuple[int, int]:
    """Return how many systems and mappings there are, for the first steps."""
    return System.objects.count(), Mapping.objects.count()


@dataclass(frozen=True, slots=True)
class Figures:
    """The numbers at the top of the overview; ``calls`` is per 1,000 records, or None."""

    links: int
    new_links: int
    created: int
    updated: int
    open_failures: int
    flows_stopped: int
    calls: float | None

    @property
    def carried(self) -> int:
        """Records written to either side."""
        return self.created + self.updated


def key_figures(hours: int) -> Figures:
    """Return the figures of the last hours."""
    since = timezone.now() - timedelta(hours=hours)
    busy = Run.objects.filter(started_at__gte=since).exclude(IDLE)
    moved = busy.aggregate(created=Sum("created"), updated=Sum("updated"), calls=Sum("api_calls"))
    levels = dict(
        Failure.objects.filter(state=Failure.State.OPEN)
        .order_by()
        .values_list("level")
        .annotate(count=Count("pk"))
    )
    created, updated = moved["created"] or 0, moved["updated"] or 0
    calls = moved["calls"] or 0
    return Figures(
        links=Link.objects.count(),
        new_links=Link.objects.filter(created_at__gte=since).count(),
        created=created,
        updated=updated,
        open_failures=sum(levels.values()),
        flows_stopped=levels.get(Failure.Level.FLOW, 0),
        calls=calls * 1000 / (created + updated) if created + updated else None,
    )


def carried(hours: int) -> Plot:
    """Return a chart of records carried: by the hour for a day, else by the day."""
    by_hour = hours <= _DAY_HOURS
    step = timedelta(hours=1) if by_hour else timedelta(days=1)
    trunc = TruncHour if by_hour else TruncDay
    now = timezone.localtime()
    last = now.replace(minute=0, second=0, microsecond=0)
    last = last if by_hour else last.replace(hour=0)
    steps = hours if by_hour else hours // _DAY_HOURS
    moments = [last - step * back for back in range(steps - 1, -1, -1)]
    rows = (
        Run.objects.filter(started_at__gte=moments[0])
        .exclude(IDLE)
        .order_by()
        .annotate(step=trunc("started_at"))
        .values("step")
        .annotate(updated=Sum("updated"), created=Sum("created"), failed=Sum("failed"))
    )
    found: dict[datetime, dict[str, int | None]] = {
        row["step"]: {name: row[name] for name in ("updated", "created", "failed")} for row in rows
    }
    series = [
        Series(name.title(), [found.get(one, {}).get(name) or 0 for one in moments], css)
        for name, css in (("updated", "b1"), ("created", "b2"), ("failed", "b-bad"))
    ]
    word = _hour if by_hour else _day
    return Plot(
        title=_title(moments, series, word, "hour" if by_hour else "day"),
        labels=[word(one) for one in moments],
        series=series,
        marks=_marks([word(one) for one in moments]),
    )


def _hour(moment: datetime) -> str:
    return f"{moment.hour}:00"


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%b}"


def _marks(labels: list[str]) -> list[str]:
    if len(labels) <= _MARKS:
        return labels
    return [*labels[:: len(labels) // (_MARKS - 1)], "now"]


def _title(
    moments: list[datetime], series: list[Series], word: Callable[[datetime], str], unit: str
) -> str:
    totals = [sum(stack) for stack in zip(*(one.values for one in series), strict=True)]
    if not any(totals):
        return f"Records carried per {unit}: none yet"
    busiest = totals.index(max(totals))
    failed = sum(series[2].values)
    told = f"busiest {word(moments[busiest])} with {totals[busiest]:,.0f}, {failed:,.0f} failed"
    return f"Records carried per {unit}: {told}"
