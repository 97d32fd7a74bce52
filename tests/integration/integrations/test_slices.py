"""First loads cut into slices: what each of them does, by hand and one after the other."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from hubconnect.core.models import User
from hubconnect.integrations import scheduler
from hubconnect.integrations.models import Flow, Intent, Link, Run, Slice, TypePair
from hubconnect.integrations.services import activation, lease as leases, saving
from hubconnect.integrations.services.execute import run_flow
from hubconnect.integrations.services.slicing import run_slice
from hubconnect.integrations.services.troubles import current_troubles
from tests.house import House, furnish
from tests.sandbox_process import Sandbox, sandbox

pytestmark = pytest.mark.django_db(transaction=True)

CONTACTS = 450
SLICES = 4


@pytest.fixture(scope="module")
def hub() -> Iterator[Sandbox]:
    with sandbox(contacts=CONTACTS) as running:
        yield running


@pytest.fixture
def house(hub: Sandbox, tmp_path: Path, settings: Settings) -> House:
    settings.SQLITE_DIR = tmp_path
    settings.LOAD_SLICES, settings.LOAD_SLICE_LEAST = SLICES, 100
    furnished = furnish(hub, tmp_path / "desk.sqlite3", lookup=[])
    furnished.activate()
    return furnished


def begin(house: House) -> Run:
    """Have the load of the contacts planned; nothing is read yet."""
    run = house.run("to_right")
    assert (run.state, run.reason, run.read) == ("running", "load", 0)
    assert run.expected == CONTACTS
    return run


def parts() -> list[Slice]:
    return list(Slice.objects.order_by("position"))


def work_off() -> None:
    """Do all slices, as workers would."""
    free_messages()
    while due := list(scheduler.due_slices()):
        for part in due:
            run_slice(part.pk)
        free_messages()


def free_messages() -> None:
    """As if the messages that were sent had been lost."""
    Slice.objects.update(nudged_at=None)
    Flow.objects.update(nudged_at=None)


def desk_names(house: House) -> Counter[tuple[str, ...]]:
    return Counter(house.desk.run("select email, first_name, last_name from customers"))


def hub_names(house: House) -> Counter[tuple[str, ...]]:
    return Counter(
        tuple(one["properties"][name] for name in ("email", "firstname", "lastname"))
        for one in house.hub.list("contacts", "email,firstname,lastname")
    )


def test_a_load_is_cut_once_and_its_slices_carry_every_record_once(house: House) -> None:
    begin(house)
    made = parts()
    assert len(made) == SLICES
    assert [one.upto_id for one in made[:-1]] == [one.above_id for one in made[1:]]
    assert (made[0].above_id, made[-1].upto_id) == ("", "")
    free_messages()
    work_off()
    assert {one.state for one in parts()} == {"done"}
    sizes = [one.read for one in parts()]
    assert sum(sizes) == CONTACTS
    assert max(sizes) < CONTACTS / 2, "the cut is lopsided"
    ended = house.run("to_right")
    assert (ended.state, ended.read, ended.created) == ("done", CONTACTS, CONTACTS)
    assert Run.objects.count() == 1, "a load is one line of the history"
    assert ended.api_calls == sum(ended.calls["source"].values()) > SLICES
    assert house.to_desk.phase == Flow.Phase.RUNNING
    assert desk_names(house) == hub_names(house)
    assert Link.objects.count() == CONTACTS
    assert house.run("to_right").created == 0


def test_while_a_load_goes_on_ordinary_flows_over_its_types_wait(house: House) -> None:
    begin(house)
    free_messages()
    assert list(scheduler.due_flows()) == []
    for flow in (house.to_desk, house.to_hub):
        assert run_flow(flow.pk) is None
        assert leases.claim(flow.pair.type_pair_id or 0, flow.pk) is None
    work_off()
    free_messages()
    assert [flow.pk for flow in scheduler.due_flows()] == [house.to_desk.pk]
    assert leases.claim(house.to_hub.pair.type_pair_id or 0, house.to_hub.pk) is None
    house.run("to_right")
    free_messages()
    due = {flow.pk for flow in scheduler.due_flows()}
    assert due == {house.to_desk.pk, house.to_hub.pk}


def test_a_slice_goes_on_where_a_vanished_worker_stopped(house: House, settings: Settings) -> None:
    begin(house)
    settings.LOAD_TURN_S = 0  # a page a turn
    first = parts()[0]
    run_slice(first.pk)
    halfway = parts()[0]
    assert (halfway.read, halfway.state) == (100, "open")
    vanished = leases.claim_slice(first.pk)
    assert vanished is not None
    assert run_slice(first.pk) is None, "somebody has it"
    assert first.pk not in {one.pk for one in scheduler.due_slices()}
    long_ago = timezone.now() - timedelta(minutes=10)
    Slice.objects.filter(pk=first.pk).update(leased_until=long_ago, settle_after=long_ago)
    run_slice(first.pk)
    assert parts()[0].read > halfway.read
    with pytest.raises(leases.LeaseLostError):
        leases.renew(vanished)
    work_off()
    assert house.run("to_right").created == CONTACTS
    assert desk_names(house) == hub_names(house)


def test_a_slice_is_not_worked_while_somebody_has_the_type_pair(house: House) -> None:
    begin(house)
    later = timezone.now() + timedelta(seconds=20)
    TypePair.objects.update(leased_until=later, settle_after=later)
    assert run_slice(parts()[0].pk) is None


def test_a_load_rests_with_its_integration_and_goes_on(house: House) -> None:
    begin(house)
    run_slice(parts()[0].pk)
    house.integration.is_active = False
    house.integration.save()
    free_messages()
    assert list(scheduler.due_slices()) == []
    assert run_slice(parts()[1].pk) is None
    # Another integration over the same types is not kept waiting by a load that rests.
    type_pair = TypePair.objects.get()
    other = leases.claim(type_pair.pk)
    assert other is not None
    leases.release(other)
    house.activate()
    work_off()
    assert house.run("to_right").created == CONTACTS


def test_a_load_of_other_criteria_begins_anew(house: House) -> None:
    begin(house)
    run_slice(parts()[0].pk)
    done = parts()[0].read
    criteria = [{"condition": "HAS_PROPERTY", "field": "email"}]
    Flow.objects.filter(pk=house.to_desk.pk).update(criteria=criteria)
    run_slice(parts()[1].pk)
    assert [one.state for one in parts()] == ["done", "void", "void", "void"]
    second = house.run("to_right")
    first = Run.objects.order_by("pk").first()
    assert first is not None
    assert (first.state, second.state) == ("stopped", "running")
    work_off()
    ended = house.run("to_right")
    assert (ended.pk, ended.state, ended.created) == (second.pk, "done", CONTACTS - done)
    assert desk_names(house) == hub_names(house)


def test_the_page_of_a_load_shows_its_slices(house: House, monitor_client: Client) -> None:
    run = begin(house)
    run_slice(parts()[0].pk)
    Slice.objects.filter(pk=parts()[1].pk).update(setbacks=1)
    held = leases.claim_slice(parts()[2].pk)
    assert held is not None
    page = monitor_client.get(reverse("integrations:run_detail", args=[run.pk])).content.decode()
    read = parts()[0].read
    assert f"{read} of about {CONTACTS} records" in " ".join(page.split())
    assert f"{read} records" in page
    assert "tried again by itself" in page
    assert page.count("waits for a worker") == 1
    listed = monitor_client.get(reverse("integrations:run_list")).content.decode()
    assert f'max="{CONTACTS}" value="{read}"' in listed


def test_an_open_write_of_a_slice_is_left_to_it(house: House) -> None:
    begin(house)
    first, second = parts()[:2]
    flow = house.to_desk
    assert flow.pair.type_pair_id is not None
    Intent.objects.create(
        type_pair_id=flow.pair.type_pair_id,
        flow=flow,
        slice=first,
        kind="create",
        key="k",
        source_side="left",
        source_id="1",
        sent_at=timezone.now(),
        fence=0,
    )
    run_slice(second.pk)
    assert Intent.objects.count() == 1, "the other slice may have it under way"
    run_slice(first.pk)
    assert Intent.objects.count() == 0


def test_a_slice_that_meets_trouble_waits_and_its_run_tells_why(house: House) -> None:
    begin(house)
    part = parts()[0]
    house.desk.script("alter table customers rename to gone")
    run_slice(part.pk)
    part.refresh_from_db()
    assert part.setbacks == 1
    assert part.next_turn_at > timezone.now()
    run = Run.objects.get()
    assert (run.state, run.read) == ("running", 0)
    assert "customers" in run.message
    assert len(house.open_failures()) == 1
    house.desk.script("alter table gone rename to customers")
    Slice.objects.update(next_turn_at=timezone.now())
    work_off()
    assert house.open_failures() == []
    ended = house.run("to_right")
    assert (ended.state, ended.message, ended.created) == ("done", "", CONTACTS)


def test_what_changes_behind_a_load_is_carried_by_its_first_window(house: House) -> None:
    begin(house)
    run_slice(parts()[0].pk)
    passed = Link.objects.order_by("pk").first()
    assert passed is not None
    house.hub.update("contacts", passed.left_id, {"lastname": "Meanwhile"})
    work_off()
    house.run("to_right")
    assert house.run_until_seen("to_right").updated == 1
    rows = house.desk.run("select last_name from customers where id = ?", passed.right_id)
    assert rows == [("Meanwhile",)]


def test_one_direction_loads_after_the_other(house: House) -> None:
    Flow.objects.update(next_run_at=timezone.now())
    assert run_flow(house.to_hub.pk) is None, "the other direction is first"
    assert house.to_hub.phase == Flow.Phase.NEW
    begin(house)
    work_off()
    assert house.to_hub.phase == Flow.Phase.NEW
    house.run("to_right")
    back = house.run("to_left")
    assert (back.reason, back.created) == ("load", 0)


def test_a_flow_that_was_set_to_begin_anew_gives_its_load_up(house: House) -> None:
    first = begin(house)
    run_slice(parts()[0].pk)
    activation.deactivate(house.integration, User.objects.get())
    first.refresh_from_db()
    assert (first.state, first.message) == ("stopped", "The integration was deactivated.")
    flow = house.to_desk
    flow.start = Flow.Start.NOW
    saving.save_flows(flow.pair, [flow])
    house.activate(to_left=0)
    run = house.run("to_right")
    assert (run.reason, run.state) == ("schedule", "done")
    assert TypePair.objects.get().loading_run is None
    assert {one.state for one in parts()[1:]} == {"void"}


def test_flows_that_wait_for_a_load_are_no_trouble_while_workers_are_at_it(house: House) -> None:
    begin(house)
    long_ago = timezone.now() - timedelta(minutes=10)
    Flow.objects.update(next_run_at=long_ago)
    assert current_troubles() == {}
    Slice.objects.update(next_turn_at=long_ago, leased_until=long_ago)
    assert set(current_troubles()) == {house.to_desk.pk, house.to_hub.pk}
    assert leases.claim_slice(parts()[0].pk) is not None
    assert current_troubles() == {}
