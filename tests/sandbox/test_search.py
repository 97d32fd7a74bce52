from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox_process import Sandbox, sandbox

EVER = {"propertyName": "hs_object_id", "operator": "GT", "value": "0"}


@pytest.fixture(scope="module")
def crm() -> Iterator[Sandbox]:
    with sandbox() as running:
        for number, (name, city, amount) in enumerate(
            [("Anna Adler", "Rome", "9"), ("Bert Busch", "rome", "10"), ("Cem", "", "100")]
        ):
            properties = {"firstname": name, "city": city, "email": f"p{number}@example.com"}
            running.create("contacts", properties)
            deal = {"dealname": name, "dealstage": "contractsent", "amount": amount}
            running.create("deals", deal)
        yield running


def search(hub: Sandbox, kind: str = "contacts", **body: object) -> tuple[int, Any]:
    status, answer, _ = hub.api("POST", f"/crm/objects/2026-03/{kind}/search", body)
    return status, answer


def found(hub: Sandbox, kind: str, *filters: dict[str, object]) -> list[str]:
    status, body = search(hub, kind, filterGroups=[{"filters": list(filters)}])
    assert status == 200, body
    name = "firstname" if kind == "contacts" else "dealname"
    return [one["properties"][name].split()[0] for one in body["results"]]


def where(name: str, operator: str, *values: str, **more: object) -> dict[str, object]:
    condition: dict[str, object] = {"propertyName": name, "operator": operator, **more}
    if operator in {"IN", "NOT_IN"}:
        return {**condition, "values": list(values)}
    return {**condition, "value": values[0]} if values else condition


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (where("city", "EQ", "ROME"), ["Anna", "Bert"]),
        (where("city", "NEQ", "rome"), ["Cem"]),
        (where("city", "IN", "rome"), ["Anna", "Bert"]),
        (where("city", "IN", "Rome"), []),
        (where("city", "NOT_IN", "rome"), ["Cem"]),
        (where("city", "HAS_PROPERTY"), ["Anna", "Bert"]),
        (where("city", "NOT_HAS_PROPERTY"), ["Cem"]),
        (where("firstname", "CONTAINS_TOKEN", "busch"), ["Bert"]),
        (where("firstname", "CONTAINS_TOKEN", "bus"), []),
        (where("firstname", "CONTAINS_TOKEN", "bus*"), ["Bert"]),
        (where("email", "CONTAINS_TOKEN", "*@example.com"), ["Anna", "Bert", "Cem"]),
        (where("firstname", "NOT_CONTAINS_TOKEN", "busch"), ["Anna", "Cem"]),
        (where("hs_object_id", "GTE", "1002"), ["Bert", "Cem"]),
        (where("hs_object_id", "IN", "1001", "1003"), ["Anna", "Cem"]),
        (where("lastmodifieddate", "GT", "2001-01-01T00:00:00Z"), ["Anna", "Bert", "Cem"]),
        (where("lastmodifieddate", "LT", "978307200000"), []),
    ],
)
def test_operators_on_contacts(
    crm: Sandbox, condition: dict[str, object], expected: list[str]
) -> None:
    assert found(crm, "contacts", condition) == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (where("amount", "GT", "9"), ["Bert", "Cem"]),
        (where("amount", "LTE", "10.0"), ["Anna", "Bert"]),
        (where("amount", "EQ", "10.00"), ["Bert"]),
        (where("amount", "BETWEEN", "9", highValue="10"), ["Anna", "Bert"]),
        (where("dealstage", "EQ", "contractsent"), ["Anna", "Bert", "Cem"]),
        (where("dealstage", "EQ", "ContractSent"), []),
    ],
)
def test_numbers_and_options_compare_as_such(
    crm: Sandbox, condition: dict[str, object], expected: list[str]
) -> None:
    assert found(crm, "deals", condition) == expected


def test_groups_are_alternatives_and_filters_all_hold(crm: Sandbox) -> None:
    groups = [
        {"filters": [where("city", "EQ", "rome"), where("hs_object_id", "GT", "1001")]},
        {"filters": [where("firstname", "CONTAINS_TOKEN", "cem")]},
    ]
    _, body = search(crm, filterGroups=groups)
    assert [one["id"] for one in body["results"]] == ["1002", "1003"]


