"""Two records for one counterpart: named, wherever it shows, and a page never stops for it."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.utils import timezone
from pytest_django.fixtures import Settings

from hubconnect.connectors.errors import Category
from hubconnect.engine.plan import LinkState
from hubconnect.integrations.models import Claim, Flow, Intent, Link, QueuedRead, Run, Slice
from hubconnect.integrations.services import lease as leases
from hubconnect.integrations.services.committing import commit
from hubconnect.integrations.services.flowspec import build_spec
from hubconnect.integrations.services.opening import open_ends
from hubconnect.integrations.services.session import Result, Session
from hubconnect.integrations.services.slicing import run_slice
from hubconnect.integrations.stores import save_links
from tests.factories.integrations import LinkFactory, PairFactory
from tests.house import CUSTOMERS, NAMES, Desk, furnish
from tests.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
ANA, BEN = "ana@x.example", "ben@x.example"
BY_COMPANY = [{"condition": "EQUALS", "field": "company", "value": "@company@"}]


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, settings: Settings) -> None:
    settings.SQLITE_DIR = tmp_path


def at_once(*acts: Callable[[], object]) -> list[object]:
    """Do all at the same moment, each in a thread with a connection of its own."""
    gate = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> object:
        try:
            gate.wait(10)
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def new_link(source_id: str, target_id: str) -> dict[str, tuple[LinkState, str]]:
    return {source_id: (LinkState(0, source_id, target_id, {}, {}), "")}


# --- Storing -----------------------------------------------------------------------------------


def test_of_two_links_stored_at_once_one_names_the_other() -> None:
    PairFactory.create()
    flow = Flow.objects.select_related("pair__mapping").get(direction="to_right")
    type_pair = flow.pair.type_pair_id or 0

    def save(source_id: str) -> object:
        with transaction.atomic():
            return save_links(flow, type_pair, new_link(source_id, "t1"))

    first, second = at_once(lambda: save("a"), lambda: save("b"))
    stored = Link.objects.get()
    loser = {"a": "b", "b": "a"}[stored.left_id]
    refused = {**dict(first), **dict(second)}  # type: ignore[call-overload]
    assert list(refused) == [loser]
    assert refused[loser].source_id == stored.left_id


def test_a_link_is_never_overwritten_by_one_with_another_target() -> None:
    PairFactory.create()
    flow = Flow.objects.select_related("pair__mapping").get(direction="to_right")
    type_pair = flow.pair.type_pair
    LinkFactory.create(type_pair=type_pair, left_id="a", right_id="t1", left_base={"x": ["1", ""]})
    with transaction.atomic():
        refused = save_links(flow, flow.pair.type_pair_id or 0, new_link("a", "t2"))
    assert refused["a"].target_id == "t1"
    assert Link.objects.get().left_base == {"x": ["1", ""]}


def test_a_page_stores_the_rest_and_shows_both_names(hub: Sandbox, tmp_path: Path) -> None:
    """Somebody linked one of the records while the page was written."""
    house = furnish(hub, tmp_path / "desk.sqlite3", directions=["to_right"])
    house.activate()
    house.run("to_right")
    flow = Flow.objects.select_related("pair__integration", "pair__mapping").get()
    Link.objects.create(type_pair_id=flow.pair.type_pair_id or 0, left_id="1", right_id="t1")
    lease = leases.claim(flow.pair.type_pair_id or 0)
    assert lease is not None
    run = Run.objects.create(
        flow=flow, reason="manual", started_at=timezone.now(), fence=lease.fence
    )
    result = Result(links=new_link("2", "t1") | new_link("3", "t3") | new_link("1", "t4"))
    with open_ends(flow) as (source, target):
        session = Session(flow, run, lease, build_spec(flow, source, target), source, target)
        commit(session, result, None)
    links = Link.objects.order_by("left_id").values_list("left_id", "right_id")
    assert list(links) == [("1", "t1"), ("3", "t3")]
    one, two = house.open_failures()
    assert {one.record_id, two.record_id} == {"1", "2"}
    assert {one.category, two.category} == {Category.ALREADY_LINKED}
    by_record = {each.record_id: each.message for each in (one, two)}
    assert "t1" in by_record["2"]
    assert "linked with 1 in HubSpot" in by_record["2"]
    assert "t4" in by_record["1"]


# --- Creating ----------------------------------------------------------------------------------


def test_a_create_that_answers_a_linked_record_names_both(hub: Sandbox, tmp_path: Path) -> None:
    house = furnish(hub, tmp_path / "desk.sqlite3", directions=["to_left"], lookup=[])
    house.desk.run("insert into customers (email, first_name) values (?, 'Ana')", ANA)
    house.activate()
    house.run("to_left")
    contact = house.contact_id(ANA)
    Link.objects.update(right_id="999")
    house.desk.run("update customers set first_name = 'Anna' where email = ?", ANA)
    house.desk.run("insert into customers (email) values (?)", BEN)
    run = house.run_until_seen("to_left")
    assert (run.created, run.failed) == (1, 1)
    (failure,) = house.open_failures()
    assert failure.category == Category.ALREADY_LINKED
    assert "999" in failure.message
    assert contact in failure.message
    assert Intent.objects.count() == 0


def test_a_refused_create_of_a_linked_record_names_both(hub: Sandbox, tmp_path: Path) -> None:
    house = furnish(
        hub, tmp_path / "desk.sqlite3", directions=["to_left"], lookup=[], is_prepared=False
    )
    house.desk.run("insert into customers (email, first_name) values (?, 'Ana')", ANA)
    house.activate()
    house.run("to_left")
    Link.objects.update(right_id="999")
    house.desk.run("update customers set first_name = 'Anna' where email = ?", ANA)
    house.run_until_seen("to_left")
    (failure,) = house.open_failures()
    assert failure.category == Category.ALREADY_LINKED
    assert "999" in failure.message
    assert failure.candidates == []


def test_a_settled_create_whose_record_is_linked_already_is_looked_at_again(
    hub: Sandbox, tmp_path: Path
) -> None:
    house = furnish(hub, tmp_path / "desk.sqlite3", directions=["to_left"], lookup=[])
    house.activate()
    house.run("to_left")
    hub.fault(path="/crm/objects/2026-03/contacts/batch/upsert", drop="after", times=0)
    house.desk.run("insert into customers (email) values (?)", ANA)
    house.run_until_seen("to_left")
    hub.clear_faults()
    type_pair_id = house.to_hub.pair.type_pair_id or 0
    Link.objects.create(type_pair_id=type_pair_id, left_id=house.contact_id(ANA), right_id="999")
    house.run("to_left")
    (failure,) = house.open_failures()
    assert failure.category == Category.ALREADY_LINKED
    assert "999" in failure.message
    assert Intent.objects.count() == 0


def test_a_target_found_under_a_new_id_is_known_to_be_linked(hub: Sandbox, tmp_path: Path) -> None:
    """A lookup finds the survivor of a merge whose link still names the former id."""
    rows = (*NAMES, {"left_field": "company", "right_field": "company", "direction": "to_left"})
    one = hub.create("contacts", {"email": ANA, "company": "A"})
    desk_file = tmp_path / "desk.sqlite3"
    Desk(desk_file).script(CUSTOMERS + "alter table customers add column company varchar(50);")
    house = furnish(hub, desk_file, rows=rows, directions=["to_left"], lookup=BY_COMPANY)
    house.desk.run("insert into customers (email, company) values (?, 'A')", ANA)
    house.activate()
    house.run("to_left")
    new = hub.merge("contacts", one, hub.create("contacts", {"email": "o@x.example"}))
    Claim.objects.all().delete()
    house.desk.run("insert into customers (email, company) values (?, 'A')", BEN)
    house.run_until_seen("to_left")
    assert Link.objects.get().left_id == new
    (failure,) = house.open_failures()
    assert failure.category == Category.ALREADY_LINKED


# --- Side by side ------------------------------------------------------------------------------


def test_slices_side_by_side_create_one_record_for_one_key(
    hub: Sandbox, tmp_path: Path, settings: Settings
) -> None:
    settings.LOAD_SLICES, settings.LOAD_SLICE_LEAST = 2, 2
    companies = ["Same", "b", "c", "d", "e", "f", "g", "Same"]
    for number, company in enumerate(companies):
        hub.create("contacts", {"email": f"n{number}@x.example", "company": company})
    rows = (*NAMES, {"left_field": "company", "right_field": "company", "direction": "to_right"})
    desk_file = tmp_path / "desk.sqlite3"
    Desk(desk_file).script(CUSTOMERS + "alter table customers add column company varchar(50);")
    house = furnish(hub, desk_file, rows=rows, directions=["to_right"], lookup=BY_COMPANY)
    house.activate()
    house.run("to_right")
    one, two = Slice.objects.order_by("position")
    at_once(lambda: run_slice(one.pk), lambda: run_slice(two.pk))
    found = house.desk.run("select company, count(*) from customers group by company")
    assert dict(found) == dict.fromkeys(sorted(set(companies)), 1)
    assert Link.objects.count() == len(set(companies))
    assert set(Slice.objects.values_list("state", flat=True)) == {"done"}
    # The later one waited its turn, and then met what the first one had made.
    assert QueuedRead.objects.count() + len(house.open_failures()) == 1
    QueuedRead.objects.update(due_at=timezone.now())
    house.run("to_right")
    house.run("to_right")
    (failure,) = house.open_failures()
    assert failure.category == Category.ALREADY_LINKED
