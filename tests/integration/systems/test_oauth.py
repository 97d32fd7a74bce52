"""Signing in to HubSpot by OAuth 2.0, from the empty form to the connected system."""

import html
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from auditlog.models import LogEntry
from django.core.cache import cache
from django.test import Client
from pytest_django.fixtures import Settings

from hubconnect.systems.models import SignIn, System
from hubconnect.systems.services import consent, identity
from tests.sandbox_process import Sandbox, sandbox

pytestmark = pytest.mark.django_db

ADD = "/systems/add/"
PUBLIC = "http://localhost:8000"
BACK = f"{PUBLIC}/systems/oauth/callback/"
APP: dict[str, Any] = {"client_secret": "hush-hush", "app_id": 9301, "redirect_uris": [BACK]}


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with sandbox(user_email="sync@example.com") as started:
        yield started


@pytest.fixture
def hub(running: Sandbox, settings: Settings) -> Iterator[Sandbox]:
    settings.PUBLIC_URL = PUBLIC
    settings.ALLOWED_HOSTS = ["localhost", "testserver", "127.0.0.1"]
    cache.clear()
    running.add_app("app-one", **APP)
    running.add_app("app-two", **{**APP, "client_secret": "other", "app_id": 9302})
    running.reset_statistics()
    yield running
    running.clear_faults()
    running.change_app("app-one", uninstall=True)
    running.settings(clock_offset_s=0, rotates=False, is_gone=False, lacking_scopes=[])


def form(hub: Sandbox, **changes: str) -> dict[str, str]:
    return {
        "connector": "hubspot",
        "name": "HubSpot",
        "api_url": hub.url,
        "user_email": "sync@example.com",
        "auth_type": "oauth",
        "client_id": "app-one",
        "client_secret": "hush-hush",
        "authorization_code": "",
        "app_id": "",
        "remote_link_base": "",
        "action": "save",
    } | changes


def install_url(page: str) -> str:
    found = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', page)
    assert found, page
    return html.unescape(found[1])


def leave(client: Client, url: str, sent: dict[str, str]) -> str:
    response = client.post(url, sent)
    assert response.status_code == 200
    return install_url(response.content.decode())


def come_back(client: Client, address: str) -> Any:  # noqa: ANN401 - a response with context
    assert address.startswith(BACK)
    return client.get(address.removeprefix(PUBLIC), follow=True)


def connect(client: Client, hub: Sandbox, answer: str = "allow", **changes: str) -> Any:  # noqa: ANN401
    """Press the button on the form and answer HubSpot's question; returns the page then shown."""
    url = leave(client, ADD, form(hub, **changes) | {"action": "connect"})
    return come_back(client, hub.consent(url, answer))


def code_for(hub: Sandbox, client: Client, **changes: str) -> str:
    url = leave(client, ADD, form(hub, **changes) | {"action": "connect"})
    return parse_qs(urlsplit(hub.consent(url)).query)["code"][0]


def connected_system(client: Client, hub: Sandbox, **changes: str) -> System:
    connect(client, hub, **changes)
    response = client.post(ADD, form(hub, client_secret="", **changes))
    assert response.status_code == 302, response.content.decode()
    return System.objects.latest("pk")


def errors(response: Any) -> dict[str, str]:  # noqa: ANN401 - a response with context
    assert response.status_code == 200, "it was saved"
    found = response.context["form"].errors
    return {name: " ".join(texts) for name, texts in found.items()}


def renewals(hub: Sandbox) -> int:
    return int(hub.statistics()["calls"].get("oauth.refresh_token", 0))


# --- From the empty form to the connected system --------------------------------------------------


@pytest.mark.requirement("S6", "S23", "S25", "S26", "S27", "S32", "S33", "S104", "S121")
def test_form_shows_redirect_address_button_and_three_inputs(
    sync_admin_client: Client, hub: Sandbox
) -> None:
    sent = form(hub, action="show")
    page = sync_admin_client.post(ADD, sent, headers={"host": "localhost:8000"}).content.decode()
    assert f'value="{BACK}"' in page
    assert 'data-target="redirect-uri"' in page
    assert "Connect to HubSpot" in page
    for name in ("client_id", "client_secret", "authorization_code"):
        assert f'name="{name}"' in page
    assert 'data-when="auth_type=token" hidden disabled' in page
    assert '<option value="token">Access Token</option>' in page
    assert '<option value="oauth" selected>OAuth 2.0</option>' in page
    assert "Redirects go to https" not in page


