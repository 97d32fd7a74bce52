"""Failures in a browser: by cause, in bulk, and one whose values are edited."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from hubconnect.core.models import User
from hubconnect.integrations.models import Failure
from tests.e2e.looking import look, settle
from tests.e2e.test_frame import sign_in
from tests.house import Desk
from tests.two_desks import TwoDesks, furnish_desks

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

ANA, BEN, CY = "ana@x.example", "ben@x.example", "cy@x.example"


@pytest.fixture
def house(tmp_path: Path, settings: Settings) -> TwoDesks:
    """Three customers whose new last names the right desk refuses; one waits the other way."""
    settings.SQLITE_DIR = tmp_path
    made = furnish_desks(tmp_path)
    for email in (ANA, BEN, CY):
        name = email.partition("@")[0].title()
        made.left.run("insert into customers (email, first_name) values (?, ?)", email, name)
    made.activate()
    made.sync()
    made.sync()
    for email in (ANA, BEN, CY):
        made.rename(made.left, email, last_name="bad")
    made.run("to_right")
    made.rename(made.right, ANA, first_name="Anna")
    made.run("to_left")
    assert len(made.open_failures()) == 3
    return made


def test_failures_are_found_by_cause_and_acted_on(
    live_server: LiveServer, page: Page, sync_admin: User, house: TwoDesks
) -> None:
    sign_in(page, live_server.url, sync_admin)
    page.get_by_role("link", name=re.compile("^Failures")).click()
    expect(page.get_by_role("link", name="Ana", exact=True)).to_be_visible()  # unfolded
    settle(page)
    look(page, "failures-causes")

    page.get_by_label("Group by").select_option("none")
    expect(page.get_by_text("3 failures wait")).to_be_visible()
    page.get_by_label("Choose Ben").check()
    page.get_by_label("Choose Cy").check()
    bulk = page.get_by_role("group", name="Act on the chosen failures")
    expect(bulk).to_contain_text("2 chosen")
    look(page, "failures-ticked")
    bulk.get_by_role("button", name="Dismiss the chosen…").click()
    expect(page.get_by_role("heading", name="Dismiss 2 failures?")).to_be_visible()
    look(page, "failures-dismiss")
    page.get_by_role("button", name="Dismiss 2, do not send").click()
    expect(page.get_by_text("2 failures dismissed.")).to_be_visible()
    assert [one.title for one in house.open_failures()] == ["Ana"]

    page.get_by_role("link", name="Ana", exact=True).click()
    expect(page.get_by_text("Waits behind it")).to_be_visible()
    look(page, "failure-waiting")
    page.get_by_role("link", name="Edit what is sent, retry").click()
    page.get_by_label("Last name").fill("Poe")
    look(page, "failure-edit")
    page.get_by_role("button", name="Send as edited").click()
    expect(page.get_by_role("heading", name="Sent as edited")).to_be_visible()
    expect(page.get_by_role("heading", name="What people did")).to_be_visible()
    look(page, "failure-edited")
    house.sync()
    page.reload()
    expect(page.get_by_role("heading", name="Ana")).to_contain_text("Healed")
    assert house.right.customers()[ANA] == ("Anna", "Poe")


def test_what_stops_flows_is_one_line(
    live_server: LiveServer, page: Page, sync_admin: User, house: TwoDesks
) -> None:
    file = house.right.file
    file.rename(file.with_name("away"))
    for _ in range(2):
        house.sync()
    house.right = Desk(file)
    stopped = Failure.objects.filter(level="flow", state="open")
    assert sorted(stopped.values_list("attempts", flat=True)) == [2, 2]
    sign_in(page, live_server.url, sync_admin)
    page.goto(f"{live_server.url}/failures/")
    first = page.locator("article.cause").first
    expect(first).to_contain_text("2 flows, such as")
    expect(first).to_contain_text("Seen 2 times since")
    expect(first.get_by_role("button", name="Retry the flows now")).to_be_visible()
    page.get_by_text("The records", exact=True).click()
    expect(page.get_by_role("link", name="Cy", exact=True)).to_be_visible()
    settle(page)
    look(page, "failures-stopped")
    file.with_name("away").rename(file)
    house.sync()
    page.reload()
    expect(page.locator("article.cause")).to_have_count(1)
