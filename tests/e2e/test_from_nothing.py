"""From an empty order desk to a synced customer with comment and file, all of it in a browser."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from hubconnect.core.models import User
from hubconnect.integrations.models import Flow, Run
from hubconnect.integrations.services.execute import run_flow
from tests.children import ChattyDesk
from tests.e2e.looking import look, settle
from tests.e2e.test_frame import sign_in
from tests.house import make_hubspot
from tests.sandbox_process import Sandbox

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

ANA, BEN, CARA = "ana@x.example", "ben@x.example", "cara@x.example"
FILE = b"two boxes of tea"
CUSTOMERS_ONLY = [{"condition": "EQUALS", "field": "lifecyclestage", "value": "customer"}]


@pytest.fixture
def desk(desk_file: Path, hub: Sandbox) -> ChattyDesk:
    """A desk that knows Ana; HubSpot knows Ana and Cara as customers, and Ben as a lead."""
    make_hubspot(hub)
    for email, stage in ((ANA, "customer"), (BEN, "lead"), (CARA, "customer")):
        values = {"email": email, "firstname": email[:3], "lifecyclestage": stage}
        contact = hub.create("contacts", values)
        if email == CARA:
            file = hub.add_file(FILE, "order.txt")
            hub.add_note("Wants tea", ("contacts", contact), files=[str(file["id"])])
    made = ChattyDesk(desk_file).build()
    made.add_customer(ANA)
    return made


def add_desk(page: Page, address: str, file: Path) -> None:
    """Add the order desk as a system, with its comments and files."""
    page.goto(f"{address}/systems/")
    page.get_by_role("link", name="Add system").click()
    page.get_by_label("System type").select_option(label="SQL database")
    expect(page.get_by_label("Database URL")).to_be_visible()
    settle(page)
    page.get_by_label("Database URL").fill(f"sqlite:///{file}")
    page.get_by_label("System Name").fill("Order desk")
    page.get_by_label("Modified-at column").fill("updated_at")
    page.get_by_label("Comment tables").fill(
        "customer_comments: body=body, author=author, time=written_at, edited=edited_at"
    )
    page.get_by_label("File tables").fill("customer_files")
    page.get_by_role("button", name="Check and save").click()
    expect(page.get_by_text("Order desk is connected and saved.")).to_be_visible()
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("button", name="Create")).to_have_count(0)


def draw_mapping(page: Page, address: str) -> None:
    """Draw a mapping from what looks right by name, and let comments and files go along."""
    page.goto(f"{address}/mappings/")
    page.get_by_role("link", name="Add mapping").click()
    page.get_by_label("First system").select_option(label="HubSpot")
    kinds = page.get_by_label("Its object type")
    expect(kinds.first.locator("option[value=contacts]")).to_be_attached()
    settle(page)
    kinds.first.select_option("contacts")
    settle(page)
    page.get_by_label("Second system").select_option(label="Order desk")
    expect(kinds.last.locator("option[value=customers]")).to_be_attached()
    settle(page)
    kinds.last.select_option("customers")
    settle(page)
    page.get_by_role("button", name="Go on to the fields").click()
    expect(page.get_by_role("button", name="Check and save")).to_be_visible()
    look(page, "mapping-suggested")
    page.get_by_role("button", name="Add all 3").click()
    expect(page.get_by_label("Email: direction")).to_have_value("both")
    look(page, "mapping-fields")
    page.get_by_role("button", name="Check and save").click()
    expect(page.get_by_text("saved as version")).to_be_visible()

    page.get_by_role("link", name="Associations, comments, attachments").click()
    page.get_by_label("Comments").select_option("both")
    expect(page.get_by_text("Author in front of the copy")).to_be_visible()
    page.get_by_label("Attachments").select_option("both")
    look(page, "mapping-carried")
    page.get_by_role("button", name="Check and save").click()
    expect(page.get_by_text("saved as version")).to_be_visible()


def add_integration(page: Page, address: str) -> None:
    """Add an integration with the pair, from HubSpot to the desk."""
    page.goto(f"{address}/integrations/")
    page.get_by_role("link", name="Add integration").click()
    page.get_by_label("Name").fill("Customers")
    page.get_by_label("First system").select_option(label="HubSpot")
    page.get_by_label("Second system").select_option(label="Order desk")
    page.get_by_role("button", name="Save, then add pairs").click()
    page.get_by_label("Mapping").select_option(index=1)
    page.get_by_label("Direction").select_option("to_right")
    page.get_by_role("button", name="Add pair").click()
    expect(page.get_by_text("Choose now where each direction starts.")).to_be_visible()


def build_criteria(part: Locator) -> None:
    """Build the criteria in rows and see the JSON follow, then the other way round."""
    text = part.get_by_label("Query (JSON)")
    part.get_by_role("button", name="Add condition").click()
    settle(part.page)
    part.get_by_label("Field of condition 1").select_option("lifecyclestage")
    settle(part.page)
    part.get_by_label("Value of condition 1").select_option("lead")
    expect(text).to_have_value(json.dumps([{**CUSTOMERS_ONLY[0], "value": "lead"}], indent=2))
    asked = part.get_by_label("What HubSpot is asked")
    expect(asked).to_contain_text('"value": "lead"')

    text.fill(json.dumps(CUSTOMERS_ONLY))
    text.blur()
    expect(part.get_by_label("Value of condition 1")).to_have_value("customer")
    expect(asked).to_contain_text('"value": "customer"')
    part.get_by_role("button", name="Try it").click()
    expect(part.get_by_text("2 match now")).to_be_visible()


def build_lookup(part: Locator) -> None:
    """Build the lookup, and try it on real contacts: one is known, one is not."""
    part.get_by_role("button", name="Add condition").click()
    settle(part.page)
    part.get_by_label("Field of condition 1").select_option("email")
    settle(part.page)
    part.get_by_label("Value of condition 1").fill("@email@")
    part.get_by_label("Value of condition 1").blur()
    expect(part.get_by_label("Target search query (JSON)")).to_have_value(
        json.dumps([{"condition": "EQUALS", "field": "email", "value": "@email@"}], indent=2)
    )
    part.get_by_role("button", name="Try it").click()
    expect(part.get_by_role("row").filter(has_text=ANA)).to_contain_text("1")


def switch_off(part: Locator) -> None:
    """Leave the other direction alone."""
    part.get_by_label("This direction is switched on").uncheck()


def activate_and_run(page: Page) -> Run:
    """Activate after what is asked, press Run now, and let the flow run as a worker does."""
    page.get_by_role("link", name="Activate").click()
    expect(page.get_by_role("heading", name="Activate Customers?")).to_be_visible()
    look(page, "activation")
    page.get_by_role("button", name="Activate").click()
    expect(page.get_by_text("Customers is active")).to_be_visible()
    page.get_by_role("button", name="Run now").first.click()
    expect(page.get_by_text("Customers runs now")).to_be_visible()
    run = run_flow(Flow.objects.get(is_enabled=True).pk)
    assert run is not None
    return run


@pytest.mark.requirement("S19", "S35", "S39")
def test_first_sync(
    live_server: LiveServer, page: Page, sync_admin: User, desk: ChattyDesk
) -> None:
    sign_in(page, live_server.url, sync_admin)
    add_desk(page, live_server.url, desk.file)
    draw_mapping(page, live_server.url)
    add_integration(page, live_server.url)
    page.locator("#to_right").get_by_label("Everything there is").check()
    build_criteria(page.locator("#to_right-criteria"))
    build_lookup(page.locator("#to_right-lookup"))
    look(page, "pair")
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_text("saved")).to_be_visible()
    run = activate_and_run(page)

    page.reload()
    look(page, "integration")
    page.get_by_role("link", name="Sync history").first.click()
    look(page, "history")
    page.goto(f"{live_server.url}/history/{run.pk}/")
    expect(page.get_by_role("row", name="Created")).to_contain_text(CARA[:3])
    expect(page.get_by_role("row", name="Comment carried")).to_contain_text("Wants tea")
    look(page, "run")
    assert set(desk.customers()) == {ANA, CARA}
    assert "Wants tea" in desk.said(CARA)
    assert desk.files(CARA) == {"order.txt": FILE}
