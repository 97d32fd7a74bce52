"""What no form would send: a sentence or a page of ours, never a fault of the server."""

import pytest
from django.test import Client

from hubconnect.systems.models import System

pytestmark = pytest.mark.django_db

LONG = "9" * 5000
ODD = ("\0", LONG, "²", "https://a.example/\nx", "http://[", "connector:x", "t: a=b, a=c\x0b")
FIELDS = (
    *("connector", "name", "api_url", "user_email", "auth_type", "access_token", "client_id"),
    *("client_secret", "authorization_code", "app_id", "remote_link_base", "action", "use"),
)
HUBSPOT = {
    "connector": "hubspot",
    "name": "HubSpot",
    "api_url": "http://127.0.0.1:9",
    "user_email": "sync@example.com",
    "auth_type": "oauth",
    "client_id": "app",
    "client_secret": "hush-hush",
    "action": "connect",
}


@pytest.mark.parametrize("field", FIELDS)
def test_odd_values_are_answered_by_the_form(sync_admin_client: Client, field: str) -> None:
    for odd in ODD:
        page = sync_admin_client.post("/systems/add/", {**HUBSPOT, field: odd})
        assert page.status_code == 200, odd


@pytest.mark.parametrize(
    "field", ["database_url", "time_zone", "foreign_keys", "comment_tables", "file_tables"]
)
def test_odd_settings_of_a_database_are_answered_by_the_form(
    sync_admin_client: Client, field: str
) -> None:
    given = {"connector": "sql", "name": "Shop", "database_url": "sqlite:///no.sqlite3"}
    for odd in (*ODD, "sqlite:///a:b", "postgresql://u@127.0.0.1:99999/x", "postgresql://u@h:x/y"):
        page = sync_admin_client.post("/systems/add/", {**given, field: odd})
        assert page.status_code == 200, odd


@pytest.mark.parametrize("odd", ["\0", LONG, "²", "<script>"])
def test_odd_addresses_are_answered(sync_admin_client: Client, odd: str) -> None:
    for address, name in (
        ("/systems/", "q"),
        ("/systems/add/", "connector"),
        ("/mappings/", "q"),
        ("/failures/", "q"),
        ("/failures/", "state"),
        ("/failures/", "category"),
        ("/history/", "kind"),
        ("/help/", "system"),
        ("/systems/oauth/callback/", "state"),
    ):
        page = sync_admin_client.get(address, {name: odd}, follow=True)
        assert page.status_code == 200, address
        assert b"<script>" not in page.content


@pytest.mark.parametrize("what", ["check", "connect", "prepare", "edit", "delete"])
def test_a_system_whose_connector_is_gone_still_has_its_pages(
    sync_admin_client: Client, what: str
) -> None:
    gone = System.objects.create(name="Old", connector="gone")
    answer = sync_admin_client.post(f"/systems/{gone.pk}/{what}/", {"preparation": "x"})

    assert answer.status_code in (200, 302, 404)
