"""From a refusal to the mapping row that mends it, and on to the healed record."""

from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from hubconnect.connectors.errors import Category
from hubconnect.integrations.models import Failure, Integration
from hubconnect.mappings.models import FieldMapping, Mapping, ValueMapEntry
from hubconnect.systems.models import System
from hubconnect.systems.services import requirements
from tests.factories.integrations import FailureFactory
from tests.house import NAMES, Desk, House, furnish
from tests.pages import main_form, text
from tests.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

CUSTOMERS = """
create table customers (
    id integer primary key,
    email varchar(200) not null unique,
    first_name varchar(30),
    last_name varchar(100),
    stage varchar(30),
    updated_at datetime not null default (strftime('%Y-%m-%d %H:%M:%f', 'now')));
"""
STAGE = {"left_field": "lifecyclestage", "right_field": "stage", "direction": "to_left"}


@pytest.fixture
def house(hub: Sandbox, tmp_path: Path, settings: Settings) -> House:
    """Two customers whose stage HubSpot does not know; both are refused."""
    settings.SQLITE_DIR = tmp_path
    Desk(tmp_path / "desk.sqlite3").script(CUSTOMERS)
    made = furnish(hub, tmp_path / "desk.sqlite3", rows=(*NAMES, STAGE))
    for name in ("ana", "ben"):
        made.desk.run(
            "insert into customers (email, stage) values (?, 'custommer')", f"{name}@x.example"
        )
    made.activate()
    made.sync()
    assert len(made.open_failures()) == 2
    return made


def fix_url(client: Client, failure: Failure) -> str:
    page = text(client.get(reverse("integrations:failure_detail", args=[failure.pk])))
    url = f"/mappings/{failure.flow.pair.mapping_id}/?fix={failure.pk}"
    assert f'href="{url}#repair"' in page
    return url


def press_repair(client: Client, url: str, **typed: str) -> str:
    page = text(client.get(url))
    form = main_form(page)
    sent = {**form.values, **typed, "act": "repair"}
    return text(client.post(form.action or url, sent, follow=True))


def test_failure_page_says_what_was_sent_from_where_and_what_is_accepted(
    sync_admin_client: Client, house: House
) -> None:
    failure = house.open_failures()[0]
    page = text(sync_admin_client.get(reverse("integrations:failure_detail", args=[failure.pk])))
    assert failure.category == Category.VALIDATION_ERROR
    assert 'stage</span> <span class="id">stage' in page.replace("Stage", "stage")
    assert "“custommer”" in page
    assert '<span class="id">lifecyclestage</span>' in page
    assert 'Customer <span class="id">customer</span>' in page
    assert "then retry all 2" in page


def test_failure_list_offers_the_repair_of_a_cause(
    sync_admin_client: Client, monitor_client: Client, house: House
) -> None:
    del house
    url = reverse("integrations:failure_list")
    assert "Fix in the mapping, retry all 2" in text(sync_admin_client.get(url))
    assert "Fix in the mapping" not in text(monitor_client.get(url))


def test_editor_prepares_a_pair_and_saves_nothing(sync_admin_client: Client, house: House) -> None:
    response = sync_admin_client.get(fix_url(sync_admin_client, house.open_failures()[0]))
    form = response.context["formset"].forms[3]
    (pair,) = form.pairs.forms
    assert form["is_open"].value()
    assert (pair["left"].value(), pair["right"].value()) == ("customer", "custommer")
    assert "Pause, save, resume, retry all 2" in text(response)
    assert ValueMapEntry.objects.count() == 0
    assert Mapping.objects.get().version == 1


def test_one_button_saves_goes_on_and_retries_all(sync_admin_client: Client, house: House) -> None:
    url = fix_url(sync_admin_client, house.open_failures()[0])
    page = press_repair(sync_admin_client, url)
    assert "2 failures will be tried again" in page
    house.integration.refresh_from_db()
    assert house.integration.is_active
    assert ValueMapEntry.objects.get().left_value == "customer"
    house.sync()
    assert house.open_failures() == []
    assert set(house.contacts()) == {"ana@x.example", "ben@x.example"}


def test_buttons_of_the_editor_keep_the_repair(sync_admin_client: Client, house: House) -> None:
    url = fix_url(sync_admin_client, house.open_failures()[0])
    form = main_form(text(sync_admin_client.get(url)))
    drawn = text(sync_admin_client.post(url, {**form.values, "act": "pair:3"}))
    assert "Pause, save, resume" in drawn
    saved = sync_admin_client.post(url, {**form.values, "act": "save"}, follow=True)
    assert "must be deactivated before it can be edited" in text(saved)
    assert Mapping.objects.get().version == 1


def test_nothing_is_saved_when_it_could_not_be_activated_again(
    sync_admin_client: Client, house: House
) -> None:
    url = fix_url(sync_admin_client, house.open_failures()[0])
    System.objects.filter(pk=house.order_desk.pk).update(
        state=System.State.ATTENTION, state_reason="The password was changed."
    )
    page = press_repair(sync_admin_client, url)
    assert "Nothing was saved" in page
    assert "The password was changed." in page
    assert Mapping.objects.get().version == 1
    assert Integration.objects.get().is_active


