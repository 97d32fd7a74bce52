from typing import Any

import pytest

from hubconnect.sandbox.catalog.associations import TYPES
from tests.sandbox_process import Sandbox

V4 = "/crm/v4"
DATED = "/crm/objects/2026-03"


def spec(type_id: int, category: str = "HUBSPOT_DEFINED") -> dict[str, object]:
    return {"associationCategory": category, "associationTypeId": type_id}


def contact(hub: Sandbox) -> str:
    return hub.create("contacts", {"firstname": "A"})


def company(hub: Sandbox, name: str = "B") -> str:
    return hub.create("companies", {"name": name})


def linked(hub: Sandbox, kind: str, record: str, to_kind: str) -> dict[int, list[int]]:
    path = f"{DATED}/{kind}/{record}/associations/{to_kind}"
    status, body, _ = hub.api("GET", path)
    assert status == 200
    return {
        int(one["toObjectId"]): [kind["typeId"] for kind in one["associationTypes"]]
        for one in body["results"]
    }


def put(hub: Sandbox, path: str, *types: dict[str, object]) -> tuple[int, Any]:
    status, body, _ = hub.api("PUT", f"{V4}/objects/{path}", list(types))
    return status, body


def test_primary_link_brings_the_plain_one_and_both_inverses(hub: Sandbox) -> None:
    one, two = contact(hub), company(hub)
    status, body = put(hub, f"contacts/{one}/associations/companies/{two}", spec(1))
    assert (status, body["labels"], body["toObjectId"]) == (201, ["Primary"], int(two))
    assert linked(hub, "contacts", one, "companies") == {int(two): [1, 279]}
    assert linked(hub, "companies", two, "contacts") == {int(one): [2, 280]}


def test_a_contact_has_one_primary_company(hub: Sandbox) -> None:
    one, first, second = contact(hub), company(hub), company(hub)
    put(hub, f"contacts/{one}/associations/companies/{first}", spec(1))
    put(hub, f"contacts/{one}/associations/companies/{second}", spec(1))
    assert linked(hub, "contacts", one, "companies") == {int(first): [279], int(second): [1, 279]}
    assert hub.get("contacts", one)["properties"]["associatedcompanyid"] == second
    assert hub.get("companies", first)["properties"]["num_associated_contacts"] == "1"


def test_default_call_answers_for_both_directions(hub: Sandbox) -> None:
    one, two = contact(hub), company(hub)
    path = f"{V4}/objects/contacts/{one}/associations/default/companies/{two}"
    status, body, _ = hub.api("PUT", path)
    types = {found["associationSpec"]["associationTypeId"] for found in body["results"]}
    assert (status, types) == (200, {279, 280})


def test_delete_removes_both_directions(hub: Sandbox) -> None:
    one, two = contact(hub), company(hub)
    path = f"contacts/{one}/associations/companies/{two}"
    put(hub, path, spec(1))
    assert hub.api("DELETE", f"{V4}/objects/{path}")[0] == 204
    assert linked(hub, "contacts", one, "companies") == {}
    assert linked(hub, "companies", two, "contacts") == {}
    assert hub.get("contacts", one)["properties"].get("associatedcompanyid") is None


@pytest.mark.parametrize(("type_id", "words"), [(280, "expected: 0-2"), (99999, "does not exist")])
def test_wrong_direction_and_unknown_type_are_refused(
    hub: Sandbox, type_id: int, words: str
) -> None:
    one, two = contact(hub), company(hub)
    status, body = put(hub, f"contacts/{one}/associations/companies/{two}", spec(type_id))
    assert status == 400
    assert words in body["message"]


def test_batch_read_of_an_unlinked_record_is_207(hub: Sandbox) -> None:
    one, two, lonely = contact(hub), company(hub), contact(hub)
    put(hub, f"contacts/{one}/associations/companies/{two}", spec(279))
    path = f"{V4}/associations/contacts/companies/batch/read"
    status, body, _ = hub.api("POST", path, {"inputs": [{"id": one}, {"id": lonely}]})
    assert status == 207
    assert body["results"][0]["from"] == {"id": one}
    assert body["results"][0]["to"][0]["toObjectId"] == int(two)
    error = body["errors"][0]
    assert error["subCategory"] == "crm.associations.NO_ASSOCIATIONS_FOUND"
    assert error["message"] == f"No company is associated with contact {lonely}."
    assert error["context"]["fromObjectId"] == [lonely]


def test_batch_read_takes_a_thousand(hub: Sandbox) -> None:
    path = f"{V4}/associations/contacts/companies/batch/read"
    inputs = [{"id": str(number)} for number in range(1001)]
    assert hub.api("POST", path, {"inputs": inputs})[0] == 400
    assert hub.api("POST", path, {"inputs": inputs[:1000]})[0] == 207


