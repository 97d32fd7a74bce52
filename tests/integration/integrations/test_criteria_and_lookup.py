"""What criteria and target lookups do in runs between the sandbox and a SQLite database."""

from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from hubconnect.connectors.base import Condition, Operator
from hubconnect.connectors.errors import Category
from hubconnect.engine import lookup as lookup_language
from hubconnect.integrations.models import (
    Decision,
    Flow,
    Intent,
    Link,
    QueuedRead,
    RecordEvent,
    TypePair,
)
from hubconnect.integrations.services import history
from hubconnect.systems.services import checking
from tests.house import CUSTOMERS, NAMES, Desk, House, furnish, let_second_pass
from tests.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

LEADS = [{"condition": "EQUALS", "field": "hs_lead_status", "value": "OPEN"}]
SEARCH = "/crm/objects/2026-03/contacts/search"
BY_NAMES = [
    {"condition": "EQUALS", "field": "last_name", "value": "@lastname@"},
    {"condition": "EQUALS", "field": "first_name", "value": "@firstname@"},
]


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, settings: Settings) -> None:
    settings.SQLITE_DIR = tmp_path


def person(hub: Sandbox, name: str, **more: object) -> str:
    values = {"email": f"{name}@x.example", "firstname": name.title(), "lastname": "Poe", **more}
    return hub.create("contacts", values)


def searches(hub: Sandbox) -> int:
    calls: dict[str, int] = hub.statistics()["calls"]
    return sum(number for kind, number in calls.items() if "search" in kind)


def leads_only(hub: Sandbox, folder: Path, outside: str) -> tuple[House, str]:
    """A lead that was carried over and is none by now, and one that was never a lead."""
    ana = person(hub, "ana", hs_lead_status="OPEN")
    person(hub, "ben", hs_lead_status="CONNECTED")
    house = furnish(hub, folder / "desk.sqlite3", directions=["to_right"])
    Flow.objects.update(criteria=LEADS, outside=outside)
    house.activate()
    assert house.run("to_right").created == 1
    let_second_pass()
    hub.update("contacts", ana, {"hs_lead_status": "CONNECTED", "lastname": "Later"})
    let_second_pass()
    return house, ana


def lookups(
    hub: Sandbox, folder: Path, lookup: object, rows: object = NAMES, **rules: str
) -> House:
    house = furnish(
        hub,
        folder / "desk.sqlite3",
        directions=["to_right"],
        lookup=lookup,
        rows=rows,  # type: ignore[arg-type]  # NAMES or a list like it
    )
    Flow.objects.update(**rules)
    house.activate()
    return house


# --- Criteria ------------------------------------------------------------------------------------


@pytest.mark.requirement("S53", "S54", "S55", "S56")
def test_a_linked_record_outside_the_criteria_keeps_syncing(hub: Sandbox, tmp_path: Path) -> None:
    house, _ = leads_only(hub, tmp_path, "keep")
    run = house.run_until_seen("to_right")
    assert (run.updated, run.created) == (1, 0)
    assert house.desk.customers() == {"ana@x.example": ("Ana", "Later")}
    assert 1 <= run.second_pass_calls <= 3
    assert ("of these, for linked records outside the criteria", run.second_pass_calls) in (
        history.calls_of(run)
    )


def test_a_linked_record_outside_the_criteria_stops_until_it_matches(
    hub: Sandbox, tmp_path: Path
) -> None:
    house, ana = leads_only(hub, tmp_path, "stop")
    run = house.run("to_right")
    assert run.is_idle
    assert run.second_pass_calls == 0
    QueuedRead.objects.create(
        flow=house.to_desk, record_id=ana, reason="test", due_at=timezone.now()
    )
    assert house.run("to_right").is_idle
    assert house.desk.customers() == {"ana@x.example": ("Ana", "Poe")}
    hub.update("contacts", ana, {"hs_lead_status": "OPEN"})
    house.run_until_seen("to_right")
    assert house.desk.customers() == {"ana@x.example": ("Ana", "Later")}


def test_without_criteria_there_is_no_second_pass(hub: Sandbox, tmp_path: Path) -> None:
    person(hub, "ana")
    house = furnish(hub, tmp_path / "desk.sqlite3", directions=["to_right"])
    house.activate()
    house.run("to_right")
    hub.reset_statistics()
    run = house.run("to_right")
    assert searches(hub) == 1
    assert run.second_pass_calls == 0


def test_a_second_pass_that_was_cut_off_goes_on_where_it_was(hub: Sandbox, tmp_path: Path) -> None:
    house, _ = leads_only(hub, tmp_path, "keep")
    hub.fault(path=SEARCH, status=500, skip=1, times=50)
    stopped = house.run("to_right")
    assert stopped.state == "stopped"
    flow = house.to_desk
    assert flow.is_window_open
    assert flow.is_second_pass
    hub.clear_faults()
    hub.reset_statistics()
    run = house.run("to_right")
    assert (run.updated, searches(hub)) == (1, 1)
    assert not house.to_desk.is_second_pass
    assert house.to_desk.window_lower == flow.window_upper


