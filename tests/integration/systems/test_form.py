"""Adding and editing a system."""

from typing import Any

import pytest
from auditlog.models import LogEntry
from django.test import Client

from hubconnect.connectors.base import Remark
from hubconnect.connectors.registry import connectors
from hubconnect.systems.models import System
from hubconnect.systems.services import identity
from tests.factories.systems import SystemFactory
from tests.fakes.connector import FakeAccount, FakeConnector

pytestmark = pytest.mark.django_db

ADD = "/systems/add/"
FILLED = {
    "connector": "fake",
    "name": "Desk",
    "address": "https://one.example",
    "mail": "sync@example.com",
    "auth": "token",
    "token": "right-token",
    "app": "2851633",
    "base": "",
    "action": "save",
}


def page(client: Client, url: str, data: dict[str, str] | None = None) -> str:
    response = client.post(url, data) if data is not None else client.get(url)
    assert response.status_code == 200
    return response.content.decode()


def errors_of(client: Client, **changes: str) -> dict[str, list[str]]:
    response = client.post(ADD, {**FILLED, **changes})
    assert response.status_code == 200, "it was saved"
    form: Any = response.context["form"]
    return {name: list(found) for name, found in form.errors.items()}


def edit(client: Client, system: System, **changes: str) -> Any:  # noqa: ANN401  a response with its context
    sent = {**FILLED, "name": system.name, "token": "", **changes}
    return client.post(f"/systems/{system.pk}/edit/", sent)


# --- Showing and hiding ---------------------------------------------------------------------------


def test_only_type_and_name_are_asked_before_the_type_is_chosen(sync_admin_client: Client) -> None:
    text = page(sync_admin_client, ADD)
    assert "System type" in text
    assert 'name="address"' not in text
    assert "Show fields" in text


def test_choosing_the_type_brings_its_fields_in_declared_order(sync_admin_client: Client) -> None:
    text = page(sync_admin_client, ADD + "?connector=fake&name=Desk")
    places = [text.index(f'name="{one.name}"') for one in FakeConnector.parameters]
    assert places == sorted(places)
    assert 'value="Desk"' in text


def test_without_script_the_server_brings_the_fields_and_keeps_what_was_typed(
    sync_admin_client: Client,
) -> None:
    text = page(sync_admin_client, ADD, {"connector": "fake", "name": "Desk", "action": "show"})
    assert 'value="Desk"' in text
    assert 'name="address"' in text
    assert "Not saved" not in text


def test_choice_without_default_shows_select(sync_admin_client: Client) -> None:
    text = page(sync_admin_client, ADD + "?connector=fake")
    assert '<option value="" selected>Select</option>' in text


@pytest.mark.parametrize(
    ("auth", "hidden", "shown"), [("token", "oauth", "token"), ("oauth", "token", "oauth")]
)
def test_authentication_type_decides_which_fields_are_shown(
    sync_admin_client: Client, auth: str, hidden: str, shown: str
) -> None:
    text = page(sync_admin_client, ADD, {**FILLED, "auth": auth, "action": "show"})
    assert f'data-when="auth={hidden}" hidden disabled' in text
    assert f'data-when="auth={shown}">' in text


def test_fields_that_show_others_have_a_button_for_readers_without_script(
    sync_admin_client: Client,
) -> None:
    text = page(sync_admin_client, ADD + "?connector=fake")
    assert text.count('class="without-script"') == 2


def test_reserved_names_are_not_taken_by_a_connector() -> None:
    reserved = {"connector", "name", "use", "action"}
    for connector in connectors().values():
        assert not reserved & {one.name for one in connector.parameters}


# --- Rules ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "label"),
    [
        ("name", "System Name"),
        ("address", "Address"),
        ("mail", "User Email"),
        ("auth", "Authentication Type"),
        ("token", "Access Token"),
        ("app", "Application Id"),
    ],
)
def test_required_field_left_empty_is_named(
    sync_admin_client: Client, field: str, label: str
) -> None:
    assert errors_of(sync_admin_client, **{field: "  "}) == {field: [f"{label} is required."]}


def test_system_type_is_required(sync_admin_client: Client) -> None:
    assert "connector" in errors_of(sync_admin_client, connector="")


def test_unknown_system_type_is_refused(sync_admin_client: Client) -> None:
    assert "connector" in errors_of(sync_admin_client, connector="nonsense")


