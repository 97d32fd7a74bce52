"""Files of records beyond the contract: who carries them, calls, repeats, refusals."""

import hashlib
import io

import pytest

from hubconnect.connectors.children import FileDraft, FileInfo, SentFile
from hubconnect.connectors.errors import AttentionError, OutcomeUnknownError
from hubconnect.connectors.hubspot.connector import HubSpotConnector
from tests.contract.hubspot.conftest import connect
from tests.sandbox_process import Sandbox

UPLOAD = "/files/2026-03/files"
CREATE = "/crm/objects/2026-03/notes/batch/create"


def contact(account: Sandbox) -> str:
    return account.create("contacts", {"lastname": "Attached"})


def draft(record_id: str, name: str, content: bytes, *, size: int | None = None) -> FileDraft:
    return FileDraft(
        key=name,
        record_id=record_id,
        name=name,
        media_type="text/plain",
        size=len(content) if size is None else size,
        digest=hashlib.md5(content, usedforsecurity=False).hexdigest(),
        open=lambda: io.BytesIO(content),
    )


def files_of(connector: HubSpotConnector, record_id: str) -> list[FileInfo]:
    holders = connector.attaching.holder_ids("contacts", [record_id])[record_id]
    found = connector.attaching.read_holders("contacts", holders)
    return [file for files in found.values() for file in files]


@pytest.mark.requirement("S17", "S43", "S45")
def test_each_file_becomes_a_private_file_on_a_note_of_its_own(
    account: Sandbox, connector: HubSpotConnector
) -> None:
    near = contact(account)
    drafts = [draft(near, "one.txt", b"1"), draft(near, "two.txt", b"2")]
    outcomes = {one.key: one for one in connector.attaching.add_files("contacts", drafts)}
    notes = {
        key: account.get("notes", one.id.removeprefix("notes/"))["properties"]
        for key, one in outcomes.items()
    }

    assert len(account.associations("contacts", near, "notes")) == 2
    for name, properties in notes.items():
        file_id = properties["hs_attachment_ids"]
        _, file, _ = account.api("GET", f"/files/v3/files/{file_id}")
        assert file["access"] == "PRIVATE"
        assert f"{file['name']}.{file['extension']}" == name
        assert file["path"].startswith("/hubconnect/")
        assert account.content(file_id) == {"one.txt": b"1", "two.txt": b"2"}[name]


@pytest.mark.requirement("S43")
@pytest.mark.parametrize("activity", ["emails", "calls", "meetings", "tasks"])
def test_files_of_other_activities_are_files_of_the_record(
    account: Sandbox, connector: HubSpotConnector, activity: str
) -> None:
    name = f"{activity}.txt"
    near, file = contact(account), account.add_file(b"x", name)
    extra = {"hs_email_direction": "EMAIL"} if activity == "emails" else {}
    properties = {"hs_timestamp": "2026-01-05T09:30:00Z", "hs_attachment_ids": file["id"], **extra}
    made = account.create(activity, properties)
    account.associate(activity, made, "contacts", near)
    (found,) = files_of(connector, near)

    assert (found.holder, found.name, found.size) == (f"{activity}/{made}", name, 1)
    assert found.media_type == "text/plain"


def test_without_the_scope_for_emails_other_activities_are_read(account: Sandbox) -> None:
    scopes = ["oauth", "crm.objects.contacts.read", "files"]
    account.add_token("no-emails", scopes=scopes)
    near, file = contact(account), account.add_file(b"x", "plan.txt")
    note = account.add_note("", ("contacts", near), files=[file["id"]])
    with connect(account, access_token="no-emails") as connector:
        assert [one.holder for one in files_of(connector, near)] == [f"notes/{note}"]


@pytest.mark.requirement("S17")
def test_without_the_scope_for_files_the_scope_is_named(account: Sandbox) -> None:
    account.add_token("no-files", scopes=["oauth", "crm.objects.contacts.read"])
    near, file = contact(account), account.add_file(b"x", "plan.txt")
    account.add_note("", ("contacts", near), files=[file["id"]])
    with (
        connect(account, access_token="no-files") as connector,
        pytest.raises(AttentionError) as caught,
    ):
        files_of(connector, near)
    assert "files" in caught.value.missing_scopes


