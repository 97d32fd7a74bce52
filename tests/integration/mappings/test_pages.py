"""List, first step, copies and deletion of mappings, and who may do what."""

import pytest
from django.test import Client

from hubconnect.mappings.models import Mapping
from hubconnect.mappings.services import usage
from tests.factories.mappings import FieldMappingFactory, MappingFactory
from tests.factories.systems import SystemFactory
from tests.fakes.connector import FakeAccount

pytestmark = pytest.mark.django_db


def page(client: Client, url: str, data: dict[str, str] | None = None) -> str:
    response = client.post(url, data) if data is not None else client.get(url)
    assert response.status_code == 200
    return response.content.decode()


@pytest.fixture
def chosen() -> dict[str, str]:
    """The first step, filled in."""
    hub, desk = SystemFactory.create(name="Hub"), SystemFactory.create(name="Desk")
    return {
        "left_system": str(hub.pk),
        "left_type": "deals",
        "right_system": str(desk.pk),
        "right_type": "orders",
        "name": "",
        "action": "save",
    }


# --- List -----------------------------------------------------------------------------------------


def test_empty_list_says_the_next_step(sync_admin_client: Client, monitor_client: Client) -> None:
    assert "Add system" in page(sync_admin_client, "/mappings/")
    SystemFactory.create()
    assert "Add mapping" in page(sync_admin_client, "/mappings/")
    assert "Add" not in page(monitor_client, "/mappings/").split("<main")[1]


def test_list_shows_rows_version_and_use(sync_admin_client: Client, mapping: Mapping) -> None:
    usage.register_guard(lambda _: [usage.Use("Hub and Desk", is_active=True)])
    text = page(sync_admin_client, "/mappings/")
    for words in (mapping.name, "Hub and Desk", "active", "deals", "orders"):
        assert words in text


def test_list_finds_by_name(sync_admin_client: Client, mapping: Mapping) -> None:
    assert mapping.name in page(sync_admin_client, "/mappings/?q=orders")
    assert "No mapping found" in page(sync_admin_client, "/mappings/?q=xyz")


# --- First step -----------------------------------------------------------------------------------


def test_without_systems_the_first_step_leads_to_them(sync_admin_client: Client) -> None:
    assert "No system yet" in page(sync_admin_client, "/mappings/add/")


def test_object_types_are_shown_when_asked_and_nothing_is_validated(
    sync_admin_client: Client, chosen: dict[str, str]
) -> None:
    sent = {**chosen, "left_type": "", "right_type": "", "action": "show"}
    text = page(sync_admin_client, "/mappings/add/", sent)
    assert text.count('<option value="deals"') == 2
    assert "Not saved" not in text


def test_empty_name_is_made_of_systems_and_types(
    sync_admin_client: Client, chosen: dict[str, str]
) -> None:
    text = page(sync_admin_client, "/mappings/add/", {**chosen, "action": "show"})
    assert 'placeholder="Hub [Deals] - Desk [Orders]"' in text
    response = sync_admin_client.post("/mappings/add/", chosen)
    mapping = Mapping.objects.get()
    assert response.headers["Location"] == f"/mappings/{mapping.pk}/"
    assert mapping.name == "Hub [Deals] - Desk [Orders]"


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("left_system", "Choose the first system."),
        ("left_type", "Choose the first object type."),
        ("right_system", "Choose the second system."),
        ("right_type", "Choose the second object type."),
    ],
)
def test_missing_choice_is_named(
    sync_admin_client: Client, chosen: dict[str, str], field: str, words: str
) -> None:
    assert words in page(sync_admin_client, "/mappings/add/", {**chosen, field: ""})


@pytest.mark.parametrize("value", ["customers", "x", "-1"])
def test_object_type_that_is_not_there_is_refused(
    sync_admin_client: Client, chosen: dict[str, str], value: str
) -> None:
    text = page(sync_admin_client, "/mappings/add/", {**chosen, "left_type": value})
    assert "Choose one of the listed object types." in text


