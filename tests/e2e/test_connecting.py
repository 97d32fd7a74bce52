"""Connecting HubSpot by OAuth 2.0 in a browser: the form, HubSpot's question, the form again."""

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from hubconnect.core.models import User
from hubconnect.systems.models import SignIn, System
from tests.e2e.looking import look
from tests.e2e.test_frame import sign_in
from tests.sandbox_process import Sandbox

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


def fill_in(page: Page, address: str, hub: Sandbox) -> None:
    """Fill in the form of a new HubSpot system, up to connecting."""
    page.goto(f"{address}/systems/add/?connector=hubspot")
    page.get_by_label("System Name").fill("HubSpot")
    page.get_by_label("API Url").fill(hub.url)
    page.get_by_label("User Email").fill("rae.poe@example.com")
    page.get_by_label("Authentication Type").select_option("oauth")
    page.get_by_label("Client ID").fill("app-one")
    page.get_by_label("Client Secret").fill("hush")


def save_connected(page: Page) -> None:
    """Expect account, user and app in the form, then save it."""
    expect(page.get_by_text("HubSpot account 4242")).to_be_visible()
    expect(page.get_by_label("Application Id")).to_have_value("9301")
    page.get_by_role("button", name="Check and save").click()
    expect(page.get_by_text("HubSpot is connected and saved.")).to_be_visible()


@pytest.mark.requirement("S6", "S8", "S104")
def test_connecting_leads_to_hubspot_and_back(
    live_server: LiveServer, page: Page, sync_admin: User, hub: Sandbox
) -> None:
    sign_in(page, live_server.url, sync_admin)
    fill_in(page, live_server.url, hub)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy the redirect address").click()
    copied = "navigator.clipboard.readText()"
    assert page.evaluate(copied) == f"{live_server.url}/systems/oauth/callback/"
    look(page, "system-oauth")

    page.get_by_role("button", name="Connect to HubSpot").click()
    expect(page.get_by_role("heading", name="Connect")).to_be_visible()
    assert page.url.startswith(hub.url)
    page.get_by_role("button", name="Connect app").click()

    expect(page.get_by_text("Look at what was found below")).to_be_visible()
    assert "code=" not in page.url
    expect(page.get_by_text("rae.poe@example.com", exact=False).first).to_be_visible()
    expect(page.get_by_role("cell", name="crm.objects.contacts.read").first).to_be_visible()
    look(page, "system-connected")
    save_connected(page)
    expect(page.get_by_role("button", name="Reconnect")).to_be_visible()
    look(page, "system-saved")
    page.goto(f"{live_server.url}/help/hubspot-scopes/")
    look(page, "help-topic")
    assert SignIn.objects.get().system == System.objects.get()


def test_refusing_consent_is_said_and_connecting_again_works(
    live_server: LiveServer, page: Page, sync_admin: User, hub: Sandbox
) -> None:
    sign_in(page, live_server.url, sync_admin)
    fill_in(page, live_server.url, hub)
    page.get_by_role("button", name="Connect to HubSpot").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("alert")).to_contain_text("refused in HubSpot")
    expect(page.get_by_label("System Name")).to_have_value("HubSpot")
    page.get_by_role("button", name="Connect to HubSpot").click()
    page.get_by_role("button", name="Connect app").click()
    save_connected(page)


@pytest.mark.requirement("S123", "S125", "S126")
def test_redirected_address_is_pasted_by_hand(
    live_server: LiveServer, page: Page, browser: Browser, sync_admin: User, hub: Sandbox
) -> None:
    sign_in(page, live_server.url, sync_admin)
    fill_in(page, live_server.url, hub)
    # Somebody else, who may install apps in HubSpot, follows the install address of the app.
    with browser.new_context() as elsewhere:
        other = elsewhere.new_page()
        back = f"{live_server.url}/systems/oauth/callback/"
        other.goto(
            f"{hub.url}/oauth/authorize?client_id=app-one&redirect_uri={back}"
            "&scope=oauth%20crm.objects.contacts.read%20crm.objects.owners.read"
        )
        other.get_by_role("button", name="Connect app").click()
        other.wait_for_url(f"{live_server.url}/**")
        redirected = other.url
    page.get_by_text("Or paste a code by hand").click()
    page.get_by_label("Authorization Code").fill(redirected)
    page.get_by_role("button", name="Check connection").click()
    save_connected(page)
