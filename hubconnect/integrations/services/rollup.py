"""Adds up what flows do, hour by hour; charts and key figures are drawn from these rows alone.

Each addition stands in the transaction of what it counts, so that a crash loses or doubles none.
"""

from datetime import UTC, datetime

from django.db.models import Count, F, IntegerField, Max, OuterRef, Subquery
from django.db.models.functions import Coalesce

from hubconnect.integrations.models import HourlyFigures, Link, Run, TypePair

COUNTED = ("read", "created", "updated", "failed")  # counts of a page that figures have too


def hour_of(moment: datetime) -> datetime:
    """Return the beginning of the hour."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def add(flow_id: int, moment: datetime, **numbers: float) -> None:
    """Add to a flow's figures of the hour; the caller's transaction holds what is counted."""
    changes = {name: F(name) + number for name, number in numbers.items() if number}
    if not changes:
        return
    row = HourlyFigures.objects.filter(flow_id=flow_id, hour=hour_of(moment))
    if not row.update(**changes):
        new = HourlyFigures(flow_id=flow_id, hour=hour_of(moment))
        HourlyFigures.objects.bulk_create([new], ignore_conflicts=True)
        row.update(**changes)


def add_ended(run: Run) -> None:
    """Add a run that ended: its records were added page by page, its calls and time are now."""
    ended = run.finished_at or run.started_at
    add(
        run.flow_id,
        ended,
        runs=1,
        idle_runs=int(run.is_idle),
        api_calls=run.api_calls,
        seconds=round((ended - run.started_at).total_seconds(), 3),
    )


def links_now() -> dict[int, int]:
    """Return how many links each type pair has: those counted before, and the few made since."""
    newer = Link.objects.filter(type_pair=OuterRef("pk"), pk__gt=OuterRef("links_counted_to"))
    count = newer.order_by().values("type_pair").annotate(count=Count("pk")).values("count")
    fresh = Coalesce(Subquery(count, output_field=IntegerField()), 0)
    rows = TypePair.objects.annotate(links_now=F("links_counted") + fresh)
    return dict(rows.values_list("pk", "links_now"))


def count_links() -> None:
    """Count all links anew, which also puts right what removed ones left; for the schedule."""
    counted = {
        row["type_pair"]: row
        for row in Link.objects.order_by()
        .values("type_pair")
        .annotate(count=Count("pk"), newest=Max("pk"))
    }
    rows = list(TypePair.objects.only("pk"))
    for row in rows:
        found = counted.get(row.pk, {"count": 0, "newest": 0})
        row.links_counted, row.links_counted_to = found["count"], found["newest"]
    TypePair.objects.bulk_update(rows, ["links_counted", "links_counted_to"], batch_size=500)
