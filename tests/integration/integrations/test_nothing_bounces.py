"""Whatever a system does to the values it is given, nothing goes back because of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from hubconnect.connectors.errors import Category
from hubconnect.integrations.models import Failure, Link, RecordEvent
from hubconnect.mappings.models import FieldMapping, ValueMapEntry
from tests.house import Desk, House, furnish, let_second_pass
from tests.pages import text
from tests.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

ANA = "ana@x.example"
TABLE = """
create table customers (
    id integer primary key,
    email varchar(200) not null unique,
    first_name varchar(30),
    phone varchar(40),
    roles varchar(200),
    revenue numeric(12, 2),
    stage varchar(40),
    updated_at datetime not null default (strftime('%Y-%m-%d %H:%M:%f', 'now')));
create trigger customers_touch after update on customers when new.updated_at is old.updated_at
begin
    update customers set updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now') where id = new.id;
end;
create table writes (id integer);
create trigger customers_added after insert on customers
begin insert into writes values (new.id); end;
create trigger customers_changed after update on customers
begin insert into writes values (new.id); end;
"""
ROWS = (
    {"left_field": "email", "right_field": "email"},
    {"left_field": "firstname", "right_field": "first_name"},
    {"left_field": "phone", "right_field": "phone"},
    {"left_field": "hs_buying_role", "right_field": "roles"},
    {"left_field": "annualrevenue", "right_field": "revenue"},
    {"left_field": "lifecyclestage", "right_field": "stage"},
)


@pytest.fixture
def hub(emptied: Sandbox) -> Sandbox:
    return emptied


@pytest.fixture
def house(hub: Sandbox, tmp_path: Path, settings: Settings) -> House:
    settings.SQLITE_DIR = tmp_path
    hub.create("contacts", {"email": ANA, "firstname": "Ana"})
    Desk(tmp_path / "desk.sqlite3").script(TABLE)
    furnished = furnish(hub, tmp_path / "desk.sqlite3", rows=ROWS)
    furnished.activate()
    furnished.sync()
    furnished.sync()
    return furnished


def rewrite(house: House, column: str, expression: str) -> None:
    """Have the database rewrite a column by itself, after each write."""
    for event in ("insert", f"update of {column}"):
        name = f"rewrite_{column}_{event[:6]}"
        house.desk.script(
            f"create trigger {name} after {event} on customers "
            f"when new.{column} is not ({expression}) "
            f"begin update customers set {column} = {expression} where id = new.id; end;"
        )


def contact(house: House, *names: str) -> dict[str, Any]:
    found = house.hub.list("contacts", ",".join(("email", *names)))
    return next(one["properties"] for one in found if one["properties"]["email"] == ANA)


def cell(house: House, column: str) -> object:
    return house.desk.run(f"select {column} from customers where email = ?", ANA)[0][0]


def edit_desk(house: House, **values: object) -> None:
    for column, value in values.items():
        house.desk.run(f"update customers set {column} = ? where email = ?", value, ANA)


def edit_hub(house: House, **values: str) -> None:
    house.hub.update("contacts", house.contact_id(ANA), values)


def stays_quiet(house: House) -> None:
    """Sync twice more, also reading the record afresh, and see that neither side is written."""
    let_second_pass()
    writes = len(house.desk.run("select id from writes"))
    version = contact(house, "lastmodifieddate")["lastmodifieddate"]
    for _ in range(2):
        there, back = house.sync()
        assert (there.updated, back.updated, there.failed, back.failed) == (0, 0, 0, 0)
    assert len(house.desk.run("select id from writes")) == writes
    assert contact(house, "lastmodifieddate")["lastmodifieddate"] == version
    assert house.open_failures() == []


def bump_both(house: House) -> None:
    """Have both systems say that the record changed, though no mapped field did."""
    house.desk.run(
        "update customers set updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now', '+1 second')"
    )
    edit_hub(house, company="Somebody else's field")


@pytest.mark.parametrize(
    ("column", "expression", "name", "sent", "kept"),
    [
        ("first_name", "trim(new.first_name)", "firstname", " Anna ", "Anna"),
        ("first_name", "upper(new.first_name)", "firstname", "Anna", "ANNA"),
        ("phone", "replace(new.phone, '-', ' ')", "phone", "555-12-13", "555 12 13"),
        ("revenue", "round(new.revenue, 0)", "annualrevenue", "1250.75", 1251),
        ("roles", "'CHAMPION;BLOCKER'", "hs_buying_role", "BLOCKER;CHAMPION", "CHAMPION;BLOCKER"),
    ],
    ids=["trims", "upper-cases", "re-formats", "rounds", "reorders"],
)
def test_what_the_database_makes_of_a_value_stays_there(
    house: House, column: str, expression: str, name: str, sent: str, kept: object
) -> None:
    rewrite(house, column, expression)
    edit_hub(house, **{name: sent})
    house.sync_until(lambda: cell(house, column) == kept)
    stays_quiet(house)
    bump_both(house)
    house.sync()
    stays_quiet(house)
    assert contact(house, name)[name] == sent


@pytest.mark.parametrize(
    ("column", "sent", "name", "kept"),
    [
        ("email", "ANA@X.EXAMPLE", "email", ANA),
        ("roles", "CHAMPION;BLOCKER", "hs_buying_role", None),
        ("revenue", 1250.50, "annualrevenue", None),
    ],
    ids=["lower-cases", "reorders", "re-formats"],
)
def test_what_hubspot_makes_of_a_value_stays_there(
    house: House, column: str, sent: object, name: str, kept: str | None
) -> None:
    key = house.desk.run("select id from customers")[0][0]
    house.desk.run(f"update customers set {column} = ? where id = ?", sent, key)
    house.run_until_seen("to_left")
    stored = contact(house, name)[name]
    assert stored == kept if kept else stored
    stays_quiet(house)
    bump_both(house)
    house.sync()
    stays_quiet(house)
    (held,) = house.desk.run(f"select {column} from customers where id = ?", key)[0]
    assert held == sent


def test_a_stage_that_never_goes_back_is_told_once_and_not_sent_again(house: House) -> None:
    edit_hub(house, lifecyclestage="customer")
    house.sync_until(lambda: cell(house, "stage") == "customer")
    edit_desk(house, stage="lead")
    house.run_until_seen("to_left")
    (failure,) = house.open_failures()
    assert (failure.category, failure.field) == (Category.NOT_STORED, "lifecyclestage")
    assert failure.next_try_at is None
    house.sync()
    house.sync()
    edit_desk(house, first_name="Anna")  # another field of the record goes on
    house.sync_until(lambda: contact(house, "firstname")["firstname"] == "Anna")
    (failure,) = house.open_failures()
    assert failure.attempts == 1
    sent = [
        line["field"]
        for one in RecordEvent.objects.filter(kind="updated", run__flow=house.to_hub)
        for line in one.detail["fields"]
    ]
    assert sent.count("lifecyclestage") == 1
    assert cell(house, "stage") == "lead"
    edit_desk(house, stage="evangelist")  # a step that HubSpot takes
    house.sync_until(lambda: not house.open_failures())
    assert contact(house, "lifecyclestage")["lifecyclestage"] == "evangelist"


def test_retry_sends_once_more_what_was_not_kept(house: House, sync_admin_client: Client) -> None:
    edit_hub(house, lifecyclestage="customer")
    house.sync_until(lambda: cell(house, "stage") == "customer")
    edit_desk(house, stage="lead")
    house.run_until_seen("to_left")
    (failure,) = house.open_failures()
    sync_admin_client.post(reverse("integrations:failure_retry", args=[failure.pk]))
    house.run("to_left")
    (failure,) = house.open_failures()
    assert (failure.attempts, failure.next_try_at) == (1, None)
    edit_hub(house, lifecyclestage="")  # somebody clears it there
    sync_admin_client.post(reverse("integrations:failure_retry", args=[failure.pk]))
    # This direction first: the other one would carry the clearing, by the rule of the later run.
    house.run("to_left")
    assert contact(house, "lifecyclestage")["lifecyclestage"] == "lead"
    assert house.open_failures() == []
    stays_quiet(house)
    assert cell(house, "stage") == "lead"


def test_letting_go_of_what_was_not_kept_leaves_both_sides(
    house: House, sync_admin_client: Client
) -> None:
    edit_hub(house, lifecyclestage="customer")
    house.sync_until(lambda: cell(house, "stage") == "customer")
    edit_desk(house, stage="lead")
    house.run_until_seen("to_left")
    (failure,) = house.open_failures()
    sync_admin_client.post(reverse("integrations:failure_dismiss", args=[failure.pk]))
    stays_quiet(house)
    assert cell(house, "stage") == "lead"
    assert contact(house, "lifecyclestage")["lifecyclestage"] == "customer"


def test_a_create_that_lost_a_value_says_so_and_keeps_trying_possible(
    house: House, sync_admin_client: Client
) -> None:
    house.desk.script(
        "create trigger no_phone after insert on customers "
        "begin update customers set phone = null where id = new.id; end;"
    )
    house.hub.create("contacts", {"email": "ben@x.example", "phone": "555"})
    house.run_until_seen("to_right")
    (failure,) = house.open_failures()
    assert (failure.category, failure.field) == (Category.NOT_STORED, "phone")
    house.sync()
    sync_admin_client.post(reverse("integrations:failure_retry", args=[failure.pk]))
    house.run("to_right")
    assert house.open_failures() == []
    assert house.desk.run("select phone from customers where email = 'ben@x.example'") == [("555",)]


def to_and_fro(house: House, until: Callable[[], bool]) -> None:
    """Play a workflow in HubSpot that lower-cases, and a job in the database that upper-cases."""
    for _ in range(6):
        let_second_pass()
        house.run("to_right")
        if until():
            return
        house.desk.run("update customers set first_name = upper(first_name)")
        house.run("to_left")
        if until():
            return
        edit_hub(house, firstname=contact(house, "firstname")["firstname"].lower())
    message = "They went on for ever."
    raise AssertionError(message)


def test_values_that_go_to_and_fro_stop_as_a_failure(
    house: House, sync_admin_client: Client
) -> None:
    edit_hub(house, firstname="anna")
    to_and_fro(house, lambda: bool(house.open_failures()))
    (failure,) = house.open_failures()
    assert (failure.category, failure.next_try_at) == (Category.LOOP, None)
    assert len(Link.objects.get().recent) <= 4
    writes = len(house.desk.run("select id from writes"))
    for _ in range(2):
        edit_hub(house, firstname="anna", company=str(timezone.now()))
        let_second_pass()
        house.sync()
    assert len(house.desk.run("select id from writes")) == writes
    page = text(sync_admin_client.get(reverse("integrations:failure_detail", args=[failure.pk])))
    for word in ("What each side answered", "anna", "ANNA", "Order desk", "HubSpot"):
        assert word in page
    edit_hub(house, firstname="Annabel")
    sync_admin_client.post(reverse("integrations:failure_retry", args=[failure.pk]))
    house.sync_until(lambda: cell(house, "first_name") == "Annabel")
    assert house.open_failures() == []


def test_a_value_map_that_is_not_one_to_one_names_what_goes_back(house: House) -> None:
    row = FieldMapping.objects.get(right_field="stage")
    for left, right, way in (
        ("lead", "open", "both"),
        ("subscriber", "open", "to_right"),
        ("customer", "won", "both"),
    ):
        ValueMapEntry.objects.create(row=row, left_value=left, right_value=right, direction=way)
    edit_hub(house, lifecyclestage="subscriber")
    house.sync_until(lambda: cell(house, "stage") == "open")
    stays_quiet(house)
    assert contact(house, "lifecyclestage")["lifecyclestage"] == "subscriber"
    edit_desk(house, stage="won")
    house.sync_until(lambda: contact(house, "lifecyclestage")["lifecyclestage"] == "customer")
    stays_quiet(house)


def test_text_is_cut_only_by_choice_else_it_fails_before_it_is_sent(house: House) -> None:
    edit_hub(house, firstname="A" * 31)
    house.run_until_seen("to_right")
    (failure,) = house.open_failures()
    assert (failure.category, failure.field) == (Category.TOO_LONG, "first_name")
    assert failure.answer == ""
    assert cell(house, "first_name") == "Ana"
    FieldMapping.objects.filter(right_field="first_name").update(cut_text=True)
    Failure.objects.update(next_try_at=timezone.now())
    house.sync_until(lambda: cell(house, "first_name") == "A" * 30)
    stays_quiet(house)
    assert contact(house, "firstname")["firstname"] == "A" * 31
