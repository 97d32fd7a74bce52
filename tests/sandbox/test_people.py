"""What a person does beyond editing: notes, files, links; and what of it moves which date."""

from tests.sandbox_process import Sandbox, sandbox

OBJECTS = "/crm/v3/objects"


def modified(hub: Sandbox, kind: str, record: str) -> str:
    found: str = hub.get(kind, record)["updatedAt"]
    return found


def deal(hub: Sandbox) -> str:
    return hub.create("deals", {"dealname": "Chairs", "dealstage": "contractsent"})


def test_note_of_a_person_is_wrapped_as_the_editor_does(hub: Sandbox) -> None:
    record = deal(hub)
    note = hub.add_note("Call back\n<soon>", ("deals", record))
    plain = hub.add_note("a < b", ("deals", record), hubspot_owner_id="41001")
    body = hub.get("notes", note)["properties"]["hs_note_body"]
    assert body.startswith('<div style="" dir="auto" data-top-level="true">')
    values = hub.get("notes", plain)["properties"]
    assert values["hubspot_owner_id"] == "41001"
    assert values["hs_object_source"] == "CRM_UI"
    assert set(hub.associations("deals", record, "notes")) == {note, plain}


def test_file_of_a_person_hangs_on_a_note(hub: Sandbox) -> None:
    file = hub.add_file(b"signed", "contract.pdf")
    note = hub.add_note("See file", ("deals", deal(hub)), files=[file["id"]])
    assert hub.get("notes", note)["properties"]["hs_attachment_ids"] == file["id"]
    assert hub.content(file["id"]) == b"signed"


def test_associating_an_old_note_moves_no_date_at_all() -> None:
    with sandbox() as hub:
        hub.settings(calculation_delay_s=None)
        one, two = deal(hub), deal(hub)
        note = hub.add_note("Note A", ("deals", one))
        before = [modified(hub, *end) for end in (("notes", note), ("deals", one), ("deals", two))]
        hub.settings(clock_offset_s=60)
        hub.associate("notes", note, "deals", two)
        after = [modified(hub, *end) for end in (("notes", note), ("deals", one), ("deals", two))]
        assert before == after
        assert set(hub.associations("notes", note, "deals")) == {one, two}


def test_parents_tell_of_their_notes_a_moment_later() -> None:
    with sandbox(calculation_delay=60) as hub:
        record = deal(hub)
        before = modified(hub, "deals", record)
        hub.add_note("Note A", ("deals", record))
        path = f"{OBJECTS}/deals/{record}?properties=num_notes&propertiesWithHistory=num_notes"
        _, read, _ = hub.api("GET", path)
        assert (read["properties"]["num_notes"], read["updatedAt"]) == (None, before)
        hub.settings(clock_offset_s=61)
        _, read, _ = hub.api("GET", path)
        assert read["properties"]["num_notes"] == "1"
        assert read["updatedAt"] > before
        assert read["propertiesWithHistory"]["num_notes"][0]["sourceType"] == "CALCULATED"


def test_linking_again_moves_nothing(hub: Sandbox) -> None:
    record = deal(hub)
    note = hub.add_note("Note A", ("deals", record))
    before = modified(hub, "deals", record)
    hub.associate("notes", note, "deals", record)
    assert modified(hub, "deals", record) == before


def test_links_are_taken_away_by_a_person(hub: Sandbox) -> None:
    record = deal(hub)
    note = hub.add_note("Note A", ("deals", record))
    hub.dissociate("deals", record, "notes", note)
    assert hub.associations("notes", note, "deals") == {}
    assert hub.get("deals", record)["properties"]["num_notes"] == "0"


def test_activities_of_all_kinds_are_counted_together(hub: Sandbox) -> None:
    record = deal(hub)
    hub.add_note("Note A", ("deals", record))
    call = hub.create("calls", {"hs_timestamp": "2026-01-05T09:30:00Z"})
    hub.associate("calls", call, "deals", record)
    assert hub.get("deals", record)["properties"]["num_notes"] == "2"


def test_property_can_be_mandatory_though_its_metadata_hides_it() -> None:
    with sandbox(hidden_required="deals=amount,closedate") as hub:
        given = {"dealname": "A", "dealstage": "contractsent", "amount": "5"}
        status, body, _ = hub.api("POST", f"{OBJECTS}/deals", {"properties": given})
        expected = "Error creating DEAL. Some required properties were not set."
        assert (status, body["message"]) == (400, expected)
        assert body["context"]["properties"] == ["closedate"]
        given["closedate"] = "2026-01-05"
        status, made, _ = hub.api("POST", f"{OBJECTS}/deals", {"properties": given})
        assert status == 201
        change = {"properties": {"amount": ""}}
        assert hub.api("PATCH", f"{OBJECTS}/deals/{made['id']}", change)[0] == 200
        hub.settings(hidden_required={})
        assert hub.create("deals", {"dealname": "B", "dealstage": "contractsent"})


def test_frozen_index_shows_old_values_until_it_thaws() -> None:
    with sandbox() as hub:
        record = hub.create("contacts", {"firstname": "Old"})
        path, body = f"{OBJECTS}/contacts/search", {"properties": ["firstname"]}
        assert hub.api("POST", path, body)[1]["total"] == 1
        hub.settings(index_frozen=True)
        hub.update("contacts", record, {"firstname": "New"})
        hub.create("contacts", {"firstname": "Second"})
        _, found, _ = hub.api("POST", path, body)
        assert [one["properties"]["firstname"] for one in found["results"]] == ["Old"]
        hub.settings(index_frozen=False)
        _, found, _ = hub.api("POST", path, body)
        names = [one["properties"]["firstname"] for one in found["results"]]
        assert names == ["New", "Second"]


def test_archived_records_stand_in_a_list_of_their_own(hub: Sandbox) -> None:
    record = deal(hub)
    hub.archive("deals", record)
    path = f"{OBJECTS}/deals?archived=true&limit=100"
    found = {one["id"]: one for one in hub.api("GET", path)[1]["results"]}
    assert found[record]["archived"] is True
    assert found[record]["archivedAt"]
    assert hub.api("GET", f"{OBJECTS}/deals/{record}")[0] == 404
    assert hub.api("GET", f"{OBJECTS}/deals/{record}?archived=true")[0] == 200
    hub.restore("deals", record)
    assert hub.api("GET", f"{OBJECTS}/deals/{record}")[0] == 200


def test_two_accounts_differ_in_everything_one_might_write_into_code() -> None:
    with (
        sandbox(portal_id=111, time_zone="America/New_York", currency="USD") as one,
        sandbox(
            portal_id=222,
            time_zone="Europe/Madrid",
            ui_domain="app-eu1.hubspot.com",
            app_id=77,
        ) as two,
    ):
        details = [hub.api("GET", "/account-info/v3/details")[1] for hub in (one, two)]
        told = ("portalId", "timeZone", "companyCurrency", "uiDomain", "dataHostingLocation")
        assert all(details[0][name] != details[1][name] for name in told)
        record = two.create("contacts", {"firstname": "A"})
        _, read, _ = two.api("GET", f"{OBJECTS}/contacts/{record}")
        assert read["url"] == f"https://app-eu1.hubspot.com/contacts/222/record/0-1/{record}"
