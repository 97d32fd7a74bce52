"""The page for people: notes, files, links, merges, and the switchboard."""

import re

import pytest

from tests.sandbox.test_control import browse
from tests.sandbox_process import Sandbox


def deal(hub: Sandbox, name: str = "Chairs") -> str:
    return hub.create("deals", {"dealname": name, "dealstage": "contractsent"})


def test_note_is_written_on_the_page_and_shown(hub: Sandbox) -> None:
    path = f"/sandbox/records/deals/{deal(hub)}"
    status, _, where = browse(hub, f"{path}/notes", {"body": "Call <b>back</b>\nsoon"})
    assert (status, where) == (303, f"{path}?saved=1")
    _, text, _ = browse(hub, path)
    assert "Call <b>back</b>" in text
    assert "Rae Poe" in text


def test_dangerous_tags_of_a_note_are_not_shown(hub: Sandbox) -> None:
    record = deal(hub)
    hub.add_note("<p onclick='x()'>Hi</p><script>alert(1)</script>", ("deals", record))
    _, text, _ = browse(hub, f"/sandbox/records/deals/{record}")
    assert "<p>Hi</p>" in text
    assert "alert(1)" not in text


def test_files_of_a_note_can_be_fetched_from_the_page(hub: Sandbox) -> None:
    record = deal(hub)
    file = hub.add_file(b"signed", "contract.pdf")
    hub.add_note("See file", ("deals", record), files=[file["id"], "999999999"])
    _, text, _ = browse(hub, f"/sandbox/records/deals/{record}")
    assert "contract.pdf" in text
    assert "File 999999999 does not exist." in text
    assert hub.fetch(f"{hub.url}/sandbox/files/{file['id']}")[1] == b"signed"
    assert browse(hub, "/sandbox/files/1")[0] == 404


def test_note_is_associated_with_another_record_on_its_page(hub: Sandbox) -> None:
    one, two = deal(hub, "First deal"), deal(hub, "Second deal")
    note = hub.add_note("Note A", ("deals", one))
    path = f"/sandbox/records/notes/{note}"
    form = {"to_kind": "deals", "to_id": two}
    assert browse(hub, f"{path}/associate", form)[0] == 303
    assert set(hub.associations("notes", note, "deals")) == {one, two}
    _, text, _ = browse(hub, f"/sandbox/records/deals/{one}")
    assert re.search(r"Also on.*Second deal", text)
    browse(hub, f"{path}/dissociate", form)
    assert set(hub.associations("notes", note, "deals")) == {one}


@pytest.mark.parametrize(
    ("action", "form", "words"),
    [
        ("associate", {"to_kind": "deals", "to_id": "999999"}, "resource not found"),
        ("associate", {"to_kind": "x", "to_id": "1"}, "Unable to infer object type"),
        ("merge", {"other": "999999"}, "resource not found"),
        ("merge", {}, "objectId are usually numeric"),
        ("notes", {"body": " "}, "A note needs a text."),
        ("dance", {}, "There is no action dance."),
    ],
)
def test_what_cannot_be_done_is_told_on_the_page(
    hub: Sandbox, action: str, form: dict[str, str], words: str
) -> None:
    status, text, _ = browse(hub, f"/sandbox/records/deals/{deal(hub)}/{action}", form)
    assert status == 400
    assert words in text


def test_records_are_merged_on_the_page(hub: Sandbox) -> None:
    one, two = deal(hub, "First deal"), deal(hub, "Second deal")
    status, _, where = browse(hub, f"/sandbox/records/deals/{one}/merge", {"other": two})
    assert status == 303
    assert f"{one}, {two}" in browse(hub, where)[1]


def test_switchboard_of_the_page(hub: Sandbox) -> None:
    form = {"name": "locked", "times": "2", "path": "/crm/v3/objects/tasks"}
    assert browse(hub, "/sandbox/faults", form)[0] == 303
    assert "2 more calls" in browse(hub, "/sandbox/")[1]
    assert hub.api("GET", "/crm/v3/objects/tasks")[0] == 423
    assert browse(hub, "/sandbox/faults/off", {})[0] == 303
    assert hub.api("GET", "/crm/v3/objects/tasks")[0] == 200
    assert browse(hub, "/sandbox/faults", {"name": "x", "times": "1"})[0] == 400