@pytest.mark.requirement("S12")
def test_object_type_that_may_not_be_read_is_listed_and_refused_with_the_reason(
    sync_admin_client: Client, chosen: dict[str, str], account: FakeAccount
) -> None:
    account.unreadable = {"deals": "Deals cannot be read: the token lacks the scope deals.read."}
    text = page(sync_admin_client, "/mappings/add/", chosen)
    assert "Deals (deals): may not be read" in text
    assert "the token lacks the scope deals.read" in text
    assert not Mapping.objects.exists()


@pytest.mark.parametrize("value", ["999", "x", "-1"])
def test_system_that_is_not_there_is_refused(
    sync_admin_client: Client, chosen: dict[str, str], value: str
) -> None:
    page(sync_admin_client, "/mappings/add/", {**chosen, "left_system": value})
    assert not Mapping.objects.exists()


def test_both_sides_the_same_is_refused(sync_admin_client: Client, chosen: dict[str, str]) -> None:
    sent = {**chosen, "right_system": chosen["left_system"], "right_type": "deals"}
    assert "both sides are the same" in page(sync_admin_client, "/mappings/add/", sent)


def test_system_that_is_away_is_named_at_its_field(
    sync_admin_client: Client, chosen: dict[str, str], account: FakeAccount
) -> None:
    account.is_away = True
    text = page(sync_admin_client, "/mappings/add/", chosen)
    assert "First system: The fake desk does not answer." in text


def test_name_of_another_mapping_is_refused(
    sync_admin_client: Client, chosen: dict[str, str]
) -> None:
    MappingFactory.create(name="Taken")
    text = page(sync_admin_client, "/mappings/add/", {**chosen, "name": "TAKEN"})
    assert "Another mapping is called" in text


# --- Copies and deletion --------------------------------------------------------------------------


def test_copy_has_the_same_rows_and_a_name_of_its_own(
    sync_admin_client: Client, mapping: Mapping
) -> None:
    FieldMappingFactory.create(mapping=mapping, left_field="notes", right_field="notes")
    for name in ("Copy of Deals and orders", "Copy of Deals and orders (2)"):
        sync_admin_client.post(f"/mappings/{mapping.pk}/clone/")
        assert Mapping.objects.get(name=name).rows.count() == 2


def test_used_mapping_is_not_deleted_and_its_users_are_named(
    sync_admin_client: Client, mapping: Mapping
) -> None:
    usage.register_guard(lambda _: [usage.Use("Hub and Desk", is_active=False)])
    response = sync_admin_client.post(f"/mappings/{mapping.pk}/delete/", follow=True)
    assert "used by “Hub and Desk”" in response.content.decode()
    assert Mapping.objects.exists()


def test_unused_mapping_is_deleted_after_being_asked(
    sync_admin_client: Client, mapping: Mapping
) -> None:
    assert "Its 1 row" in page(sync_admin_client, f"/mappings/{mapping.pk}/delete/")
    sync_admin_client.post(f"/mappings/{mapping.pk}/delete/")
    assert not Mapping.objects.exists()


# --- Who may do what ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url", ["/mappings/", "/mappings/add/", "/mappings/{pk}/", "/mappings/{pk}/delete/"]
)
def test_pages_need_a_login(client: Client, url: str) -> None:
    response = client.get(url.format(pk=1))
    assert response.headers["Location"].startswith("/sign-in/")


@pytest.mark.parametrize(
    "url",
    ["/mappings/add/", "/mappings/{pk}/", "/mappings/{pk}/clone/", "/mappings/{pk}/delete/"],
)
def test_monitor_may_not_change(monitor_client: Client, mapping: Mapping, url: str) -> None:
    assert monitor_client.post(url.format(pk=mapping.pk)).status_code == 403


def test_monitor_sees_the_list_without_buttons(monitor_client: Client, mapping: Mapping) -> None:
    text = page(monitor_client, "/mappings/")
    assert mapping.name in text
    assert "Clone" not in text


@pytest.mark.parametrize("url", ["/mappings/add/", "/mappings/{pk}/", "/mappings/{pk}/delete/"])
def test_sync_admin_and_admin_may_change(
    sync_admin_client: Client, admin_client: Client, mapping: Mapping, url: str
) -> None:
    for client in (sync_admin_client, admin_client):
        assert client.get(url.format(pk=mapping.pk)).status_code == 200
