"""Editing the rows of a mapping."""

import pytest
from auditlog.models import LogEntry
from django.test import Client

from hubconnect.mappings.models import Mapping
from hubconnect.mappings.services import usage
from tests.factories.mappings import FieldMappingFactory
from tests.fakes.connector import FakeAccount
from tests.integration.mappings.editor_page import (
    SOUND,
    Row,
    problems,
    rows_now,
    send,
    text_of,
)

pytestmark = pytest.mark.django_db


@pytest.mark.requirement("S119")
def test_page_shows_labels_and_internal_names_and_what_a_create_needs(
    sync_admin_client: Client, mapping: Mapping
) -> None:
    text = text_of(sync_admin_client.get(f"/mappings/{mapping.pk}/"))
    assert "<b>Deal name" in text
    assert '<span class="id">name' in text
    assert 'title="required"' in text
    assert "Hub wins" in text
    assert "Left wins" not in text


def test_saved_rows_are_stored_as_the_next_version(
    sync_admin_client: Client, mapping: Mapping
) -> None:
    row: Row = {
        "left": "stage",
        "right": "status",
        "when": "create",
        "conflict": "left",
        "default_right": "open",
        "pairs": [("new", "both", "open"), ("", "to_left", "won")],
    }
    assert send(sync_admin_client, mapping, SOUND, row, name="Renamed").status_code == 302
    mapping.refresh_from_db()
    assert (mapping.version, mapping.name) == (2, "Renamed")
    stored = mapping.rows.get(left_field="stage")
    assert (stored.when, stored.conflict, stored.default_right) == ("create", "left", "open")
    pairs = stored.value_map.values_list("left_value", "right_value", "direction")
    assert list(pairs) == [("new", "open", "both"), ("", "won", "to_left")]


def test_saving_leaves_one_audit_entry_that_names_the_rows(
    sync_admin_client: Client, mapping: Mapping
) -> None:
    before = LogEntry.objects.count()
    send(sync_admin_client, mapping, SOUND, {"left": "notes", "right": "notes"})
    (entry,) = LogEntry.objects.order_by("-pk")[: LogEntry.objects.count() - before]
    assert "notes ↔ notes" in str(entry.changes)
    assert entry.actor is not None


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"left": "gone", "right": "notes"}, "Hub has no field “gone”"),
        ({"left": "owner", "right": "due"}, "cannot become dates"),
        (
            {"left": "forecast", "right": "amount", "direction": "to_left"},
            "Hub keeps Forecast read-only, so Desk cannot write to it",
        ),
        (
            {"left": "amount", "right": "amount", "default_left": "many"},
            "“many” is not a number",
        ),
        (
            {"left": "stage", "right": "status", "pairs": [("old", "both", "open")]},
            "Stage in Hub has no option “old”",
        ),
        (
            {
                "left": "stage",
                "right": "status",
                "pairs": [("new", "both", "open"), ("won", "both", "open")],
            },
            "could become “New” or “Won”",
        ),
        (
            {"left": "stage", "right": "status", "pairs": [("new", "both", "…choose")]},
            "not complete",
        ),
        (
            {"left": "notes", "right": "notes", "overwrite": "on"},
            "Overwrite is for rows that flow one way",
        ),
        (
            {"left": "notes", "right": "title", "direction": "to_right"},
            "Another row already writes title in Desk",
        ),
        ({"left": "", "right": "notes", "direction": "to_right"}, "give a default"),
    ],
)
def test_row_that_cannot_work_is_named_at_its_row(
    sync_admin_client: Client, mapping: Mapping, row: Row, words: str
) -> None:
    response = send(sync_admin_client, mapping, SOUND, row)
    assert any(words in message for message in problems(response))
    assert 'href="#row-1"' in text_of(response)
    assert '<li id="row-1" class="is-bad">' in text_of(response)
    mapping.refresh_from_db()
    assert mapping.version == 1


