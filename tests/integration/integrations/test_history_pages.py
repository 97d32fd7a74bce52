"""The pages of the history cost the same at any age: few queries, each led by an index."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from hubconnect.core.counting import at_most, count_each
from hubconnect.integrations.filters import RunFilter
from hubconnect.integrations.models import Flow, HourlyFigures, RecordEvent, Run
from hubconnect.integrations.services import figures, hourly, rollup, standing
from tests.factories.integrations import (
    FailureFactory,
    LinkFactory,
    PairFactory,
    RecordEventFactory,
    RunFactory,
)

pytestmark = pytest.mark.django_db

LIST = reverse("integrations:run_list")
PAGES = [
    f"{LIST}?{query}"
    for query in (
        "",
        "state=all",
        "state=changed",
        "state=crashed",
        "reason=manual",
        "time=day",
        "integration={integration}",
        "flow={flow}",
        "flow={flow}&state=with_failures&time=week",
    )
]


@pytest.fixture
def flow() -> Flow:
    flow = PairFactory.create().flows.first()
    assert flow is not None
    return flow


def fill(flow: Flow, runs: int, events: int = 0) -> list[Run]:
    """Make runs, every tenth of them with changes, the newest of these with events."""
    made = [
        RunFactory.create(flow=flow, is_idle=bool(place % 10), updated=not place % 10)
        for place in range(runs)
    ]
    for _ in range(events):
        RecordEventFactory.create(run=made[0])
    return made


def queries(client: Client, address: str) -> list[str]:
    with CaptureQueriesContext(connection) as caught:
        answer = client.get(address)
    assert answer.status_code == 200
    return [one["sql"] for one in caught.captured_queries]


@pytest.mark.parametrize(
    "address", [*PAGES, "/", "/history/{run}/", "/history/{run}/?kind=updated"]
)
def test_queries_do_not_grow_with_the_history(
    monitor_client: Client, flow: Flow, address: str
) -> None:
    (first, *_) = fill(flow, 20, events=3)
    places = {"run": first.pk, "flow": flow.pk, "integration": flow.pair.integration_id}
    few = queries(monitor_client, address.format(**places))
    fill(flow, 100)
    RecordEventFactory.create_batch(60, run=first)
    FailureFactory.create_batch(5, flow=flow, run=first)
    LinkFactory.create_batch(5, type_pair=flow.pair.type_pair)
    many = queries(monitor_client, address.format(**places))
    assert len(many) <= len(few) + 2  # the newer page's end, the times of folded runs
    assert len(many) <= 24


@pytest.mark.skipif(connection.vendor != "postgresql", reason="plans of PostgreSQL")
def test_lists_follow_an_index_from_its_end(flow: Flow) -> None:
    fill(flow, 1)
    now, other = timezone.now(), PairFactory.create().flows.first()
    assert other is not None
    runs = [Run(flow=flow, started_at=now, is_idle=place > 60) for place in range(6000)]
    runs[30:60] = [
        Run(flow=other, started_at=now, state="crashed", reason="manual") for _ in range(30)
    ]
    Run.objects.bulk_create(runs)
    first, second = Run.objects.order_by("pk")[:2]
    RecordEvent.objects.bulk_create(
        RecordEvent(run=first if place % 50 else second, kind="updated", at=now)
        for place in range(6000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    chosen = {
        "": "run_by_idle",
        "state=all": "integrations_run_pkey",
        "state=crashed": "run_by_state",
        "reason=manual": "run_by_reason",
        f"flow={flow.pk}": "run_by_(flow_and_)?idle",
        f"flow={other.pk}&state=all": "run_by_flow",
    }
    for query, index in chosen.items():
        plan = RunFilter(QueryDict(query), queryset=Run.objects.all()).busy[:31].explain()
        assert re.search(f"(using|on) {index} ", plan), plan
        assert "Seq Scan" not in plan
    for events in (second.events.all(), second.events.filter(kind="updated")):
        plan = events[:51].explain()
        assert re.search(r"using (event_by_run|integration_run_id_\w+) ", plan), plan
        assert "Seq Scan" not in plan


def test_idle_runs_are_folded_where_they_were(monitor_client: Client, flow: Flow) -> None:
    fill(flow, 25)
    page = monitor_client.get(LIST).content.decode()
    assert page.count("9 runs without changes between") == 2
    assert "4 runs without changes between" in page  # on top, newer than any run with changes
    narrowed = monitor_client.get(f"{LIST}?flow={flow.pk + 1}").content.decode()
    assert "without changes" not in narrowed


def test_folded_runs_are_not_lost_between_two_pages(monitor_client: Client, flow: Flow) -> None:
    for _ in range(31):
        RunFactory.create(flow=flow, updated=1)
        RunFactory.create(flow=flow, is_idle=True)
    seen, address = 0, LIST
    while address:
        answer = monitor_client.get(address)
        seen += answer.content.decode().count("1 run without changes")
        older = answer.context["page"].older
        address = f"{LIST}{older}" if older else ""
    assert seen == 31


def test_only_idle_runs_are_a_page_too(monitor_client: Client, flow: Flow) -> None:
    RunFactory.create_batch(3, flow=flow, is_idle=True)
    assert "3 runs without changes" in monitor_client.get(LIST).content.decode()


def test_counts_stop_at_a_limit(flow: Flow) -> None:
    run = RunFactory.create(flow=flow)
    RecordEventFactory.create_batch(7, run=run)
    found = [run.events.filter(kind=kind) for kind in ("updated", "failed")]
    assert count_each(found, most=5) == [6, 0]
    assert [at_most(number, most=5) for number in (6, 5)] == ["5+", "5"]


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("state=changed", {"updated"}),
        ("reason=manual", {"manual"}),
        ("time=hour", {"updated", "skipped"}),
    ],
)
def test_filters(flow: Flow, query: str, shown: set[str]) -> None:
    long_ago = timezone.now() - timedelta(days=2)
    runs = {
        "manual": RunFactory.create(flow=flow, reason="manual", failed=1, started_at=long_ago),
        "skipped": RunFactory.create(flow=flow, skipped=1),
        "updated": RunFactory.create(flow=flow, updated=1),
        "idle": RunFactory.create(flow=flow, is_idle=True),
    }
    found = set(RunFilter(QueryDict(query), queryset=Run.objects.all()).busy)
    assert found == {runs[name] for name in shown}


def test_a_list_with_a_running_run_asks_again(monitor_client: Client, flow: Flow) -> None:
    RunFactory.create(flow=flow, updated=1)
    assert "hx-trigger" not in monitor_client.get(LIST).content.decode()
    RunFactory.create(flow=flow, state=Run.State.RUNNING)
    assert 'hx-trigger="every 3s"' in monitor_client.get(LIST).content.decode()


def test_links_are_counted_without_counting_all(flow: Flow) -> None:
    pair = flow.pair.type_pair
    assert pair is not None
    LinkFactory.create_batch(3, type_pair=pair)
    assert rollup.links_now() == {pair.pk: 3}
    rollup.count_links()
    removed, *_ = LinkFactory.create_batch(2, type_pair=pair)
    assert rollup.links_now() == {pair.pk: 5}
    removed.delete()
    rollup.count_links()
    assert rollup.links_now() == {pair.pk: 4}


def test_chart_and_key_figures_are_drawn_from_hours(flow: Flow) -> None:
    now = timezone.now()
    rollup.add(flow.pk, now, created=2, updated=3, linked=2, failed=1)
    rollup.add(flow.pk, now, updated=4)
    rollup.add(flow.pk, now - timedelta(days=3), updated=7)
    assert HourlyFigures.objects.count() == 2
    day, week = figures.key_figures(24, {}), figures.key_figures(24 * 7, {})
    assert (day.created, day.updated, day.new_links, week.updated) == (2, 7, 2, 14)
    assert [sum(one.values) for one in figures.carried(24).series] == [7, 2, 1]
    assert [sum(one.values) for one in figures.carried(24 * 7).series] == [14, 2, 1]
    assert hourly.by_flow(24)[flow.pk].carried[-1] == 9


def test_lag_is_the_age_of_the_oldest_change_that_was_not_read(flow: Flow) -> None:
    now = timezone.now()
    ends = {"window_lower": now - timedelta(hours=2), "window_upper": now - timedelta(hours=1)}
    flow.pair.flows.update(**ends)
    closed = standing.lag_of(flow.pair.flows.all())
    flow.pair.flows.filter(pk=flow.pk).update(is_window_open=True)
    reading = standing.lag_of(flow.pair.flows.all())
    assert closed is not None
    assert reading is not None
    assert (closed // timedelta(hours=1), reading // timedelta(hours=1)) == (1, 2)
    flow.pair.flows.filter(pk=flow.pk).update(window_lower=None)
    assert standing.lag_of(flow.pair.flows.all()) is None