def test_what_a_lagging_search_finds_is_left_when_it_no_longer_matches(
    hub: Sandbox, tmp_path: Path
) -> None:
    house = furnish(hub, tmp_path / "desk.sqlite3", directions=["to_right"], start="now")
    Flow.objects.update(criteria=LEADS)
    house.activate()
    house.run("to_right")
    let_second_pass()
    ana = person(hub, "ana", hs_lead_status="OPEN")
    hub.settings(index_delay_s=300)
    hub.update("contacts", ana, {"hs_lead_status": "CONNECTED"})
    let_second_pass()
    assert house.run("to_right").created == 0
    assert house.desk.customers() == {}


# --- Target lookup -------------------------------------------------------------------------------


@pytest.mark.requirement("S70", "S72")
def test_several_conditions_find_the_counterpart(hub: Sandbox, tmp_path: Path) -> None:
    person(hub, "ana")
    person(hub, "ben")
    house = lookups(hub, tmp_path, BY_NAMES)
    house.desk.run(
        "insert into customers (email, first_name, last_name) values ('old@x', 'ANA', 'Poe')"
    )
    run = house.run("to_right")
    assert (run.created, run.updated) == (1, 1)
    assert set(house.desk.customers()) == {"ana@x.example", "ben@x.example"}


def test_a_found_record_is_only_linked_where_the_rule_says_so(hub: Sandbox, tmp_path: Path) -> None:
    ana = person(hub, "ana")
    house = lookups(hub, tmp_path, BY_NAMES, one_found="link")
    house.desk.run(
        "insert into customers (email, first_name, last_name) values ('old@x', 'Ana', 'Poe')"
    )
    run = house.run("to_right")
    assert (run.created, house.links()) == (0, 1)
    assert RecordEvent.objects.get(run=run).kind == RecordEvent.Kind.LINKED
    assert set(house.desk.customers()) == {"old@x"}
    house.run("to_right")
    assert set(house.desk.customers()) == {"old@x"}
    let_second_pass()
    hub.update("contacts", ana, {"lastname": "Stone"})
    house.run_until_seen("to_right")
    assert house.desk.customers() == {"old@x": ("Ana", "Stone")}


@pytest.mark.parametrize(
    ("rules", "wanted"),
    [
        ({"none_found": "skip"}, (0, 1, 1, 0)),
        ({"none_found": "skip", "several_found": "first"}, (0, 1, 0, 1)),
        ({"several_found": "first", "one_found": "skip"}, (1, 1, 0, 1)),
    ],
)
@pytest.mark.requirement("S75")
def test_none_one_and_several_are_decided_by_the_rules(
    hub: Sandbox, tmp_path: Path, rules: dict[str, str], wanted: tuple[int, ...]
) -> None:
    person(hub, "ana")
    person(hub, "ben")
    house = lookups(hub, tmp_path, BY_NAMES, **rules)
    for address in ("old", "older"):
        house.desk.run(
            "insert into customers (email, first_name, last_name) values (?, 'Ana', 'Poe')", address
        )
    run = house.run("to_right")
    assert (run.created, run.skipped, run.failed, house.links()) == wanted
    for failure in house.open_failures():
        assert failure.category == Category.LOOKUP
        assert "found 2 counterparts" in failure.message


@pytest.mark.requirement("S68", "S74")
def test_an_empty_placeholder_waits_as_a_failure_that_names_the_field(
    hub: Sandbox, tmp_path: Path
) -> None:
    hub.create("contacts", {"email": "ana@x.example", "firstname": "Ana"})
    house = lookups(hub, tmp_path, BY_NAMES)
    run = house.run("to_right")
    assert (run.created, run.failed) == (0, 1)
    (failure,) = house.open_failures()
    assert failure.field == "lastname"
    assert "Last Name is empty, and the target lookup needs it" in failure.message
    assert house.desk.customers() == {}


def test_a_changed_lookup_field_asks_a_skipped_record_again(hub: Sandbox, tmp_path: Path) -> None:
    ana = person(hub, "ana", company="Nobody")
    by_company = [{"condition": "EQUALS", "field": "last_name", "value": "@company@"}]
    house = lookups(hub, tmp_path, by_company, none_found="skip")
    house.desk.run("insert into customers (email, last_name) values ('old@x', 'Acme')")
    assert house.run("to_right").skipped == 1
    assert Decision.objects.get().kind == Decision.Kind.SKIPPED
    assert house.run("to_right").is_idle
    let_second_pass()
    hub.update("contacts", ana, {"company": "Acme"})
    house.run_until_seen("to_right")
    assert house.links() == 1