def test_required_field_without_a_row_is_named_and_can_be_added(
    sync_admin_client: Client, mapping: Mapping
) -> None:
    response = send(sync_admin_client, mapping, {"left": "notes", "right": "notes"})
    assert any("Desk needs title to create a record" in one for one in problems(response))
    assert 'value="need:to_right:title"' in text_of(response)
    added = send(
        sync_admin_client,
        mapping,
        {"left": "notes", "right": "notes"},
        act="need:to_right:title",
    )
    assert rows_now(added) == [("notes", "notes", "both"), ("", "title", "to_right")]


def test_vanished_field_is_named_when_the_page_is_opened(
    sync_admin_client: Client, mapping: Mapping
) -> None:
    FieldMappingFactory.create(mapping=mapping, left_field="notes", right_field="lost")
    text = text_of(sync_admin_client.get(f"/mappings/{mapping.pk}/"))
    assert "Desk has no field “lost”" in text
    assert "lost (gone)" in text
    assert "Not saved" not in text


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        ("show", [("name", "title", "both")]),
        ("remove:0", []),
        ("turn:0:to_left", [("name", "title", "to_left")]),
        (
            "suggest",
            [("name", "title", "both"), ("amount", "amount", "both"), ("notes", "notes", "both")],
        ),
        ("remove:9", [("name", "title", "both")]),
        ("remove:x", [("name", "title", "both")]),
        ("turn:0:sideways", [("name", "title", "both")]),
        ("nonsense", [("name", "title", "both")]),
    ],
)
def test_button_changes_the_page_and_saves_nothing(
    sync_admin_client: Client, mapping: Mapping, act: str, expected: list[tuple[str, str, str]]
) -> None:
    response = send(sync_admin_client, mapping, SOUND, act=act)
    assert rows_now(response) == expected
    assert mapping.rows.count() == 1


@pytest.mark.parametrize(
    ("left", "right", "way"),
    [
        ("forecast", "amount", "to_right"),
        ("notes", "", "to_left"),
        ("", "notes", "to_right"),
        ("amount", "amount", "both"),
    ],
)
def test_added_row_flows_where_it_can(
    sync_admin_client: Client, mapping: Mapping, left: str, right: str, way: str
) -> None:
    response = send(sync_admin_client, mapping, SOUND, act="add", new_left=left, new_right=right)
    assert rows_now(response)[-1] == (left, right, way)


def test_adding_without_choosing_a_field_says_what_to_do(
    sync_admin_client: Client, mapping: Mapping
) -> None:
    response = send(sync_admin_client, mapping, SOUND, act="add")
    assert "Choose a field on at least one side" in text_of(response)


def test_options_are_paired_by_name_by_button_and_unpaired(
    sync_admin_client: Client, mapping: Mapping
) -> None:
    row: Row = {"left": "stage", "right": "status", "pairs": [("new", "both", "open")]}
    named = send(sync_admin_client, mapping, row, act="names:0")
    assert named.context["formset"].forms[0].pairs.total_form_count() == 2
    added = send(sync_admin_client, mapping, row, act="pair:0:left:won")
    assert added.context["formset"].forms[0].pairs.forms[1]["left"].value() == "won"
    gone = send(sync_admin_client, mapping, row, act="unpair:0:0")
    assert gone.context["formset"].forms[0].pairs.total_form_count() == 0


def test_options_without_counterpart_are_listed(
    sync_admin_client: Client, mapping: Mapping
) -> None:
    row: Row = {"left": "stage", "right": "status", "direction": "to_right"}
    response = send(sync_admin_client, mapping, SOUND, row, act="show")
    assert "1 option of Stage in Hub has no counterpart" in text_of(response)
    assert "Pair New" in text_of(response)


def test_fields_are_found_by_label_or_name(sync_admin_client: Client, mapping: Mapping) -> None:
    response = send(sync_admin_client, mapping, SOUND, act="show", find_left="AMO")
    assert [one.name for one in response.context["panes"][0].fields] == ["amount"]


def test_overwrite_is_offered_on_rows_that_flow_one_way(
    sync_admin_client: Client, mapping: Mapping
) -> None:
    one_way: Row = {"left": "notes", "right": "notes", "direction": "to_right"}
    text = text_of(send(sync_admin_client, mapping, SOUND, one_way, act="show"))
    assert 'name="rows-1-overwrite"' in text
    assert 'name="rows-0-overwrite"' not in text


