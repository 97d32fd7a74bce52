"""The settings of a direction: conditions as rows and as JSON, what is asked, what is found."""

import html
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from hubconnect.core.models import User
from hubconnect.integrations.models import Flow, Pair
from tests.house import House, furnish
from tests.pages import main_form, submit, text
from tests.sandbox_process import Sandbox, sandbox

pytestmark = pytest.mark.django_db(transaction=True)

CRITERIA, LOOKUP = "to_right-criteria", "to_right-lookup"
LEADS = [{"condition": "EQUALS", "field": "lifecyclestage", "value": "lead"}]


@pytest.fixture(scope="module")
def hub() -> Iterator[Sandbox]:
    with sandbox() as running:
        for name, stage in (("ana", "lead"), ("ben", "lead"), ("cy", "customer")):
            running.create(
                "contacts",
                {
                    "email": f"{name}@x.example",
                    "firstname": name.title(),
                    "lastname": "" if name == "cy" else "Poe",
                    "lifecyclestage": stage,
                },
            )
        yield running


@pytest.fixture
def house(hub: Sandbox, tmp_path: Path, settings: Settings) -> House:
    settings.SQLITE_DIR = tmp_path
    return furnish(hub, tmp_path / "desk.sqlite3", lookup=[])


@pytest.fixture
def url(house: House) -> str:
    pair = Pair.objects.get(integration=house.integration)
    return reverse("integrations:pair", args=[pair.pk])


def press(client: Client, url: str, act: str, **typed: Any) -> dict[str, Any]:
    """Press a button of the conditions; return what the form then holds."""
    return main_form(text(submit(client, url, act=act, **typed))).values


def go_on(client: Client, url: str, values: dict[str, Any], **typed: Any) -> dict[str, Any]:
    """Press another button on the page that the last one led to."""
    return main_form(text(client.post(url, {**values, **typed}))).values


def is_text(values: dict[str, Any], wanted: object, name: str = CRITERIA) -> bool:
    return bool(json.loads(values[name]) == wanted)


# --- Rows and JSON -------------------------------------------------------------------------------


@pytest.mark.requirement("S53", "S54")
def test_rows_are_added_and_written_as_json_without_a_script(
    sync_admin_client: Client, url: str
) -> None:
    values = press(sync_admin_client, url, "to_right:criteria:add")
    assert values[f"{CRITERIA}-0-field"] == ""
    typed = {f"{CRITERIA}-0-field": "lifecyclestage", "act": "to_right:criteria:rows"}
    values = go_on(sync_admin_client, url, values, **typed)
    assert is_text(values, [{"condition": "EQUALS", "field": "lifecyclestage", "value": ""}])
    typed = {f"{CRITERIA}-0-condition": "IN", "act": "to_right:criteria:rows"}
    values = go_on(sync_admin_client, url, values, **typed)
    boxes = {f"{CRITERIA}-0-values": ["lead", "customer"]}
    values = go_on(sync_admin_client, url, values, act="to_right:criteria:rows", **boxes)
    wanted = [{"condition": "IN", "field": "lifecyclestage", "values": ["lead", "customer"]}]
    assert is_text(values, wanted)
    sync_admin_client.post(url, values)
    assert Flow.objects.get(direction="to_right").criteria == wanted


@pytest.mark.requirement("S56", "S57", "S58", "S59")
@pytest.mark.parametrize(
    ("sample", "cells"),
    [
        (LEADS[0], {"condition": "EQUALS", "value": "lead"}),
        (
            {
                "condition": "GREATER_THAN",
                "field": "createdate",
                "value": "2025-06-15T03:00:29.864Z",
            },
            {"condition": "GREATER_THAN", "value": "2025-06-15T05:00:29.864"},
        ),
        (
            {"condition": "EQUALS", "field": "firstname", "value": "new"},
            {"condition": "EQUALS", "value": "new"},
        ),
        (
            {"condition": "BETWEEN", "field": "num_notes", "value": 10.5, "highValue": 20},
            {"condition": "BETWEEN", "value": "10.5", "high": "20"},
        ),
    ],
)
def test_the_rows_follow_the_json_and_back(
    sync_admin: User,
    sync_admin_client: Client,
    url: str,
    sample: dict[str, object],
    cells: dict[str, str],
) -> None:
    User.objects.filter(pk=sync_admin.pk).update(time_zone="Europe/Berlin")
    typed = {CRITERIA: json.dumps([sample])}
    values = press(sync_admin_client, url, "to_right:criteria:text", **typed)
    assert {name: values[f"{CRITERIA}-0-{name}"] for name in cells} == cells
    assert json.loads(values[CRITERIA]) == [sample]
    changed = go_on(sync_admin_client, url, values, act="to_right:criteria:rows")
    assert json.loads(changed[CRITERIA]) == [sample]


