import hashlib
import struct
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.sandbox_process import Sandbox, sandbox

FILES = "/files/v3/files"
PRIVATE = {"access": "PRIVATE"}


def stored(hub: Sandbox, content: bytes, name: str = "contract.pdf", **given: Any) -> Any:  # noqa: ANN401 - JSON
    status, file = hub.upload(content, name, **given)
    assert status == 201, file
    return file


@pytest.mark.parametrize("path", [FILES, "/files/2026-03/files", "/files/2026-09/files"])
def test_upload_is_read_back_with_what_is_known_of_it(hub: Sandbox, path: str) -> None:
    content = f"signed at {path}".encode()
    made = stored(hub, content, path=path)
    status, read, _ = hub.api("GET", f"{path}/{made['id']}")
    assert (status, read) == (200, made)
    expected = {
        "extension": "pdf",
        "type": "DOCUMENT",
        "size": len(content),
        "access": "PRIVATE",
        "fileMd5": hashlib.md5(content).hexdigest(),  # noqa: S324 - HubSpot's choice
    }
    assert {name: read[name] for name in expected} == expected
    assert read["path"] == f"/library/{read['name']}.pdf"


def test_signed_address_opens_a_private_file_until_it_expires() -> None:
    with sandbox() as hub:
        made = stored(hub, b"secret words", "plan.txt")
        _, signed, _ = hub.api("GET", f"{FILES}/{made['id']}/signed-url?expirationSeconds=60")
        status, content, headers = hub.fetch(signed["url"])
        assert (status, content) == (200, b"secret words")
        assert (headers["Content-Length"], headers["Content-Type"][:10]) == ("12", "text/plain")
        plain = signed["url"].partition("?")[0]
        assert hub.fetch(plain)[0] == 404
        assert urlsplit(made["url"]).path == urlsplit(plain).path
        assert hub.fetch(f"{signed['url']}0")[0] == 403
        hub.settings(clock_offset_s=61)
        assert hub.fetch(signed["url"])[0] == 403


def test_public_file_needs_no_signature(hub: Sandbox) -> None:
    made = stored(hub, b"for all", "flyer.txt", options={"access": "PUBLIC_NOT_INDEXABLE"})
    status, content, headers = hub.fetch(hub.url + urlsplit(made["url"]).path)
    assert (status, content, headers["X-Robots-Tag"]) == (200, b"for all", "noindex")


def test_download_is_an_attachment_of_v3_only(hub: Sandbox) -> None:
    made = stored(hub, b"body of the letter", "letter.txt")
    status, text, headers = hub.api("GET", f"{FILES}/{made['id']}/download")
    assert (status, text) == (200, "body of the letter")
    assert headers["Content-Disposition"].startswith("attachment; filename=letter")
    assert hub.api("GET", f"/files/2026-03/files/{made['id']}/download")[0] == 404


def test_images_tell_their_size(hub: Sandbox) -> None:
    png = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 40, 30)
    made = stored(hub, png, "photo.png")
    assert (made["type"], made["width"], made["height"]) == ("IMG", 40, 30)


@pytest.mark.parametrize(
    ("options", "fields"),
    [
        ({}, {"folderPath": "/library"}),
        ({"access": "SECRET"}, {"folderPath": "/library"}),
        (PRIVATE, {"fileName": "x.pdf"}),
        (PRIVATE, {"folderPath": "/library", "folderId": "500"}),
        ({**PRIVATE, "duplicateValidationStrategy": "MAYBE"}, {"folderPath": "/library"}),
        ({**PRIVATE, "ttl": "P2Y"}, {"folderPath": "/library"}),
    ],
)
def test_upload_without_access_or_folder_is_refused(
    hub: Sandbox, options: dict[str, str], fields: dict[str, str]
) -> None:
    status, body = hub.upload(b"x", options=options, **fields)
    assert (status, body["category"]) == (400, "VALIDATION_ERROR")


def test_duplicates_are_found_by_content(hub: Sandbox) -> None:
    first = stored(hub, b"the same bytes", "one.pdf")
    returning = {**PRIVATE, "duplicateValidationStrategy": "RETURN_EXISTING"}
    again = stored(hub, b"the same bytes", "two.pdf", options=returning, folderPath="/elsewhere")
    assert again["id"] == first["id"]
    here = {**returning, "duplicateValidationScope": "EXACT_FOLDER"}
    other = stored(hub, b"the same bytes", "two.pdf", options=here, folderPath="/elsewhere")
    assert other["id"] != first["id"]
    status, body = hub.upload(
        b"the same bytes", options={**PRIVATE, "duplicateValidationStrategy": "REJECT"}
    )
    assert (status, body["category"]) == (409, "CONFLICT")


def test_taken_name_gets_a_number_unless_it_is_to_be_overwritten(hub: Sandbox) -> None:
    first = stored(hub, b"first", "offer.pdf", folderPath="/offers")
    second = stored(hub, b"second", "offer.pdf", folderPath="/offers")
    assert (first["name"], second["name"]) == ("offer", "offer-1")
    written = {**PRIVATE, "overwrite": True}
    third = stored(hub, b"third", "offer.pdf", options=written, folderPath="/offers")
    assert (third["id"], third["size"]) == (first["id"], 5)