@pytest.mark.requirement("S8", "S9", "S103", "S106", "S120", "S122", "S123", "S124", "S126")
def test_from_the_empty_form_to_a_connected_system(sync_admin_client: Client, hub: Sandbox) -> None:
    page = connect(sync_admin_client, hub).content.decode()
    for words in ("HubSpot account 4242", "sync@example.com", "9301", "crm.objects.deals.read"):
        assert words in page
    assert 'name="app_id" value="9301"' in page, "the Application Id is filled in"
    assert "kept when you save" in page
    assert not System.objects.exists()
    response = sync_admin_client.post(ADD, form(hub, client_secret=""), follow=True)
    system = System.objects.get()
    assert (system.identity, system.state) == ("hubspot:4242", System.State.OK)
    assert system.parameters["app_id"] == "9301"
    assert set(system.secrets) == {"client_secret"}
    page = response.content.decode()
    assert "Reconnect" in page
    sign_in = SignIn.objects.get(system=system)
    for secret in (sign_in.tokens["access"], sign_in.tokens["refresh"], "hush-hush"):
        assert secret not in page
        assert secret not in str(dict(sync_admin_client.session))
    assert hub.statistics()["calls"]["oauth.authorization_code"] == 1


def test_install_url_asks_for_scopes_at_the_host_of_the_account(
    sync_admin_client: Client, hub: Sandbox
) -> None:
    url = leave(sync_admin_client, ADD, form(hub, action="connect"))
    assert url.startswith(f"{hub.url}/oauth/authorize?")
    given = parse_qs(urlsplit(url).query)
    assert given["redirect_uri"] == [BACK]
    assert given["scope"] == ["oauth"], "no flow uses it yet, so nothing is required"
    assert "crm.objects.deals.write" in given["optional_scope"][0].split()
    real = form(hub, api_url="https://api.hubapi.com", action="connect")
    url = leave(sync_admin_client, ADD, real)
    assert url.startswith("https://app.hubspot.com/oauth/authorize?")


@pytest.mark.parametrize("name", ["api_url", "client_id", "client_secret"])
def test_connecting_asks_for_what_it_needs_only(
    sync_admin_client: Client, hub: Sandbox, name: str
) -> None:
    sent = form(hub, action="connect", name_="", user_email="") | {name: ""}
    assert set(errors(sync_admin_client.post(ADD, sent))) == {name}


@pytest.mark.requirement("S125")
def test_whole_redirected_address_may_be_pasted(sync_admin_client: Client, hub: Sandbox) -> None:
    pasted = f"https://developers.hubspot.com/?code={code_for(hub, sync_admin_client)}&state=x"
    response = sync_admin_client.post(ADD, form(hub, authorization_code=pasted))
    assert response.status_code == 302
    assert SignIn.objects.count() == 1


def test_code_by_hand_is_exchanged_once_though_the_form_has_to_be_sent_again(
    sync_admin_client: Client, hub: Sandbox
) -> None:
    code = code_for(hub, sync_admin_client)
    sent = form(hub, authorization_code=code, user_email="somebody@example.com")
    assert set(errors(sync_admin_client.post(ADD, sent))) == {"user_email"}
    again = form(hub, client_secret="")
    assert sync_admin_client.post(ADD, again).status_code == 302
    assert hub.statistics()["calls"]["oauth.authorization_code"] == 1


@pytest.mark.requirement("S28", "S127")
def test_code_is_asked_for_only_while_nobody_is_connected(
    sync_admin_client: Client, hub: Sandbox
) -> None:
    asked = errors(sync_admin_client.post(ADD, form(hub)))
    assert "Press Connect to HubSpot, or paste" in asked["authorization_code"]
    system = connected_system(sync_admin_client, hub)
    url = f"/systems/{system.pk}/edit/"
    page = sync_admin_client.get(url).content.decode()
    assert "Or paste a new code by hand" in page
    assert "after any change of scopes or permissions connect again" in page
    sent = form(hub, name="Renamed", client_secret="", app_id="9301")
    assert sync_admin_client.post(url, sent).status_code == 302
    changed = form(hub, client_id="app-two", client_secret="other")
    assert "authorization_code" in errors(sync_admin_client.post(url, changed))


