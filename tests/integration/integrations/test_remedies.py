"""A person says which record is which, on the page of a failure."""

from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from hubconnect.connectors.errors import Category
from hubconnect.core.models import User
from hubconnect.integrations.models import Decision, Failure, Flow, Link
from hubconnect.integrations.services.linking import LinkRefusedError, link_records
from tests.house import House, furnish
from tests.pages import text
from tests.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
ANA, BEN = "ana@x.example", "ben@x.example"
BY_NAME = [{"condition": "EQUALS", "field": "lastname", "value": "@last_name@"}]


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, settings: Settings) -> None:
    settings.SQLITE_DIR = tmp_path


@pytest.fixture
def house(hub: Sandbox, tmp_path: Path) -> House:
    return furnish(hub, tmp_path / "desk.sqlite3", directions=["to_left"], lookup=BY_NAME)


def act(client: Client, failure: Failure, part: str, **posted: str) -> str:
    url = reverse("integrations:failure_part", args=[failure.pk, part])
    return text(client.post(url, posted, follow=True))


def page(client: Client, failure: Failure) -> str:
    return text(client.get(reverse("integrations:failure_detail", args=[failure.pk])))


def test_a_value_that_is_there_already_offers_to_link_both(
    house: House, sync_admin_client: Client
) -> None:
    contact = house.hub.create("contacts", {"email": ANA, "firstname": "Ana", "lastname": "Poe"})
    house.desk.run(
        "insert into customers (email, first_name, last_name) values (?, 'Ana', 'Stone')", ANA
    )
    house.activate()
    house.run("to_left")
    (failure,) = house.open_failures()
    assert failure.category == Category.DUPLICATE
    assert [one["id"] for one in failure.candidates or []] == [contact]
    shown = page(sync_admin_client, failure)
    assert "Is it the same record?" in shown
    assert "Stone" in shown
    assert "Poe" in shown
    assert "differs" in shown
    assert "Choose the record" in act(sync_admin_client, failure, "link", candidate="1")
    assert "are linked" in act(sync_admin_client, failure, "link", candidate=contact)
    house.run("to_left")
    assert house.open_failures() == []
    assert house.contacts()[ANA] == ("Ana", "Stone")
    assert Link.objects.get().left_id == contact


def test_one_of_several_found_is_chosen(house: House, sync_admin_client: Client) -> None:
    one = house.hub.create("contacts", {"email": ANA, "lastname": "Poe"})
    two = house.hub.create("contacts", {"email": BEN, "lastname": "Poe"})
    house.desk.run("insert into customers (email, last_name) values ('c@x.example', 'Poe')")
    house.activate()
    house.run("to_left")
    (failure,) = house.open_failures()
    assert failure.category == Category.LOOKUP
    shown = page(sync_admin_client, failure)
    assert "Which of them is it?" in shown
    assert ANA in shown
    assert {one, two} == {each["id"] for each in failure.candidates or []}
    act(sync_admin_client, failure, "link", candidate=two)
    house.run("to_left")
    assert house.open_failures() == []
    assert set(house.contacts()) == {ANA, "c@x.example"}


def test_what_is_gone_or_linked_is_refused_in_words(
    house: House, sync_admin_client: Client
) -> None:
    contact = house.hub.create("contacts", {"email": ANA, "lastname": "Poe"})
    house.desk.run("insert into customers (email, last_name) values (?, 'Stone')", ANA)
    house.desk.run("insert into customers (email, last_name) values ('c@x.example', 'Wood')")
    house.activate()
    house.run("to_left")
    (failure,) = house.open_failures()
    flow = Flow.objects.select_related("pair__mapping__left_system").get(pk=house.to_hub.pk)
    other = Link.objects.get()
    with pytest.raises(LinkRefusedError, match="already"):
        link_records(flow, failure.record_id, other.left_id, actor(sync_admin_client))
    with pytest.raises(LinkRefusedError, match="already"):
        link_records(flow, other.right_id, contact, actor(sync_admin_client))
    house.hub.archive("contacts", contact)
    assert "does not exist in HubSpot" in act(sync_admin_client, failure, "link", candidate=contact)
    assert Link.objects.count() == 1


def actor(client: Client) -> User:
    return User.objects.get(pk=client.session["_auth_user_id"])


def loaded(hub: Sandbox, tmp_path: Path) -> House:
    hub.create("contacts", {"email": ANA, "firstname": "Ana", "lastname": "Poe"})
    hub.create("contacts", {"email": BEN, "firstname": "Ben", "lastname": "Ode"})
    house = furnish(hub, tmp_path / "desk.sqlite3")
    house.activate()
    house.sync()
    house.sync()
    return house


@pytest.mark.parametrize(("choice", "links"), [("recreate", 2), ("stop", 1)])
def test_what_becomes_of_a_record_without_counterpart_is_chosen(
    hub: Sandbox, tmp_path: Path, sync_admin_client: Client, choice: str, links: int
) -> None:
    house = loaded(hub, tmp_path)
    hub.archive("contacts", house.contact_id(ANA))
    house.desk.run("update customers set first_name = 'Anna' where email = ?", ANA)
    house.run_until_seen("to_left")
    (failure,) = house.open_failures()
    assert "What is to become of it?" in page(sync_admin_client, failure)
    assert "Choose what" in act(sync_admin_client, failure, "deleted", choice="burn")
    assert "next run" in act(sync_admin_client, failure, "deleted", choice=choice)
    assert "Chosen" in page(sync_admin_client, failure)
    house.run("to_left")
    assert house.open_failures() == []
    assert house.links() == links
    assert (ANA in house.contacts()) == (choice == "recreate")


@pytest.mark.parametrize("choice", ["keep", "switch"])
def test_which_of_two_counterparts_stays_is_chosen(
    hub: Sandbox, tmp_path: Path, sync_admin_client: Client, choice: str
) -> None:
    house = loaded(hub, tmp_path)
    ids = {one: str(number) for number, one in house.desk.run("select id, email from customers")}
    hub.merge("contacts", house.contact_id(ANA), house.contact_id(BEN))
    house.run_until_seen("to_right")
    (failure,) = house.open_failures()
    shown = page(sync_admin_client, failure)
    assert "Which of the two stays linked?" in shown
    assert "in Order desk stays linked" in shown
    assert "in its place" in shown
    act(sync_admin_client, failure, "met", choice=choice)
    house.run("to_right")
    failure.refresh_from_db()
    assert failure.state == ("dismissed" if choice == "keep" else "healed")
    kept, left = (ANA, BEN) if choice == "keep" else (BEN, ANA)
    assert Link.objects.get().right_id == ids[kept]
    assert Decision.objects.get(record_id=ids[left]).kind == Decision.Kind.RETIRED


def test_a_monitor_sees_the_choice_and_may_not_make_it(
    hub: Sandbox, tmp_path: Path, monitor_client: Client
) -> None:
    house = loaded(hub, tmp_path)
    hub.merge("contacts", house.contact_id(ANA), house.contact_id(BEN))
    house.run_until_seen("to_right")
    (failure,) = house.open_failures()
    shown = monitor_client.get(reverse("integrations:failure_detail", args=[failure.pk]))
    assert "Use this one" not in shown.content.decode()
    url = reverse("integrations:failure_part", args=[failure.pk, "met"])
    assert monitor_client.post(url, {"choice": "keep"}).status_code == 403
