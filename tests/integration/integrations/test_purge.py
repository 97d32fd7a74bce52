"""What grows goes by age, in small batches; what a promise rests on stays."""

from datetime import datetime, timedelta
from io import StringIO

import pytest
from auditlog.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from hubconnect.core import purging as batches
from hubconnect.integrations.models import (
    Claim,
    Decision,
    Failure,
    Flow,
    FollowUp,
    HourlyFigures,
    Intent,
    Link,
    QueuedRead,
    RecordEvent,
    Run,
)
from hubconnect.integrations.services import purging, rollup
from hubconnect.systems.models import UsedCode
from tests.factories.integrations import (
    FailureFactory,
    LinkFactory,
    PairFactory,
    RecordEventFactory,
    RunFactory,
)

pytestmark = pytest.mark.django_db

NOW = timezone.now()
AGES = ("EVENTS", "RUNS", "IDLE_RUNS", "FAILURES", "FIGURES", "AUDIT", "NOTICES")


def days_ago(days: int) -> datetime:
    return NOW - timedelta(days=days)


@pytest.fixture
def flow() -> Flow:
    flow = PairFactory.create().flows.first()
    assert flow is not None
    return flow


@pytest.fixture(autouse=True)
def _ages(settings: Settings) -> None:
    for name in AGES:
        setattr(settings, f"KEEP_{name}_DAYS", 10)
    settings.KEEP_IDLE_RUNS_DAYS = 2


def test_history_goes_by_age_and_the_newest_run_of_a_flow_stays(flow: Flow) -> None:
    old = RunFactory.create(flow=flow, started_at=days_ago(30), updated=1)
    RecordEventFactory.create_batch(3, run=old, at=days_ago(30))
    idle = RunFactory.create(flow=flow, started_at=days_ago(3), is_idle=True)
    linking = RunFactory.create(flow=flow, started_at=days_ago(3), is_idle=True)
    RecordEventFactory.create(run=linking, kind="linked", at=days_ago(3))
    busy = RunFactory.create(flow=flow, started_at=days_ago(3), updated=1)
    stuck = RunFactory.create(flow=flow, started_at=days_ago(30), state=Run.State.RUNNING)
    newest = RunFactory.create(flow=flow, started_at=days_ago(3), is_idle=True)
    gone = purging.purge_all().rows
    kept = {linking.pk, busy.pk, stuck.pk, newest.pk}
    assert set(Run.objects.values_list("pk", flat=True)) == kept
    assert (gone["idle runs"], gone["runs"], gone["events"]) == (1, 1, 3)
    assert idle.pk not in kept
    assert RecordEvent.objects.get().run == linking


def test_what_a_promise_rests_on_stays_however_old(flow: Flow) -> None:
    pair = flow.pair.type_pair
    assert pair is not None
    run = RunFactory.create(flow=flow, started_at=days_ago(900), failed=1)
    RunFactory.create(flow=flow)
    waiting = FailureFactory.create(flow=flow, run=run, record_id="7", last_at=days_ago(900))
    told = RecordEventFactory.create(run=run, kind="failed", source_id="7", at=days_ago(900))
    RecordEventFactory.create(run=run, kind="updated", source_id="8", at=days_ago(900))
    link = LinkFactory.create(type_pair=pair)
    Link.objects.update(created_at=days_ago(900), updated_at=days_ago(900))
    known = {"type_pair": pair, "side": "left", "values_hash": ""}
    for place, kind in enumerate(Decision.Kind):
        Decision.objects.create(record_id=f"alone-{place}", kind=kind, **known)
    Decision.objects.create(record_id=link.left_id, kind="skipped", **known)
    Decision.objects.update(made_at=days_ago(900))
    now = {"sent_at": days_ago(900), "fence": 1, "source_side": "left", "source_id": "9"}
    Intent.objects.create(type_pair=pair, flow=flow, kind="create", key="k", **now)
    QueuedRead.objects.create(flow=flow, record_id="9", due_at=days_ago(900))
    FollowUp.objects.create(flow=flow, record_id="9", kind="files", due_at=days_ago(900))
    purging.purge_all()
    assert Failure.objects.get() == waiting
    assert RecordEvent.objects.get() == told
    assert waiting.run == Run.objects.order_by("pk").first()
    counts = [one.objects.count() for one in (Link, Intent, QueuedRead, FollowUp)]
    assert counts == [1, 1, 1, 1]
    assert Decision.objects.count() == len(Decision.Kind)  # that about a linked record went


