"""From a refusal of HubSpot into the mapping row that mends it, and on to the healed record."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from hubconnect.core.models import User
from tests.e2e.looking import look
from tests.e2e.test_frame import sign_in
from tests.house import NAMES, Desk, House, furnish
from tests.sandbox_process import Sandbox

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

CUSTOMERS = """
create table customers (
    id integer primary key,
    email varchar(200) not null unique,
    first_name varchar(30),
    last_name varchar(100),
    stage varchar(30),
    updated_at datetime not null default (strftime('%Y-%m-%d %H:%M:%f', 'now')));
insert into customers (email, first_name, stage) values ('ana@x.example', 'Ana', 'custommer');
insert into customers (email, first_name, stage) values ('ben@x.example', 'Ben', 'custommer');
"""
STAGE = {"left_field": "lifecyclestage", "right_field": "stage", "direction": "to_left"}


@pytest.fixture
def house(hub: Sandbox, desk_file: Path) -> House:
    """Two customers whose stage HubSpot does not know; both are refused."""
    Desk(desk_file).script(CUSTOMERS)
    made = furnish(hub, desk_file, rows=(*NAMES, STAGE))
    made.activate()
    made.sync()
    assert len(made.open_failures()) == 2
    return made


@pytest.mark.requirement("S89")
def test_refusal_is_mended_from_the_failure(
    live_server: LiveServer, page: Page, sync_admin: User, house: House
) -> None:
    sign_in(page, live_server.url, sync_admin)
    page.get_by_role("link", name=re.compile("^Failures")).click()
    look(page, "failures")
    page.get_by_role("link", name="Ana").first.click()
    expect(page.get_by_text("VALIDATION_ERROR")).to_be_visible()
    expect(page.get_by_text("“custommer”").first).to_be_visible()
    look(page, "failure")
    failure = page.url

    page.get_by_role("link", name="Prepare it in the mapping").click()
    expect(page.get_by_text("a pair is added for “custommer”")).to_be_visible()
    look(page, "mapping-repair")
    page.locator("#repair").get_by_role("button", name="retry all 2").click()
    expect(page.get_by_text("2 failures will be tried again")).to_be_visible()
    house.sync()
    page.reload()
    expect(page.get_by_text("Nothing failed")).to_be_visible()
    page.goto(failure)
    expect(page.get_by_role("heading", name="Ana")).to_contain_text("Healed")
    look(page, "failure-healed")
    assert set(house.contacts()) == {"ana@x.example", "ben@x.example"}
    assert house.open_failures() == []
