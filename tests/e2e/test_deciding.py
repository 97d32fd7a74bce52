"""What a person decides in the browser: which value holds, and what changed rows do."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from hubconnect.core.models import User
from hubconnect.integrations.services import activation
from hubconnect.mappings.models import FieldMapping
from hubconnect.systems.services import schema
from tests.e2e.looking import look
from tests.e2e.test_frame import sign_in
from tests.house import NAMES, House, furnish
from tests.sandbox_process import Sandbox

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

ANA = "ana@x.example"


@pytest.fixture
def house(hub: Sandbox, desk_file: Path) -> House:
    hub.create("contacts", {"email": ANA, "firstname": "Ana", "lastname": "Poe"})
    made = furnish(hub, desk_file, rows=[{**row, "conflict": "ask"} for row in NAMES])
    made.activate()
    made.sync()
    made.sync()
    return made


def test_a_person_chooses_which_value_holds(
    live_server: LiveServer, page: Page, sync_admin: User, house: House
) -> None:
    house.hub.update(
        "contacts", house.contact_id(ANA), {"firstname": "Anna", "lastname": "Poet of Ulm"}
    )
    house.desk.run("update customers set first_name = 'Anne', last_name = 'Poetess'")
    house.run_until_seen("to_right")
    (failure,) = house.open_failures()
    sign_in(page, live_server.url, sync_admin)
    page.goto(f"{live_server.url}/failures/{failure.pk}/")
    expect(page.get_by_role("heading", name="Which value holds?")).to_be_visible()
    look(page, "conflict")
    first = page.get_by_role("group", name="First Name")
    first.get_by_role("radio", name="Order desk").check()
    page.get_by_role("button", name="Use the chosen values").click()
    said = page.get_by_text("Your choice is carried out with the next run.", exact=True)
    expect(said).to_be_visible()
    expect(page.get_by_text("was chosen and waits for the next run")).to_be_visible()
    look(page, "conflict-chosen")
    house.sync_until(lambda: house.contacts()[ANA] == ("Anne", "Poet of Ulm"))
    (failure,) = house.open_failures()
    assert [one["left"]["field"] for one in failure.conflicts] == ["lastname"]


def test_rows_that_came_are_filled_by_choice(
    live_server: LiveServer, page: Page, sync_admin: User, house: House
) -> None:
    house.desk.script("alter table customers add column phone varchar(40)")
    schema.forget(house.order_desk)
    activation.deactivate(house.integration, sync_admin)
    FieldMapping.objects.create(
        mapping=house.mapping, left_field="phone", right_field="phone", position=9
    )
    sign_in(page, live_server.url, sync_admin)
    page.goto(f"{live_server.url}/integrations/{house.integration.pk}/activate/")
    expect(page.get_by_text("1 record is linked already")).to_be_visible()
    look(page, "rows-changed")
    page.get_by_role("radio", name="Fill Order desk from HubSpot").check()
    page.get_by_role("button", name="Activate", exact=True).click()
    expect(page.get_by_text("Changed rows are brought into line")).to_be_visible()
    look(page, "rows-progress")
    house.sync()
    page.reload()
    expect(page.get_by_text("Changed rows are brought into line")).to_have_count(0)
