from typing import Any

import pytest

from tests.sandbox_process import Sandbox

BASE = "/crm/objects/2026-03"
CONTACTS = f"{BASE}/contacts"


def create(hub: Sandbox, kind: str, **properties: object) -> dict[str, Any]:
    status, body, _ = hub.api("POST", f"{BASE}/{kind}", {"properties": properties})
    assert status == 201, body
    made: dict[str, Any] = body
    return made


def test_create_answers_with_every_filled_property_and_a_location(hub: Sandbox, email: str) -> None:
    status, made, headers = hub.api("POST", CONTACTS, {"properties": {"email": email.upper()}})
    assert status == 201
    assert headers["Location"].endswith(f"/contacts/{made['id']}")
    properties = made["properties"]
    assert properties["hs_object_id"] == made["id"]
    assert properties["email"] == email
    assert properties["hs_object_source"] == "INTEGRATION"
    assert properties["hs_object_source_id"] == "9001"
    assert (made["createdAt"], made["updatedAt"]) == (
        properties["createdate"],
        properties["lastmodifieddate"],
    )
    assert made["url"] == f"https://app-eu1.hubspot.com/contacts/4242/record/0-1/{made['id']}"
    assert list(properties) == sorted(properties)


def test_ids_are_unique_only_within_a_type(seeded: Sandbox) -> None:
    first = {kind: seeded.list(kind)[0]["id"] for kind in ("contacts", "deals")}
    assert first == {"contacts": "1001", "deals": "1001"}


def test_existing_contact_is_409_with_its_id(hub: Sandbox, email: str) -> None:
    made = create(hub, "contacts", email=email)
    status, body, _ = hub.api("POST", CONTACTS, {"properties": {"email": email}})
    assert (status, body["category"]) == (409, "CONFLICT")
    assert body["message"] == f"Contact already exists. Existing ID: {made['id']}"


def test_taking_an_email_by_update_is_400_naming_the_holder(hub: Sandbox, email: str) -> None:
    holder = create(hub, "contacts", email=email)
    other = create(hub, "contacts", firstname="Other")
    path = f"{CONTACTS}/{other['id']}"
    status, body, _ = hub.api("PATCH", path, {"properties": {"email": email}})
    assert status == 400
    assert body["message"].endswith(f"on {other['id']}. {holder['id']} already has that value.")


def test_company_domains_may_repeat(hub: Sandbox) -> None:
    one = create(hub, "companies", domain="twice.example")
    two = create(hub, "companies", domain="twice.example")
    assert one["id"] != two["id"]


@pytest.mark.parametrize(
    ("kind", "properties", "missing"),
    [
        ("contacts", {"city": "Rome"}, ["email", "firstname", "lastname"]),
        ("companies", {"city": "Rome"}, ["name", "domain"]),
        ("deals", {"dealname": "A"}, ["dealstage"]),
        ("tickets", {"hs_pipeline_stage": "1"}, ["subject"]),
        ("notes", {"hs_note_body": "x"}, ["hs_timestamp"]),
        ("emails", {"hs_timestamp": "0"}, ["hs_email_direction"]),
        ("orders", {"hs_tax": "1"}, ["hs_order_name"]),
    ],
)
def test_required_properties_are_named(
    hub: Sandbox, kind: str, properties: dict[str, str], missing: list[str]
) -> None:
    status, body, _ = hub.api("POST", f"{BASE}/{kind}", {"properties": properties})
    assert (status, body["context"]["properties"]) == (400, missing)
    assert body["message"].startswith("Error creating ")


def test_reads_without_names_give_the_default_set(hub: Sandbox, email: str) -> None:
    made = create(hub, "contacts", email=email, city="Rome")
    _, read, _ = hub.api("GET", f"{CONTACTS}/{made['id']}")
    assert sorted(read["properties"]) == [
        "createdate",
        "email",
        "firstname",
        "hs_object_id",
        "lastmodifieddate",
        "lastname",
    ]
    note = create(hub, "notes", hs_timestamp="0", hs_note_body="x")
    _, read, _ = hub.api("GET", f"{BASE}/notes/{note['id']}")
    assert sorted(read["properties"]) == ["hs_createdate", "hs_lastmodifieddate", "hs_object_id"]


def test_unknown_names_are_dropped_and_empty_ones_are_null(hub: Sandbox, email: str) -> None:
    made = create(hub, "contacts", email=email)
    path = f"{CONTACTS}/{made['id']}?properties=city,colour"
    _, read, _ = hub.api("GET", path)
    assert read["properties"]["city"] is None
    assert "colour" not in read["properties"]


def test_update_answers_only_with_what_changed(hub: Sandbox, email: str) -> None:
    made = create(hub, "contacts", email=email, city="Rome")
    path = f"{CONTACTS}/{made['id']}"
    _, changed, _ = hub.api("PATCH", path, {"properties": {"zip": "00100"}})
    assert changed["properties"]["zip"] == "00100"
    assert "city" not in changed["properties"]
    assert changed["updatedAt"] > made["updatedAt"]