def test_a_hundred_files_cost_a_call_for_details_and_one_for_their_notes(
    account: Sandbox, connector: HubSpotConnector
) -> None:
    near = contact(account)
    drafts = [draft(near, f"{number}.txt", b"%d" % number) for number in range(100)]
    outcomes = connector.attaching.add_files("contacts", drafts)
    before = dict(connector.calls)
    found = files_of(connector, near)

    assert all(one.id for one in outcomes)
    assert (before["upload"], before["batch create"]) == (100, 1)
    assert len(found) == 100
    assert connector.calls["files"] == 1
    assert connector.calls["associations read"] == 5


def test_hidden_files_are_read_one_by_one(account: Sandbox, connector: HubSpotConnector) -> None:
    near = contact(account)
    file = account.add_file(b"secret", "hidden.txt", "HIDDEN_PRIVATE")
    account.add_note("", ("contacts", near), files=[file["id"]])

    assert [one.name for one in files_of(connector, near)] == ["hidden.txt"]


def test_a_file_sent_again_is_stored_once(account: Sandbox, connector: HubSpotConnector) -> None:
    near = contact(account)
    account.fault(path=UPLOAD, method="POST", drop="after")
    (made,) = connector.attaching.add_files("contacts", [draft(near, "once.txt", b"only once")])
    _, found, _ = account.api("GET", "/files/v3/files/search?name=once")

    assert made.id
    assert connector.calls["upload"] == 2
    assert len(found["results"]) == 1


def test_equal_contents_keep_their_names(account: Sandbox, connector: HubSpotConnector) -> None:
    near = contact(account)
    drafts = [draft(near, name, b"equal") for name in ("offer.txt", "copy.txt", "a b (2).md")]
    connector.attaching.add_files("contacts", drafts)

    assert {one.name for one in files_of(connector, near)} == {one.name for one in drafts}


def test_a_file_that_is_refused_is_an_error_of_its_own(
    account: Sandbox, connector: HubSpotConnector
) -> None:
    near = contact(account)
    account.settings(file_limit_bytes=100, refused_extensions=["exe"])
    try:
        names = {"large.txt": bytes(101), "setup.exe": b"x", "good.txt": b"x"}
        drafts = [draft(near, name, content) for name, content in names.items()]
        outcomes = {one.key: one for one in connector.attaching.add_files("contacts", drafts)}
    finally:
        account.settings(file_limit_bytes=20_000_000, refused_extensions=[])
    large, program = outcomes["large.txt"].error, outcomes["setup.exe"].error

    assert outcomes["good.txt"].id
    assert large is not None
    assert program is not None
    assert "too large" in large.message
    assert "setup.exe" in program.message
    assert [one.name for one in files_of(connector, near)] == ["good.txt"]


@pytest.mark.parametrize("size", [1, 9])
def test_a_file_of_another_length_than_was_said_is_not_stored(
    account: Sandbox, connector: HubSpotConnector, size: int
) -> None:
    near = contact(account)
    drafts = [draft(near, "changed.txt", b"seven b", size=size), draft(near, "good.txt", b"x")]
    outcomes = {one.key: one for one in connector.attaching.add_files("contacts", drafts)}
    error = outcomes["changed.txt"].error

    assert outcomes["good.txt"].id
    assert error is not None
    assert "changed" in error.message
    assert [one.name for one in files_of(connector, near)] == ["good.txt"]


def test_a_lost_file_is_found_by_its_content(account: Sandbox, connector: HubSpotConnector) -> None:
    near, sent_at = contact(account), connector.now()
    one, never = draft(near, "one.txt", b"lost"), draft(near, "never.txt", b"never sent")
    account.fault(path=CREATE, drop="after")
    with pytest.raises(OutcomeUnknownError):
        connector.attaching.add_files("contacts", [one])
    sent = [
        SentFile(
            key=each.key,
            record_id=near,
            name=each.name,
            size=each.size,
            digest=each.digest,
            sent_at=sent_at,
        )
        for each in (one, never)
    ]
    settled = connector.attaching.settle_files("contacts", sent)
    (file,) = files_of(connector, near)

    assert settled["one.txt"].id == file.holder
    assert (settled["never.txt"].id, settled["never.txt"].is_certain) == ("", False)


def test_an_unsound_name_reaches_hubspot_as_one(
    account: Sandbox, connector: HubSpotConnector
) -> None:
    near = contact(account)
    name = '../a"b\r\nX-Evil: 1\\c.txt'
    (made,) = connector.attaching.add_files("contacts", [draft(near, name, b"x")])
    (file,) = files_of(connector, near)

    assert made.id
    assert "/" not in file.name
    assert file.name.endswith("c.txt")
