"""Looks back: what a search index or a commit shows late is found by them, and nothing else is."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from hubconnect.integrations import scheduler
from hubconnect.integrations.models import Flow, Link, Run, WideWindow
from hubconnect.integrations.services import wide_windows
from hubconnect.integrations.services.wide_windows import look_back
from tests.house import House, furnish
from tests.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

HALF_AN_HOUR_S = 1800
LATE_ROW = (
    "insert into customers (email, last_name, updated_at) values (?, 'Late', "
    "strftime('%Y-%m-%d %H:%M:%f', 'now', ?))"
)


@pytest.fixture
def house(hub: Sandbox, tmp_path: Path, settings: Settings) -> House:
    """Ana on both sides, loaded; no run is due."""
    settings.SQLITE_DIR = tmp_path
    hub.create("contacts", {"email": "ana@x.example", "firstname": "Ana", "lastname": "Poe"})
    furnished = furnish(hub, tmp_path / "desk.sqlite3")
    furnished.activate()
    furnished.sync()
    furnished.sync()
    scheduler.due_looks_back()  # plans them
    let_rest()
    return furnished


def let_rest() -> None:
    Flow.objects.update(next_run_at=timezone.now() + timedelta(hours=1))


def look(house: House, direction: str, kind: str = "hourly") -> Run | None:
    """Look back now."""
    let_rest()
    found = WideWindow.objects.get(flow=house.flows[direction], kind=kind)
    WideWindow.objects.filter(pk=found.pk).update(next_at=timezone.now())
    return look_back(found.pk)


def test_a_change_that_the_index_shows_late_is_found(house: House) -> None:
    house.hub.settings(index_frozen=True)
    house.hub.update("contacts", house.contact_id("ana@x.example"), {"lastname": "Late"})
    house.hub.settings(clock_offset_s=HALF_AN_HOUR_S)
    house.run("to_right")
    house.hub.settings(index_frozen=False)
    assert house.run("to_right").updated == 0, "the window has passed it"
    run = look(house, "to_right")
    assert run is not None
    assert (run.reason, run.state, run.updated) == ("sweep", "done", 1)
    assert house.desk.customers()["ana@x.example"] == ("Ana", "Late")
    again = look(house, "to_right")
    assert again is not None
    assert (again.updated, again.is_idle) == (0, True)


def test_a_row_committed_long_after_its_time_is_found(house: House) -> None:
    house.desk.run(LATE_ROW, "half@x.example", "-30 minutes")
    house.desk.run(LATE_ROW, "day@x.example", "-30 hours")
    assert house.run("to_left").created == 0, "the window has passed them"
    hourly = look(house, "to_left")
    assert hourly is not None
    assert hourly.created == 1
    assert "half@x.example" in house.contacts()
    nightly = look(house, "to_left", "nightly")
    assert nightly is not None
    assert nightly.created == 1
    assert "day@x.example" in house.contacts()


def test_linked_records_outside_the_criteria_are_looked_at_too(house: House) -> None:
    Flow.objects.filter(pk=house.to_desk.pk).update(
        criteria=[{"condition": "EQUALS", "field": "lastname", "value": "Poe"}]
    )
    house.run("to_right")
    house.hub.settings(index_frozen=True)
    house.hub.update("contacts", house.contact_id("ana@x.example"), {"lastname": "Outside"})
    house.hub.settings(clock_offset_s=HALF_AN_HOUR_S)
    house.run("to_right")
    house.hub.settings(index_frozen=False)
    assert house.run("to_right").updated == 0
    run = look(house, "to_right")
    assert run is not None
    assert run.updated == 1
    assert house.desk.customers()["ana@x.example"] == ("Ana", "Outside")


def test_a_merged_record_outside_the_criteria_is_known_by_its_former_id(house: House) -> None:
    Flow.objects.filter(pk=house.to_desk.pk).update(
        criteria=[{"condition": "EQUALS", "field": "lastname", "value": "Poe"}]
    )
    house.run("to_right")
    house.hub.settings(index_frozen=True)
    other = house.hub.create("contacts", {"email": "aa@x.example", "firstname": "Aa"})
    new = house.hub.merge("contacts", house.contact_id("ana@x.example"), other)
    house.hub.update("contacts", new, {"lastname": "Outside"})
    house.hub.settings(clock_offset_s=HALF_AN_HOUR_S)
    house.run("to_right")
    house.hub.settings(index_frozen=False)
    assert house.run("to_right").updated == 0
    run = look(house, "to_right")
    assert run is not None
    assert house.desk.customers()["ana@x.example"] == ("Ana", "Outside")
    assert Link.objects.get().left_id == new


def test_it_gives_way_to_ordinary_runs_and_goes_on_later(house: House) -> None:
    made = [{"properties": {"email": f"c{n}@x.example", "lastname": "C"}} for n in range(150)]
    for start in (0, 100):
        body = {"inputs": made[start : start + 100]}
        assert house.hub.api("POST", "/crm/v3/objects/contacts/batch/create", body)[0] == 201
    house.sync_until(lambda: len(house.desk.customers()) == 151)
    wide = WideWindow.objects.get(flow=house.to_desk, kind="hourly")
    now = timezone.now()
    WideWindow.objects.filter(pk=wide.pk).update(next_at=now)
    Flow.objects.filter(pk=house.to_hub.pk).update(next_run_at=now)
    assert look_back(wide.pk) is None, "the opposite flow shares the lease and goes first"
    # One that has waited for long gets a page in between.
    WideWindow.objects.filter(pk=wide.pk).update(next_at=now - timedelta(minutes=11))
    part = look_back(wide.pk)
    wide.refresh_from_db()
    assert part is not None
    assert (part.read, part.state, wide.is_open) == (100, "done", True)
    let_rest()
    rest = look_back(wide.pk)
    wide.refresh_from_db()
    assert rest is not None
    assert (rest.read, wide.is_open, wide.after_id) == (51, False, "")
    assert wide.next_at > now


def test_looks_back_are_due_at_their_times(house: House, settings: Settings) -> None:
    assert list(scheduler.due_looks_back()) == []
    planned = {one.kind: one.next_at for one in WideWindow.objects.filter(flow=house.to_desk)}
    now = timezone.now()
    assert planned["hourly"] - now <= timedelta(hours=1)
    assert planned["nightly"] - now <= timedelta(days=1)
    WideWindow.objects.update(next_at=now)
    due = list(scheduler.due_looks_back())
    assert len(due) == 4
    scheduler.mark_nudged(due)
    assert list(scheduler.due_looks_back()) == []
    WideWindow.objects.update(nudged_at=None)
    settings.NIGHTLY_SPAN_S = 0
    assert {one.kind for one in scheduler.due_looks_back()} == {"hourly"}
    Flow.objects.filter(pk=house.to_desk.pk).update(is_paused=True)
    assert {one.flow_id for one in scheduler.due_looks_back()} == {house.to_hub.pk}


def test_the_night_is_that_of_the_integration(house: House) -> None:
    flow = house.to_desk
    flow.pair.integration.time_zone = "America/New_York"
    noon = datetime(2026, 11, 25, 12, tzinfo=UTC)
    assert wide_windows.next_at(flow, "nightly", noon) == datetime(
        2026, 11, 26, 2, 30, tzinfo=ZoneInfo("America/New_York")
    )


def test_a_look_back_that_meets_trouble_waits(house: House) -> None:
    house.desk.script("alter table customers rename to gone")
    run = look(house, "to_left")
    assert run is not None
    assert run.state == "failed"
    wide = WideWindow.objects.get(flow=house.to_hub, kind="hourly")
    assert wide.setbacks == 1
    assert wide.next_at > timezone.now()
