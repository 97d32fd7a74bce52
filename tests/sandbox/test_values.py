import json
from typing import Any

import pytest

from tests.sandbox_process import Sandbox

BASE = "/crm/objects/2026-03"


@pytest.fixture(scope="module")
def deal(hub: Sandbox) -> str:
    return hub.create("deals", {"dealname": "A", "dealstage": "contractsent"})


@pytest.fixture(scope="module")
def contact(hub: Sandbox) -> str:
    return hub.create("contacts", {"firstname": "A", "lifecyclestage": "lead"})


@pytest.fixture(scope="module", autouse=True)
def _properties(hub: Sandbox) -> None:
    for name, kinds in (("due_day", "date/date"), ("is_vip", "bool/booleancheckbox")):
        value_type, field_type = kinds.split("/")
        definition = {
            "name": name,
            "label": name,
            "type": value_type,
            "fieldType": field_type,
            "groupName": "dealinformation",
        }
        hub.api("POST", "/crm/properties/2026-03/deals", definition)


def patch(hub: Sandbox, path: str, **properties: object) -> tuple[int, dict[str, Any]]:
    status, body, _ = hub.api("PATCH", f"{BASE}/{path}", {"properties": properties})
    return status, body


@pytest.mark.parametrize(
    ("name", "sent", "stored"),
    [
        ("amount", "780.00", "780.00"),
        ("amount", 12, "12"),
        ("amount", "1e3", "1e3"),
        ("is_vip", True, "true"),
        ("is_vip", "false", "false"),
        ("due_day", "2026-05-01", "2026-05-01"),
        ("due_day", "1777593600000", "2026-05-01"),
        ("closedate", 1777593600123, "2026-05-01T00:00:00.123Z"),
        ("closedate", "2026-05-01T02:00:00+02:00", "2026-05-01T00:00:00Z"),
        ("dealtype", "newbusiness", "newbusiness"),
        ("hubspot_owner_id", "41002", "41002"),
        ("description", "", None),
    ],
)
def test_values_are_stored_as_text(
    hub: Sandbox, deal: str, name: str, sent: object, stored: str | None
) -> None:
    status, body = patch(hub, f"deals/{deal}", **{name: sent})
    assert (status, body["properties"][name]) == (200, stored)


@pytest.mark.parametrize(
    ("name", "sent", "code", "message"),
    [
        ("colour", "red", "PROPERTY_DOESNT_EXIST", 'Property "colour" does not exist'),
        ("amount", "abc", "INVALID_NUMBER", "abc was not a valid number"),
        ("closedate", "soon", "INVALID_LONG", "soon was not a valid long."),
        ("due_day", "1777593600001", "INVALID_DATE", "1777593600001 is at 00:00:00 UTC, not"),
        ("is_vip", "yes", "INVALID_BOOLEAN", "yes was not one of the allowed options"),
        ("dealtype", "NewBusiness", "INVALID_OPTION", "[newbusiness, existingbusiness]"),
        ("dealstage", "nowhere", "INVALID_OPTION", "nowhere was not one of"),
        ("hubspot_owner_id", "77", "INVALID_OWNER_ID", "77"),
        ("hs_object_id", "5", "READ_ONLY_VALUE", "is a read only property"),
        ("hs_is_closed", "true", "READ_ONLY_VALUE", "is a calculated property"),
        ("description", "x" * 65_537, "PROPERTY_VALUE_TOO_LONG", "too long"),
    ],
)
def test_wrong_values_are_refused(
    hub: Sandbox, deal: str, name: str, sent: str, code: str, message: str
) -> None:
    status, body = patch(hub, f"deals/{deal}", **{name: sent})
    assert (status, body["category"]) == (400, "VALIDATION_ERROR")
    assert [one["code"] for one in body["errors"]] == [code]
    assert message in body["errors"][0]["message"]
    assert body["errors"][0]["context"] == {"propertyName": [name]}


def test_all_problems_of_a_record_come_in_one_answer(hub: Sandbox, deal: str) -> None:
    before = hub.get("deals", deal)
    status, body = patch(hub, f"deals/{deal}", dealname="New", colour="red", amount="abc")
    assert status == 400
    text = body["message"].removeprefix("Property values were not valid: ")
    told = json.loads(text)
    assert {one["error"] for one in told} == {"PROPERTY_DOESNT_EXIST", "INVALID_NUMBER"}
    assert told[0]["portalId"] == 4242
    assert hub.get("deals", deal) == before


def test_email_is_checked_and_trimmed(hub: Sandbox, contact: str) -> None:
    status, body = patch(hub, f"contacts/{contact}", email="not an address")
    assert (status, body["errors"][0]["code"]) == (400, "INVALID_EMAIL")
    status, body = patch(hub, f"contacts/{contact}", email=" Anna@Example.COM ")
    assert (status, body["properties"]["email"]) == (200, "anna@example.com")


def test_leading_semicolon_appends_options(hub: Sandbox, contact: str) -> None:
    patch(hub, f"contacts/{contact}", hs_buying_role="CHAMPION")
    _, body = patch(hub, f"contacts/{contact}", hs_buying_role=";END_USER;CHAMPION")
    assert body["properties"]["hs_buying_role"] == "CHAMPION;END_USER"
    _, body = patch(hub, f"contacts/{contact}", hs_buying_role="OTHER")
    assert body["properties"]["hs_buying_role"] == "OTHER"


def test_lifecycle_stage_goes_back_only_by_way_of_empty(hub: Sandbox, contact: str) -> None:
    path = f"contacts/{contact}"
    patch(hub, path, lifecyclestage="customer")
    status, body = patch(hub, path, lifecyclestage="lead")
    assert (status, body["properties"]["lifecyclestage"]) == (200, "customer")
    patch(hub, path, lifecyclestage="")
    _, body = patch(hub, path, lifecyclestage="lead")
    assert body["properties"]["lifecyclestage"] == "lead"


def test_null_is_ignored(hub: Sandbox, deal: str) -> None:
    patch(hub, f"deals/{deal}", description="Kept")
    _, body = patch(hub, f"deals/{deal}", description=None)
    assert body["properties"]["description"] == "Kept"


def test_moving_pipelines_takes_both_properties(hub: Sandbox) -> None:
    deal = hub.create("deals", {"dealname": "A", "dealstage": "contractsent"})
    status, body = patch(hub, f"deals/{deal}", pipeline="74310021")
    assert (status, body["errors"][0]["code"]) == (400, "INVALID_OPTION")
    status, body = patch(hub, f"deals/{deal}", pipeline="74310021", dealstage="145220103")
    assert status == 200
    assert body["properties"]["hs_is_closed_won"] == "true"
