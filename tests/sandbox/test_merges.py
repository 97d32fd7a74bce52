from typing import Any

import pytest

from tests.sandbox_process import Sandbox, sandbox

OBJECTS = "/crm/v3/objects"
NOW = "2026-01-05T09:30:00.000Z"


def merged(hub: Sandbox, kind: str, primary: str, other: str, version: str = "2026-03") -> Any:  # noqa: ANN401 - JSON
    body = {"primaryObjectId": primary, "objectIdToMerge": other}
    status, survivor, _ = hub.api("POST", f"/crm/objects/{version}/{kind}/merge", body)
    assert status == 200, survivor
    return survivor


@pytest.mark.parametrize(
    ("kind", "properties"),
    [
        ("contacts", {"firstname": "A"}),
        ("companies", {"name": "A"}),
        ("deals", {"dealname": "A", "dealstage": "contractsent"}),
        ("tickets", {"subject": "A", "hs_pipeline_stage": "1"}),
        ("orders", {"hs_order_name": "A"}),
    ],
)
def test_survivor_has_a_new_id_and_both_old_ones_lead_to_it(
    hub: Sandbox, kind: str, properties: dict[str, str]
) -> None:
    one, two = hub.create(kind, properties), hub.create(kind, properties)
    survivor = merged(hub, kind, one, two)
    new = survivor["id"]
    assert new not in {one, two}
    assert survivor["properties"]["hs_merged_object_ids"] == f"{one};{two}"
    for old in (one, two):
        assert hub.api("GET", f"{OBJECTS}/{kind}/{old}")[1]["id"] == new
        change = {"properties": {"hubspot_owner_id": ""}}
        assert hub.api("PATCH", f"{OBJECTS}/{kind}/{old}", change)[1]["id"] == new
    listed = {one["id"] for one in hub.list(kind)}
    assert listed & {one, two, new} == {new}
    _, gone, _ = hub.api("GET", f"{OBJECTS}/{kind}?archived=true&limit=100")
    assert {one, two}.isdisjoint(found["id"] for found in gone["results"])
    filters = [{"propertyName": "hs_object_id", "operator": "IN", "values": [one, two, new]}]
    _, found, _ = hub.api("POST", f"{OBJECTS}/{kind}/search", {"filters": filters})
    assert [one["id"] for one in found["results"]] == [new]


def test_values_of_the_primary_win_and_both_addresses_stay(hub: Sandbox) -> None:
    primary = hub.create("contacts", {"email": "first@m.example", "lifecyclestage": "lead"})
    given = {"email": "second@m.example", "city": "Rome", "lifecyclestage": "customer"}
    other = hub.create("contacts", given)
    survivor = merged(hub, "contacts", primary, other)
    values = survivor["properties"]
    assert (values["email"], values["city"]) == ("first@m.example", "Rome")
    assert values["lifecyclestage"] == "customer"
    assert values["hs_additional_emails"] == "second@m.example"
    path = f"{OBJECTS}/contacts/SECOND@m.example?idProperty=email"
    assert hub.api("GET", path)[1]["id"] == survivor["id"]
    taken = {"properties": {"email": "second@m.example"}}
    status, refused, _ = hub.api("POST", f"{OBJECTS}/contacts", taken)
    assert (status, survivor["id"] in refused["message"]) == (409, True)
    moved = {"properties": {"email": "third@m.example"}}
    hub.api("PATCH", f"{OBJECTS}/contacts/{survivor['id']}", moved)
    assert hub.api("GET", path)[1]["id"] == survivor["id"]


