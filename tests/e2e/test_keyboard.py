"""Forms that are drawn anew while they are filled in, by keyboard alone."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from hubconnect.core.models import User
from hubconnect.integrations.models import Flow, Integration
from tests.e2e.looking import settle
from tests.e2e.test_connecting import fill_in, save_connected
from tests.e2e.test_frame import sign_in
from tests.house import furnish
from tests.sandbox_process import Sandbox

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

MOST_STEPS = 60
LEADS = json.dumps([{"condition": "EQUALS", "field": "lifecyclestage", "value": "lead"}], indent=2)


def step_to(target: Locator, key: str = "Tab") -> None:
    """Press a key until the focus is where one wants it."""
    for _ in range(MOST_STEPS):
        if target.count() and target.evaluate("it => it === document.activeElement"):
            return
        target.page.keyboard.press(key)
    expect(target).to_be_focused(timeout=1)


def press(page: Page, *keys: str) -> None:
    """Press keys, and wait until what they cause is in its place."""
    for key in keys:
        page.keyboard.press(key)
    settle(page)


def choose(select: Locator, value: str) -> None:
    """Press the first letter of an option until it is the chosen one."""
    label = select.locator(f"option[value={value}]").text_content() or ""
    for _ in range(MOST_STEPS):
        if select.input_value() == value:
            return
        press(select.page, label.strip()[0])
    expect(select).to_have_value(value, timeout=1)


@pytest.fixture
def flow(hub: Sandbox, desk_file: Path) -> Flow:
    hub.create("contacts", {"email": "ana@x.example", "lifecyclestage": "lead"})
    house = furnish(hub, desk_file, lookup=[])
    Integration.objects.update(is_active=False)
    return house.to_desk


def test_conditions_are_added_tried_and_removed(
    live_server: LiveServer, page: Page, sync_admin: User, flow: Flow
) -> None:
    sign_in(page, live_server.url, sync_admin)
    page.goto(f"{live_server.url}/pairs/{flow.pair_id}/")
    part = page.locator("#to_right-criteria")
    step_to(part.get_by_role("button", name="Add condition"))
    press(page, "Enter")
    field = part.get_by_label("Field of condition 1")
    expect(field).to_be_focused()  # what one wants to choose next
    choose(field, "lifecyclestage")
    expect(field).to_be_focused()
    value = part.get_by_label("Value of condition 1")
    step_to(value)
    choose(value, "lead")
    expect(part.get_by_label("Query (JSON)")).to_have_value(LEADS)

    tried = part.get_by_role("button", name="Try it")
    step_to(tried)
    press(page, "Enter")
    expect(part.get_by_text("1 match now")).to_be_visible()
    expect(tried).to_be_focused()

    step_to(part.get_by_role("button", name="Remove Lifecycle Stage"), "Shift+Tab")
    press(page, "Enter")
    expect(part.get_by_label("Query (JSON)")).to_have_value("")
    expect(part.get_by_role("button", name="Add condition")).to_be_focused()


def test_connecting(live_server: LiveServer, page: Page, sync_admin: User, hub: Sandbox) -> None:
    sign_in(page, live_server.url, sync_admin)
    fill_in(page, live_server.url, hub)
    check = page.get_by_role("button", name="Check connection")
    step_to(check)
    press(page, "Enter")
    expect(page.get_by_role("alert")).to_be_focused()  # there is no code yet
    step_to(page.get_by_role("button", name="Connect to HubSpot"))
    page.keyboard.press("Enter")
    step_to(page.get_by_role("button", name="Connect app"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("Look at what was found below")).to_be_visible()
    step_to(check)
    press(page, "Enter")
    expect(check).to_be_focused()
    save_connected(page)