def test_what_stops_the_activation_afterwards_is_said_and_leads_there(
    sync_admin_client: Client, house: House
) -> None:
    """A mapping whose rows all flow the other way cannot be put to work again."""
    url = fix_url(sync_admin_client, house.open_failures()[0])
    ways = {f"rows-{at}-direction": "to_right" for at in range(4)}
    page = press_repair(sync_admin_client, url, **ways)
    assert "is paused, because it could not be activated again" in page
    assert not Integration.objects.get().is_active
    assert Mapping.objects.get().version == 2


def test_a_closed_failure_prepares_nothing(sync_admin_client: Client, house: House) -> None:
    failure = house.open_failures()[0]
    url = fix_url(sync_admin_client, failure)
    form = main_form(text(sync_admin_client.get(url)))
    Failure.objects.filter(pk=failure.pk).update(state=Failure.State.DISMISSED)
    assert 'id="repair"' not in text(sync_admin_client.get(url))
    sent = sync_admin_client.post(url, {**form.values, "act": "repair"}, follow=True)
    assert "is not open any more" in text(sent)
    for nonsense in ("x", "99999", "-1", ""):
        page = f"/mappings/{house.mapping.pk}/?fix={nonsense}"
        assert sync_admin_client.get(page).status_code == 200


def test_monitor_sees_what_is_prepared_and_may_not_save(
    monitor_client: Client, sync_admin_client: Client, house: House
) -> None:
    url = fix_url(sync_admin_client, house.open_failures()[0])
    assert "Pause, save" not in text(monitor_client.get(url))
    assert monitor_client.post(url, {"act": "repair"}).status_code == 403


def test_hidden_mandatory_field_gets_a_row_with_a_default(
    sync_admin_client: Client, house: House
) -> None:
    fault = {
        "field": "hs_lead_status",
        "message": "hs_lead_status is required.",
        "code": "REQUIRED_FIELD",
        "accepted": ["OPEN", "NEW"],
        "is_hidden_requirement": True,
    }
    failure = FailureFactory.create(
        flow=house.to_hub, category="REQUIRED_FIELD", faults=[fault], field="hs_lead_status"
    )
    page = text(sync_admin_client.get(reverse("integrations:failure_detail", args=[failure.pk])))
    assert "Mandatory, though its description hides it" in page
    assert "No row of the mapping writes this field" in page
    response = sync_admin_client.get(fix_url(sync_admin_client, failure))
    form = response.context["formset"].forms[-1]
    assert (form.left_name, form.right_name) == ("hs_lead_status", "")
    assert (form["direction"].value(), form["default_left"].value()) == ("to_left", "OPEN")
    assert form["is_open"].value()


def test_hidden_requirement_is_learned_from_the_refusal_and_mended(
    sync_admin_client: Client, house: House
) -> None:
    house.hub.settings(hidden_required={"contacts": ["hs_lead_status"]})
    house.desk.run("insert into customers (email) values ('cy@x.example')")
    house.sync_until(lambda: len(house.open_failures()) == 3)
    failure = house.open_failures()[-1]
    assert failure.faults[0]["is_hidden_requirement"]
    assert list(requirements.learned(house.hubspot, "contacts")) == ["hs_lead_status"]
    url = fix_url(sync_admin_client, failure)
    assert "1 failure will be tried again" in press_repair(sync_admin_client, url)
    house.sync()
    assert "cy@x.example" in house.contacts()
    assert failure.pk not in [one.pk for one in house.open_failures()]


@pytest.mark.requirement("S86", "S89", "S90")
def test_refused_text_in_an_email_field_is_told_by_label_and_internal_name(
    sync_admin_client: Client, house: House
) -> None:
    house.desk.run("insert into customers (email) values ('plain text')")
    house.sync_until(lambda: len(house.open_failures()) == 3)
    failure = house.open_failures()[-1]
    page = text(sync_admin_client.get(reverse("integrations:failure_detail", args=[failure.pk])))
    assert '<strong>Email</strong> <span class="id">email</span>' in page
    assert "said “plain text”" in page
    assert "expects an e-mail address" in page
    assert "/help/hubspot-troubleshooting/" in page
    assert "Open the mapping row" in page
    fixed = text(sync_admin_client.get(fix_url(sync_admin_client, failure)))
    assert "correct it at its source" in fixed


def test_learned_requirement_is_asked_for_until_it_is_taken_back(
    sync_admin_client: Client, house: House
) -> None:
    requirements.learn(house.hubspot, "contacts", {"hs_lead_status": "It is required."})
    requirements.learn(house.hubspot, "contacts", {"hs_lead_status": "Said once more."})
    house.integration.is_active = False
    house.integration.save()
    url = reverse("mappings:edit", args=[house.mapping.pk])
    page = text(sync_admin_client.get(url))
    assert "refused a record without Lead Status (hs_lead_status)" in page
    form = main_form(page)
    act = "forget:to_left:hs_lead_status"
    assert act in page
    page = text(sync_admin_client.post(url, {**form.values, "act": act}))
    assert "refused a record without" not in page
    assert requirements.learned(house.hubspot, "contacts") == {}


def test_text_that_is_too_long_gets_cutting_ticked(sync_admin_client: Client, house: House) -> None:
    fault = {"field": "first_name", "message": "It is too long.", "code": "TOO_LONG"}
    failure = FailureFactory.create(
        flow=house.to_desk, category="TOO_LONG", faults=[fault], field="first_name"
    )
    response = sync_admin_client.get(fix_url(sync_admin_client, failure))
    form = response.context["formset"].forms[1]
    assert form["cut_text"].value()
    assert FieldMapping.objects.filter(cut_text=True).count() == 0