def test_a_changed_field_forgets_the_value_of_the_one_before(
    sync_admin_client: Client, url: str
) -> None:
    Flow.objects.filter(direction="to_right").update(
        criteria=[{"condition": "GREATER_THAN", "field": "num_notes", "value": 5}]
    )
    typed = {f"{CRITERIA}-0-field": "lifecyclestage"}
    values = press(sync_admin_client, url, "to_right:criteria:rows", **typed)
    assert is_text(values, [{"condition": "EQUALS", "field": "lifecyclestage", "value": ""}])


def test_a_row_is_removed(sync_admin_client: Client, url: str) -> None:
    second = {"condition": "HAS_PROPERTY", "field": "email"}
    Flow.objects.filter(direction="to_right").update(criteria=[*LEADS, second])
    values = press(sync_admin_client, url, "to_right:criteria:remove:0")
    assert is_text(values, [second])
    assert values[f"{CRITERIA}-rows"] == "1"


def test_what_was_changed_is_saved_whichever_it_was(sync_admin_client: Client, url: str) -> None:
    Flow.objects.filter(direction="to_right").update(criteria=LEADS)
    submit(sync_admin_client, url, **{f"{CRITERIA}-0-value": "customer"})
    assert Flow.objects.get(direction="to_right").criteria[0]["value"] == "customer"
    submit(sync_admin_client, url, **{CRITERIA: json.dumps(LEADS)})
    assert Flow.objects.get(direction="to_right").criteria == LEADS
    submit(sync_admin_client, url, **{CRITERIA: ""})
    assert Flow.objects.get(direction="to_right").criteria == []


def test_two_changes_that_differ_are_not_saved(sync_admin_client: Client, url: str) -> None:
    Flow.objects.filter(direction="to_right").update(criteria=LEADS)
    typed = {f"{CRITERIA}-0-value": "customer", CRITERIA: "[]"}
    page = text(submit(sync_admin_client, url, **typed))
    assert "The rows and the JSON were both changed" in page
    assert Flow.objects.get(direction="to_right").criteria == LEADS


def test_broken_json_leaves_the_rows_to_go_on_from(sync_admin_client: Client, url: str) -> None:
    Flow.objects.filter(direction="to_right").update(criteria=LEADS)
    page = text(submit(sync_admin_client, url, act="to_right:criteria:text", **{CRITERIA: "[{"}))
    values = main_form(page).values
    assert values[CRITERIA] == "[{"
    assert values[f"{CRITERIA}-0-value"] == "lead"
    assert "not valid JSON" in page
    assert "Not saved" not in page


@pytest.mark.parametrize(
    "typed",
    [
        {"act": "nonsense"},
        {"act": "to_right:criteria:remove:99"},
        {"act": "to_right:criteria:remove:-1"},
        {"act": "nowhere:criteria:add"},
        {f"{CRITERIA}-rows": "x", f"{CRITERIA}-0-field": "nope", f"{CRITERIA}-0-condition": "?"},
        {CRITERIA: '[{"field": {"a": 1}, "condition": 3, "value": [[]], "values": 5}]'},
        {LOOKUP: "[[]]", "try_lookup": "to_right"},
        {"try_lookup": "to_right", "to_right-none_found": "x", LOOKUP: "[]"},
    ],
)
def test_nonsense_is_answered_with_a_page(
    sync_admin_client: Client, url: str, typed: dict[str, str]
) -> None:
    assert "Contacts and customers" in text(submit(sync_admin_client, url, **typed))


