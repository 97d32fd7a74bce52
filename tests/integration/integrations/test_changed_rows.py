"""Rows that come or change while records are linked."""

from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from hubconnect.core.models import User
from hubconnect.integrations.models import (
    Alignment,
    Flow,
    FollowUp,
    Intent,
    Link,
    Pair,
    RecordEvent,
)
from hubconnect.integrations.services import activation, aligning, row_changes
from hubconnect.integrations.services.execute import run_flow
from hubconnect.mappings.models import FieldMapping, ValueMapEntry
from tests.house import Desk, House, furnish
from tests.pages import submit, text
from tests.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

TABLE = """
create table customers (
    id integer primary key,
    email varchar(200) not null unique,
    first_name varchar(30),
    phone varchar(40),
    updated_at datetime not null default (strftime('%Y-%m-%d %H:%M:%f', 'now')));
create trigger customers_touch after update on customers when new.updated_at is old.updated_at
begin
    update customers set updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now') where id = new.id;
end;
"""
ROWS = (
    {"left_field": "email", "right_field": "email"},
    {"left_field": "firstname", "right_field": "first_name"},
)
PEOPLE = {  # e-mail: telephone in HubSpot, at the desk
    "both@x.example": ("1", "2"),
    "same@x.example": ("3", "3"),
    "hub@x.example": ("4", None),
    "desk@x.example": (None, "5"),
}


@pytest.fixture
def house(hub: Sandbox, tmp_path: Path, settings: Settings) -> House:
    settings.SQLITE_DIR = tmp_path
    desk = Desk(tmp_path / "desk.sqlite3")
    desk.script(TABLE)
    for email, (phone, _) in PEOPLE.items():
        hub.create("contacts", {"email": email, "firstname": "Al", "phone": phone or ""})
    furnished = furnish(hub, desk.file, rows=ROWS)
    furnished.activate()
    furnished.sync()
    furnished.sync()
    for email, (_, phone) in PEOPLE.items():
        desk.run("update customers set phone = ? where email = ?", phone, email)
    furnished.sync()
    return furnished


def change_mapping(house: House, **row: object) -> None:
    """Deactivate, and add or change the row of telephones."""
    activation.deactivate(house.integration, house_admin())
    FieldMapping.objects.update_or_create(
        mapping=house.mapping, left_field="phone", right_field="phone", defaults=row
    )


def house_admin() -> User:

    return User.objects.get(username="house-admin")


def activate(house: House, choice: str) -> None:
    pair = Pair.objects.get()
    key = f"{pair.pk}-{row_changes.key_of('phone', 'phone')}"
    activation.activate(house.integration, house_admin(), {}, chosen={key: choice})


def phones(house: House) -> dict[str, tuple[str | None, str | None]]:
    hub = {
        one["properties"]["email"]: one["properties"]["phone"]
        for one in house.hub.list("contacts", "email,phone")
    }
    desk = dict(house.desk.run("select email, phone from customers"))
    return {email: (hub[email], desk[email]) for email in sorted(PEOPLE)}


def is_quiet(house: House) -> bool:
    there, back = house.sync()
    return not (there.updated or back.updated or there.failed or back.failed)


@pytest.mark.parametrize("choice", ["leave", "", "nonsense"])
def test_rows_that_come_leave_what_differs_until_one_side_changes(
    house: House, choice: str
) -> None:
    change_mapping(house)
    activate(house, choice)
    house.sync()
    assert is_quiet(house)
    assert phones(house) == dict(sorted(PEOPLE.items()))
    # Another edit of the record is no reason to merge its telephones either.
    house.desk.run("update customers set first_name = 'Bo' where email = 'both@x.example'")
    house.sync_until(lambda: house.contacts()["both@x.example"][0] == "Bo")
    assert phones(house)["both@x.example"] == ("1", "2")
    house.desk.run("update customers set phone = '9' where email = 'both@x.example'")
    house.sync_until(lambda: phones(house)["both@x.example"] == ("9", "9"))


@pytest.mark.parametrize(
    ("choice", "both", "only_hub", "only_desk"),
    [
        ("left", ("1", "1"), ("4", "4"), (None, "5")),
        ("right", ("2", "2"), ("4", None), ("5", "5")),
    ],
)
def test_rows_that_come_are_filled_from_the_chosen_side(
    house: House,
    choice: str,
    both: tuple[str, str],
    only_hub: tuple[str, str | None],
    only_desk: tuple[str | None, str],
) -> None:
    FollowUp.objects.all().delete()
    change_mapping(house)
    activate(house, choice)
    house.run("to_right" if choice == "left" else "to_left")
    assert phones(house) == {
        "both@x.example": both,
        "same@x.example": ("3", "3"),
        "hub@x.example": only_hub,
        "desk@x.example": only_desk,
    }
    assert is_quiet(house)
    assert FollowUp.objects.count() == 0
    alignment = Alignment.objects.get()
    assert (alignment.total, alignment.done, alignment.written) == (4, 4, 2)
    lines = [
        line
        for one in RecordEvent.objects.all()
        for line in one.detail.get("fields", [])
        if line["remark"] == "filled after the mapping was changed"
    ]
    assert len(lines) == 2
    assert {line["old"] for line in lines} == ({"2", None} if choice == "left" else {"1", None})
    assert all(link.title for link in Link.objects.all())