def test_size_and_type_limits_are_settings() -> None:
    with sandbox() as hub:
        hub.settings(file_limit_bytes=10, refused_extensions=["pdf"])
        assert hub.upload(b"12345678901", "a.txt")[0] == 413
        assert hub.upload(b"1", "a.pdf")[0] == 400
        assert hub.upload(b"1234567890", "a.txt")[0] == 201


def test_large_file_does_not_stay_in_memory() -> None:
    with sandbox() as hub:
        before = _peak_kb(hub)
        stored(hub, bytes(120 * 1024 * 1024), "large.bin")
        assert _peak_kb(hub) - before < 40 * 1024


def _peak_kb(hub: Sandbox) -> int:
    status = Path(f"/proc/{hub.process.pid}/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1])


def test_files_are_found_by_stat_and_search(hub: Sandbox) -> None:
    made = [stored(hub, bytes([n]), f"needle {n}.csv", folderPath="/hay/stack") for n in range(3)]
    _, found, _ = hub.api("GET", f"{FILES}/stat/hay/stack/needle%201.csv")
    assert found["file"]["id"] == made[1]["id"]
    _, found, _ = hub.api("GET", f"{FILES}/stat/hay/stack")
    folder = found["folder"]["id"]
    assert folder == made[0]["parentFolderId"]
    assert hub.api("GET", f"{FILES}/stat/hay/fork")[0] == 404
    path = f"{FILES}/search?name=needle&parentFolderIds={folder}&type=DOCUMENT&limit=2"
    _, page, _ = hub.api("GET", path)
    _, rest, _ = hub.api("GET", f"{path}&after={page['paging']['next']['after']}")
    assert [one["id"] for one in page["results"] + rest["results"]] == [one["id"] for one in made]
    assert "paging" not in rest
    assert hub.api("GET", f"{FILES}/search?sizeGte=x")[0] == 400


def test_file_is_changed_replaced_and_deleted(hub: Sandbox) -> None:
    made = stored(hub, b"draft", "draft.txt")
    body = {"name": "final", "parentFolderPath": "/done", "access": "PUBLIC_INDEXABLE"}
    _, changed, _ = hub.api("PATCH", f"{FILES}/{made['id']}", body)
    assert (changed["path"], changed["access"]) == ("/done/final.txt", "PUBLIC_INDEXABLE")
    status, replaced = hub.upload(b"longer text", path=f"{FILES}/{made['id']}", method="PUT")
    assert (status, replaced["id"], replaced["size"]) == (200, made["id"], 11)
    assert [hub.api("DELETE", f"{FILES}/{made['id']}")[0] for _ in range(2)] == [204, 204]
    assert hub.api("GET", f"{FILES}/{made['id']}")[0] == 404


def test_file_with_a_time_to_live_goes_away() -> None:
    with sandbox() as hub:
        made = stored(hub, b"for a day", options={**PRIVATE, "ttl": "P1D"})
        hub.settings(clock_offset_s=86_401)
        assert hub.api("GET", f"{FILES}/{made['id']}")[0] == 404


def test_folders_are_made_moved_and_deleted_when_empty(hub: Sandbox) -> None:
    _, outer, _ = hub.api("POST", "/files/v3/folders", {"name": "outer"})
    wanted = {"name": "inner", "parentFolderId": outer["id"]}
    status, inner, _ = hub.api("POST", "/files/v3/folders", wanted)
    assert (status, inner["path"]) == (201, "/outer/inner")
    assert hub.api("POST", "/files/v3/folders", wanted)[0] == 409
    _, read, _ = hub.api("GET", "/files/v3/folders/outer/inner")
    assert read["id"] == inner["id"]
    assert hub.api("DELETE", f"/files/v3/folders/{outer['id']}")[0] == 400
    _, renamed, _ = hub.api("PATCH", f"/files/v3/folders/{inner['id']}", {"name": "core"})
    assert renamed["path"] == "/outer/core"
    _, listed, _ = hub.api("GET", "/files/v3/folders/search?name=core")
    assert [one["id"] for one in listed["results"]] == [inner["id"]]
    assert hub.api("DELETE", f"/files/v3/folders/{inner['id']}")[0] == 204
    assert hub.api("GET", f"/files/v3/folders/{inner['id']}")[0] == 404


def test_scopes_of_files(hub: Sandbox) -> None:
    hub.add_token("reader", scopes=["files.read"])
    hub.add_token("nobody", scopes=["oauth"])
    status, body = hub.upload(b"x", token="reader")
    assert (status, body["category"]) == (403, "MISSING_SCOPES")
    required = body["errors"][0]["context"]["requiredGranularScopes"]
    assert required == ["files", "files.write"]
    made = stored(hub, b"hidden", options={"access": "HIDDEN_PRIVATE"})
    path = f"{FILES}/{made['id']}"
    answers = {token: hub.api("GET", path, token=token)[0] for token in ("reader", "nobody")}
    assert answers == {"reader": 404, "nobody": 403}


def test_note_may_name_a_file_that_does_not_exist(hub: Sandbox) -> None:
    made = stored(hub, b"for the note")
    properties = {
        "hs_timestamp": "2026-01-05T09:30:00.000Z",
        "hs_attachment_ids": f"{made['id']};999999999",
    }
    status, note, _ = hub.api("POST", "/crm/v3/objects/notes", {"properties": properties})
    assert status == 201
    assert note["properties"]["hs_attachment_ids"] == f"{made['id']};999999999"