@pytest.mark.parametrize(
    ("version", "made", "gone"), [("2026-03", 201, 204), ("2026-09", 200, 200)]
)
def test_batch_create_and_archive(hub: Sandbox, version: str, made: int, gone: int) -> None:
    one, two = contact(hub), company(hub)
    base = f"/crm/associations/{version}/contacts/companies/batch"
    pair = {"from": {"id": one}, "to": {"id": two}, "types": [spec(279)]}
    status, _, _ = hub.api("POST", f"{base}/create", {"inputs": [pair]})
    assert (status, linked(hub, "contacts", one, "companies")) == (made, {int(two): [279]})
    missing = {**pair, "to": {"id": "999999"}}
    status, body, _ = hub.api("POST", f"{base}/create", {"inputs": [missing]})
    assert (status, body["errors"][0]["context"]["toObjectId"]) == (207, ["999999"])
    inputs = [{"from": {"id": one}, "to": [{"id": two}]}]
    status, _, _ = hub.api("POST", f"{base}/archive", {"inputs": inputs})
    assert (status, linked(hub, "contacts", one, "companies")) == (gone, {})


def test_create_with_associations_links_and_refuses_wrong_ids(hub: Sandbox) -> None:
    two = company(hub)
    body = {
        "properties": {"firstname": "A"},
        "associations": [{"to": {"id": int(two)}, "types": [spec(279)]}],
    }
    status, made, _ = hub.api("POST", f"{DATED}/contacts", body)
    assert (status, linked(hub, "contacts", made["id"], "companies")) == (201, {int(two): [279]})
    body["associations"] = [{"to": {"id": "999999"}, "types": [spec(279)]}]
    status, refused, _ = hub.api("POST", f"{DATED}/contacts", body)
    assert (status, refused["message"]) == (400, "One or more associations are invalid")
    assert refused["context"]["INVALID_OBJECT_IDS"] == ["COMPANY=999999 is not valid"]


def test_inline_associations_use_v3_names_once_per_type(hub: Sandbox) -> None:
    one, two = contact(hub), company(hub)
    put(hub, f"contacts/{one}/associations/companies/{two}", spec(1))
    _, read, _ = hub.api("GET", f"{DATED}/contacts/{one}?associations=companies,tickets")
    assert read["associations"] == {
        "companies": {
            "results": [
                {"id": two, "type": "contact_to_company"},
                {"id": two, "type": "contact_to_company_unlabeled"},
            ]
        }
    }


def test_linking_a_note_leaves_its_modified_date(hub: Sandbox) -> None:
    one = contact(hub)
    note = hub.create("notes", {"hs_timestamp": "0", "hs_note_body": "x"})
    before = hub.get("notes", note)["updatedAt"]
    put(hub, f"notes/{note}/associations/contacts/{one}", spec(202))
    assert hub.get("notes", note)["updatedAt"] == before
    properties = hub.get("contacts", one)["properties"]
    assert properties["num_notes"] == "1"
    assert properties["notes_last_updated"]


def test_labels_of_a_user_replace_each_other(hub: Sandbox) -> None:
    path = f"{V4}/associations/contacts/deals/labels"
    body = {"name": "decision_maker", "label": "Decision maker", "inverseLabel": "Decides"}
    status, made, _ = hub.api("POST", path, body)
    assert status == 200
    label = made["results"][0]["typeId"]
    _, labels, _ = hub.api("GET", path)
    kinds = {one["typeId"]: one["category"] for one in labels["results"]}
    assert kinds == {4: "HUBSPOT_DEFINED", label: "USER_DEFINED"}
    one = contact(hub)
    deal = hub.create("deals", {"dealname": "A", "dealstage": "contractsent"})
    pair = f"contacts/{one}/associations/deals/{deal}"
    put(hub, pair, spec(label, "USER_DEFINED"))
    assert sorted(linked(hub, "contacts", one, "deals")[int(deal)]) == sorted([4, label])
    put(hub, pair, spec(4))
    assert linked(hub, "contacts", one, "deals") == {int(deal): [4]}
    assert hub.api("DELETE", f"{path}/{label}")[0] == 204


def test_pages_of_associations(hub: Sandbox) -> None:
    one = company(hub)
    for _ in range(3):
        put(hub, f"companies/{one}/associations/contacts/{contact(hub)}", spec(280))
    path = f"{V4}/objects/companies/{one}/associations/contacts?limit=2"
    _, page, _ = hub.api("GET", path)
    after = page["paging"]["next"]["after"]
    _, rest, _ = hub.api("GET", f"{path}&after={after}")
    assert (len(page["results"]), len(rest["results"])) == (2, 1)
    assert "paging" not in rest


def test_archiving_hides_a_link_and_restoring_brings_it_back(hub: Sandbox) -> None:
    one, two = contact(hub), company(hub)
    put(hub, f"contacts/{one}/associations/companies/{two}", spec(279))
    hub.archive("contacts", one)
    assert linked(hub, "companies", two, "contacts") == {}
    assert hub.get("companies", two)["properties"]["num_associated_contacts"] == "0"
    hub.restore("contacts", one)
    assert linked(hub, "companies", two, "contacts") == {int(one): [280]}


