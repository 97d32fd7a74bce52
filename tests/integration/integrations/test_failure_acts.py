"""Failures in bulk: found by cause and filter, retried, dismissed, exported; however many."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from hubconnect.core.models import User
from hubconnect.integrations.models import Decision, Failure, FailureAct, Flow, Link
from hubconnect.integrations.models.cause import cause_key
from hubconnect.integrations.services import acts, backoff, causes
from hubconnect.integrations.tasks import act_on_failures
from tests.factories.integrations import FailureFactory, LinkFactory, PairFactory
from tests.pages import text

pytestmark = pytest.mark.django_db

LIST = "/failures/"


@pytest.fixture
def flow() -> Flow:
    pair = PairFactory.create(integration__is_active=True)
    return pair.flows.get(direction="to_right")


def many(flow: Flow, number: int, **columns: object) -> str:
    """Store failures in one statement; return the key of their cause."""
    now = timezone.now()
    plain = {"category": "VALIDATION_ERROR", "field": "title", "message": "Refused.", **columns}
    made = Failure(flow=flow, level="record", **plain)
    key = cause_key(
        is_flow=False,
        flow_id=flow.pk,
        category=made.category,
        field=made.field,
        child="",
        message=made.message,
    )
    Failure.objects.bulk_create(
        (
            Failure(
                flow=flow,
                type_pair_id=flow.pair.type_pair_id,
                level="record",
                side="left",
                record_id=f"{key[:4]}-{at}",
                title=f"Record {at}",
                source_values={"dealname": f"deal {at}"},
                cause=key,
                attempts=3,
                first_at=now,
                last_at=now - timedelta(seconds=at),
                **plain,
            )
            for at in range(number)
        ),
        batch_size=2000,
    )
    return key


def act(client: Client, **posted: object) -> str:
    return text(client.post(reverse("integrations:failure_act"), posted, follow=True))


def open_count() -> int:
    return Failure.objects.filter(state="open").count()


def test_causes_gather_what_differs_only_in_values(flow: Flow) -> None:
    def key(**columns: str) -> str:
        return FailureFactory.create(flow=flow, **columns).cause

    assert key(field="title", message="“a” is wrong") == key(field="title", message="“b” is wrong")
    assert key(message="Order 17 of “Ana” is wrong") == key(message="Order 9 of “Ben” is wrong")
    assert key(message="One thing") != key(message="Another thing")
    assert key(category="LOOKUP", message="3 found: a, b, c") == key(
        category="LOOKUP", message="2 found: x, y"
    )
    assert key(field="title") != key(field="amount")


def test_flows_come_first_and_are_one_line(sync_admin_client: Client, flow: Flow) -> None:
    many(flow, 3)
    other = flow.pair.flows.get(direction="to_left")
    for stopped in (flow, other):
        FailureFactory.create(
            flow=stopped, level="flow", record_id="", category="UNREACHABLE", message="Away."
        )
    first, second = causes.group(causes.open_failures()).causes
    assert (first.is_flow, len(first.flows), second.count) == (True, 2, 3)
    page = text(sync_admin_client.get(LIST))
    assert "5 open failures" in page
    assert "2 flows, such as" in page


def test_filters_stand_in_the_address(monitor_client: Client, flow: Flow) -> None:
    many(flow, 2)
    many(flow, 1, category="TOO_LONG", field="notes", message="Too long by far.")
    for query, count in (
        ("category=TOO_LONG", 1),
        ("field=title", 2),
        ("q=by far", 1),
        ("level=record", 3),
        (f"integration={flow.pair.integration_id}", 3),
        ("category=TOO_LONG&field=title", 0),
    ):
        page = monitor_client.get(f"{LIST}?group=none&{query}")
        assert len(page.context["page"].items) == count, query


def test_records_of_a_cause_unfold_and_have_a_page(sync_admin_client: Client, flow: Flow) -> None:
    key = many(flow, 60)
    inside = sync_admin_client.get(f"{LIST}?cause={key}", headers={"HX-Request": "true"})
    assert len(inside.context["page"].items) == 10
    assert "<html" not in text(inside)
    page = sync_admin_client.get(f"{LIST}?cause={key}")
    assert len(page.context["page"].items) == 50
    assert "60 failures fit the filter" in text(page)
    older = sync_admin_client.get(LIST + page.context["page"].older)
    assert len(older.context["page"].items) == 10


def test_a_whole_cause_is_retried_and_counted_anew(
    sync_admin_client: Client, sync_admin: User, flow: Flow
) -> None:
    key = many(flow, 3)
    many(flow, 2, field="amount")
    assert "3 failures will be tried again" in act(sync_admin_client, act=f"retry {key}")
    due = Failure.objects.filter(next_try_at__lte=timezone.now(), attempts=0)
    assert set(due.values_list("cause", flat=True)) == {key}
    assert due.count() == 3
    done = FailureAct.objects.get()
    assert (done.kind, done.actor, done.done) == ("retry", sync_admin, 3)
    flow.refresh_from_db()
    assert flow.next_run_at is not None


def test_ticked_ones_are_dismissed_after_a_look(sync_admin_client: Client, flow: Flow) -> None:
    many(flow, 3)
    picked = list(Failure.objects.order_by("pk").values_list("pk", flat=True)[:2])
    page = act(sync_admin_client, act="dismiss", pick=picked)
    assert "Dismiss 2 failures?" in page
    assert "Record 0" in page
    assert "dealname “deal 0”" in page  # what will not be sent
    assert open_count() == 3
    assert "2 failures dismissed" in act(sync_admin_client, act="dismiss", pick=picked, sure="yes")
    assert open_count() == 1
    assert Decision.objects.filter(kind="dismissed").count() == 2


def test_dismissing_moves_the_bases_of_linked_records(
    sync_admin_client: Client, flow: Flow
) -> None:
    many(flow, 2)
    failure = Failure.objects.earliest("pk")
    LinkFactory.create(
        type_pair=flow.pair.type_pair,
        left_id=failure.record_id,
        left_base={"dealname": ["old", "1"], "unmapped": ["kept", "1"]},
    )
    act(sync_admin_client, act="dismiss", scope="all", sure="yes")
    base = Link.objects.get().left_base
    assert base == {"dealname": ["deal 0", ""], "unmapped": ["kept", "1"]}
    assert Decision.objects.count() == 1


def test_many_are_a_workers_in_batches_and_go_on_where_they_stopped(
    sync_admin_client: Client, flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    many(flow, 450)
    many(flow, 5, category="TOO_LONG", field="notes")
    monkeypatch.setattr("hubconnect.integrations.services.failures.BATCH", 100)
    monkeypatch.setattr(acts, "BATCHES_A_TURN", 2)
    page = act(
        sync_admin_client, act="dismiss", scope="all", category="VALIDATION_ERROR", sure="yes"
    )
    assert "0 of 450" in page
    assert open_count() == 455
    job = FailureAct.objects.get()
    later = many(flow, 1, message="later", field="title2")
    assert acts.unfinished() == [job.pk]
    assert acts.work(job.pk)
    job.refresh_from_db()
    assert (job.done, job.state) == (200, "working")
    assert acts.work(job.pk)
    assert not acts.work(job.pk)
    job.refresh_from_db()
    assert (job.done, job.state) == (450, "done")
    assert acts.unfinished() == []
    left = Failure.objects.filter(state="open")
    assert {one.category for one in left} == {"TOO_LONG", "VALIDATION_ERROR"}
    assert left.filter(cause=later).count() == 1  # it came after the person asked
    assert "450 of 450" in text(
        sync_admin_client.get(reverse("integrations:failure_act_progress", args=[job.pk]))
    )


def test_two_workers_do_not_do_one_act_twice_and_a_lost_one_is_followed(
    sync_admin: User, flow: Flow
) -> None:
    many(flow, 300)
    job = acts.all_that_fit(FailureAct.Kind.RETRY, {}, sync_admin)
    assert job.state == FailureAct.State.WORKING
    FailureAct.objects.update(leased_until=timezone.now() + timedelta(minutes=1))
    assert not acts.work(job.pk)  # somebody is at it
    assert acts.unfinished() == []
    FailureAct.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    assert acts.unfinished() == [job.pk]
    act_on_failures(job.pk)
    job.refresh_from_db()
    assert (job.done, job.state) == (300, "done")


def test_a_stopped_act_leaves_the_rest(sync_admin_client: Client, flow: Flow) -> None:
    many(flow, 300)
    act(sync_admin_client, act="dismiss", scope="all", sure="yes")
    job = FailureAct.objects.get()
    url = reverse("integrations:failure_act_stop", args=[job.pk])
    assert "Stopped" in text(sync_admin_client.post(url, follow=True))
    assert not acts.work(job.pk)
    assert open_count() == 300


def test_nothing_is_done_by_a_filter_that_is_none(sync_admin_client: Client, flow: Flow) -> None:
    many(flow, 2)
    for posted in (
        {"act": "dismiss", "scope": "all", "category": "NONSENSE", "sure": "yes"},
        {"act": "dismiss", "sure": "yes"},
        {"act": "erase", "scope": "all"},
        {"act": "retry", "pick": "x"},
    ):
        assert "No open failure was chosen" in act(sync_admin_client, **posted)
    assert open_count() == 2


def test_a_monitor_acts_on_nothing(monitor_client: Client, flow: Flow) -> None:
    key = many(flow, 2)
    page = text(monitor_client.get(LIST))
    assert "Retry all" not in page
    assert 'name="pick"' not in page
    posted = {"act": f"retry {key}"}
    url = reverse("integrations:failure_act")
    assert monitor_client.post(url, posted).status_code == 403
    assert Failure.objects.filter(attempts=0).count() == 0


def streamed(client: Client, query: str) -> list[list[str]]:
    response: Any = client.get(f"{reverse('integrations:failure_csv')}?{query}")
    assert response.streaming
    body = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(body)))


def test_the_file_has_what_fits_and_no_formula(monitor_client: Client, flow: Flow) -> None:
    many(flow, 3)
    for start in ("=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"):
        FailureFactory.create(flow=flow, category="TOO_LONG", title=start, message=start)
    rows = streamed(monitor_client, "category=TOO_LONG")
    header, *lines = rows
    assert len(lines) == 6
    name, said = header.index("Name"), header.index("What happened")
    for line in lines:
        assert line[name].startswith("'")
        assert line[said].startswith("'")
    assert len(streamed(monitor_client, "")) == 10


def test_pages_cost_the_same_number_of_queries_however_many_fail(
    sync_admin_client: Client, flow: Flow
) -> None:
    def queries(query: str) -> int:
        with CaptureQueriesContext(connection) as seen:
            assert sync_admin_client.get(LIST + query).status_code == 200
        assert not any('"source_values"' in one["sql"] for one in seen.captured_queries)
        return len(seen)

    key = many(flow, 5)
    before = [queries(query) for query in ("", "?group=none", f"?cause={key}")]
    Failure.objects.all().delete()
    many(flow, 2000)
    many(flow, 20, field="other")
    after = [queries(query) for query in ("", "?group=none", f"?cause={key}")]
    assert after == before


def test_waits_between_tries_grow_as_the_integration_says(flow: Flow) -> None:
    now = timezone.now()
    integration = flow.pair.integration
    integration.max_attempts, integration.retry_wait_s, integration.retry_factor = 4, 10, 3
    waits = [backoff.next_try(number, integration, now) for number in (1, 2, 3, 4)]
    assert [wait and (wait - now).total_seconds() for wait in waits] == [10, 30, 90, None]
    integration.max_attempts, integration.retry_factor = 100, 100
    last = backoff.next_try(50, integration, now)
    assert last is not None
    assert last - now == timedelta(days=1)
    integration.max_attempts = 0
    assert backoff.next_try(1, integration, now) is None  # only by hand