def test_choosing_a_token_instead_ends_the_sign_in(sync_admin_client: Client, hub: Sandbox) -> None:
    system = connected_system(sync_admin_client, hub)
    hub.add_token("pat-9301", app_id=9301)
    sent = form(hub, auth_type="token", access_token="pat-9301")
    assert sync_admin_client.post(f"/systems/{system.pk}/edit/", sent).status_code == 302
    assert not SignIn.objects.exists()


# --- Each refusal has its own sentence ------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"client_id": "app-two", "client_secret": "other"}, "authorization_code", "another app"),
        ({"client_secret": "wrong"}, "client_secret", "may have been rotated"),
        ({"client_id": "nobody"}, "client_id", "knows no app with this Client ID"),
    ],
)
def test_refused_code_names_the_field_and_the_reason(
    sync_admin_client: Client, hub: Sandbox, changes: dict[str, str], field: str, words: str
) -> None:
    code = code_for(hub, sync_admin_client)
    sent = form(hub, authorization_code=code, **changes)
    found = errors(sync_admin_client.post(ADD, sent))
    assert set(found) == {field}
    assert words in found[field]
    assert code not in found[field]


@pytest.mark.requirement("S128")
def test_used_code_is_named_as_used_and_not_sent_again(
    sync_admin_client: Client, hub: Sandbox
) -> None:
    code = code_for(hub, sync_admin_client)
    sent = form(hub, authorization_code=code)
    assert sync_admin_client.post(ADD, sent).status_code == 302
    sent = form(hub, authorization_code=code, name="Second")
    assert "was used already" in errors(sync_admin_client.post(ADD, sent))["authorization_code"]
    assert hub.statistics()["calls"]["oauth.token"] == 1


def test_unknown_code_is_named(sync_admin_client: Client, hub: Sandbox) -> None:
    sent = form(hub, authorization_code="na1-nonsense")
    found = errors(sync_admin_client.post(ADD, sent))
    assert "does not know this authorization code" in found["authorization_code"]


def test_refused_code_is_not_sent_again_once_one_connects(
    sync_admin_client: Client, hub: Sandbox
) -> None:
    sync_admin_client.post(ADD, form(hub, authorization_code="na1-nonsense"))
    connect(sync_admin_client, hub, client_secret="")
    assert sync_admin_client.post(ADD, form(hub, client_secret="")).status_code == 302
    assert hub.statistics()["calls"]["oauth.token"] == 2


def test_expired_code_is_named(sync_admin_client: Client, hub: Sandbox) -> None:
    code = code_for(hub, sync_admin_client)
    hub.settings(clock_offset_s=3600)
    sent = form(hub, authorization_code=code)
    assert "has expired" in errors(sync_admin_client.post(ADD, sent))["authorization_code"]


def test_other_redirect_address_is_named(
    sync_admin_client: Client, hub: Sandbox, settings: Settings
) -> None:
    code = code_for(hub, sync_admin_client)
    settings.PUBLIC_URL = "https://sync.example.com"
    found = errors(sync_admin_client.post(ADD, form(hub, authorization_code=code)))
    words = "another redirect address than https://sync.example.com/systems/oauth/callback/"
    assert words in found["authorization_code"]


def test_pasted_refusal_is_named(sync_admin_client: Client, hub: Sandbox) -> None:
    sent = form(hub, authorization_code=f"{BACK}?error=access_denied&state=x")
    found = errors(sync_admin_client.post(ADD, sent))
    assert "was refused in HubSpot" in found["authorization_code"]


def test_denied_consent_leads_back_to_the_filled_form(
    sync_admin_client: Client, hub: Sandbox
) -> None:
    page = connect(sync_admin_client, hub, "deny").content.decode()
    assert "The connection was refused in HubSpot" in page
    assert 'value="app-one"' in page
    assert "Received. Leave empty to keep it." in page