@pytest.mark.requirement("S65", "S66", "S69")
@pytest.mark.parametrize(
    ("criteria", "sentence"),
    [
        (
            [{"condition": "EQUALS", "field": "lifecyclestage", "value": "Lead"}],
            "Did you mean “lead”",
        ),
        ([{"condition": "EQUALS", "field": "Email", "value": "x"}], "Did you mean “email”"),
        ([{"condition": "EQUALS", "field": "num_notes", "value": "many"}], "not a number"),
        ([{"condition": "EQUALS", "field": "firstname", "value": None}], "NOT_HAS_PROPERTY"),
        ([{"condition": "HAS_PROPERTY", "field": "email"}] * 4, "at most 3 may be given"),
        ([{"condition": "OR", "criterias": LEADS}], "cannot be grouped"),
    ],
)
def test_what_cannot_be_used_is_refused_where_it_stands(
    sync_admin_client: Client, url: str, criteria: list[object], sentence: str
) -> None:
    typed = {CRITERIA: json.dumps(criteria), "to_right-start": "now", "to_left-start": "now"}
    page = text(submit(sync_admin_client, url, **typed))
    assert "Not saved" in page
    assert sentence in page
    assert not Flow.objects.exclude(criteria=[]).exists()
    # While it is filled in, the same stands as a note beside it.
    drawn = text(submit(sync_admin_client, url, act="to_right:criteria:text", **typed))
    assert sentence in drawn
    assert "Not saved" not in drawn


@pytest.mark.requirement("S60", "S75")
def test_guides_stand_beside_the_conditions_on_hubspot(sync_admin_client: Client, url: str) -> None:
    page = text(sync_admin_client.get(url))
    for slug in ("hubspot-internal-names", "hubspot-criteria"):
        guide = reverse("help:topic", args=[slug])
        assert page.count(guide) == 2  # HubSpot as source, and as target
        assert sync_admin_client.get(guide).status_code == 200


# --- What is asked -------------------------------------------------------------------------------


@pytest.mark.requirement("S61", "S62", "S64")
def test_the_page_shows_the_search_that_the_criteria_become(
    sync_admin_client: Client, url: str
) -> None:
    Flow.objects.filter(direction="to_right").update(
        criteria=[{"condition": "EQUALS", "field": "firstname", "value": "new"}]
    )
    page = text(sync_admin_client.get(url)).replace("&quot;", '"').replace("&lt;", "<")
    assert '{"propertyName": "firstname", "operator": "EQ", "value": "new"}' in page
    assert '"operator": "BETWEEN", "value": "<start of the window' in page
    assert '"propertyName": "hs_object_id", "operator": "GT"' in page


def test_the_page_shows_the_statement_a_database_gets(sync_admin_client: Client, url: str) -> None:
    criteria = [
        {"condition": "EQUALS", "field": "first_name", "value": "O'Neil"},
        {"condition": "CONTAINS_TOKEN", "field": "last_name", "value": "stone"},
    ]
    Flow.objects.filter(direction="to_left").update(criteria=criteria)
    page = html.unescape(text(sync_admin_client.get(url)))
    assert "lower(customers.first_name) IN ('o''neil') AND" in page
    assert "updated_at BETWEEN <start of the window>" in page
    assert "the rows whose last_name holds all the words “stone”" in page


@pytest.mark.requirement("S63")
def test_a_search_request_becomes_criteria(sync_admin_client: Client, url: str) -> None:
    request = {
        "filterGroups": [
            {
                "filters": [
                    {"propertyName": "firstname", "operator": "EQ", "value": "new"},
                    {"propertyName": "createdate", "operator": "GT", "value": "1749956429864"},
                    {
                        "propertyName": "lifecyclestage",
                        "operator": "IN",
                        "values": ["lead", "other"],
                    },
                ]
            }
        ]
    }
    typed = {"to_right-native": json.dumps(request)}
    values = press(sync_admin_client, url, "to_right:criteria:native", **typed)
    assert json.loads(values[CRITERIA]) == [
        {"condition": "EQUALS", "field": "firstname", "value": "new"},
        {"condition": "GREATER_THAN", "field": "createdate", "value": "2025-06-15T03:00:29.864Z"},
        {"condition": "IN", "field": "lifecyclestage", "values": ["lead", "other"]},
    ]


@pytest.mark.parametrize(
    ("request_text", "sentence"),
    [
        ("nothing", "This is not JSON"),
        ("{" * 9, "This is not JSON"),
        ('{"filterGroups": [{"filters": []}, {"filters": []}]}', "2 filter groups"),
        ('{"filterGroups": {}}', "no list of filters"),
        ('{"filters": [{"propertyName": "email", "operator": "LIKE"}]}', "no operator of a search"),
        ('{"filters": [{"propertyName": "nope", "operator": "EQ", "value": 1}]}', "nope"),
        ('{"filters": [{"propertyName": "email", "operator": "EQ"}]}', "NOT_HAS_PROPERTY"),
        ('{"filters": [{"propertyName": "email", "operator": "IN"}]}', "has no values"),
    ],
)
def test_a_request_that_is_no_criteria_is_refused(
    sync_admin_client: Client, url: str, request_text: str, sentence: str
) -> None:
    Flow.objects.filter(direction="to_right").update(criteria=LEADS)
    typed = {"to_right-native": request_text}
    page = text(submit(sync_admin_client, url, act="to_right:criteria:native", **typed))
    assert sentence in page
    assert is_text(main_form(page).values, LEADS)