def test_empty_search_finds_everything_oldest_first_in_pages_of_ten(crm: Sandbox) -> None:
    _, body = search(crm)
    assert (body["total"], [one["id"] for one in body["results"]]) == (3, ["1001", "1002", "1003"])
    assert "paging" not in body
    assert "associations" not in body["results"][0]


def test_pages_by_offset(crm: Sandbox) -> None:
    sorts = [{"propertyName": "amount", "direction": "DESCENDING"}]
    _, first = search(crm, "deals", sorts=sorts, limit=2)
    assert [one["properties"]["amount"] for one in first["results"]] == ["100", "10"]
    assert first["paging"]["next"]["after"] == "2"
    _, last = search(crm, "deals", sorts=["-amount"], limit=2, after="2")
    assert [one["properties"]["amount"] for one in last["results"]] == ["9"]
    assert "paging" not in last


def test_query_looks_at_names_and_addresses(crm: Sandbox) -> None:
    _, body = search(crm, query="P1@EXAMPLE")
    assert [one["id"] for one in body["results"]] == ["1002"]


@pytest.mark.parametrize(
    "body",
    [
        {"limit": 201},
        {"after": "10000"},
        {"after": "9900", "limit": 101},
        {"filterGroups": [{"filters": [EVER]}] * 6},
        {"filterGroups": [{"filters": [EVER] * 7}]},
        {"filterGroups": [{"filters": [EVER] * 5}] * 4},
        {"sorts": ["city", "email"]},
        {"filterGroups": [{"filters": [where("colour", "EQ", "red")]}]},
        {"filterGroups": [{"filters": [where("city", "LIKE", "red")]}]},
        {"filterGroups": [{"filters": [where("lastmodifieddate", "GT", "soon")]}]},
        {"query": "x" * 3000},
    ],
)
def test_limits_of_a_search(crm: Sandbox, body: dict[str, object]) -> None:
    status, answer = search(crm, "contacts", **body)
    assert (status, answer["category"]) == (400, "VALIDATION_ERROR")


def test_results_may_be_read_up_to_ten_thousand(crm: Sandbox) -> None:
    assert search(crm, after="9800", limit=200)[0] == 200


def test_index_shows_new_changed_and_deleted_records_late() -> None:
    with sandbox(index_delay=30) as crm:
        record = crm.create("contacts", {"firstname": "Old"})
        assert search(crm)[1]["total"] == 0
        crm.settings(clock_offset_s=31)
        assert search(crm)[1]["total"] == 1
        crm.update("contacts", record, {"firstname": "New"})
        assert search(crm)[1]["results"][0]["properties"]["firstname"] == "Old"
        assert crm.list("contacts")[0]["properties"]["firstname"] == "New"
        crm.settings(clock_offset_s=62)
        assert search(crm)[1]["results"][0]["properties"]["firstname"] == "New"
        crm.archive("contacts", record)
        assert search(crm)[1]["total"] == 1
        crm.settings(clock_offset_s=93)
        assert search(crm)[1]["total"] == 0


def test_keyset_pages_cover_a_window(seeded: Sandbox) -> None:
    ids: list[str] = []
    last = "0"
    while True:
        filters = [
            where("lastmodifieddate", "BETWEEN", "0", highValue="9999999999999"),
            where("hs_object_id", "GT", last),
        ]
        sorts = [{"propertyName": "hs_object_id", "direction": "ASCENDING"}]
        _, page = search(seeded, filterGroups=[{"filters": filters}], sorts=sorts, limit=200)
        ids += [one["id"] for one in page["results"]]
        if len(page["results"]) < 200:
            break
        last = ids[-1]
    assert ids == [str(number) for number in range(1001, 1321)]


def test_association_condition(seeded: Sandbox) -> None:
    condition = where("associations.company", "EQ", "1001")
    _, body = search(seeded, filterGroups=[{"filters": [condition]}], limit=100)
    ids = sorted(int(one["id"]) for one in body["results"])
    assert ids == [1001, 1061, 1121, 1181, 1241, 1301]
