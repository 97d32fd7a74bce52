"""Key figures of the overview, and records carried over time."""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Sum
from django.utils import timezone

from hubconnect.core.charts import Plot, Series
from hubconnect.integrations.models import Failure
from hubconnect.integrations.services import hourly
from hubconnect.mappings.models import Mapping
from hubconnect.systems.models import System

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


def key_figures(hours: int, links: dict[int, int]) -> Figures:
    """Return the figures of the last hours, all from few rows: none grows with the history.

    ``links`` are those of each type pair, as the list of integrations has them.
    """
    names = ("linked", "created", "updated", "api_calls")
    moved = hourly.rows(hours).aggregate(**{name: Sum(name, default=0) for name in names})
    levels = dict(
        Failure.objects.filter(state=Failure.State.OPEN)
        .order_by()
        .values_list("level")
        .annotate(count=Count("pk"))
    )
    carried = moved["created"] + moved["updated"]
    return Figures(
        links=sum(links.values()),
        new_links=moved["linked"],
        created=moved["created"],
        updated=moved["updated"],
        open_failures=sum(levels.values()),
        flows_stopped=levels.get(Failure.Level.FLOW, 0),
        calls=moved["api_calls"] * 1000 / carried if carried else None,
    )


def carried(hours: int) -> Plot:
    """Return a chart of records carried: by the hour for a day, else by the reader's day."""
    by_hour = hours <= hourly.DAY
    if by_hour:
        moments = [hourly.since(hours) + hourly.HOUR * step for step in range(hours)]
    else:
        today, days = _day_of(timezone.now()), hours // hourly.DAY
        moments = [today - timedelta(days=back) for back in range(days - 1, -1, -1)]
    found: dict[datetime, Counter[str]] = defaultdict(Counter)
    names = ("updated", "created", "failed")
    told = hourly.rows(hours + hourly.DAY).values_list("hour")
    for hour, *numbers in told.annotate(*(Sum(name) for name in names)):
        found[hour if by_hour else _day_of(hour)].update(dict(zip(names, numbers, strict=True)))
    series = [
        Series(name.title(), [found[one][name] for one in moments], css)
        for name, css in (("updated", "b1"), ("created", "b2"), ("failed", "b-bad"))
    ]
    word = _hour if by_hour else _day
    return Plot(
        title=_title(moments, series, word, "hour" if by_hour else "day"),
        labels=[word(one) for one in moments],
        series=series,
        marks=_marks([word(one) for one in moments]),
    )


def _day_of(moment: datetime) -> datetime:
    """Return the beginning of the day in the reader's zone."""
    return timezone.localtime(moment).replace(hour=0, minute=0, second=0, microsecond=0)


def _hour(moment: datetime) -> str:
    return f"{timezone.localtime(moment):%-H:%M}"


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
