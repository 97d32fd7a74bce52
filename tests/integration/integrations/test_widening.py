"""Criteria that newly take records which do not change: activation offers to load those."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from hubconnect.core.models import User
from hubconnect.integrations import scheduler
from hubconnect.integrations.models import Flow, Link, Run
from hubconnect.integrations.services import activation, saving
from hubconnect.integrations.services.slicing import run_slice
from tests.house import House, furnish
from tests.sandbox_process import Sandbox, sandbox

pytestmark = pytest.mark.django_db(transaction=True)

AN_HOUR_S = 3600
ONLY_A = [{"condition": "EQUALS", "field": "city", "value": "A"}]
A_AND_B = [{"condition": "IN", "field": "city", "values": ["A", "B"]}]


@pytest.fixture
def hub() -> Iterator[Sandbox]:
    with sandbox() as running:
        for number in range(3):
            running.create("contacts", {"email": f"a{number}@x.example", "city": "A"})
        for number in range(4):
            running.create("contacts", {"email": f"b{number}@x.example", "city": "B"})
        running.create("contacts", {"email": "c@x.example", "city": "C"})
        yield running


@pytest.fixture
def house(hub: Sandbox, tmp_path: Path, settings: Settings) -> House:
    """Those of city A are loaded; an hour later the criteria take those of B too."""
    settings.SQLITE_DIR = tmp_path
    furnished = furnish(hub, tmp_path / "desk.sqlite3", directions=["to_right"])
    Flow.objects.update(criteria=ONLY_A)
    furnished.activate()
    furnished.run("to_right")
    assert len(furnished.desk.customers()) == 3
    hub.settings(clock_offset_s=AN_HOUR_S)
    furnished.run("to_right")
    activation.deactivate(furnished.integration, User.objects.get())
    Flow.objects.update(criteria=A_AND_B)
    return furnished


def activate_with(house: House, *loads: int) -> None:
    activation.activate(house.integration, User.objects.get(), {}, loads)


def test_the_page_offers_the_choice_with_its_numbers(
    house: House, sync_admin_client: Client
) -> None:
    address = reverse("integrations:activate", args=[house.integration.pk])
    page = sync_admin_client.get(address).content.decode()
    assert "They take 7 records of HubSpot now; before they took 3." in page
    assert "about 4 records" in page
    flow = house.to_desk
    sync_admin_client.post(address, {f"load_{flow.pk}": "on"})
    assert house.to_desk.phase == Flow.Phase.LOADING
    run = house.run("to_right")
    assert (run.reason, run.state, run.created) == ("load", "done", 4)


def test_what_is_newly_taken_is_loaded_once(house: House) -> None:
    window = house.to_desk.window_lower
    activate_with(house, house.to_desk.pk)
    assert house.run("to_right").created == 4
    flow = house.to_desk
    assert (flow.phase, flow.widened_from, flow.window_lower) == ("running", None, window)
    assert len(house.desk.customers()) == 7
    assert house.run("to_right").created == 0
    activation.deactivate(house.integration, User.objects.get())
    (forecast,) = activation.preview(house.integration).flows
    assert forecast.widened is None


def test_only_from_now_on_leaves_them_until_they_change(house: House) -> None:
    activate_with(house)
    assert house.run("to_right").created == 0
    house.hub.update("contacts", house.contact_id("b0@x.example"), {"lastname": "Now"})
    house.run_until_seen("to_right")
    assert len(house.desk.customers()) == 4
    activation.deactivate(house.integration, User.objects.get())
    (forecast,) = activation.preview(house.integration).flows
    assert forecast.widened is None, "the choice was made"


def test_what_the_old_criteria_passed_over_for_another_reason_stays_so(house: House) -> None:
    house.desk.run("delete from customers where email = 'a0@x.example'")
    Link.objects.filter(left_id=house.contact_id("a0@x.example")).delete()
    activate_with(house, house.to_desk.pk)
    assert house.run("to_right").created == 4
    assert "a0@x.example" not in house.desk.customers()


def test_it_is_cut_into_slices_too(house: House, settings: Settings) -> None:
    settings.LOAD_SLICES, settings.LOAD_SLICE_LEAST = 2, 2
    activate_with(house, house.to_desk.pk)
    begun = house.run("to_right")
    assert begun.slices.count() == 2
    Flow.objects.update(nudged_at=None)
    for part in begun.slices.all():
        run_slice(part.pk)
    assert list(scheduler.due_slices()) == []
    ended = house.run("to_right")
    assert (ended.pk, ended.state, ended.created) == (begun.pk, Run.State.DONE, 4)
    assert len(house.desk.customers()) == 7


def test_a_flow_that_begins_anew_forgets_the_choice(house: House) -> None:
    activate_with(house, house.to_desk.pk)
    activation.deactivate(house.integration, User.objects.get())
    flow = house.to_desk
    assert flow.widened_from == ONLY_A
    flow.start = Flow.Start.NOW
    saving.save_flows(flow.pair, [flow])
    assert house.to_desk.widened_from is None
