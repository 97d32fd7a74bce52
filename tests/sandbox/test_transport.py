import time
from email.utils import parsedate_to_datetime

import pytest

from tests.sandbox_process import Sandbox, sandbox

CONTACTS = "/crm/v3/objects/contacts"


@pytest.mark.parametrize(
    "path",
    [
        "/crm/v3/objects/contacts",
        "/crm/objects/v3/contacts",
        "/crm/objects/2026-03/contacts",
        "/crm/objects/2026-09/contact",
        "/crm/objects/2026-03/0-1",
        "/crm/v3/objects/CONTACT",
    ],
)
def test_every_path_and_type_name_leads_to_the_same_records(seeded: Sandbox, path: str) -> None:
    status, page, _ = seeded.api("GET", f"{path}?limit=1")
    assert status == 200
    assert page["results"][0]["id"] == "1001"


def test_unknown_object_type_is_named(hub: Sandbox) -> None:
    status, body, _ = hub.api("GET", "/crm/v3/objects/xyz")
    assert (status, body["message"]) == (400, "Unable to infer object type from: xyz")


def test_unknown_token_is_401(hub: Sandbox) -> None:
    status, body, headers = hub.api("GET", CONTACTS, token="wrong")
    assert (status, body["status"], body["category"]) == (401, "error", "INVALID_AUTHENTICATION")
    assert body["correlationId"] == headers["X-HubSpot-Correlation-Id"]


def test_expired_token_tells_since_when(hub: Sandbox) -> None:
    hub.add_token("expired", expires_at=1_767_225_600_040)
    status, body, _ = hub.api("GET", CONTACTS, token="expired")
    assert (status, body["category"]) == (401, "EXPIRED_AUTHENTICATION")
    assert body["context"] == {"expire time": ["2026-01-01T00:00:00.040Z"]}
    assert "second(s) ago" in body["message"]


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/crm/v3/objects/contacts", "crm.objects.contacts.read"),
        ("POST", "/crm/v3/objects/deals", "crm.objects.deals.write"),
        ("GET", "/crm/v3/objects/tickets", "tickets"),
        ("GET", "/crm/v3/objects/notes", "crm.objects.contacts.read"),
        ("GET", "/crm/v3/objects/orders", "crm.objects.orders.read"),
        ("GET", "/crm/v3/owners", "crm.objects.owners.read"),
        ("POST", "/crm/v3/properties/contacts", "crm.schemas.contacts.write"),
    ],
)
def test_missing_scope_is_named(hub: Sandbox, method: str, path: str, scope: str) -> None:
    hub.add_token("narrow", scopes=["oauth", "crm.objects.companies.read"])
    body: object = {} if method == "POST" else None
    status, answer, _ = hub.api(method, path, body, token="narrow")
    assert (status, answer["category"]) == (403, "MISSING_SCOPES")
    assert scope in answer["errors"][0]["context"]["requiredGranularScopes"]


def test_emails_need_both_scopes(hub: Sandbox) -> None:
    hub.add_token("no-mail", scopes=["crm.objects.contacts.read"])
    status, answer, _ = hub.api("GET", "/crm/v3/objects/emails", token="no-mail")
    assert status == 403
    assert answer["errors"][0]["context"]["requiredGranularScopes"] == ["sales-email-read"]


def test_token_of_the_command_line_has_its_own_scopes_and_app() -> None:
    with sandbox(extra_token="second=oauth,tickets") as running:
        assert running.api("GET", "/crm/v3/objects/tickets", token="second")[0] == 200
        assert running.api("GET", CONTACTS, token="second")[0] == 403
        path = "/oauth/v2/private-apps/get/access-token-info"
        _, told, _ = running.api("POST", path, {"tokenKey": "second"})
    assert told == {"userId": 77, "hubId": 4242, "appId": 9002, "scopes": ["oauth", "tickets"]}


def test_unknown_path_is_an_html_page(hub: Sandbox) -> None:
    status, text, headers = hub.api("GET", "/crm/v3/nothing")
    assert status == 404
    assert headers["Content-Type"].startswith("text/html")
    assert "<html" in text


def test_wrong_method_is_405(hub: Sandbox) -> None:
    assert hub.api("PUT", CONTACTS)[0] == 405


def test_date_header_follows_the_clock_of_the_account(hub: Sandbox) -> None:
    hub.settings(clock_offset_s=3600)
    _, _, headers = hub.api("GET", CONTACTS)
    hub.settings(clock_offset_s=0)
    ahead = parsedate_to_datetime(headers["Date"]).timestamp() - time.time()
    assert 3590 < ahead < 3610


def test_token_introspection_tells_app_account_and_scopes(hub: Sandbox) -> None:
    path = "/oauth/v2/private-apps/get/access-token-info"
    status, told, _ = hub.api("POST", path, {"tokenKey": hub.token})
    assert (status, told["hubId"], told["appId"]) == (200, 4242, 9001)
    assert "crm.objects.contacts.write" in told["scopes"]
    assert hub.api("POST", path, {"tokenKey": "wrong"})[0] == 401


def test_account_details_carry_zone_currency_and_ui_domain(hub: Sandbox) -> None:
    for path in ("/account-info/v3/details", "/account-info/2026-03/details"):
        _, details, _ = hub.api("GET", path)
        assert details["portalId"] == 4242
        assert details["uiDomain"] == "app-eu1.hubspot.com"
        assert details["timeZone"] == "Europe/Berlin"
    _, me, _ = hub.api("GET", "/integrations/v1/me")
    assert me["portalId"] == 4242


def test_broken_json_is_told_with_its_place(hub: Sandbox) -> None:
    status, body, _ = hub.api("POST", CONTACTS, ["not", "an", "object"])
    assert status == 400
    assert body["message"].startswith("Invalid input JSON on line 1")