def test_hidden_fields_are_neither_validated_nor_kept(sync_admin_client: Client) -> None:
    sent = {**FILLED, "client_id": "left over", "client_secret": "left over"}
    assert sync_admin_client.post(ADD, sent).status_code == 302
    system = System.objects.get()
    assert "client_id" not in system.parameters
    assert set(system.secrets) == {"token"}


def test_fields_of_the_chosen_type_are_required(sync_admin_client: Client) -> None:
    errors = errors_of(sync_admin_client, auth="oauth")
    assert set(errors) == {"client_id", "client_secret"}


def test_choice_that_is_not_listed_is_refused(sync_admin_client: Client) -> None:
    assert set(errors_of(sync_admin_client, auth="carrier pigeon")) == {"auth"}


def test_mail_that_is_no_address_is_refused(sync_admin_client: Client) -> None:
    assert set(errors_of(sync_admin_client, mail="sync.example.com")) == {"mail"}


def test_whole_app_address_keeps_the_number(sync_admin_client: Client) -> None:
    sent = {**FILLED, "app": "https://app.example/private-apps/4242/2851633"}
    assert sync_admin_client.post(ADD, sent).status_code == 302
    assert System.objects.get().parameters["app"] == "2851633"


def test_application_id_without_number_is_refused(sync_admin_client: Client) -> None:
    assert "whole address" in errors_of(sync_admin_client, app="my app")["app"][0]


def test_settings_that_do_not_fit_each_other_are_named(sync_admin_client: Client) -> None:
    errors = errors_of(sync_admin_client, base="https://one.example")
    assert errors == {"base": ["Leave it empty when it is the same address."]}


def test_too_long_text_is_refused(sync_admin_client: Client) -> None:
    assert "at most 255" in errors_of(sync_admin_client, base="x" * 300)["base"][0]


def test_name_of_another_system_is_refused_whatever_its_capitals(sync_admin_client: Client) -> None:
    SystemFactory.create(name="desk")
    assert "Another system" in errors_of(sync_admin_client)["name"][0]


def test_errors_are_listed_on_top_and_linked(sync_admin_client: Client) -> None:
    text = page(sync_admin_client, ADD, {**FILLED, "app": ""})
    assert "Not saved: 1 field needs a look" in text
    assert 'href="#id_app"' in text
    assert 'aria-describedby="id_app-error"' in text


# --- The live check before saving -----------------------------------------------------------------


def test_saved_system_was_checked(sync_admin_client: Client, account: FakeAccount) -> None:
    response = sync_admin_client.post(ADD, FILLED)
    system = System.objects.get()
    assert response.headers["Location"] == f"/systems/{system.pk}/"
    assert (system.state, system.identity) == ("ok", "fake:4242")
    assert account.checks == 1


def test_wrong_token_marks_the_token(sync_admin_client: Client) -> None:
    errors = errors_of(sync_admin_client, token="wrong")
    assert errors == {"token": ["The fake desk refused the token."]}
    assert not System.objects.exists()


def test_address_of_something_else_marks_the_address(sync_admin_client: Client) -> None:
    errors = errors_of(sync_admin_client, address="https://elsewhere.example")
    assert errors == {
        "address": ["https://elsewhere.example is not a fake desk. Correct the address."]
    }


def test_system_that_is_away_may_be_saved_without_check(
    sync_admin_client: Client, account: FakeAccount
) -> None:
    account.is_away = True
    assert "Save without check" in page(sync_admin_client, ADD, FILLED)
    assert not System.objects.exists()
    response = sync_admin_client.post(ADD, {**FILLED, "action": "save_unchecked"})
    assert response.status_code == 302
    assert System.objects.get().state == System.State.UNREACHABLE


def test_save_without_check_is_no_way_around_a_wrong_token(sync_admin_client: Client) -> None:
    assert "token" in errors_of(sync_admin_client, token="wrong", action="save_unchecked")


def test_suggestion_becomes_a_button_that_corrects_the_field(sync_admin_client: Client) -> None:
    text = page(sync_admin_client, ADD, {**FILLED, "app": "111"})
    assert '<button class="btn btn-small" type="submit" name="use" value="app:2851633">' in text
    corrected = page(
        sync_admin_client, ADD, {**FILLED, "app": "111", "token": "", "use": "app:2851633"}
    )
    assert 'value="2851633"' in corrected
    assert "Not saved" not in corrected
    assert sync_admin_client.post(ADD, {**FILLED, "token": ""}).status_code == 302