@pytest.mark.requirement("S73")
def test_the_id_of_the_source_finds_what_was_moved_by_hand(hub: Sandbox, tmp_path: Path) -> None:
    ana = person(hub, "ana")
    Desk(tmp_path / "desk.sqlite3").script(CUSTOMERS + "alter table customers add legacy text;")
    house = lookups(
        hub,
        tmp_path,
        [{"condition": "EQUALS", "field": "legacy", "value": "HS-@oh_internal_id@"}],
    )
    house.desk.run("insert into customers (email, legacy) values ('old@x', ?)", f"HS-{ana}")
    run = house.run("to_right")
    assert (run.created, run.updated) == (0, 1)


def test_a_record_created_moments_ago_is_found_though_search_lags(
    hub: Sandbox, tmp_path: Path
) -> None:
    hub.settings(index_delay_s=300)
    by_names = [
        {"condition": "EQUALS", "field": "lastname", "value": "@last_name@"},
        {"condition": "EQUALS", "field": "firstname", "value": "@first_name@"},
    ]
    house = furnish(
        hub, tmp_path / "desk.sqlite3", directions=["to_left"], lookup=by_names, rows=NAMES
    )
    house.activate()
    insert = "insert into customers (email, first_name, last_name) values (?, 'Ana', 'Poe')"
    house.desk.run(insert, "one@x.example")
    house.desk.run(insert, "two@x.example")
    first = house.run("to_left")
    assert (first.created, first.held) == (1, 1)  # the second with the same key waits
    QueuedRead.objects.update(due_at=timezone.now())
    second = house.run("to_left")
    assert (second.created, second.failed) == (0, 1)
    assert house.open_failures()[0].category == Category.ALREADY_LINKED
    assert len(house.contacts()) == 1
    assert Link.objects.count() == 1


HUB_BY_NAMES = [
    {"condition": "EQUALS", "field": "lastname", "value": "@last_name@"},
    {"condition": "EQUALS", "field": "firstname", "value": "@first_name@"},
]
ANA = "insert into customers (email, first_name, last_name) values (?, 'Ana', 'Poe')"


def test_a_record_whose_reply_was_lost_is_found_though_search_lags(
    hub: Sandbox, tmp_path: Path
) -> None:
    hub.settings(index_delay_s=300)
    desk_file = tmp_path / "desk.sqlite3"
    house = furnish(hub, desk_file, directions=["to_left"], lookup=HUB_BY_NAMES)
    house.activate()
    house.desk.run(ANA, "one@x.example")
    hub.fault(path="/crm/objects/2026-03/contacts/batch/upsert", drop="after", times=9)
    house.run("to_left")
    assert Intent.objects.get().lookup_key
    hub.clear_faults()
    house.desk.run(ANA, "two@x.example")
    second = house.run("to_left")
    assert (second.created, second.failed) == (1, 1)  # the settled one, and its duplicate
    assert house.open_failures()[0].category == Category.ALREADY_LINKED
    assert len(house.contacts()) == 1


def test_a_record_waits_while_a_create_with_its_key_is_not_settled(
    hub: Sandbox, tmp_path: Path
) -> None:
    house = furnish(hub, tmp_path / "desk.sqlite3", directions=["to_left"], lookup=HUB_BY_NAMES)
    # Without the unique key it stays open for a while what became of a create.
    status, _, _ = hub.api("DELETE", "/crm/v3/properties/contacts/hubconnect_key")
    assert status == 204
    checking.check_system(house.hubspot)
    house.activate()
    flow = house.to_hub
    wanted = (
        Condition("lastname", Operator.EQUALS, "Poe"),
        Condition("firstname", Operator.EQUALS, "Ana"),
    )
    Intent.objects.create(
        type_pair=TypePair.objects.get(),
        flow=flow,
        kind=Intent.Kind.CREATE,
        key="hc.under.way",
        source_side=flow.source_side,
        source_id="999",
        lookup_key=lookup_language.key(wanted),
        sent_at=timezone.now(),
        fence=0,
    )
    house.desk.run(ANA, "one@x.example")
    run = house.run("to_left")
    assert (run.created, run.held) == (0, 1)
    assert house.contacts() == {}


def test_a_hundred_lookups_cost_a_few_calls(hub: Sandbox, tmp_path: Path) -> None:
    by_names = [
        {"condition": "EQUALS", "field": "lastname", "value": "@last_name@"},
        {"condition": "EQUALS", "field": "lifecyclestage", "value": "lead"},
    ]
    people = range(100)
    for number in people:
        hub.create("contacts", {"lastname": f"Poe {number:03}", "lifecyclestage": "lead"})
    hub.create("contacts", {"lastname": "Poe 001", "lifecyclestage": "customer"})
    house = furnish(
        hub, tmp_path / "desk.sqlite3", directions=["to_left"], lookup=by_names, rows=NAMES
    )
    Flow.objects.update(one_found="link")
    for number in people:
        house.desk.run(
            "insert into customers (email, last_name) values (?, ?)",
            f"{number}@x.example",
            f"POE {number:03}",
        )
    house.activate()
    hub.reset_statistics()
    house.run("to_left")
    assert house.links() == 100
    assert hub.statistics()["total"] <= 8