def test_limit_on_the_token_endpoint_keeps_the_code(
    sync_admin_client: Client, hub: Sandbox
) -> None:
    code = code_for(hub, sync_admin_client)
    limited = {"path": "/oauth/2026-03/token", "status": 429, "times": 20}
    hub.fault(**limited, headers={"Retry-After": "60"})
    found = errors(sync_admin_client.post(ADD, form(hub, authorization_code=code)))
    assert "asked for fewer calls" in found["__all__"]
    hub.clear_faults()
    assert sync_admin_client.post(ADD, form(hub, client_secret="")).status_code == 302


def test_lost_answer_to_a_code_is_not_repeated(sync_admin_client: Client, hub: Sandbox) -> None:
    code = code_for(hub, sync_admin_client)
    hub.fault(path="/oauth/2026-03/token", drop="after")
    found = errors(sync_admin_client.post(ADD, form(hub, authorization_code=code)))
    assert "the code may be used up" in found["authorization_code"]
    assert hub.statistics()["calls"]["oauth.token"] == 1


# --- The state ------------------------------------------------------------------------------------


def test_answer_counts_once(sync_admin_client: Client, hub: Sandbox) -> None:
    url = leave(sync_admin_client, ADD, form(hub, action="connect"))
    address = hub.consent(url)
    come_back(sync_admin_client, address)
    again = come_back(sync_admin_client, address).content.decode()
    assert "received already" in again
    assert hub.statistics()["calls"]["oauth.authorization_code"] == 1


def test_answer_to_another_session_is_refused(
    sync_admin_client: Client, admin_client: Client, hub: Sandbox
) -> None:
    address = hub.consent(leave(sync_admin_client, ADD, form(hub, action="connect")))
    assert "another browser or another session" in come_back(admin_client, address).content.decode()
    assert "oauth.token" not in hub.statistics()["calls"]


def test_late_answer_is_refused(
    sync_admin_client: Client, hub: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = hub.consent(leave(sync_admin_client, ADD, form(hub, action="connect")))
    monkeypatch.setattr(consent, "STATE_LIFE", timedelta(seconds=-1))
    assert "a quarter of an hour ago" in come_back(sync_admin_client, address).content.decode()


@pytest.mark.parametrize("query", ["", "?state=nonsense&code=x", "?code=x"])
def test_answer_to_no_question_is_refused(sync_admin_client: Client, query: str) -> None:
    page = sync_admin_client.get(f"/systems/oauth/callback/{query}", follow=True).content.decode()
    assert "belongs to no connection" in page


def test_answer_needs_the_role(monitor_client: Client, hub: Sandbox) -> None:
    assert monitor_client.get("/systems/oauth/callback/?code=x&state=y").status_code == 403
    assert monitor_client.post(ADD, form(hub, action="connect")).status_code == 403


# --- Where the redirect cannot work ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("public", "host", "words"),
    [
        ("http://sync.example.com", "sync.example.com", "Set PUBLIC_URL to the https:// address"),
        ("http://127.0.0.1:8000", "127.0.0.1:8000", "http://localhost"),
        ("http://localhost:8000", "127.0.0.1:8000", "Open HubConnect at http://localhost:8000"),
    ],
)
def test_address_that_hubspot_or_the_session_would_not_take_is_named(
    sync_admin_client: Client, settings: Settings, public: str, host: str, words: str
) -> None:
    settings.PUBLIC_URL, settings.ALLOWED_HOSTS = public, ["*"]
    url = f"{ADD}?connector=hubspot"
    page = sync_admin_client.get(url, headers={"host": host}).content.decode()
    assert words in page


# --- Reconnecting ---------------------------------------------------------------------------------


def reconnect(client: Client, hub: Sandbox, system: System) -> str:
    url = leave(client, f"/systems/{system.pk}/connect/", {})
    return str(come_back(client, hub.consent(url)).content.decode())


@pytest.mark.requirement("S112")
def test_revoked_sign_in_says_reconnect_and_one_press_heals_it(
    sync_admin_client: Client, hub: Sandbox
) -> None:
    system = connected_system(sync_admin_client, hub)
    hub.change_app("app-one", uninstall=True)
    check = f"/systems/{system.pk}/check/"
    page = sync_admin_client.post(check, follow=True).content.decode()
    assert "the app was uninstalled or its scopes changed. Press Reconnect" in page
    system.refresh_from_db()
    assert system.state == System.State.RECONNECT
    asked = renewals(hub) + hub.statistics()["calls"]["oauth.token"]
    sync_admin_client.post(check)
    assert renewals(hub) + hub.statistics()["calls"]["oauth.token"] == asked, (
        "it is not asked again"
    )
    assert "is connected again" in reconnect(sync_admin_client, hub, system)
    system.refresh_from_db()
    assert system.state == System.State.OK