def test_trying_criteria_counts_and_shows_the_first(sync_admin_client: Client, url: str) -> None:
    typed = {CRITERIA: json.dumps(LEADS), "try": "to_right"}
    page = text(submit(sync_admin_client, url, **typed))
    assert "2 match now" in page
    assert "ana@x.example" in page
    assert "cy@x.example" not in page


# --- Lookup --------------------------------------------------------------------------------------


@pytest.mark.requirement("S70", "S74", "S75")
def test_trying_a_lookup_shows_none_one_many_and_what_is_empty(
    sync_admin_client: Client, url: str, house: House
) -> None:
    insert = "insert into customers (email, last_name, first_name) values (?, 'Poe', ?)"
    for number, name in enumerate(("Ana", "Ben", "Ben")):
        house.desk.run(insert, f"{number}@old", name)
    lookup = [
        {"condition": "EQUALS", "field": "last_name", "value": "@lastname@"},
        {"condition": "EQUALS", "field": "first_name", "value": "@firstname@"},
    ]
    typed = {LOOKUP: json.dumps(lookup), "try_lookup": "to_right"}
    page = text(submit(sync_admin_client, url, **typed))
    assert "Last name is Poe and First name is Ana" in page
    assert "One: it is linked and updated" in page
    assert "2: waits as a failure" in page
    assert "Last Name is empty, and the target lookup needs it" in page
    assert "several records may be found" in page
    cy = house.contact_id("cy@x.example")
    page = text(submit(sync_admin_client, url, **{**typed, "to_right-ids": f"{cy}, 999"}))
    assert "not found: 999" in page
    assert "First name is Ana" not in page


def test_a_lookup_is_saved_with_its_rules(sync_admin_client: Client, url: str) -> None:
    lookup = [{"condition": "EQUALS", "field": "email", "value": "@email@"}]
    page = text(
        submit(
            sync_admin_client,
            url,
            **{
                LOOKUP: json.dumps(lookup),
                "to_right-none_found": "skip",
                "to_right-several_found": "first",
                "to_right-one_found": "link",
                "to_right-outside": "stop",
            },
        )
    )
    assert "were saved" in page
    flow = Flow.objects.get(direction="to_right")
    assert flow.lookup == lookup
    assert (flow.none_found, flow.several_found, flow.one_found) == ("skip", "first", "link")
    assert flow.outside == "stop"


@pytest.mark.requirement("S67", "S68", "S76")
@pytest.mark.parametrize(
    ("lookup", "sentence"),
    [
        ([{"condition": "EQUALS", "field": "email", "value": "@nope@"}], "no field “nope”"),
        ([{"condition": "EQUALS", "field": "email", "value": None}], "NOT_HAS_PROPERTY"),
        ([{"condition": "EQUALS", "field": "email", "value": "@email@"}] * 4, "at most 3"),
        ([{"condition": "AND", "criterias": []}], "cannot be grouped"),
        ([{"condition": "EQUALS", "field": "email", "value": "@id@"}], "no row of the mapping"),
    ],
)
def test_a_lookup_that_cannot_be_used_is_refused(
    sync_admin_client: Client, url: str, lookup: list[object], sentence: str
) -> None:
    page = text(submit(sync_admin_client, url, **{LOOKUP: json.dumps(lookup)}))
    assert "Not saved" in page
    assert sentence in page
    assert not Flow.objects.exclude(lookup=[]).exists()


def test_times_are_typed_in_the_readers_zone(
    sync_admin: User, sync_admin_client: Client, url: str
) -> None:
    User.objects.filter(pk=sync_admin.pk).update(time_zone="Europe/Berlin")
    created = {"condition": "LESS_THAN", "field": "createdate", "value": "2026-01-01T00:00:00Z"}
    Flow.objects.filter(direction="to_right").update(criteria=[created])
    typed = {f"{CRITERIA}-0-value": "2026-07-01T12:00"}
    submit(sync_admin_client, url, **typed)
    stored = Flow.objects.get(direction="to_right").criteria[0]["value"]
    assert stored == "2026-07-01T10:00:00.000Z"
