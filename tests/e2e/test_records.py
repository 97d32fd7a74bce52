"""Why was it not synced? The story of a record, a preview and a comparison, in a browser."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from hubconnect.core.models import User
from hubconnect.integrations.models import Flow, Reconciliation
from hubconnect.integrations.services import reconciling
from tests.e2e.looking import look
from tests.e2e.test_frame import sign_in
from tests.house import House, furnish
from tests.sandbox_process import Sandbox

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

NOT_CY = [{"condition": "NOT_EQUALS", "field": "firstname", "value": "Cy"}]


@pytest.fixture
def house(hub: Sandbox, desk_file: Path) -> House:
    """Ana and Ben in sync; Cy is outside the criteria of the flow to the desk."""
    for name in ("Ana", "Ben"):
        hub.create("contacts", {"email": f"{name.lower()}@x.example", "firstname": name})
    made = furnish(hub, desk_file)
    made.activate()
    made.sync()
    Flow.objects.filter(pk=made.to_desk.pk).update(criteria=NOT_CY)
    hub.create("contacts", {"email": "cy@x.example", "firstname": "Cy", "lastname": "Ode"})
    return made


def test_a_record_tells_why_and_is_synced_now(
    live_server: LiveServer, page: Page, sync_admin: User, house: House
) -> None:
    sign_in(page, live_server.url, sync_admin)
    page.get_by_role("link", name="Records").click()
    look(page, "records")
    page.get_by_label("Id or address").fill(house.contact_id("cy@x.example"))
    page.get_by_role("button", name="Show its story").click()
    outside = page.get_by_role("heading", name="Not sent to Order desk: it is outside the criteria")
    expect(outside).to_be_visible()
    expect(page.get_by_text("First Name is not Cy", exact=True)).to_be_visible()
    look(page, "record-outside")

    ana = house.contact_id("ana@x.example")
    house.hub.update("contacts", ana, {"lastname": "Poe"})
    page.get_by_label("Id or address").fill("ANA")
    page.get_by_role("button", name="Show its story").click()
    expect(page.get_by_text("changed in HubSpot", exact=True)).to_be_visible()
    look(page, "record-differs")
    page.get_by_role("button", name="Sync now").first.click()
    expect(page.get_by_text("Syncing now")).to_be_visible()
    house.sync()
    expect(page.get_by_text("Synced now")).to_be_visible()
    expect(page.get_by_role("heading", name="In sync with Order desk")).to_be_visible()
    look(page, "record-in-sync")
    assert house.desk.customers()["ana@x.example"] == ("Ana", "Poe")


def test_a_preview_and_a_comparison(
    live_server: LiveServer, page: Page, sync_admin: User, house: House
) -> None:
    house.desk.run("update customers set last_name = 'Ode' where email = 'ben@x.example'")
    sign_in(page, live_server.url, sync_admin)
    page.goto(f"{live_server.url}/integrations/{house.integration.pk}/")
    page.get_by_role("link", name="Preview Contacts and customers from Order desk").click()
    expect(page.get_by_role("row", name="Ben")).to_contain_text("Ode")
    look(page, "preview")
    assert house.contacts()["ben@x.example"] == ("Ben", None)

    page.goto(f"{live_server.url}/integrations/{house.integration.pk}/")
    page.get_by_role("link", name="Compare both sides of Contacts and customers").click()
    look(page, "comparisons")
    page.get_by_role("button", name="Compare now").click()
    expect(page.get_by_text("Comparing")).to_be_visible()
    reconciling.take_turn(Reconciliation.objects.get().pk)
    row = page.get_by_role("row", name="Ben")
    expect(row).to_contain_text("Different values")
    look(page, "comparison")
    row.get_by_role("button", name="Sync now").click()
    expect(page.get_by_text("asked for 1 finding")).to_be_visible()
    reconciling.take_turn(Reconciliation.objects.get().pk)
    expect(page.get_by_role("row", name="Ben")).to_contain_text("The next run reads it afresh.")
    house.sync()
    assert house.contacts()["ben@x.example"] == ("Ben", "Ode")
