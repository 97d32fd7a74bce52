"""Setting a pair up, and mending it, in a browser: rows that follow, rows that appear, a repair."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import ConsoleMessage, Locator, Page, expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from hubconnect.core.models import User
from hubconnect.integrations.models import Flow, Run
from hubconnect.mappings.models import AssociationMapping, FieldMapping, Mapping, ValueMapEntry
from hubconnect.systems.services import schema
from tests.children import ChattyDesk, PairHouse, furnish_pair, make_chatty_desk
from tests.e2e.test_frame import sign_in
from tests.house import make_hubspot
from tests.sandbox_process import Sandbox, sandbox

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

MORE = """
alter table customers add column stage varchar(30);
create table orders (
    id integer primary key,
    title varchar(200) not null,
    customer_id integer references customers (id),
    updated_at datetime not null default (strftime('%Y-%m-%d %H:%M:%f', 'now')));
"""
CONTACT_TO_DEAL = "HUBSPOT_DEFINED:4"
READY = ":not(.htmx-added)"  # a part that was just exchanged listens a moment later
NAMES = (("email", "email"), ("firstname", "first_name"), ("lastname", "last_name"))


@pytest.fixture
def hub() -> Iterator[Sandbox]:
    with sandbox() as running:
        for name, stage in (("ana", "lead"), ("ben", "lead"), ("cy", "customer")):
            running.create("contacts", {"email": f"{name}@x.example", "lifecyclestage": stage})
        yield running


@pytest.fixture
def desk(tmp_path: Path, settings: Settings) -> ChattyDesk:
    settings.SQLITE_DIR = tmp_path
    made = ChattyDesk(tmp_path / "desk.sqlite3").build()
    made.script(MORE)
    return made


@pytest.fixture
def house(hub: Sandbox, desk: ChattyDesk) -> PairHouse:
    """Contacts and customers, who have a stage, comments, files and orders; inactive."""
    left, right = (make_hubspot(hub), "contacts"), (make_chatty_desk(desk.file), "customers")
    made = furnish_pair(left, right, NAMES)
    stage = {"left_field": "lifecyclestage", "right_field": "stage", "direction": "to_left"}
    FieldMapping.objects.create(mapping=Mapping.objects.get(), position=3, **stage)
    return made


@pytest.fixture
def refused(house: PairHouse, desk: ChattyDesk) -> PairHouse:
    """The house at work; HubSpot does not know the stage of two of its customers."""
    for name in ("dee", "eve"):
        desk.run(
            "insert into customers (email, stage) values (?, 'custommer')", f"{name}@x.example"
        )
    house.activate()
    house.sync()
    assert [one.category for one in house.open_failures()] == ["VALIDATION_ERROR"] * 2
    return house


@pytest.fixture
def full(refused: PairHouse) -> PairHouse:
    """The refused house with everything on its pages: conditions, a link, comments, files."""
    many = {"condition": "IN", "field": "lifecyclestage", "values": ["lead", "customer"]}
    span = {"condition": "BETWEEN", "field": "num_notes", "value": 1, "highValue": 20}
    Flow.objects.filter(direction="to_right").update(criteria=[many, span])
    mapping = Mapping.objects.get()
    orders = schema.association_types(mapping.right_system, "customers")
    link = {"left_association": CONTACT_TO_DEAL, "left_to_type": "deals"}
    (ours,) = [one for one in orders if one.to_type == "orders"]
    link |= {"right_association": ours.name, "right_to_type": "orders"}
    AssociationMapping.objects.create(mapping=mapping, **link)
    Mapping.objects.update(comments="both", files="both")
    return refused


@pytest.fixture
def errors(page: Page) -> list[str]:
    """What the browser complains of, what the content policy refuses included."""
    heard: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error":
            heard.append(f"{page.url}: {message.text}")

    page.on("console", note)
    page.on("pageerror", lambda error: heard.append(f"{page.url}: {error}"))
    return heard


def is_json(box: Locator, wanted: object) -> None:
    """Wait until a box holds this JSON, however it is laid out."""
    tokens = re.findall(r'"[^"]*"|[\d.]+|\S', json.dumps(wanted))
    expect(box).to_have_value(re.compile(r"^\s*" + r"\s*".join(map(re.escape, tokens)) + r"\s*$"))


def type_into(box: Locator, text: str) -> None:
    """Type and leave the box, as a person does: only then it is looked at."""
    box.fill(text)
    box.press("Tab")


@pytest.mark.requirement("S53", "S54", "S61", "S62")
def test_criteria_as_rows_as_json_and_as_a_search_follow_each_other(
    live_server: LiveServer, page: Page, sync_admin: User, house: PairHouse, errors: list[str]
) -> None:
    sign_in(page, live_server.url, sync_admin)
    page.goto(f"{live_server.url}/pairs/{house.integration.pairs.get().pk}/")
    part = page.locator(f"#to_right-criteria{READY}")
    text, asked = part.locator("textarea[name=to_right-criteria]"), part.locator(".cond-query pre")
    row = {"condition": "EQUALS", "field": "lifecyclestage", "value": ""}

    part.get_by_role("button", name="Add condition").click()
    part.get_by_label("Field of condition 1").select_option("lifecyclestage")
    is_json(text, [row])
    part.get_by_label("Comparison of condition 1").select_option("NOT_EQUALS")
    is_json(text, [row | {"condition": "NOT_EQUALS"}])
    part.get_by_label("Value of condition 1").select_option("customer")
    is_json(text, [row | {"condition": "NOT_EQUALS", "value": "customer"}])
    expect(asked).to_contain_text('"operator": "NEQ", "value": "customer"')

    type_into(text, json.dumps([row | {"value": "Lead"}]))
    expect(part.get_by_text("Did you mean “lead”")).to_be_visible()
    type_into(text, json.dumps([row | {"value": "lead"}]))
    expect(part.get_by_text("Did you mean")).to_have_count(0)
    expect(part.get_by_label("Value of condition 1")).to_have_value("lead")
    expect(part.get_by_label("Comparison of condition 1")).to_have_value("EQUALS")
    expect(asked).to_contain_text('"operator": "EQ", "value": "lead"')

    part.get_by_role("button", name="Try it").click()
    expect(part.get_by_text("2 match now")).to_be_visible()
    expect(part.get_by_text("ana@x.example")).to_be_visible()
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_text("The settings of contacts and customers were saved.")).to_be_visible()
    assert Flow.objects.get(direction="to_right").criteria == [row | {"value": "lead"}]
    assert errors == []


@pytest.mark.requirement("S46")
def test_what_is_carried_beside_fields_shows_its_settings_when_it_is_switched_on(
    live_server: LiveServer, page: Page, sync_admin: User, house: PairHouse, errors: list[str]
) -> None:
    mapping = Mapping.objects.get(pairs__integration=house.integration)
    sign_in(page, live_server.url, sync_admin)
    page.goto(f"{live_server.url}/mappings/{mapping.pk}/carried/")
    authors = page.get_by_role("group", name="Author in front of the copy")
    expect(authors).to_be_hidden()
    page.locator("select[name=comments]").select_option("to_right")
    expect(authors.get_by_role("checkbox")).to_have_count(1)  # that of the other way is hidden
    page.locator("select[name=comments]").select_option("both")
    expect(authors.get_by_role("checkbox")).to_have_count(2)
    authors.get_by_role("checkbox").first.set_checked(checked=True)

    page.get_by_role("button", name="Add an association").click()
    link = page.locator(f"#carried{READY} #link-0")
    expect(link).to_be_visible()
    expect(authors.get_by_role("checkbox").first).to_be_checked()  # the rest of the form is kept
    ends = {side: link.locator(f"select[name=links-0-{side}]") for side in ("left", "right")}
    ends["left"].select_option(CONTACT_TO_DEAL)
    orders = ends["right"].locator("option", has_text=re.compile("order", re.IGNORECASE)).first
    ends["right"].select_option(orders.get_attribute("value"))
    page.get_by_role("button", name="Check and save").click()
    expect(page.get_by_text("was saved as version 2.")).to_be_visible()
    expect(ends["left"]).to_have_value(CONTACT_TO_DEAL)
    mapping.refresh_from_db()
    assert (mapping.comment_author_to_right, mapping.comment_author_to_left) == (True, False)
    assert (mapping.comments, mapping.associations.get().left_association) == (
        "both",
        CONTACT_TO_DEAL,
    )
    assert errors == []


@pytest.mark.requirement("S89")
def test_a_refused_value_is_mended_in_the_mapping_row_prepared_for_it(
    live_server: LiveServer, page: Page, sync_admin: User, refused: PairHouse, errors: list[str]
) -> None:
    failure = refused.open_failures()[0]
    sign_in(page, live_server.url, sync_admin)
    page.goto(f"{live_server.url}/failures/{failure.pk}/")
    page.get_by_role("link", name="Prepare it in the mapping, then retry all 2").click()
    expect(page.get_by_text("Prepared below, and not saved yet")).to_be_visible()
    expect(page.locator("#row-3 .vmap select").first).to_have_value("customer")
    assert ValueMapEntry.objects.count() == 0
    page.get_by_role("button", name="Pause, save, resume, retry all 2").first.click()
    expect(page.get_by_text("2 failures will be tried again")).to_be_visible()

    refused.sync()
    assert refused.open_failures() == []
    page.goto(f"{live_server.url}/failures/{failure.pk}/")
    expect(page.get_by_role("heading", level=1).get_by_text("Healed")).to_be_visible()
    assert errors == []


@pytest.mark.parametrize("width", [1280, 400])
def test_no_page_of_setting_up_breaks_the_content_policy_or_the_window(
    live_server: LiveServer,
    page: Page,
    sync_admin: User,
    full: PairHouse,
    errors: list[str],
    width: int,
) -> None:
    pair, failure = full.integration.pairs.get(), full.open_failures()[0]
    systems = (pair.mapping.left_system_id, pair.mapping.right_system_id)
    addresses = [
        *(f"/systems/{system}/{part}" for system in systems for part in ("", "edit/")),
        f"/pairs/{pair.pk}/",
        f"/pairs/{pair.pk}/counterpart/",
        f"/mappings/{pair.mapping_id}/carried/",
        f"/failures/{failure.pk}/",
        f"/mappings/{pair.mapping_id}/?fix={failure.pk}#repair",
        "/help/",
        "/help/hubspot-criteria/",
        f"/history/{Run.objects.latest('pk').pk}/",
    ]
    page.set_viewport_size({"width": width, "height": 800})
    sign_in(page, live_server.url, sync_admin)
    too_wide = {}
    for address in addresses:
        page.goto(live_server.url + address)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        taken = page.evaluate("document.documentElement.scrollWidth")
        if taken > width:
            too_wide[address] = taken
    assert too_wide == {}
    assert errors == []
