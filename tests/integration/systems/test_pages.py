"""List, page, check, preparation and deletion of systems, and who may do what."""

import pytest
from django.test import Client

from hubconnect.mappings.models import Mapping
from hubconnect.systems.models import System
from tests.factories.systems import SystemFactory
from tests.fakes.connector import FakeAccount

pytestmark = pytest.mark.django_db


def test_empty_list_says_the_next_step(sync_admin_client: Client, monitor_client: Client) -> None:
    assert "Add system" in sync_admin_client.get("/systems/").content.decode()
    text = monitor_client.get("/systems/").content.decode()
    assert "No system yet" in text
    assert "Add system" not in text


def test_list_shows_state_account_and_use(sync_admin_client: Client) -> None:
    desk, shop = SystemFactory.create(name="Desk"), SystemFactory.create(name="Shop")
    Mapping.objects.create(
        name="Things", left_system=desk, left_type="a", right_system=shop, right_type="b"
    )
    sync_admin_client.post(f"/systems/{desk.pk}/check/")
    text = sync_admin_client.get("/systems/").content.decode()
    for words in ("Connected", "Not checked", "Fake desk of the tests", "fake:4242", "Things"):
        assert words in text


def test_list_finds_by_name_and_says_when_nothing_is_found(sync_admin_client: Client) -> None:
    SystemFactory.create(name="Desk")
    SystemFactory.create(name="Shop")
    text = sync_admin_client.get("/systems/?q=des").content.decode()
    assert "Desk" in text
    assert "Shop" not in text
    assert "No system found" in sync_admin_client.get("/systems/?q=xyz").content.decode()


def test_check_keeps_its_result_on_the_page(
    sync_admin_client: Client, account: FakeAccount
) -> None:
    system = SystemFactory.create()
    account.missing = ("things.write",)
    response = sync_admin_client.post(f"/systems/{system.pk}/check/", follow=True)
    text = response.content.decode()
    for words in ("1 scope missing", "2 calls", "Account", "4242", "Clock", "Things", "Missing"):
        assert words in text


def test_failed_check_is_kept_and_shown(sync_admin_client: Client, account: FakeAccount) -> None:
    system = SystemFactory.create()
    account.token = "changed"
    text = sync_admin_client.post(f"/systems/{system.pk}/check/", follow=True).content.decode()
    assert "The fake desk refused the token." in text
    system.refresh_from_db()
    assert system.state == System.State.ATTENTION


def test_system_that_is_away_is_not_reachable(
    sync_admin_client: Client, account: FakeAccount
) -> None:
    system = SystemFactory.create()
    account.is_away = True
    text = sync_admin_client.post(f"/systems/{system.pk}/check/", follow=True).content.decode()
    assert "Not reachable" in text


def test_preparation_shows_its_statement_and_is_carried_out(
    sync_admin_client: Client, account: FakeAccount
) -> None:
    system = SystemFactory.create()
    account.has_ledger = False
    text = sync_admin_client.post(f"/systems/{system.pk}/check/", follow=True).content.decode()
    assert "CREATE TABLE ledger" in text
    assert "Create it" in text
    response = sync_admin_client.post(
        f"/systems/{system.pk}/prepare/", {"preparation": "ledger"}, follow=True
    )
    assert account.has_ledger
    assert "CREATE TABLE ledger" not in response.content.decode()


def test_unknown_preparation_is_not_found(sync_admin_client: Client) -> None:
    system = SystemFactory.create()
    response = sync_admin_client.post(f"/systems/{system.pk}/prepare/", {"preparation": "x"})
    assert response.status_code == 404


def test_used_system_is_not_deleted_and_its_users_are_named(sync_admin_client: Client) -> None:
    system = SystemFactory.create()
    Mapping.objects.create(
        name="Things", left_system=system, left_type="a", right_system=system, right_type="b"
    )
    response = sync_admin_client.post(f"/systems/{system.pk}/delete/", follow=True)
    assert "used by mapping “Things”" in response.content.decode()
    assert System.objects.exists()


def test_unused_system_is_deleted_after_being_asked(sync_admin_client: Client) -> None:
    system = SystemFactory.create(name="Desk")
    text = sync_admin_client.get(f"/systems/{system.pk}/delete/").content.decode()
    assert "Delete Desk" in text
    sync_admin_client.post(f"/systems/{system.pk}/delete/")
    assert not System.objects.exists()


def test_system_of_a_connector_that_is_gone_is_still_shown(sync_admin_client: Client) -> None:
    system = SystemFactory.create(connector="vanished")
    for url in ("/systems/", f"/systems/{system.pk}/", f"/systems/{system.pk}/edit/"):
        assert sync_admin_client.get(url).status_code == 200


READING = ("/systems/", "/systems/{pk}/")
CHANGING = ("/systems/add/", "/systems/{pk}/edit/", "/systems/{pk}/delete/")
POSTING = (*CHANGING, "/systems/{pk}/check/", "/systems/{pk}/prepare/")


@pytest.mark.parametrize("url", [*READING, *CHANGING])
def test_pages_need_a_login(client: Client, url: str) -> None:
    response = client.get(url.format(pk=1))
    assert response.status_code == 302
    assert response.headers["Location"].startswith("/sign-in/")


@pytest.mark.parametrize("url", READING)
def test_monitor_sees_without_buttons(monitor_client: Client, url: str) -> None:
    system = SystemFactory.create()
    response = monitor_client.get(url.format(pk=system.pk))
    text = response.content.decode()
    assert response.status_code == 200
    assert "/check/" not in text
    assert "/edit/" not in text
    assert "/add/" not in text


@pytest.mark.parametrize("url", POSTING)
def test_monitor_may_not_change(monitor_client: Client, url: str) -> None:
    system = SystemFactory.create()
    assert monitor_client.post(url.format(pk=system.pk)).status_code == 403


@pytest.mark.parametrize("url", CHANGING)
def test_sync_admin_and_admin_may_change(
    sync_admin_client: Client, admin_client: Client, url: str
) -> None:
    system = SystemFactory.create()
    for client in (sync_admin_client, admin_client):
        assert client.get(url.format(pk=system.pk)).status_code == 200
