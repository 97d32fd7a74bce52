"""The form of a HubSpot account and of a database, against the real connectors."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from pytest_django.fixtures import Settings

from hubconnect.systems.models import System
from tests.sandbox_process import TOKEN, Sandbox, sandbox

pytestmark = pytest.mark.django_db
ADD = "/systems/add/"


@pytest.fixture(scope="module")
def hubspot() -> Iterator[Sandbox]:
    with sandbox(portal_id=4242, app_id=9001, user_email="sync@example.com") as running:
        yield running


def hubspot_form(address: str, **changes: str) -> dict[str, str]:
    return {
        "connector": "hubspot",
        "name": "HubSpot",
        "api_url": address,
        "user_email": "sync@example.com",
        "auth_type": "token",
        "access_token": TOKEN,
        "app_id": "9001",
        "remote_link_base": "",
        "action": "save",
    } | changes


def sql_form(url: str, **changes: str) -> dict[str, str]:
    return {
        "connector": "sql",
        "name": "Order desk",
        "database_url": url,
        "password": "",
        "schema": "",
        "modified_column": "",
        "time_zone": "UTC",
        "remote_id_column": "",
        "action": "save",
    } | changes


def errors(client: Client, data: dict[str, str]) -> dict[str, str]:
    response: Any = client.post(ADD, data)
    assert response.status_code == 200, "it was saved"
    found = response.context["form"].errors
    return {name: " ".join(texts) for name, texts in found.items()}


# --- HubSpot --------------------------------------------------------------------------------------


@pytest.mark.requirement("S20", "S21", "S22", "S23", "S24", "S29", "S30", "S33")
def test_fields_stand_in_the_order_of_the_reference(sync_admin_client: Client) -> None:
    page = sync_admin_client.get(ADD + "?connector=hubspot").content.decode()
    labels = (
        "System type",
        "System Name",
        "API Url",
        "User Email",
        "Authentication Type",
        "Access Token",
        "Client ID",
        "Client Secret",
        "Authorization Code",
        "Application Id",
        "Base URL for Remote Link",
    )
    places = [page.index(f">{label}") for label in labels[:1]]
    places += [page.index(f">{label}", places[0]) for label in labels[1:]]
    assert places == sorted(places)
    assert 'Base URL for Remote Link <span class="optional">' in page
    assert 'Application Id <span class="optional">' in page  # a service key has none


@pytest.mark.requirement("S7", "S21", "S24", "S109")
def test_account_is_checked_and_saved(sync_admin_client: Client, hubspot: Sandbox) -> None:
    app = "https://app.hubspot.com/private-apps/4242/9001"
    response = sync_admin_client.post(ADD, hubspot_form(hubspot.url, app_id=app), follow=True)
    page = response.content.decode()
    system = System.objects.get()
    assert system.identity == "hubspot:4242"
    assert system.parameters["app_id"] == "9001"
    for words in ("4242", "9001", "sync@example.com", "crm.objects.contacts.read", "Create it"):
        assert words in page
    assert TOKEN not in page


@pytest.mark.requirement("S29")
def test_application_id_of_a_private_app_is_filled_in(
    sync_admin_client: Client, hubspot: Sandbox
) -> None:
    sent = hubspot_form(hubspot.url, app_id="")
    page = sync_admin_client.post(ADD, sent | {"action": "check"}).content.decode()
    assert 'name="app_id" value="9001"' in page
    assert sync_admin_client.post(ADD, sent).status_code == 302
    assert System.objects.get().parameters["app_id"] == "9001"


@pytest.mark.requirement("S29")
@pytest.mark.parametrize("typed", ["", "1234567"])
def test_application_id_of_a_service_key_is_not_applicable(
    sync_admin_client: Client, hubspot: Sandbox, typed: str
) -> None:
    hubspot.add_token("pat-service-key", app_id=0)
    sent = hubspot_form(hubspot.url, access_token="pat-service-key", app_id=typed)
    page = sync_admin_client.post(ADD, sent, follow=True).content.decode()
    assert System.objects.get().parameters["app_id"] == ""
    assert ("the Application Id is not applicable and was left out" in page) is bool(typed)


@pytest.mark.requirement("S22")
def test_user_email_that_no_scope_lets_one_check_is_said_to_be_unchecked(
    sync_admin_client: Client, hubspot: Sandbox
) -> None:
    hubspot.add_token("pat-no-owners", scopes=["oauth", "crm.objects.deals.read"])
    sent = hubspot_form(hubspot.url, access_token="pat-no-owners", user_email="who@example.com")
    page = sync_admin_client.post(ADD, sent, follow=True).content.decode()
    assert "User Email could not be checked: the token lacks the scope" in page
    assert "crm.objects.owners.read" in page


def test_wrong_token_is_named_at_the_token(sync_admin_client: Client, hubspot: Sandbox) -> None:
    found = errors(sync_admin_client, hubspot_form(hubspot.url, access_token="pat-na1-wrong"))
    assert set(found) == {"access_token"}


def test_other_application_id_is_refused_with_the_right_one_as_a_button(
    sync_admin_client: Client, hubspot: Sandbox
) -> None:
    response = sync_admin_client.post(ADD, hubspot_form(hubspot.url, app_id="1234567"))
    assert 'name="use" value="app_id:9001"' in response.content.decode()


def test_token_of_a_few_scopes_is_saved_and_the_missing_ones_are_shown(
    sync_admin_client: Client,
) -> None:
    with sandbox(app_id=9001, user_email="sync@example.com", scopes="oauth") as poor:
        response = sync_admin_client.post(ADD, hubspot_form(poor.url), follow=True)
    assert "Missing" in response.content.decode()
    assert System.objects.get().state == System.State.REMARKS


def test_address_where_nothing_listens_is_named(sync_admin_client: Client) -> None:
    found = errors(sync_admin_client, hubspot_form("http://127.0.0.1:9"))
    assert set(found) == {"api_url"}


def test_address_that_is_not_hubspot_is_named_at_the_address(
    sync_admin_client: Client, hubspot: Sandbox
) -> None:
    found = errors(sync_admin_client, hubspot_form(hubspot.url + "/somewhere/else"))
    assert set(found) == {"api_url"}


def test_guarded_address_is_refused_and_the_setting_is_named(
    sync_admin_client: Client, hubspot: Sandbox, settings: Settings
) -> None:
    settings.ALLOWED_PRIVATE_ADDRESSES = []
    found = errors(sync_admin_client, hubspot_form(hubspot.url))
    assert set(found) == {"api_url"}
    assert "ALLOWED_PRIVATE_ADDRESSES" in found["api_url"]


@pytest.mark.parametrize("address", ["hubspot", "ftp://api.hubapi.com", "http://[", "https://"])
def test_address_that_is_none_is_refused(sync_admin_client: Client, address: str) -> None:
    assert set(errors(sync_admin_client, hubspot_form(address))) == {"api_url"}


# --- A database -----------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, settings: Settings) -> Path:
    settings.SQLITE_DIR = tmp_path
    with closing(sqlite3.connect(tmp_path / "desk.sqlite3")) as desk, desk:
        desk.execute("create table orders (id integer primary key, title varchar(40))")
    return tmp_path


def test_database_is_checked_saved_and_prepared(sync_admin_client: Client, folder: Path) -> None:
    url = f"sqlite:///{folder / 'desk.sqlite3'}"
    page = sync_admin_client.post(ADD, sql_form(url), follow=True).content.decode()
    system = System.objects.get()
    assert "CREATE TABLE" in page
    name = page.split('name="preparation" value="')[1].split('"')[0]
    page = sync_admin_client.post(
        f"/systems/{system.pk}/prepare/", {"preparation": name}, follow=True
    ).content.decode()
    assert "is prepared" in page
    assert "CREATE TABLE" not in page


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////etc/passwd",
        "sqlite:///missing.sqlite3",
        "nonsense",
        "oracle://db/shop",
        "postgresql://user@127.0.0.1:notaport/shop",
    ],
)
@pytest.mark.usefixtures("folder")
def test_database_that_cannot_be_used_is_named_at_its_address(
    sync_admin_client: Client, url: str
) -> None:
    assert set(errors(sync_admin_client, sql_form(url))) == {"database_url"}


@pytest.mark.filterwarnings("ignore:Overriding setting DATABASES")  # nothing is read from it here
def test_own_database_is_refused(
    sync_admin_client: Client, settings: Settings, tmp_path: Path
) -> None:
    own = Path(str(django_settings.DATABASES["default"]["NAME"]))
    if not own.is_file():
        own = tmp_path / "own.sqlite3"
        own.touch()
        settings.DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(own)}}
    settings.SQLITE_DIR = own.parent
    assert set(errors(sync_admin_client, sql_form(f"sqlite:///{own}"))) == {"database_url"}


def test_database_that_is_away_may_be_saved_without_check(sync_admin_client: Client) -> None:
    url = "postgresql://user:secret-word@127.0.0.1:9/shop"
    response = sync_admin_client.post(ADD, sql_form(url))
    page = response.content.decode()
    assert "Save without check" in page
    assert "secret-word" not in page
    again = sql_form("postgresql://user@127.0.0.1:9/shop", action="save_unchecked")
    assert sync_admin_client.post(ADD, again).status_code == 302
    system = System.objects.get()
    assert "secret-word" not in str(system.parameters)
    assert system.secrets == {"password": "secret-word"}


@pytest.mark.requirement("S19")
def test_mapping_and_integration_begin_with_a_saved_system(
    sync_admin_client: Client, hubspot: Sandbox
) -> None:
    before = sync_admin_client.get("/integrations/add/", follow=True).content.decode()
    assert ">HubSpot</option>" not in before
    assert sync_admin_client.post(ADD, hubspot_form(hubspot.url)).status_code == 302
    for url in ("/integrations/add/", "/mappings/add/"):
        assert ">HubSpot</option>" in sync_admin_client.get(url, follow=True).content.decode()
