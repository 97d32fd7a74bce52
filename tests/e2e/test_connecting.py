"""Connecting HubSpot by OAuth 2.0 in a browser: the form, HubSpot's question, the form again."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import ConsoleMessage, Page, expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from hubconnect.core.models import User
from hubconnect.systems.models import SignIn
from tests.e2e.test_frame import sign_in
from tests.sandbox_process import Sandbox, sandbox

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def hub(live_server: LiveServer, settings: Settings) -> Iterator[Sandbox]:
    settings.PUBLIC_URL = live_server.url
    with sandbox() as running:
        back = f"{live_server.url}/systems/oauth/callback/"
        running.add_app("app-one", client_secret="hush", app_id=9301, redirect_uris=[back])
        yield running


def test_connecting_leads_to_hubspot_and_back(
    live_server: LiveServer, page: Page, sync_admin: User, hub: Sandbox
) -> None:
    errors: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error":
            errors.append(message.text)

    page.on("console", note)
    sign_in(page, live_server.url, sync_admin)
    page.goto(f"{live_server.url}/systems/add/?connector=hubspot")
    page.get_by_label("System Name").fill("HubSpot")
    page.get_by_label("API Url").fill(hub.url)
    page.get_by_label("User Email").fill("rae.poe@example.com")
    page.get_by_label("Authentication Type").select_option("oauth")
    page.get_by_label("Client ID").fill("app-one")
    page.get_by_label("Client Secret").fill("hush")
    page.get_by_role("button", name="Connect to HubSpot").click()
    page.get_by_role("button", name="Connect app").click()
    expect(page.get_by_text("HubSpot account 4242")).to_be_visible()
    expect(page.get_by_label("Application Id")).to_have_value("9301")
    assert "code=" not in page.url
    page.get_by_role("button", name="Check and save").click()
    expect(page.get_by_text("HubSpot is connected and saved.")).to_be_visible()
    expect(page.get_by_role("button", name="Reconnect")).to_be_visible()
    assert errors == []  # nothing that the content policy refuses either
    assert SignIn.objects.count() == 1