def test_identical_value_changes_nothing(hub: Sandbox, email: str) -> None:
    made = create(hub, "contacts", email=email, city="Rome")
    path = f"{CONTACTS}/{made['id']}"
    _, same, _ = hub.api("PATCH", path, {"properties": {"city": "Rome"}})
    assert same["updatedAt"] == made["updatedAt"]
    _, read, _ = hub.api("GET", f"{path}?propertiesWithHistory=city")
    assert len(read["propertiesWithHistory"]["city"]) == 1


def test_update_without_properties_is_refused(hub: Sandbox, email: str) -> None:
    made = create(hub, "contacts", email=email)
    status, body, _ = hub.api("PATCH", f"{CONTACTS}/{made['id']}", {"properties": {}})
    assert status == 400
    assert body["message"] == "No properties found to update, please provide at least one."


def test_history_tells_apps_from_people_newest_first(hub: Sandbox, email: str) -> None:
    made = create(hub, "contacts", email=email, city="Rome")
    hub.update("contacts", made["id"], {"city": "Oslo"})
    hub.api("PATCH", f"{CONTACTS}/{made['id']}", {"properties": {"city": ""}})
    _, read, _ = hub.api("GET", f"{CONTACTS}/{made['id']}?propertiesWithHistory=city")
    entries = read["propertiesWithHistory"]["city"]
    told = [(one["value"], one["sourceType"], one["sourceId"]) for one in entries]
    assert told == [
        ("", "INTEGRATION", "9001"),
        ("Oslo", "CRM_UI", "userId:77"),
        ("Rome", "INTEGRATION", "9001"),
    ]
    assert entries[1]["updatedByUserId"] == 77


def test_archived_record_is_404_but_listed_on_demand(hub: Sandbox, email: str) -> None:
    made = create(hub, "contacts", email=email)
    path = f"{CONTACTS}/{made['id']}"
    assert hub.api("DELETE", path)[0] == 204
    assert hub.api("DELETE", path)[0] == 204
    status, body, _ = hub.api("GET", path)
    assert (status, body["message"]) == (404, "resource not found")
    _, read, _ = hub.api("GET", f"{path}?archived=true")
    assert read["archived"] is True
    assert "archivedAt" in read
    _, page, _ = hub.api("GET", f"{CONTACTS}?archived=true&limit=100")
    assert made["id"] in [one["id"] for one in page["results"]]
    hub.restore("contacts", made["id"])
    assert hub.api("GET", path)[0] == 200


def test_id_that_is_no_number_has_words_of_its_own(hub: Sandbox) -> None:
    status, body, _ = hub.api("GET", f"{CONTACTS}/abc")
    assert status == 404
    assert body["message"] == "Object not found.  objectId are usually numeric."
    assert body["context"] == {"id": ["abc"]}


def test_record_is_found_by_email_in_any_case(hub: Sandbox, email: str) -> None:
    made = create(hub, "contacts", email=email)
    path = f"{CONTACTS}/{email.upper()}?idProperty=email"
    _, read, _ = hub.api("GET", path)
    assert read["id"] == made["id"]
    status, changed, _ = hub.api("PATCH", path, {"properties": {"city": "Rome"}})
    assert (status, changed["id"]) == (200, made["id"])


def test_list_pages_by_id_and_ends_without_paging(seeded: Sandbox) -> None:
    _, page, _ = seeded.api("GET", "/crm/v3/objects/deals?limit=100")
    ids = [int(one["id"]) for one in page["results"]]
    assert ids == sorted(ids)
    assert page["paging"]["next"]["link"].endswith(f"after={ids[-1]}")
    after = page["paging"]["next"]["after"]
    _, rest, _ = seeded.api("GET", f"/crm/v3/objects/deals?limit=100&after={after}")
    assert len(rest["results"]) == 20
    assert "paging" not in rest
    assert seeded.api("GET", "/crm/v3/objects/deals?limit=101")[0] == 400


def test_closing_a_deal_sets_what_follows(hub: Sandbox) -> None:
    made = create(hub, "deals", dealname="A", dealstage="contractsent", amount="780.00")
    assert made["properties"]["pipeline"] == "default"
    assert made["properties"]["hs_is_closed"] == "false"
    path = f"{BASE}/deals/{made['id']}"
    _, changed, _ = hub.api("PATCH", path, {"properties": {"dealstage": "closedwon"}})
    assert changed["properties"]["hs_is_closed_won"] == "true"
    assert changed["properties"]["hs_closed_amount"] == "780.00"


def test_closing_a_ticket_dates_it_and_reopening_clears(hub: Sandbox) -> None:
    made = create(hub, "tickets", subject="A", hs_pipeline_stage="1")
    path = f"{BASE}/tickets/{made['id']}"
    _, closed, _ = hub.api("PATCH", path, {"properties": {"hs_pipeline_stage": "4"}})
    assert closed["properties"]["closed_date"] == closed["updatedAt"]
    _, opened, _ = hub.api("PATCH", path, {"properties": {"hs_pipeline_stage": "2"}})
    assert opened["properties"]["closed_date"] is None
    assert opened["properties"]["hs_ticket_reopened_at"] == opened["updatedAt"]