def test_older_calls_link_by_name(hub: Sandbox) -> None:
    one, two = contact(hub), company(hub)
    base = f"/crm/v3/objects/contacts/{one}/associations/companies"
    name = "contact_to_company_unlabeled"
    status, body, _ = hub.api("PUT", f"{base}/{two}/{name}")
    assert (status, body["associations"]["companies"]["results"]) == (
        200,
        [{"id": two, "type": name}],
    )
    _, listed, _ = hub.api("GET", base)
    assert listed["results"] == [{"id": two, "type": name}]
    assert hub.api("DELETE", f"{base}/{two}/{name}")[0] == 204
    assert hub.api("GET", base)[1]["results"] == []


def test_every_type_leads_back_by_its_inverse() -> None:
    for kind in TYPES.values():
        inverse = TYPES[kind.inverse_id]
        assert (inverse.source, inverse.target) == (kind.target, kind.source)
        assert inverse.inverse_id == kind.type_id
        assert inverse.is_default == kind.is_default


def test_labels_are_those_of_the_table(hub: Sandbox) -> None:
    found = {}
    for pair in ("contacts/companies", "companies/companies", "notes/deals", "calls/meetings"):
        _, body, _ = hub.api("GET", f"{V4}/associations/{pair}/labels")
        found[pair] = {one["typeId"]: one["label"] for one in body["results"]}
    assert found == {
        "contacts/companies": {1: "Primary", 279: None, 931: "Billing Contact"},
        "companies/companies": {13: "Child Company", 14: "Parent Company", 450: None},
        "notes/deals": {214: None},
        "calls/meetings": {399: None},
    }


def test_label_is_renamed_with_its_inverse(hub: Sandbox) -> None:
    path = f"{V4}/associations/deals/contacts/labels"
    given = {"name": "payer", "label": "Payer", "inverseLabel": "Pays for"}
    _, made, _ = hub.api("POST", path, given)
    type_id = made["results"][0]["typeId"]
    change = {"associationTypeId": type_id, "label": "Buyer", "inverseLabel": "Buys"}
    assert hub.api("PUT", path, change)[0] == 204
    _, body, _ = hub.api("GET", path)
    assert {one["typeId"]: one["label"] for one in body["results"]}[type_id] == "Buyer"
    assert hub.api("PUT", path, {"associationTypeId": 3, "label": "No"})[0] == 400
    assert hub.api("DELETE", f"{path}/{type_id}")[0] == 204


@pytest.mark.parametrize("named", ["note_to_contact", 202])
def test_v3_batches_take_names_and_numbers(hub: Sandbox, named: str | int) -> None:
    one = contact(hub)
    note = hub.create("notes", {"hs_timestamp": "2026-01-05T09:30:00Z"})
    lonely = hub.create("notes", {"hs_timestamp": "2026-01-05T09:30:00Z"})
    base = "/crm/v3/associations/notes/contacts"
    pair = {"from": {"id": note}, "to": {"id": one}, "type": named}
    missing = {**pair, "to": {"id": "999999"}}
    status, body, _ = hub.api("POST", f"{base}/batch/create", {"inputs": [pair, missing]})
    assert (status, len(body["results"]), len(body["errors"])) == (207, 1, 1)
    asked = {"inputs": [{"id": note}, {"id": lonely}]}
    status, body, _ = hub.api("POST", f"{base}/batch/read", asked)
    assert status == 207
    assert body["results"][0]["to"] == [{"id": one, "type": "note_to_contact"}]
    assert body["errors"][0]["context"]["fromObjectId"] == [lonely]
    assert hub.api("POST", f"{base}/batch/archive", {"inputs": [pair]})[0] == 204
    assert hub.associations("notes", note, "contacts") == {}
    assert hub.api("POST", f"{base}/batch/create", {"inputs": [{**pair, "type": "x"}]})[0] == 400
    _, types, _ = hub.api("GET", f"{base}/types")
    assert types["results"] == [{"id": "202", "name": "note_to_contact"}]


def test_labels_of_a_user_replace_each_other_in_a_batch_too(hub: Sandbox) -> None:
    path = f"{V4}/associations/contacts/companies"
    types = []
    for text in ("First", "Second"):
        _, made, _ = hub.api("POST", f"{path}/labels", {"name": text.lower(), "label": text})
        types.append(made["results"][0]["typeId"])
    one, two = contact(hub), company(hub)
    for type_id in types:
        inputs = {"from": {"id": one}, "to": {"id": two}, "types": [spec(type_id, "USER_DEFINED")]}
        assert hub.api("POST", f"{path}/batch/create", {"inputs": [inputs]})[0] == 201
    left = linked(hub, "contacts", one, "companies")[int(two)]
    assert sorted(left) == sorted([types[1], 279])
