"""Leases: who lost one writes and commits nothing more; clocks that jump; ticks that come twice."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from hubconnect.connectors.errors import SeriesOverError
from hubconnect.connectors.http import HttpClient
from hubconnect.connectors.hubspot.api import HubSpotApi
from hubconnect.integrations import scheduler
from hubconnect.integrations.models import Flow, Intent, Link, Run, TypePair
from hubconnect.integrations.services import lease as leases
from hubconnect.integrations.services.flowspec import build_spec
from hubconnect.integrations.services.opening import open_ends
from hubconnect.integrations.services.page import work_page
from hubconnect.integrations.services.reading import read_flow
from hubconnect.integrations.services.session import Cursor, Session
from tests.house import House, furnish
from tests.sandbox_process import Sandbox, sandbox

BATCH = "/crm/objects/2026-03/contacts/batch/upsert"
REFUSED = {"status": "error", "category": "VALIDATION_ERROR", "message": "One of them is wrong."}
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def hub() -> Iterator[Sandbox]:
    with sandbox() as running:
        yield running


@pytest.fixture
def house(hub: Sandbox, tmp_path: Path, settings: Settings) -> House:
    settings.SQLITE_DIR = tmp_path
    furnished = furnish(hub, tmp_path / "desk.sqlite3", directions=["to_left"], lookup=[])
    furnished.desk.run("insert into customers (email) values (?)", f"{tmp_path.name}@x.example")
    furnished.activate(to_left=1) if furnished.contacts() else furnished.activate()
    return furnished


def take_over() -> leases.Lease:
    """As another worker does once the lease has run out."""
    past = timezone.now() - timedelta(minutes=10)
    TypePair.objects.update(leased_until=past, settle_after=past)
    taken = leases.claim(TypePair.objects.get().pk)
    assert taken is not None
    return taken


@contextmanager
def at_work(house: House) -> Iterator[Session]:
    """Have a worker begin to work on the flow to HubSpot."""
    flow = house.to_hub
    lease = leases.claim(TypePair.objects.get().pk, flow.pk)
    assert lease is not None
    run = Run.objects.create(flow=flow, reason="schedule", started_at=timezone.now())
    with open_ends(flow) as (source, target):
        yield Session(flow, run, lease, build_spec(flow, source, target), source, target)


def test_a_worker_that_slept_sends_nothing_more(house: House) -> None:
    before = len(house.hub.list("contacts"))
    with at_work(house) as session:
        pages = session.source.everything("customers", (), session.spec.read_fields)
        page = next(iter(pages))
        take_over()
        with pytest.raises(leases.LeaseLostError):
            work_page(session, page.records, Cursor(page.after), is_settled=True)
    assert len(house.hub.list("contacts")) == before
    assert Intent.objects.count() == Link.objects.count() == 0


def test_a_worker_that_slept_during_its_write_commits_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = len(house.hub.list("contacts"))
    with at_work(house) as session:
        pages = session.source.everything("customers", (), session.spec.read_fields)
        page = next(iter(pages))
        then_take_over(session.target, "create", monkeypatch)
        with pytest.raises(leases.LeaseLostError):
            work_page(session, page.records, Cursor(page.after), is_settled=True)
    assert len(house.hub.list("contacts")) == before + 1
    assert Link.objects.count() == 0
    assert Intent.objects.count() == 1, "the other worker settles it"
    TypePair.objects.update(leased_until=timezone.now(), settle_after=timezone.now())
    house.run("to_left")
    assert Link.objects.count() == 1
    assert len(house.hub.list("contacts")) == before + 1


def then_take_over(what: object, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have another worker take over while this one waits for an answer."""
    real: Callable[..., Any] = getattr(what, name)

    def slow(*args: Any, **named: Any) -> Any:  # noqa: ANN401 - whatever it is
        answer = real(*args, **named)
        take_over()
        return answer

    monkeypatch.setattr(what, name, slow)


