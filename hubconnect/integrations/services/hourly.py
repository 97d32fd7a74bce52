"""Reads the figures of the hours: what was carried when, for charts and lists."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone

from hubconnect.integrations.models import HourlyFigures
from hubconnect.integrations.services.rollup import hour_of

HOUR = timedelta(hours=1)
DAY = 24


@dataclass(slots=True)
class Hours:
    """Numbers of records in each of the last hours, the oldest first."""

    carried: list[int]
    failed: list[int]

    @property
    def per_hour(self) -> float:
        """Records an hour, in this one and the one before."""
        elapsed = 1 + (timezone.now() - hour_of(timezone.now())) / HOUR
        return sum(self.carried[-2:]) / elapsed


def since(hours: int) -> datetime:
    """Return the beginning of the first of so many hours, the last of which is the current one."""
    return hour_of(timezone.now()) - HOUR * (hours - 1)


def rows(hours: int) -> QuerySet[HourlyFigures]:
    """Return the figures of the last hours."""
    return HourlyFigures.objects.filter(hour__gte=since(hours)).order_by()


def by_flow(hours: int) -> dict[int, Hours]:
    """Return what each flow carried in each of the last hours; one query."""
    first = since(hours)
    found: dict[int, Hours] = {}
    told = rows(hours).values_list("flow_id", "hour", "created", "updated", "failed")
    for flow_id, hour, created, updated, failed in told:
        place = round((hour - first) / HOUR)
        if place < hours:  # one further ahead comes from a clock that jumped
            mine = found.setdefault(flow_id, Hours([0] * hours, [0] * hours))
            mine.carried[place] += created + updated
            mine.failed[place] += failed
    return found


def total(parts: Iterable[Hours], hours: int = DAY) -> Hours:
    """Add up the hours of several flows."""
    summed = Hours([0] * hours, [0] * hours)
    for part in parts:
        summed.carried = [a + b for a, b in zip(summed.carried, part.carried, strict=True)]
        summed.failed = [a + b for a, b in zip(summed.failed, part.failed, strict=True)]
    return summed
