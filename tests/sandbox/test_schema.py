from typing import Any

import pytest

from tests.sandbox_process import Sandbox

PROPERTIES = "/crm/properties/2026-03"
PIPELINES = "/crm/pipelines/2026-03"


def definition(name: str, **more: object) -> dict[str, Any]:
    return {
        "name": name,
        "label": name.title(),
        "type": "string",
        "fieldType": "text",
        "groupName": "contactinformation",
        **more,
    }


def test_definitions_carry_what_a_client_decides_by(hub: Sandbox) -> None:
    _, listed, _ = hub.api("GET", f"{PROPERTIES}/deals")
    found = {one["name"]: one for one in listed["results"]}
    assert found["dealname"]["modificationMetadata"]["readOnlyValue"] is False
    assert found["hs_object_id"]["modificationMetadata"]["readOnlyValue"] is True
    assert found["hs_is_closed"]["calculated"] is True
    assert (found["dealstage"]["externalOptions"], found["dealstage"]["options"]) == (True, [])
    assert found["hubspot_owner_id"]["referencedObjectType"] == "OWNER"
    assert [one["value"] for one in found["dealtype"]["options"]] == [
        "newbusiness",
        "existingbusiness",
    ]
    _, email, _ = hub.api("GET", f"{PROPERTIES}/contacts/email")
    assert email["hasUniqueValue"] is True


def test_property_is_created_changed_and_archived(hub: Sandbox) -> None:
    options = [{"label": "Fair", "value": "fair"}]
    body = definition("lead_channel", type="enumeration", fieldType="select", options=options)
    status, made, _ = hub.api("POST", f"{PROPERTIES}/contacts", body)
    assert (status, made["options"][0]["displayOrder"], made["hubspotDefined"]) == (201, 0, False)
    assert hub.api("POST", f"{PROPERTIES}/contacts", body)[0] == 409
    path = f"{PROPERTIES}/contacts/lead_channel"
    _, changed, _ = hub.api("PATCH", path, {"label": "Channel"})
    assert changed["label"] == "Channel"
    record = hub.create("contacts", {"firstname": "A", "lead_channel": "fair"})
    assert hub.api("DELETE", path)[0] == 204
    assert hub.api("GET", path)[0] == 404
    assert hub.api("GET", f"{path}?archived=true")[1]["archived"] is True
    write = {"properties": {"lead_channel": "fair"}}
    status, refused, _ = hub.api("PATCH", f"/crm/v3/objects/contacts/{record}", write)
    assert (status, refused["errors"][0]["code"]) == (400, "PROPERTY_DOESNT_EXIST")


@pytest.mark.parametrize(
    "body",
    [
        {"name": "incomplete"},
        definition("Upper"),
        definition("wrong_pair", fieldType="number"),
        definition("no_options", type="enumeration", fieldType="select"),
    ],
)
def test_wrong_definitions_are_refused(hub: Sandbox, body: dict[str, Any]) -> None:
    status, answer, _ = hub.api("POST", f"{PROPERTIES}/contacts", body)
    assert (status, answer["category"]) == (400, "VALIDATION_ERROR")


def test_group_must_exist(hub: Sandbox) -> None:
    body = definition("in_group", groupName="integration")
    assert hub.api("POST", f"{PROPERTIES}/contacts", body)[0] == 404
    group = {"name": "integration", "label": "Integration"}
    assert hub.api("POST", f"{PROPERTIES}/contacts/groups", group)[0] == 201
    assert hub.api("POST", f"{PROPERTIES}/contacts", body)[0] == 201
    _, groups, _ = hub.api("GET", f"{PROPERTIES}/contacts/groups")
    assert [one["name"] for one in groups["results"]] == ["contactinformation", "integration"]


def test_hubspots_own_properties_stay(hub: Sandbox) -> None:
    assert hub.api("PATCH", f"{PROPERTIES}/contacts/email", {"label": "X"})[0] == 400
    assert hub.api("DELETE", f"{PROPERTIES}/contacts/email")[0] == 400


def test_batches_of_properties(hub: Sandbox) -> None:
    inputs = {"inputs": [definition("batch_one"), definition("batch_two")]}
    assert hub.api("POST", f"{PROPERTIES}/contacts/batch/create", inputs)[0] == 201
    names = {"inputs": [{"name": "batch_one"}, {"name": "nowhere"}]}
    status, body, _ = hub.api("POST", f"{PROPERTIES}/contacts/batch/read", names)
    assert (status, [one["name"] for one in body["results"]]) == (207, ["batch_one"])
    assert body["errors"][0]["context"]["name"] == ["nowhere"]
    gone = {"inputs": [{"name": "batch_one"}]}
    assert hub.api("POST", f"{PROPERTIES}/contacts/batch/archive", gone)[0] == 204


def test_default_pipelines_and_a_custom_one(hub: Sandbox) -> None:
    _, listed, _ = hub.api("GET", f"{PIPELINES}/deals")
    assert [one["id"] for one in listed["results"]] == ["default", "74310021"]
    stages = {one["id"]: one["metadata"] for one in listed["results"][0]["stages"]}
    assert stages["closedwon"] == {"isClosed": "true", "probability": "1.0"}
    _, tickets, _ = hub.api("GET", f"{PIPELINES}/tickets/0")
    assert [one["label"] for one in tickets["stages"]] == [
        "New",
        "Waiting on contact",
        "Waiting on us",
        "Closed",
    ]
    _, orders, _ = hub.api("GET", f"{PIPELINES}/orders")
    assert len(orders["results"][0]["id"]) == 36
    assert hub.api("GET", f"{PIPELINES}/deals/nowhere")[0] == 404


def test_stage_in_use_is_not_deleted(hub: Sandbox) -> None:
    body = {"label": "Own", "stages": [{"label": "Only", "metadata": {"probability": "0.5"}}]}
    status, made, _ = hub.api("POST", f"{PIPELINES}/deals", body)
    assert status == 201
    stage = made["stages"][0]["id"]
    assert stage.isdigit()
    deal = hub.create("deals", {"dealname": "A", "pipeline": made["id"], "dealstage": stage})
    path = f"{PIPELINES}/deals/{made['id']}/stages/{stage}"
    status, refused, _ = hub.api("DELETE", path)
    assert (status, refused["subCategory"]) == (400, "PipelineError.STAGE_ID_IN_USE")
    assert refused["context"] == {"stageIds": [stage], "objectIds": [deal]}
    hub.archive("deals", deal)
    assert hub.api("DELETE", path)[0] == 204
    assert hub.api("DELETE", f"{PIPELINES}/deals/{made['id']}")[0] == 204


def test_owners_hide_the_inactive_one(hub: Sandbox) -> None:
    _, active, _ = hub.api("GET", "/crm/v3/owners")
    assert [one["id"] for one in active["results"]] == ["41001", "41002", "41003"]
    _, inactive, _ = hub.api("GET", "/crm/owners/2026-03?archived=true")
    (gone,) = inactive["results"]
    assert (gone["userId"], gone["userIdIncludingInactive"], gone["archived"]) == (None, 80, True)


def test_owner_is_found_by_email_and_by_user(hub: Sandbox) -> None:
    _, by_email, _ = hub.api("GET", "/crm/v3/owners?email=sam.okafor@example.com")
    assert [one["id"] for one in by_email["results"]] == ["41002"]
    assert hub.api("GET", "/crm/v3/owners?email=sam")[1]["results"] == []
    assert hub.api("GET", "/crm/v3/owners/78?idProperty=userId")[1]["id"] == "41002"
    assert hub.api("GET", "/crm/v3/owners/78")[0] == 404