def test_links_and_notes_are_united(hub: Sandbox) -> None:
    one, two = (hub.create("contacts", {"firstname": name}) for name in "AB")
    first, second = (hub.create("companies", {"name": name}) for name in "AB")
    hub.associate("contacts", one, "companies", first, 1)
    hub.associate("contacts", two, "companies", second, 1)
    notes = [hub.add_note("hello", ("contacts", end)) for end in (one, two)]
    new = merged(hub, "contacts", one, two)["id"]
    assert hub.associations("contacts", new, "companies") == {first: [1, 279], second: [279]}
    assert set(hub.associations("contacts", new, "notes")) == set(notes)
    assert set(hub.associations("notes", notes[1], "contacts")) == {new}
    values = hub.get("contacts", new)["properties"]
    assert (values["num_notes"], values["associatedcompanyid"]) == ("2", first)


def test_survivor_can_be_merged_again(hub: Sandbox) -> None:
    ids = [hub.create("deals", {"dealname": "A", "dealstage": "contractsent"}) for _ in range(3)]
    once = hub.merge("deals", ids[0], ids[1])
    twice = merged(hub, "deals", once, ids[2])
    assert twice["properties"]["hs_merged_object_ids"] == ";".join([*ids[:2], once, ids[2]])
    for old in (*ids, once):
        assert hub.api("GET", f"{OBJECTS}/deals/{old}")[1]["id"] == twice["id"]


def test_old_id_is_silently_missing_from_a_batch_update(hub: Sandbox) -> None:
    one, two, three = (hub.create("companies", {"name": name}) for name in "ABC")
    new = hub.merge("companies", one, two)
    inputs = [{"id": each, "properties": {"city": "Rome"}} for each in (one, three)]
    status, body, _ = hub.api("POST", f"{OBJECTS}/companies/batch/update", {"inputs": inputs})
    assert (status, [each["id"] for each in body["results"]]) == (200, [three])
    _, read, _ = hub.api("POST", f"{OBJECTS}/companies/batch/read", {"inputs": [{"id": one}]})
    assert [each["id"] for each in read["results"]] == [new]


@pytest.mark.parametrize("kind", ["notes", "emails", "calls", "meetings", "tasks"])
def test_activities_have_no_such_call(hub: Sandbox, kind: str) -> None:
    status, body, headers = hub.api("POST", f"{OBJECTS}/{kind}/merge", {})
    assert (status, headers["Content-Type"][:9]) == (404, "text/html")
    assert "Not Found" in body


def test_wrong_merges_are_refused(hub: Sandbox) -> None:
    one = hub.create("contacts", {"firstname": "A"})
    path = f"{OBJECTS}/contacts/merge"
    for other, expected in ((one, 400), ("999999", 404), ("", 400)):
        body = {"primaryObjectId": one, "objectIdToMerge": other}
        assert hub.api("POST", path, body)[0] == expected
    orders = f"{OBJECTS}/orders/merge"
    assert hub.api("POST", orders, {"primaryObjectId": "1", "objectIdToMerge": "2"})[0] == 404


def test_history_of_the_primary_goes_on(hub: Sandbox) -> None:
    one = hub.create("contacts", {"firstname": "A"})
    two = hub.create("contacts", {"firstname": "B", "city": "Rome"})
    hub.update("contacts", one, {"firstname": "C"})
    new = hub.merge("contacts", one, two)
    _, read, _ = hub.api("GET", f"{OBJECTS}/contacts/{new}?propertiesWithHistory=firstname,city")
    told = read["propertiesWithHistory"]
    assert [entry["value"] for entry in told["firstname"]] == ["C", "A"]
    assert told["city"][0]["sourceType"] == "MERGE_OBJECTS"


def test_search_shows_the_old_records_until_the_index_has_caught_up() -> None:
    with sandbox(index_delay=3600) as hub:
        one, two = (hub.create("contacts", {"firstname": name}) for name in "AB")
        hub.settings(clock_offset_s=3601)
        path = f"{OBJECTS}/contacts/search"
        assert hub.api("POST", path, {})[1]["total"] == 2
        new = hub.merge("contacts", one, two)
        assert hub.api("POST", path, {})[1]["total"] == 2
        hub.settings(clock_offset_s=7203)
        assert [each["id"] for each in hub.api("POST", path, {})[1]["results"]] == [new]