def test_what_is_over_goes(flow: Flow) -> None:
    closed = FailureFactory.create(flow=flow, state="healed", closed_at=days_ago(11))
    young = FailureFactory.create(flow=flow, state="dismissed", closed_at=days_ago(9))
    pair = {"type_pair": flow.pair.type_pair, "side": "left", "source_id": "1", "fence": 1}
    Claim.objects.create(key="over", expires_at=days_ago(0), target_id="7", **pair)
    Claim.objects.create(key="left", expires_at=days_ago(2), **pair)
    Claim.objects.create(key="held", expires_at=NOW + timedelta(days=1), target_id="8", **pair)
    # Of a page that is planned now: such a claim holds as long as its lease.
    Claim.objects.create(key="live", expires_at=days_ago(0), **pair)
    Session.objects.create(session_key="dead", session_data="", expire_date=days_ago(1))
    Session.objects.create(session_key="live", session_data="", expire_date=days_ago(-1))
    UsedCode.objects.create(digest="old")
    UsedCode.objects.update(used_at=days_ago(8))
    UsedCode.objects.create(digest="new")
    entry = {"content_type": ContentType.objects.get_for_model(Flow), "object_pk": "1"}
    LogEntry.objects.all().delete()
    LogEntry.objects.create(action=1, timestamp=days_ago(11), object_repr="old", **entry)
    LogEntry.objects.create(action=1, timestamp=days_ago(9), object_repr="new", **entry)
    out = StringIO()
    call_command("purge", stdout=out)
    assert list(Failure.objects.all()) == [young]
    assert closed.pk != young.pk
    assert set(Claim.objects.values_list("key", flat=True)) == {"held", "live"}
    assert Session.objects.get().session_key == "live"
    assert UsedCode.objects.get().digest == "new"
    assert LogEntry.objects.get().object_repr == "new"
    assert "closed failures: 1\n" in out.getvalue()
    again = StringIO()
    call_command("purge", stdout=again)
    assert again.getvalue() == "Nothing was over.\n"


def test_a_link_of_records_that_a_person_let_go_is_remembered_while_they_are_linked(
    flow: Flow,
) -> None:
    """Only its closed failure says that it is not to be sent again."""
    linked = LinkFactory.create(type_pair=flow.pair.type_pair)
    closed = {"flow": flow, "state": "dismissed", "closed_at": days_ago(11)}
    kept = FailureFactory.create(
        record_id=getattr(linked, f"{flow.source_side}_id"), child="associations a 7", **closed
    )
    FailureFactory.create(record_id=kept.record_id, child="files 7", **closed)
    FailureFactory.create(record_id="not linked any more", child="associations a 7", **closed)
    FailureFactory.create(
        record_id=kept.record_id, child="associations a 8", **{**closed, "state": "healed"}
    )
    purging.purge_all()
    assert Failure.objects.get() == kept


def test_zero_days_keep_everything(flow: Flow, settings: Settings) -> None:
    for name in AGES:
        setattr(settings, f"KEEP_{name}_DAYS", 0)
    run = RunFactory.create(flow=flow, started_at=days_ago(5000), is_idle=True)
    RunFactory.create(flow=flow)
    RecordEventFactory.create(run=run, at=days_ago(5000))
    purging.purge_all()
    assert (Run.objects.count(), RecordEvent.objects.count()) == (2, 1)


def test_charts_outlive_the_runs_they_were_drawn_from(flow: Flow) -> None:
    run = RunFactory.create(flow=flow, started_at=days_ago(12), updated=4, api_calls=9)
    RunFactory.create(flow=flow)
    rollup.add(flow.pk, run.started_at, updated=4)
    rollup.add_ended(run)
    HourlyFigures.objects.update(hour=days_ago(9))
    purging.purge_all()
    assert not Run.objects.filter(pk=run.pk).exists()
    row = HourlyFigures.objects.get()
    assert (row.runs, row.updated, row.api_calls) == (1, 4, 9)


def test_a_batch_is_small_and_work_ends_when_its_time_is_up(
    flow: Flow,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    monkeypatch.setattr(batches, "BATCH", 10)
    run = RunFactory.create(flow=flow)
    RecordEventFactory.create_batch(35, run=run, at=days_ago(30))
    young = RecordEventFactory.create_batch(15, run=run)
    first = purging.purge_all(budget_s=0)
    assert not first.is_done
    assert first.rows == {"events": 10}
    with django_assert_max_num_queries(40):
        rest = purging.purge_all(budget_s=60)
    assert rest.is_done
    assert rest.rows["events"] == 25
    assert list(RecordEvent.objects.order_by("pk")) == young
