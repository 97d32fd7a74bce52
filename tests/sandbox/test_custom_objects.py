from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox_process import Sandbox, sandbox

SCHEMAS = "/crm-object-schemas/2026-03/schemas"
CAR: dict[str, Any] = {
    "name": "Car",
    "labels": {"singular": "Car", "plural": "Cars"},
    "primaryDisplayProperty": "plate",
    "requiredProperties": ["plate"],
    "searchableProperties": ["plate"],
    "properties": [
        {
            "name": "plate",
            "label": "Plate",
            "type": "string",
            "fieldType": "text",
            "hasUniqueValue": True,
        },
        {"name": "bought_on", "label": "Bought on", "type": "date", "fieldType": "date"},
    ],
    "associatedObjects": ["CONTACT", "0-3"],
}


@pytest.fixture(scope="module")
def account() -> Iterator[Sandbox]:
    with sandbox() as running:
        yield running


@pytest.fixture(scope="module")
def car(account: Sandbox) -> dict[str, Any]:
    status, made, _ = account.api("POST", SCHEMAS, CAR)
    assert status == 201
    found: dict[str, Any] = made
    return found


def test_a_schema_is_told_with_its_properties_and_links(
    account: Sandbox, car: dict[str, Any]
) -> None:
    assert car["objectTypeId"] == f"2-{car['id']}"
    assert car["fullyQualifiedName"] == "p4242_Car"
    assert {"plate", "bought_on", "hs_createdate", "hs_object_id"} <= {
        one["name"] for one in car["properties"]
    }
    names = {one["name"] for one in car["associations"]}
    assert {"Car_to_contact", "deal_to_Car", "Car_to_note", "meeting_event_to_Car"} <= names
    for path in ("/crm/v3/schemas", SCHEMAS):
        _, listed, _ = account.api("GET", path)
        assert listed["results"] == [car]
    for name in (car["objectTypeId"], "p_Car", "p4242_Car"):
        assert account.api("GET", f"{SCHEMAS}/{name}")[1] == car
    assert account.api("GET", f"{SCHEMAS}/Bicycle")[0] == 404


def test_its_records_behave_like_others(account: Sandbox, car: dict[str, Any]) -> None:
    code = car["objectTypeId"]
    status, made, _ = account.api(
        "POST",
        f"/crm/objects/2026-03/{code}",
        {"properties": {"plate": "B-1", "bought_on": "2026-05-01"}},
    )
    assert status == 201
    path = f"/crm/v3/objects/p4242_Car/{made['id']}?properties=bought_on"
    _, read, _ = account.api("GET", path)
    assert read["properties"]["bought_on"] == "2026-05-01"
    assert read["url"].endswith(f"/record/{code}/{made['id']}")
    status, error, _ = account.api(
        "POST", f"/crm/v3/objects/{code}", {"properties": {"bought_on": "2026-05-01"}}
    )
    assert (status, error["context"]["properties"]) == (400, ["plate"])
    status, error, _ = account.api(
        "POST", f"/crm/v3/objects/{code}", {"properties": {"plate": "B-1"}}
    )
    assert status == 400
    assert "already has that value" in error["message"]


def test_its_links_have_types_of_the_account(account: Sandbox, car: dict[str, Any]) -> None:
    code = car["objectTypeId"]
    _, labels, _ = account.api("GET", f"/crm/associations/2026-03/notes/{code}/labels")
    (kind,) = labels["results"]
    assert (kind["category"], kind["label"]) == ("USER_DEFINED", None)
    _, made, _ = account.api("POST", f"/crm/v3/objects/{code}", {"properties": {"plate": "B-2"}})
    note: dict[str, Any] = {
        "properties": {"hs_timestamp": "2026-05-01T00:00:00Z"},
        "associations": [
            {
                "to": {"id": made["id"]},
                "types": [
                    {"associationCategory": "USER_DEFINED", "associationTypeId": kind["typeId"]}
                ],
            }
        ],
    }
    status, written, _ = account.api("POST", "/crm/v3/objects/notes", note)
    assert status == 201
    _, found, _ = account.api("GET", f"/crm/v4/objects/{code}/{made['id']}/associations/notes")
    assert [str(one["toObjectId"]) for one in found["results"]] == [written["id"]]
    note["associations"][0]["types"][0]["associationCategory"] = "HUBSPOT_DEFINED"
    assert account.api("POST", "/crm/v3/objects/notes", note)[0] == 400
    company = account.create("companies", {"name": "Acme"})
    path = f"/crm/v4/objects/{code}/{made['id']}/associations/default/companies/{company}"
    assert account.api("PUT", path)[0] == 400  # nobody asked for such links


def test_it_needs_its_scopes(account: Sandbox, car: dict[str, Any]) -> None:
    account.add_token("none", scopes=["crm.objects.contacts.read"])
    status, error, _ = account.api("GET", SCHEMAS, token="none")
    assert status == 403
    assert error["errors"][0]["context"]["requiredGranularScopes"] == ["crm.schemas.custom.read"]
    status, _, _ = account.api("GET", f"/crm/v3/objects/{car['objectTypeId']}", token="none")
    assert status == 403


def test_a_wrong_schema_leaves_nothing_behind(account: Sandbox) -> None:
    wrong = CAR | {
        "name": "Boat",
        "properties": [{"name": "No name", "label": "?", "type": "string", "fieldType": "text"}],
    }
    assert account.api("POST", SCHEMAS, wrong)[0] == 400
    assert account.api("GET", "/crm/v3/objects/p_Boat")[0] == 400
    assert account.api("POST", SCHEMAS, CAR | {"labels": {}})[0] == 400
    assert account.api("POST", SCHEMAS, {"name": "Boat"})[0] == 400
    assert account.api("POST", SCHEMAS, CAR | {"name": "Boat"})[0] == 201
    assert account.api("DELETE", f"{SCHEMAS}/p_Boat")[0] == 204
    assert account.api("GET", "/crm/v3/objects/p_Boat")[0] == 400


def test_it_is_there_again_after_a_restart(account: Sandbox, car: dict[str, Any]) -> None:
    with sandbox(account.database) as again:
        assert again.api("GET", f"/crm/v3/objects/{car['objectTypeId']}")[0] == 200