def test_account_that_is_gone_is_named(sync_admin_client: Client, hub: Sandbox) -> None:
    system = connected_system(sync_admin_client, hub)
    SignIn.objects.update(expires_at="2020-01-01T00:00Z")
    hub.settings(is_gone=True)
    page = sync_admin_client.post(f"/systems/{system.pk}/check/", follow=True).content.decode()
    assert "does not exist any more" in page


def test_reconnecting_to_another_account_is_refused_and_keeps_the_sign_in(
    sync_admin_client: Client, hub: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = connected_system(sync_admin_client, hub)
    System.objects.update(identity="hubspot:5151", identity_label="HubSpot account 5151")
    before = SignIn.objects.get().tokens
    url = leave(sync_admin_client, f"/systems/{system.pk}/connect/", {})
    monkeypatch.setattr(identity, "_guards", [lambda one: one == "hubspot:5151"])
    page = come_back(sync_admin_client, hub.consent(url)).content.decode()
    assert "These credentials belong to account HubSpot account 4242" in page
    assert SignIn.objects.get().tokens == before


def test_connecting_a_form_to_another_account_is_refused(
    sync_admin_client: Client, hub: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = connected_system(sync_admin_client, hub)
    System.objects.update(identity="hubspot:5151", identity_label="HubSpot account 5151")
    edit = f"/systems/{system.pk}/edit/"
    url = leave(sync_admin_client, edit, form(hub, action="connect"))
    monkeypatch.setattr(identity, "_guards", [lambda one: one == "hubspot:5151"])
    response = come_back(sync_admin_client, hub.consent(url))
    assert "belong to account HubSpot account 4242" in " ".join(errors(response).values())


def test_signing_in_is_an_audit_entry_without_the_tokens(
    sync_admin_client: Client, hub: Sandbox
) -> None:
    system = connected_system(sync_admin_client, hub)
    entries = [str(entry.changes) for entry in LogEntry.objects.all()]
    assert any("signed_in_at" in changes for changes in entries)
    for token in SignIn.objects.get(system=system).tokens.values():
        assert token not in str(entries)


# --- One app, one use -----------------------------------------------------------------------------


@pytest.mark.requirement("S129")
def test_app_in_a_second_system_needs_a_second_thought(
    sync_admin_client: Client, hub: Sandbox
) -> None:
    connected_system(sync_admin_client, hub)
    connect(sync_admin_client, hub, name="Second")
    response = sync_admin_client.post(ADD, form(hub, name="Second", client_secret=""))
    page = response.content.decode()
    assert "HubSpot has the same Client ID and Application Id" in page
    assert System.objects.count() == 1
    mark = re.findall(r'name="shared" value="(\w+)"', page)[0]
    sent = form(hub, name="Second", client_secret="", shared=mark)
    assert sync_admin_client.post(ADD, sent).status_code == 302
    second = System.objects.get(name="Second")
    renamed = form(hub, name="Renamed", client_secret="", app_id="9301")
    answer = sync_admin_client.post(f"/systems/{second.pk}/edit/", renamed)
    assert answer.status_code == 302, "what was confirmed once is not asked again"


@pytest.mark.requirement("S129")
def test_token_in_a_second_system_needs_a_second_thought(
    sync_admin_client: Client, hub: Sandbox
) -> None:
    sent = form(hub, auth_type="token", access_token=hub.token)
    assert sync_admin_client.post(ADD, sent).status_code == 302
    page = sync_admin_client.post(ADD, sent | {"name": "Second"}).content.decode()
    assert "HubSpot has the same Access Token and Application Id" in page
    assert hub.token not in page


def test_other_people_do_not_see_what_waits(
    sync_admin_client: Client, admin_client: Client, hub: Sandbox
) -> None:
    connect(sync_admin_client, hub)
    response = admin_client.post(ADD, form(hub))
    assert "authorization_code" in errors(response)
