"""What is sent for a failed record is edited by a person, for this once."""

from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from hubconnect.core.models import User
from hubconnect.integrations.models import Failure, FailureAct, Link, RecordEvent
from hubconnect.mappings.models import FieldMapping
from tests.pages import main_form, text
from tests.two_desks import TwoDesks, furnish_desks

pytestmark = pytest.mark.django_db(transaction=True)

ANA = "ana@x.example"


@pytest.fixture
def house(tmp_path: Path, settings: Settings) -> TwoDesks:
    """A customer in sync, whose new last name the right desk refuses."""
    settings.SQLITE_DIR = tmp_path
    made = furnish_desks(tmp_path)
    made.left.run("insert into customers (email, first_name) values (?, 'Ana')", ANA)
    made.activate()
    made.sync()
    made.sync()
    made.rename(made.left, ANA, last_name="bad")
    made.run("to_right")
    return made


def edit(client: Client, failure: Failure, **typed: str) -> str:
    """Type values by the name of their field and send the form."""
    url = reverse("integrations:failure_edit", args=[failure.pk])
    response = client.get(url)
    lines = response.context["draft"].lines
    names = {line.field.name: f"value-{at}" for at, line in enumerate(lines)}
    posted = main_form(text(response)).values
    posted |= {names[name]: value for name, value in typed.items()}
    return text(client.post(url, posted, follow=True))


def due() -> None:
    Failure.objects.filter(state="open").update(next_try_at=timezone.now())


def test_an_edit_is_sent_once_and_nothing_bounces(
    sync_admin_client: Client, sync_admin: User, house: TwoDesks
) -> None:
    (failure,) = house.open_failures()
    page = edit(sync_admin_client, failure, last_name="Better")
    assert "It is sent as edited" in page
    house.run("to_right")
    failure.refresh_from_db()
    assert failure.state == Failure.State.HEALED
    assert house.right.customers()[ANA] == ("Ana", "Better")
    event = RecordEvent.objects.filter(kind="updated").latest("pk")
    assert event.detail["reason"] == f"Sent as edited by {sync_admin}, for failure {failure.pk}."
    for run in (*house.sync(), *house.sync()):
        assert run.is_idle
    assert house.open_failures() == []  # "bad" is not sent once more
    assert house.left.customers()[ANA] == ("Ana", "bad")  # the source keeps what it has
    house.rename(house.left, ANA, last_name="Next")
    house.run("to_right")
    assert house.right.customers()[ANA] == ("Ana", "Next")


def test_an_edited_field_that_the_source_left_alone_is_sent_too(
    sync_admin_client: Client, house: TwoDesks
) -> None:
    (failure,) = house.open_failures()
    edit(sync_admin_client, failure, last_name="Better", first_name="Anna")
    house.run("to_right")
    assert house.right.customers()[ANA] == ("Anna", "Better")
    for run in house.sync():
        assert run.is_idle
    assert house.left.customers()[ANA] == ("Ana", "bad")


def test_a_create_is_sent_as_edited(sync_admin_client: Client, house: TwoDesks) -> None:
    house.left.run("insert into customers (email, last_name) values ('cy@x.example', 'bad')")
    house.run("to_right")
    failure = house.open_failures()[-1]
    edit(sync_admin_client, failure, last_name="Good")
    house.run("to_right")
    assert house.right.customers()["cy@x.example"] == (None, "Good")
    assert Link.objects.count() == 2
    for run in house.sync():
        assert (run.created, run.updated) == (0, 0)


def test_a_value_that_cannot_be_converted_is_replaced(
    sync_admin_client: Client, house: TwoDesks
) -> None:
    for desk in (house.left, house.right):
        desk.script("alter table customers add column points varchar(20)")
    house.right.script("alter table customers drop column points")
    house.right.script("alter table customers add column points integer")
    FieldMapping.objects.create(
        mapping=house.mapping, position=9, left_field="points", right_field="points"
    )
    from hubconnect.systems.services import schema  # noqa: PLC0415

    for system in (house.mapping.left_system, house.mapping.right_system):
        schema.forget(system)
    house.rename(house.left, ANA, last_name="Poe", points="many")
    house.run("to_right")
    (failure,) = house.open_failures()
    assert failure.category == "CONVERSION"
    assert "is not a number" in edit(sync_admin_client, failure, points="lots")
    edit(sync_admin_client, failure, points="12")
    house.run("to_right")
    assert house.open_failures() == []
    assert house.right.run("select last_name, points from customers") == [("Poe", 12)]


def test_an_edit_of_an_older_version_is_not_sent_and_is_asked_anew(
    sync_admin_client: Client, house: TwoDesks
) -> None:
    (failure,) = house.open_failures()
    edit(sync_admin_client, failure, last_name="Better")
    house.rename(house.left, ANA, first_name="Anna")
    house.run("to_right")
    failure.refresh_from_db()
    assert failure.state == Failure.State.OPEN
    assert house.right.customers()[ANA] == ("Ana", None)
    due()
    house.run("to_right")  # nor with any later try
    assert house.right.customers()[ANA] == ("Ana", None)
    page = text(sync_admin_client.get(reverse("integrations:failure_detail", args=[failure.pk])))
    assert "changed the record after this edit" in page
    edit(sync_admin_client, failure)  # the form has the edit; sent again as it is
    house.run("to_right")
    assert house.right.customers()[ANA] == ("Anna", "Better")


def test_a_form_about_older_values_is_refused(sync_admin_client: Client, house: TwoDesks) -> None:
    (failure,) = house.open_failures()
    url = reverse("integrations:failure_edit", args=[failure.pk])
    posted = main_form(text(sync_admin_client.get(url))).values
    house.rename(house.left, ANA, first_name="Anna")
    house.run("to_right")
    posted = {name: value or "x" for name, value in posted.items()}
    assert "changed the record since" in text(sync_admin_client.post(url, posted))
    failure.refresh_from_db()
    assert failure.edited_values is None


def test_who_edited_what_is_on_record(
    sync_admin_client: Client, sync_admin: User, house: TwoDesks
) -> None:
    (failure,) = house.open_failures()
    assert "Nothing differs" in edit(sync_admin_client, failure)
    edit(sync_admin_client, failure, last_name="Better")
    act = FailureAct.objects.get()
    assert (act.kind, act.actor, act.failure) == ("edit", sync_admin, failure)
    assert "“bad” → “Better”" in act.words
    trail = text(sync_admin_client.get(reverse("core:audit_list")))
    assert "“bad” → “Better”" in trail


def test_a_monitor_edits_nothing(monitor_client: Client, house: TwoDesks) -> None:
    (failure,) = house.open_failures()
    url = reverse("integrations:failure_edit", args=[failure.pk])
    assert monitor_client.get(url).status_code == 403
    page = text(monitor_client.get(reverse("integrations:failure_detail", args=[failure.pk])))
    assert "Edit what is sent" not in page
