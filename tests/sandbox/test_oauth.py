"""The sandbox's OAuth: consent, tokens and refusals as HubSpot gives them."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.sandbox_process import Sandbox

BACK = "http://localhost:8000/back/"
APP = {"client_id": "app-1", "client_secret": "hush"}
TOKEN = "/oauth/2026-03/token"


@pytest.fixture
def hub(hub: Sandbox) -> Iterator[Sandbox]:
    hub.add_app("app-1", client_secret="hush", app_id=9101, redirect_uris=[BACK])
    hub.add_app("app-2", client_secret="other", app_id=9102, redirect_uris=[BACK])
    yield hub
    hub.settings(clock_offset_s=0, rotates=False, is_gone=False, lacking_scopes=[])


def install_url(hub: Sandbox, path: str = "/oauth/authorize", **changes: str) -> str:
    given = {
        "client_id": "app-1",
        "redirect_uri": BACK,
        "scope": "oauth crm.objects.deals.read",
        "state": "s1",
    }
    return f"{hub.url}{path}?{urlencode(given | changes)}"


def answered(address: str) -> dict[str, str]:
    return {name: texts[0] for name, texts in parse_qs(urlsplit(address).query).items()}


def code_of(hub: Sandbox, **changes: str) -> str:
    return answered(hub.consent(install_url(hub, **changes)))["code"]


def exchange(hub: Sandbox, code: str, path: str = TOKEN, **changes: str) -> tuple[int, Any]:
    fields = {**APP, "grant_type": "authorization_code", "code": code, "redirect_uri": BACK}
    status, body, _ = hub.form(path, **(fields | changes))
    return status, body


def refresh(hub: Sandbox, token: str, **changes: str) -> tuple[int, Any]:
    fields = {**APP, "grant_type": "refresh_token", "refresh_token": token} | changes
    status, body, _ = hub.form(TOKEN, **fields)
    return status, body


def test_consent_page_shows_app_scopes_and_two_buttons(hub: Sandbox) -> None:
    for path in ("/oauth/authorize", "/oauth/4242/authorize"):
        status, page, _ = hub.api("GET", install_url(hub, path)[len(hub.url) :])
        assert status == 200
        for words in ("crm.objects.deals.read", 'value="allow"', 'value="deny"'):
            assert words in page


def test_consent_leads_back_with_code_and_state(hub: Sandbox) -> None:
    address = hub.consent(install_url(hub))
    assert address.startswith(BACK)
    assert answered(address)["state"] == "s1"


def test_denial_leads_back_with_an_error(hub: Sandbox) -> None:
    told = answered(hub.consent(install_url(hub), "deny"))
    assert (told["error"], told["state"]) == ("access_denied", "s1")


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "nobody"},
        {"redirect_uri": "http://thief.example/"},
        {"scope": "crm.objects.unicorns.read"},
        {"scope": ""},
    ],
)
def test_wrong_install_url_leads_nowhere(hub: Sandbox, changes: dict[str, str]) -> None:
    with pytest.raises(AssertionError, match="cannot be connected"):
        hub.consent(install_url(hub, **changes))


def test_install_url_into_another_account_leads_nowhere(hub: Sandbox) -> None:
    with pytest.raises(AssertionError, match="no access to account 5151"):
        hub.consent(install_url(hub, "/oauth/5151/authorize"))


def test_scopes_of_the_install_url_must_be_those_of_the_app(hub: Sandbox) -> None:
    hub.change_app("app-1", scopes=["tickets"], optional_scopes=["files"])
    with pytest.raises(AssertionError, match="do not match"):
        hub.consent(install_url(hub, scope="oauth files"))
    with pytest.raises(AssertionError, match="do not match"):
        hub.consent(install_url(hub, scope="tickets crm.objects.deals.read"))
    assert answered(hub.consent(install_url(hub, scope="tickets")))["code"]


def test_required_scope_the_account_lacks_fails_and_an_optional_one_is_dropped(
    hub: Sandbox,
) -> None:
    hub.settings(lacking_scopes=["crm.objects.orders.read"])
    with pytest.raises(AssertionError, match="subscription"):
        hub.consent(install_url(hub, scope="oauth crm.objects.orders.read"))
    code = code_of(hub, optional_scope="crm.objects.orders.read tickets")
    _, body = exchange(hub, code)
    assert set(body["scopes"]) == {"oauth", "crm.objects.deals.read", "tickets"}


@pytest.mark.parametrize("version", ["v1", "v3", "2026-03", "2026-09"])
def test_code_becomes_tokens_that_work_and_tell_no_daily_limit(hub: Sandbox, version: str) -> None:
    status, body = exchange(hub, code_of(hub), f"/oauth/{version}/token")
    assert status == 200
    assert (body["expires_in"], body["hub_id"], body["token_use"]) == (1800, 4242, "access_token")
    status, _, headers = hub.api("GET", "/crm/v3/objects/deals", token=body["access_token"])
    assert status == 200
    assert not [name for name in headers if "Daily" in name]
    assert hub.api("GET", "/crm/v3/objects/contacts", token=body["access_token"])[0] == 403


@pytest.mark.requirement("S128")
def test_code_works_once(hub: Sandbox) -> None:
    code = code_of(hub)
    assert exchange(hub, code)[0] == 200
    status, body = exchange(hub, code)
    assert (status, body["error"], body["status"]) == (400, "invalid_grant", "BAD_AUTH_CODE")
    assert body["message"] == body["error_description"]


def test_code_expires(hub: Sandbox) -> None:
    code = code_of(hub)
    hub.settings(clock_offset_s=3600)
    assert exchange(hub, code)[1]["status"] == "EXPIRED_AUTH_CODE"


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"client_id": "nobody"}, "BAD_CLIENT_ID"),
        ({"client_secret": "wrong"}, "BAD_CLIENT_SECRET"),
        ({"client_id": "app-2", "client_secret": "other"}, "BAD_AUTH_CODE"),
        ({"redirect_uri": "http://localhost:8000/other/"}, "MISMATCH_REDIRECT_URI_AUTH_CODE"),
        ({"redirect_uri": ""}, "BAD_REDIRECT_URI"),
        ({"code": "na1-nothing"}, "BAD_AUTH_CODE"),
        ({"grant_type": "password"}, "BAD_GRANT_TYPE"),
    ],
)
def test_exchange_is_refused_with_hubspots_status(
    hub: Sandbox, changes: dict[str, str], status: str
) -> None:
    code = code_of(hub)
    answer, body = exchange(hub, **({"code": code} | changes))
    assert (answer, body["status"]) == (400, status)
    assert exchange(hub, code)[0] == 200, "a refused exchange does not use the code up"


def test_access_token_expires_and_is_renewed(hub: Sandbox) -> None:
    _, first = exchange(hub, code_of(hub))
    hub.settings(clock_offset_s=1801)
    status, body, _ = hub.api("GET", "/crm/v3/objects/deals", token=first["access_token"])
    assert (status, body["category"]) == (401, "EXPIRED_AUTHENTICATION")
    _, second = refresh(hub, first["refresh_token"])
    assert second["refresh_token"] == first["refresh_token"]
    assert hub.api("GET", "/crm/v3/objects/deals", token=second["access_token"])[0] == 200


def test_refresh_tokens_rotate_where_that_is_switched_on(hub: Sandbox) -> None:
    _, first = exchange(hub, code_of(hub))
    hub.settings(rotates=True)
    _, second = refresh(hub, first["refresh_token"])
    assert second["refresh_token"] != first["refresh_token"]
    assert refresh(hub, first["refresh_token"])[1]["status"] == "BAD_REFRESH_TOKEN"
    assert refresh(hub, second["refresh_token"])[0] == 200


def test_account_that_is_gone_is_told(hub: Sandbox) -> None:
    _, first = exchange(hub, code_of(hub))
    hub.settings(is_gone=True)
    _, body = refresh(hub, first["refresh_token"])
    assert (body["error"], body["status"]) == ("access_denied", "BAD_HUB")


def test_revoked_refresh_token_is_refused_while_its_access_token_lives_on(hub: Sandbox) -> None:
    _, tokens = exchange(hub, code_of(hub))
    status, _, _ = hub.form("/oauth/v3/token/revoke", **APP, token=tokens["refresh_token"])
    assert status == 200
    assert refresh(hub, tokens["refresh_token"])[1]["status"] == "BAD_REFRESH_TOKEN"
    assert hub.api("GET", "/crm/v3/objects/deals", token=tokens["access_token"])[0] == 200


@pytest.mark.parametrize("change", [{"scopes": ["tickets"]}, {"uninstall": True}])
def test_scope_change_and_uninstalling_end_all_tokens(
    hub: Sandbox, change: dict[str, object]
) -> None:
    _, tokens = exchange(hub, code_of(hub))
    hub.change_app("app-1", **change)
    assert refresh(hub, tokens["refresh_token"])[1]["status"] == "BAD_REFRESH_TOKEN"
    assert hub.api("GET", "/crm/v3/objects/deals", token=tokens["access_token"])[0] == 401


def test_introspection_tells_both_kinds_of_token(hub: Sandbox) -> None:
    _, tokens = exchange(hub, code_of(hub))
    for use in ("access_token", "refresh_token"):
        _, told, _ = hub.form("/oauth/2026-03/token/introspect", **APP, token=tokens[use])
        assert told["active"]
        assert (told["token_use"], told["hub_id"], told["app_id"]) == (use, 4242, 9101)
        assert told["user"] == "rae.poe@example.com"
    _, told, _ = hub.form("/oauth/2026-03/token/introspect", **APP, token="nonsense")
    assert told == {"active": False}
    other = {"client_id": "app-2", "client_secret": "other", "token": tokens["access_token"]}
    assert hub.form("/oauth/v3/token/introspect", **other)[1] == {"active": False}


def test_older_metadata_calls_tell_the_same(hub: Sandbox) -> None:
    _, tokens = exchange(hub, code_of(hub))
    _, access, _ = hub.api("GET", f"/oauth/v1/access-tokens/{tokens['access_token']}")
    assert (access["hub_id"], access["app_id"], access["token_type"]) == (4242, 9101, "access")
    path = f"/oauth/v1/refresh-tokens/{tokens['refresh_token']}"
    assert hub.api("GET", path)[1]["client_id"] == "app-1"
    assert hub.api("DELETE", path)[0] == 204
    assert hub.api("GET", path)[0] == 404


def test_service_key_has_no_app(hub: Sandbox) -> None:
    hub.add_token("pat-key", app_id=0, scopes=["oauth"])
    _, told, _ = hub.api(
        "POST", "/oauth/v2/private-apps/get/access-token-info", {"tokenKey": "pat-key"}
    )
    assert told["appId"] is None


def test_apps_are_shown_on_the_overview(hub: Sandbox) -> None:
    _, page, _ = hub.api("GET", "/sandbox/")
    assert "app-1" in page
    assert BACK in page