def test_a_changed_row_leaves_bases_alone_and_can_be_filled(house: House) -> None:
    change_mapping(house)
    activate(house, "left")
    house.sync()
    house.sync()
    activation.deactivate(house.integration, house_admin())
    contact = house.contact_id("same@x.example")
    house.hub.update("contacts", contact, {"phone": "33"})  # not to be taken for agreed on
    row = FieldMapping.objects.get(left_field="phone")
    ValueMapEntry.objects.create(row=row, left_value="1", right_value="one")
    activate(house, "leave")
    house.sync_until(lambda: phones(house)["same@x.example"] == ("33", "33"))
    assert Alignment.objects.count() == 1
    assert phones(house)["both@x.example"] == ("1", "1")
    activation.deactivate(house.integration, house_admin())
    FieldMapping.objects.filter(pk=row.pk).update(direction="to_right", default_right="none")
    (changed,) = row_changes.changes(Pair.objects.all())
    (only,) = changed.rows
    assert (only.is_new, list(only.fills)) == (False, ["left"])
    activate(house, "left")
    house.sync()
    assert phones(house)["both@x.example"] == ("1", "one")
    assert phones(house)["desk@x.example"] == (None, "5")  # a default empties nothing either
    assert is_quiet(house)


def test_other_rules_of_a_row_are_no_change_of_it(house: House) -> None:
    activation.deactivate(house.integration, house_admin())
    FieldMapping.objects.update(conflict="right")
    assert row_changes.changes(Pair.objects.all()) == []


def test_it_goes_on_where_it_stopped_and_counts_its_calls(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aligning, "PAGE", 2)
    change_mapping(house)
    activate(house, "left")
    house.hub.fault(path="/crm/objects/2026-03/contacts/batch/read", status=503, skip=1, times=9)
    stopped = house.run("to_right")
    assert stopped.state == "stopped"
    alignment = Alignment.objects.get()
    assert (alignment.done, alignment.finished_at) == (2, None)
    # The opposite flow waits: what is not in line yet must not be merged by its rule.
    assert aligning.waits(house.to_hub, house.to_desk)
    assert not aligning.waits(house.to_desk, house.to_hub)
    Flow.objects.update(next_run_at=timezone.now())
    assert run_flow(house.to_hub.pk) is None
    house.hub.clear_faults()
    run = house.run("to_right")
    alignment.refresh_from_db()
    assert alignment.done == 4
    assert alignment.finished_at is not None
    assert run.calls["source"]["batch read"] >= 1
    assert phones(house)["both@x.example"] == ("1", "1")


def test_the_page_that_activates_asks_and_the_integration_shows_progress(
    house: House, sync_admin_client: Client
) -> None:
    change_mapping(house)
    url = reverse("integrations:activate", args=[house.integration.pk])
    page = text(sync_admin_client.get(url))
    for words in (
        "1 row changed since it was last active",
        "4 records are linked already",
        "Leave them as they are",
        "Fill Order desk from HubSpot",
        "Fill HubSpot from Order desk",
    ):
        assert words in page
    pair = Pair.objects.get()
    name = f"row_{pair.pk}-{row_changes.key_of('phone', 'phone')}"
    submit(sync_admin_client, url, **{name: "right"})
    alignment = Alignment.objects.get()
    assert alignment.flow == house.to_hub
    assert alignment.rows == [{"left": "phone", "right": "phone", "choice": "right"}]
    detail = reverse("integrations:detail", args=[house.integration.pk])
    assert "0 of 4 linked records" in text(sync_admin_client.get(detail))
    assert row_changes.changes(Pair.objects.all()) == []


def test_an_unknown_outcome_is_settled_before_rows_are_brought_into_line(house: House) -> None:
    change_mapping(house)
    activate(house, "left")
    flow, link = house.to_desk, Link.objects.order_by("pk").first()
    assert link is not None
    Intent.objects.create(
        type_pair_id=link.type_pair_id,
        flow=flow,
        kind=Intent.Kind.UPDATE,
        key="lost",
        source_side="right",
        source_id=link.right_id,
        target_id=link.left_id,
        target_values={"firstname": "Al"},
        sent_values={"firstname": "Bo"},
        sent_at=timezone.now(),
        fence=0,
    )
    waiting = house.run("to_right")
    assert (waiting.state, waiting.updated) == ("stopped", 0)
    assert Alignment.objects.get().done == 0
    Intent.objects.all().delete()
    house.run("to_right")
    assert Alignment.objects.get().done == 4
