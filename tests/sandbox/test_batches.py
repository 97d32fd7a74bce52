from typing import Any

from tests.sandbox_process import Sandbox

BASE = "/crm/objects/2026-03"
CONTACTS = f"{BASE}/contacts/batch"


def batch(hub: Sandbox, call: str, inputs: list[dict[str, Any]], **more: object) -> tuple[int, Any]:
    status, body, _ = hub.api("POST", f"{CONTACTS}/{call}", {"inputs": inputs, **more})
    return status, body


def new(hub: Sandbox, count: int) -> list[str]:
    inputs = [{"properties": {"firstname": f"Batch {number}"}} for number in range(count)]
    status, body = batch(hub, "create", inputs)
    assert status == 201
    return [one["id"] for one in body["results"]]


def test_results_come_in_an_order_of_their_own(hub: Sandbox) -> None:
    ids = new(hub, 100)
    assert ids != sorted(ids, key=int)
    assert len(set(ids)) == 100


def test_more_than_a_hundred_none_and_twice_the_same_are_refused(hub: Sandbox) -> None:
    one = {"properties": {"firstname": "A"}}
    assert batch(hub, "create", [one] * 101)[0] == 400
    assert batch(hub, "create", [])[0] == 400
    status, body = batch(hub, "update", [{"id": "5", **one}, {"id": "5", **one}])
    assert status == 400
    assert body["message"] == "Duplicate IDs found in batch input: [5]. IDs must be unique"


def test_read_tells_what_is_missing(hub: Sandbox) -> None:
    (there,) = new(hub, 1)
    status, body = batch(hub, "read", [{"id": there}, {"id": "999999"}], properties=["city"])
    assert status == 207
    assert [one["id"] for one in body["results"]] == [there]
    assert body["numErrors"] == 1
    assert body["errors"][0]["category"] == "OBJECT_NOT_FOUND"
    assert body["errors"][0]["context"] == {"ids": ["999999"]}
    assert "Could not get some CONTACT objects" in body["errors"][0]["message"]


def test_read_by_email_finds_any_case(hub: Sandbox, email: str) -> None:
    hub.create("contacts", {"email": email})
    status, body = batch(
        hub, "read", [{"id": email.upper()}], idProperty="email", properties=["email"]
    )
    assert (status, body["results"][0]["properties"]["email"]) == (200, email)


def test_read_with_history_takes_fifty(hub: Sandbox) -> None:
    ids = [{"id": one} for one in new(hub, 51)]
    assert batch(hub, "read", ids, propertiesWithHistory=["firstname"])[0] == 400
    status, body = batch(hub, "read", ids[:50], propertiesWithHistory=["firstname"])
    assert status == 200
    assert body["results"][0]["propertiesWithHistory"]["firstname"][0]["sourceType"]


def test_one_bad_create_fails_all_without_trace_ids(hub: Sandbox) -> None:
    before = hub.statistics()["records"].get("contacts", 0)
    good, bad = {"properties": {"firstname": "A"}}, {"properties": {"colour": "red"}}
    status, body = batch(hub, "create", [good, bad])
    assert (status, body["category"]) == (400, "VALIDATION_ERROR")
    traced = {**good, "objectWriteTraceId": "1"}
    assert batch(hub, "create", [traced, bad])[0] == 400
    assert batch(hub, "create", [traced, {**bad, "objectWriteTraceId": "1"}])[0] == 400
    assert hub.statistics()["records"].get("contacts", 0) == before


def test_traced_creates_stand_alone(hub: Sandbox, email: str) -> None:
    existing = hub.create("contacts", {"email": email})
    inputs = [
        {"properties": {"firstname": "A"}, "objectWriteTraceId": "good"},
        {"properties": {"colour": "red"}, "objectWriteTraceId": "bad"},
        {"properties": {"email": email}, "objectWriteTraceId": "taken"},
    ]
    status, body = batch(hub, "create", inputs)
    assert status == 207
    assert [one["objectWriteTraceId"] for one in body["results"]] == ["good"]
    errors = {one["context"]["objectWriteTraceId"][0]: one for one in body["errors"]}
    assert errors["bad"]["category"] == "VALIDATION_ERROR"
    assert errors["bad"]["errors"][0]["code"] == "PROPERTY_DOESNT_EXIST"
    assert errors["taken"]["category"] == "CONFLICT"
    assert existing in errors["taken"]["message"]


def test_update_carries_out_the_rest_when_an_id_is_unknown(hub: Sandbox) -> None:
    (there,) = new(hub, 1)
    inputs = [
        {"id": there, "properties": {"city": "Rome"}, "objectWriteTraceId": "1"},
        {"id": "999999", "properties": {"city": "Rome"}, "objectWriteTraceId": "2"},
    ]
    status, body = batch(hub, "update", inputs)
    assert status == 207
    assert body["results"][0]["properties"]["city"] == "Rome"
    context = {"ids": ["999999"], "objectWriteTraceId": ["2"]}
    assert body["errors"][0]["context"] == context


def test_upsert_by_a_unique_property_creates_and_updates(hub: Sandbox) -> None:
    definition = {
        "name": "hubconnect_key",
        "label": "Key",
        "type": "string",
        "fieldType": "text",
        "groupName": "contactinformation",
        "hasUniqueValue": True,
    }
    assert hub.api("POST", "/crm/properties/2026-03/contacts", definition)[0] == 201
    one = {"id": "k-1", "idProperty": "hubconnect_key", "properties": {"firstname": "A"}}
    _, made = batch(hub, "upsert", [one])
    assert made["results"][0]["new"] is True
    assert made["results"][0]["properties"]["hubconnect_key"] == "k-1"
    two = {"id": "k-2", "idProperty": "hubconnect_key", "properties": {"firstname": "C"}}
    changed_one = {**one, "properties": {"firstname": "B"}}
    _, both = batch(hub, "upsert", [changed_one, two])
    assert {(found["new"], found["properties"]["firstname"]) for found in both["results"]} == {
        (False, "B"),
        (True, "C"),
    }
    _, read = batch(hub, "read", [{"id": "k-1"}], idProperty="hubconnect_key")
    assert read["results"][0]["id"] == made["results"][0]["id"]
    body = {"properties": {"firstname": "D", "hubconnect_key": "k-1"}}
    status, refused, _ = hub.api("POST", f"{BASE}/contacts", body)
    assert status == 400
    assert "already has that value" in refused["message"]


def test_a_property_that_is_not_unique_identifies_nothing(hub: Sandbox) -> None:
    assert batch(hub, "read", [{"id": "A"}], idProperty="firstname")[0] == 400


def test_archive_passes_over_unknown_ids(hub: Sandbox) -> None:
    (there,) = new(hub, 1)
    assert batch(hub, "archive", [{"id": there}, {"id": "999999"}])[0] == 204
    assert batch(hub, "archive", [{"id": there}])[0] == 204
    assert hub.api("GET", f"{BASE}/contacts/{there}")[0] == 404
