"""The frame around the pages, in a browser."""

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from hubconnect.core.models import User

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


def sign_in(page: Page, address: str, user: User) -> None:
    page.goto(f"{address}/profile/")
    page.get_by_label("User name").fill(user.username)
    page.get_by_label("Password").fill("secret-of-tests")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your profile")).to_be_visible()


def test_signing_in_reading_and_out_by_keyboard(
    live_server: LiveServer, page: Page, admin: User
) -> None:
    sign_in(page, live_server.url, admin)
    page.get_by_role("link", name="Users").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Users")).to_have_attribute("aria-current", "page")
    page.get_by_role("button", name="Sign out").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_the_theme_is_kept(live_server: LiveServer, page: Page, admin: User) -> None:
    sign_in(page, live_server.url, admin)
    page.get_by_role("button", name="Light or dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_errors_are_focused_and_nothing_scrolls_sideways_on_a_phone(
    live_server: LiveServer, page: Page, admin: User
) -> None:
    page.set_viewport_size({"width": 400, "height": 800})
    sign_in(page, live_server.url, admin)
    page.get_by_role("link", name="Menu").click()
    page.get_by_role("link", name="Users").click()
    page.get_by_role("link", name="Add user").click()
    page.get_by_role("button", name="Add user").click()
    expect(page.get_by_role("alert")).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth") == 400