def test_warnings_do_not_block(sync_admin_client: Client, account: FakeAccount) -> None:
    account.remarks = (Remark("This is a person's address.", parameter="mail"),)
    account.missing = ("things.write",)
    text = page(sync_admin_client, ADD, {**FILLED, "action": "check"})
    assert "This is a person&#x27;s address." in text
    assert "1 scope missing" in text
    assert sync_admin_client.post(ADD, FILLED).status_code == 302
    assert System.objects.get().state == System.State.REMARKS


def test_check_button_saves_nothing(sync_admin_client: Client) -> None:
    text = page(sync_admin_client, ADD, {**FILLED, "action": "check"})
    assert "2 calls" in text
    assert not System.objects.exists()


# --- Secrets --------------------------------------------------------------------------------------


def test_typed_secret_waits_for_the_next_attempt_and_is_never_shown(
    sync_admin_client: Client,
) -> None:
    text = page(sync_admin_client, ADD, {**FILLED, "app": ""})
    assert "Received. Leave empty to keep it." in text
    assert "right-token" not in text
    assert "right-token" not in str(dict(sync_admin_client.session))
    assert sync_admin_client.post(ADD, {**FILLED, "token": ""}).status_code == 302
    assert System.objects.get().secrets == {"token": "right-token"}


def test_waiting_secret_is_dropped_when_the_form_is_opened_anew(sync_admin_client: Client) -> None:
    page(sync_admin_client, ADD, {**FILLED, "app": ""})
    page(sync_admin_client, ADD)
    assert "token" in errors_of(sync_admin_client, token="")


def test_stored_secret_is_kept_when_left_empty_and_never_rendered(
    sync_admin_client: Client,
) -> None:
    system = SystemFactory.create()
    for url in (f"/systems/{system.pk}/edit/", f"/systems/{system.pk}/"):
        assert "right-token" not in page(sync_admin_client, url)
    assert "Stored. Leave empty to keep it." in page(
        sync_admin_client, f"/systems/{system.pk}/edit/"
    )
    assert edit(sync_admin_client, system, name="Renamed").status_code == 302
    system.refresh_from_db()
    assert (system.name, system.secrets) == ("Renamed", {"token": "right-token"})


def test_stored_secret_does_not_follow_to_another_address(sync_admin_client: Client) -> None:
    system = SystemFactory.create()
    FakeConnector.accounts["https://thief.example"] = FakeAccount("666")
    response = edit(sync_admin_client, system, address="https://thief.example")
    assert "enter Access Token again" in response.context["form"].errors["token"][0]


def test_switching_the_authentication_type_clears_what_the_other_one_kept(
    sync_admin_client: Client,
) -> None:
    system = SystemFactory.create(
        parameters={**FILLED, "auth": "oauth", "client_id": "abc"},
        secrets={"client_secret": "xyz"},
    )
    assert edit(sync_admin_client, system, token="right-token").status_code == 302
    system.refresh_from_db()
    assert "client_id" not in system.parameters
    assert system.secrets == {"token": "right-token"}


def test_changed_secret_leaves_an_audit_entry_without_the_secret(sync_admin_client: Client) -> None:
    sync_admin_client.post(ADD, FILLED)
    entries = LogEntry.objects.filter(object_repr="Desk")
    assert any("secrets" in entry.changes for entry in entries)
    assert "right-token" not in str([entry.changes for entry in entries])


# --- The account ----------------------------------------------------------------------------------


def test_type_is_fixed_after_saving(sync_admin_client: Client) -> None:
    system = SystemFactory.create()
    assert edit(sync_admin_client, system, connector="sql").status_code == 302
    system.refresh_from_db()
    assert system.connector == "fake"


def test_another_account_is_refused_once_records_are_linked(
    sync_admin_client: Client, account: FakeAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity, "_guards", [lambda one: one == "fake:4242"])
    system = SystemFactory.create(identity="fake:4242", identity_label="Old desk")
    account.number = "5151"
    errors = edit(sync_admin_client, system).context["form"].errors
    assert "5151" in errors["token"][0]
    assert "4242" in errors["token"][0]
    assert sync_admin_client.post(f"/systems/{system.pk}/check/").status_code == 302
    system.refresh_from_db()
    assert (system.identity, system.state) == ("fake:4242", System.State.ATTENTION)


def test_another_account_is_taken_while_nothing_is_linked(
    sync_admin_client: Client, account: FakeAccount
) -> None:
    system = SystemFactory.create(identity="fake:4242", identity_label="Old desk")
    account.number = "5151"
    assert edit(sync_admin_client, system).status_code == 302
    system.refresh_from_db()
    assert system.identity == "fake:5151"
