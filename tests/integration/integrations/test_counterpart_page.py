"""The page of remote id and link."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from hubconnect.integrations.models import Integration, Pair
from tests.house import House, furnish
from tests.sandbox_process import Sandbox, sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def hub() -> Iterator[Sandbox]:
    with sandbox() as running:
        yield running


@pytest.fixture
def house(hub: Sandbox, tmp_path: Path, settings: Settings) -> House:
    settings.SQLITE_DIR = tmp_path
    made = furnish(hub, tmp_path / "desk.sqlite3")
    made.desk.run("alter table customers add column hub_id varchar(40)")
    made.desk.run("alter table customers add column hub_url varchar(300)")
    return made


def page_of(house: House) -> str:
    return reverse("integrations:counterpart", args=[house.integration.pairs.get().pk])


def test_fields_are_chosen_among_those_nothing_else_writes(
    house: House, sync_admin_client: Client
) -> None:
    page = sync_admin_client.get(page_of(house)).content.decode()

    assert "hub_url" in page
    assert '<option value="email"' not in page  # the mapping writes it
    assert '<option value="hs_object_id"' not in page  # read-only


@pytest.mark.requirement("S31")
def test_the_choice_is_saved(house: House, sync_admin_client: Client) -> None:
    data = {"right_id_field": "hub_id", "right_link_field": "hub_url", "left_id_field": "fax"}

    response = sync_admin_client.post(page_of(house), data)

    assert response.status_code == 302
    pair = Pair.objects.get()
    assert (pair.right_id_field, pair.right_link_field) == ("hub_id", "hub_url")
    assert (pair.left_id_field, pair.left_link_field) == ("fax", "")


def test_one_field_for_both_is_refused(house: House, sync_admin_client: Client) -> None:
    data = {"right_id_field": "hub_id", "right_link_field": "hub_id"}

    page = sync_admin_client.post(page_of(house), data).content.decode()

    assert "It already receives the id" in page


def test_a_field_that_cannot_be_used_any_more_is_shown_and_refused(
    house: House, sync_admin_client: Client
) -> None:
    Pair.objects.update(right_id_field="first_name")  # mapped since

    shown = sync_admin_client.get(page_of(house)).content.decode()
    assert "first_name (not to be used)" in shown

    page = sync_admin_client.post(page_of(house), {"right_id_field": "first_name"})
    assert "This field is gone, read-only, or written by the mapping" in page.content.decode()


def test_an_active_integration_is_not_changed(house: House, sync_admin_client: Client) -> None:
    Integration.objects.update(is_active=True)

    page = sync_admin_client.post(page_of(house), {"right_id_field": "hub_id"})

    assert "Deactivate it first" in page.content.decode()
    assert Pair.objects.get().right_id_field == ""


def test_a_monitor_may_not(house: House, monitor_client: Client) -> None:
    assert monitor_client.get(page_of(house)).status_code == 403