def test_a_worker_that_slept_moves_no_cursor(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.run("to_left")
    with at_work(house) as session:
        then_take_over(session.source, "now", monkeypatch)
        before = Flow.objects.values("window_lower", "window_upper", "after_id", "is_window_open")
        stood = list(before)
        with pytest.raises(leases.LeaseLostError):
            read_flow(session)
        assert list(before) == stood


@pytest.mark.usefixtures("house")
def test_a_successor_waits_until_the_last_request_is_over(settings: Settings) -> None:
    pair = TypePair.objects.get()
    held = leases.claim(pair.pk)
    pair.refresh_from_db()
    request = timedelta(seconds=settings.REQUEST_TIMEOUT_S)
    assert pair.settle_after - pair.leased_until == request
    ended = timezone.now() - timedelta(seconds=1)
    TypePair.objects.update(leased_until=ended, settle_after=ended + request)
    assert leases.claim(pair.pk) is None
    TypePair.objects.update(leased_until=ended - request, settle_after=ended)
    assert leases.claim(pair.pk) is not None
    assert held is not None


def test_two_beats_send_one_message(house: House) -> None:
    due = list(scheduler.due_flows())
    assert [flow.pk for flow in due] == [house.to_hub.pk]
    scheduler.mark_nudged(due)
    assert list(scheduler.due_flows()) == []
    # A message that never arrived is sent again.
    Flow.objects.update(nudged_at=timezone.now() - timedelta(seconds=31))
    assert len(scheduler.due_flows()) == 1


def test_a_next_run_from_a_clock_that_jumped_is_due(house: House) -> None:
    house.run("to_left")
    Flow.objects.update(next_run_at=timezone.now() + timedelta(days=366 * 21), nudged_at=None)
    assert [flow.pk for flow in scheduler.due_flows()] == [house.to_hub.pk]


def test_a_flow_that_found_the_lease_taken_is_sent_for_when_it_is_free(house: House) -> None:
    other = Flow.objects.create(
        pair=house.to_hub.pair, direction="to_right", start="now", next_run_at=timezone.now()
    )
    scheduler.mark_nudged([other])
    house.run("to_left")
    other.refresh_from_db()
    assert other.nudged_at is None


def test_no_transaction_spans_a_call(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = HttpClient.send, []

    def watched(*args: Any, **named: Any) -> Any:  # noqa: ANN401 - whatever it is
        calls.append(connection.in_atomic_block)
        return real(*args, **named)

    monkeypatch.setattr(HttpClient, "send", watched)
    house.run("to_left")
    house.desk.run("update customers set first_name = 'New'")
    assert house.run_until_seen("to_left").updated == 1
    assert calls
    assert not any(calls)


def test_a_worker_that_lost_its_lease_sends_no_later_part_of_a_batch(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refused batch is sent in halves; each of them is a write of its own."""
    house.desk.run("insert into customers (email) values ('second-part@x.example')")
    before = len(house.hub.list("contacts"))
    house.hub.fault(path=BATCH, status=400, body=REFUSED, times=1)
    with at_work(house) as session:
        pages = session.source.everything("customers", (), session.spec.read_fields)
        page = next(iter(pages))
        then_take_over(HubSpotApi, "batch_write", monkeypatch)
        with pytest.raises(leases.LeaseLostError):
            work_page(session, page.records, Cursor(page.after), is_settled=True)
    house.hub.clear_faults()
    assert len(house.hub.list("contacts")) == before
    assert Intent.objects.count() == 2, "the other worker settles them"


def test_the_last_part_of_a_batch_is_not_sent_long_after_its_intents_were_stored(
    house: House,
) -> None:
    """Else it could arrive after it was taken for not carried out."""
    house.desk.run("insert into customers (email) values ('late-part@x.example')")
    before = len(house.hub.list("contacts"))
    with at_work(house) as session:
        pages = session.source.everything("customers", (), session.spec.read_fields)
        page = next(iter(pages))
        guard = session.target.context.guard
        renewal, calls = guard.check, []

        def slow() -> None:
            renewal()
            calls.append(1)
            guard.begin(timedelta(seconds=-1))  # all its time went by while this one was sent

        guard.check = slow
        house.hub.fault(path=BATCH, status=400, body=REFUSED, times=1)
        with pytest.raises(SeriesOverError):
            work_page(session, page.records, Cursor(page.after), is_settled=True)
    house.hub.clear_faults()
    assert len(calls) == 1
    assert len(house.hub.list("contacts")) == before
    assert Intent.objects.count() == 0, "nothing of it was taken"