def test_schema_is_read_again_when_asked(
    sync_admin_client: Client, mapping: Mapping, account: FakeAccount
) -> None:
    url = f"/mappings/{mapping.pk}/"
    sync_admin_client.get(url)
    account.fields["orders"].pop()
    assert 'value="due"' in text_of(sync_admin_client.get(url))
    assert 'value="due"' not in text_of(send(sync_admin_client, mapping, SOUND, act="refresh"))


def test_refresh_while_a_system_is_away_keeps_the_rows(
    sync_admin_client: Client, mapping: Mapping, account: FakeAccount
) -> None:
    sync_admin_client.get(f"/mappings/{mapping.pk}/")
    account.is_away = True
    response = send(sync_admin_client, mapping, SOUND, act="refresh")
    assert "The fake desk does not answer." in text_of(response)
    assert rows_now(response) == [("name", "title", "both")]


def test_system_that_is_away_gives_one_clear_message(
    sync_admin_client: Client, mapping: Mapping, account: FakeAccount
) -> None:
    account.is_away = True
    text = text_of(sync_admin_client.get(f"/mappings/{mapping.pk}/"))
    assert "The fake desk does not answer." in text
    assert "Nothing is lost" in text


def test_object_type_that_vanished_gives_one_clear_message(
    sync_admin_client: Client, mapping: Mapping, account: FakeAccount
) -> None:
    del account.fields["orders"]
    text = text_of(sync_admin_client.get(f"/mappings/{mapping.pk}/"))
    assert "Desk has no object type “orders” (any more)." in text


def test_version_saved_by_somebody_else_is_not_overwritten_unasked(
    sync_admin_client: Client, mapping: Mapping
) -> None:
    Mapping.objects.filter(pk=mapping.pk).update(version=5)
    response = send(sync_admin_client, mapping, SOUND)
    assert "Somebody saved version 5" in text_of(response)
    mapping.refresh_from_db()
    assert send(sync_admin_client, mapping, SOUND).status_code == 302


def test_name_of_another_mapping_is_refused(sync_admin_client: Client, mapping: Mapping) -> None:
    Mapping.objects.create(
        name="Taken",
        left_system=mapping.left_system,
        left_type="deals",
        right_system=mapping.right_system,
        right_type="orders",
    )
    response = send(sync_admin_client, mapping, SOUND, name="taken")
    assert "Another mapping is called “taken”" in text_of(response)


@pytest.mark.parametrize(
    "more",
    [{"rows-0-direction": "sideways"}, {"rows-TOTAL_FORMS": "x"}, {"rows-TOTAL_FORMS": "99999"}],
)
def test_broken_form_data_is_refused_without_a_crash(
    sync_admin_client: Client, mapping: Mapping, more: dict[str, str]
) -> None:
    for act in ("save", "show"):
        response = send(sync_admin_client, mapping, SOUND, act=act, **more)
        assert "do not fit together" in text_of(response)


def test_mapping_of_an_active_integration_cannot_be_edited(
    sync_admin_client: Client, mapping: Mapping
) -> None:
    usage.register_guard(lambda _: [usage.Use("Hub and Desk", is_active=True)])
    text = text_of(sync_admin_client.get(f"/mappings/{mapping.pk}/"))
    assert "Hub and Desk" in text
    assert "must be deactivated" in text
    assert "Check and save" not in text
    response = send(sync_admin_client, mapping, {"left": "notes", "right": "title"})
    assert response.status_code == 302
    mapping.refresh_from_db()
    assert mapping.version == 1


def test_mapping_of_an_inactive_integration_can_be_edited(
    sync_admin_client: Client, mapping: Mapping
) -> None:
    usage.register_guard(lambda _: [usage.Use("Hub and Desk", is_active=False)])
    assert send(sync_admin_client, mapping, SOUND).status_code == 302


def test_monitor_sees_the_rows_without_buttons_and_may_not_save(
    monitor_client: Client, mapping: Mapping
) -> None:
    text = text_of(monitor_client.get(f"/mappings/{mapping.pk}/"))
    assert "Deal name" in text
    assert "<button" not in text.split('id="editor"')[1].split("</main>")[0]
    assert send(monitor_client, mapping, SOUND).status_code == 403
