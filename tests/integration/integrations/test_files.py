"""Files of records, both ways, each once by its content."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from hubconnect.connectors.errors import Category
from hubconnect.core.models import User
from hubconnect.integrations.models import (
    AttachmentLink,
    ChildIntent,
    CommentLink,
    Flow,
    FollowUp,
    Link,
    RecordEvent,
)
from hubconnect.integrations.services import failures
from hubconnect.mappings.models import Mapping
from tests.children import (
    ChattyDesk,
    PairHouse,
    files_of,
    furnish_pair,
    make_chatty_desk,
    notes_of,
)
from tests.house import make_hubspot
from tests.sandbox_process import Sandbox, sandbox

pytestmark = pytest.mark.django_db(transaction=True)
ANA = "ana@x.example"
ROWS = (("email", "email"), ("firstname", "first_name"))
NOTES_BATCH = "/crm/objects/2026-03/notes/batch/"


@dataclass
class Archive:
    """Contacts of a sandbox ↔ customers of a desk, with comments and files."""

    hub: Sandbox
    desk: ChattyDesk
    house: PairHouse
    contact: str

    def attach(self, name: str, content: bytes, text: str = "") -> str:
        """Attach a file to Ana in HubSpot, on a note with this text."""
        file = self.hub.add_file(content, name)
        return self.hub.add_note(text, ("contacts", self.contact), files=[str(file["id"])])

    def in_hubspot(self) -> list[bytes]:
        """Return what is in Ana's files in HubSpot."""
        return files_of(self.hub, "contacts", self.contact)

    def at_desk(self) -> dict[str, bytes]:
        """Return Ana's files at the desk."""
        return self.desk.files(ANA)

    def sync(self) -> None:
        """Run both directions, twice, so that nothing is left to do."""
        for _ in range(2):
            self.house.sync()

    def sweep(self) -> None:
        """Run both directions with their sweeps due."""
        Flow.objects.update(next_sweep_at=timezone.now())
        self.house.sync()


@pytest.fixture
def archive(hub: Sandbox, tmp_path: Path, settings: Settings) -> Archive:
    settings.SQLITE_DIR = tmp_path
    return furnish_archive(hub, tmp_path)


def furnish_archive(hub: Sandbox, tmp_path: Path, *, is_prepared: bool = True) -> Archive:
    """Set everything up and carry the first contact."""
    contact = hub.create("contacts", {"email": ANA, "firstname": "Ana"})
    desk = ChattyDesk(tmp_path / "desk.sqlite3").build()
    house = furnish_pair(
        (make_hubspot(hub, is_prepared=is_prepared), "contacts"),
        (make_chatty_desk(desk.file), "customers"),
        ROWS,
        comments="both",
        files="both",
    )
    house.activate()
    made = Archive(hub, desk, house, contact)
    made.sync()
    return made


@pytest.mark.requirement("S43", "S47")
def test_a_file_of_a_note_arrives_once(archive: Archive) -> None:
    archive.attach("offer.pdf", b"%PDF offer")
    archive.house.sync_until(lambda: bool(archive.at_desk()))
    archive.sync()
    archive.sweep()
    assert archive.at_desk() == {"offer.pdf": b"%PDF offer"}
    assert archive.in_hubspot() == [b"%PDF offer"]
    assert archive.desk.said(ANA) == [], "a note that only carries a file is no comment"


def test_a_new_row_of_a_file_table_is_found_though_its_record_did_not_change(
    archive: Archive,
) -> None:
    archive.desk.attach(ANA, "one.txt", b"one")

    archive.house.sync_until(lambda: archive.in_hubspot() == [b"one"])
    archive.sync()

    assert archive.in_hubspot() == [b"one"]
    assert archive.at_desk() == {"one.txt": b"one"}


def test_a_file_added_to_a_known_call_is_found_by_the_sweep(archive: Archive) -> None:
    first, second = (archive.hub.add_file(one, f"{one.decode()}.txt") for one in (b"one", b"two"))
    call = archive.hub.create(
        "calls",
        {"hs_timestamp": "2026-05-01T10:00:00Z", "hs_attachment_ids": str(first["id"])},
    )
    archive.hub.associate("calls", call, "contacts", archive.contact)
    archive.sweep()
    archive.sync()
    assert archive.at_desk() == {"one.txt": b"one"}

    both = f"{first['id']};{second['id']}"
    archive.hub.update("calls", call, {"hs_attachment_ids": both})

    def has_both() -> bool:
        archive.sweep()  # HubSpot's clock has whole seconds: the first may come a moment too early
        return len(archive.at_desk()) == 2

    archive.house.sync_until(has_both)

    assert archive.at_desk() == {"one.txt": b"one", "two.txt": b"two"}


@pytest.mark.requirement("S45")
def test_each_file_becomes_a_note_of_its_own_that_never_comes_back(archive: Archive) -> None:
    archive.desk.attach(ANA, "one.txt", b"one")
    archive.desk.attach(ANA, "two.txt", b"two")
    archive.desk.run("update customers set first_name = 'Anna'")
    archive.house.sync_until(lambda: len(archive.in_hubspot()) == 2)
    archive.sync()
    archive.sweep()
    assert len(archive.hub.associations("contacts", archive.contact, "notes")) == 2
    assert sorted(archive.in_hubspot()) == [b"one", b"two"]
    assert archive.at_desk() == {"one.txt": b"one", "two.txt": b"two"}
    assert archive.desk.said(ANA) == []
    assert AttachmentLink.objects.count() == 2


def test_text_and_file_of_a_note_are_carried_both(archive: Archive) -> None:
    archive.attach("offer.pdf", b"offer", "Here it is")
    archive.house.sync_until(lambda: bool(archive.at_desk()) and bool(archive.desk.said(ANA)))
    archive.sync()
    assert archive.desk.said(ANA) == ["Here it is"]
    assert archive.at_desk() == {"offer.pdf": b"offer"}
    assert notes_of(archive.hub, "contacts", archive.contact) == ["Here it is"]


def test_a_file_added_to_a_known_note_is_found(archive: Archive) -> None:
    note = archive.attach("one.txt", b"one", "Text")
    archive.house.sync_until(lambda: bool(archive.at_desk()))
    first = archive.hub.get("notes", note)["properties"]["hs_attachment_ids"]
    second = archive.hub.add_file(b"two", "two.txt")
    archive.hub.update("notes", note, {"hs_attachment_ids": f"{first};{second['id']}"})
    archive.house.sync_until(lambda: len(archive.at_desk()) == 2)
    assert archive.at_desk() == {"one.txt": b"one", "two.txt": b"two"}


def test_the_same_content_is_carried_once_whatever_its_name(archive: Archive) -> None:
    archive.attach("one.txt", b"same")
    archive.attach("copy.txt", b"same")
    archive.house.sync_until(lambda: bool(archive.at_desk()))
    archive.sync()
    assert archive.at_desk() == {"one.txt": b"same"}


def test_what_both_sides_hold_already_is_not_carried(archive: Archive) -> None:
    archive.desk.attach(ANA, "same.txt", b"same")
    archive.attach("same.txt", b"same")
    archive.sync()
    archive.sweep()
    assert archive.at_desk() == {"same.txt": b"same"}
    assert archive.in_hubspot() == [b"same"]
    assert AttachmentLink.objects.count() == 1


def test_limits_refuse_one_file_and_the_others_go_on(archive: Archive) -> None:
    Mapping.objects.update(file_refused_types=["exe"])
    archive.attach("virus.exe", b"MZ")
    archive.attach("fine.txt", b"fine")
    archive.house.sync_until(lambda: bool(archive.at_desk()))
    archive.sync()
    archive.sweep()
    (failure,) = archive.house.open_failures()
    assert failure.category == Category.FILE_REFUSED
    assert "virus.exe is of a type (.exe)" in failure.message
    assert failure.attempts == 1
    assert failure.title == "A file of Ana"
    assert archive.at_desk() == {"fine.txt": b"fine"}
    Mapping.objects.update(file_refused_types=[])
    archive.sweep()
    assert set(archive.at_desk()) == {"fine.txt", "virus.exe"}
    assert archive.house.open_failures() == []


def test_a_dismissed_file_is_let_go(archive: Archive, admin: User) -> None:
    Mapping.objects.update(file_refused_types=["exe"])
    archive.attach("virus.exe", b"MZ")
    archive.house.sync_until(lambda: bool(archive.house.open_failures()))
    failures.dismiss(archive.house.open_failures()[0], admin)
    archive.sync()
    archive.sweep()
    assert archive.house.open_failures() == []
    assert archive.at_desk() == {}


def test_a_file_too_large_for_hubspot_is_one_failure(archive: Archive) -> None:
    archive.hub.settings(file_limit_bytes=10)
    archive.desk.attach(ANA, "large.txt", b"x" * 11)
    archive.desk.attach(ANA, "small.txt", b"x")
    archive.sweep()
    archive.sync()
    assert archive.in_hubspot() == [b"x"]
    (failure,) = archive.house.open_failures()
    assert "large.txt" in failure.message


def test_a_large_file_passes_through_whole(archive: Archive) -> None:
    content = bytes(range(256)) * 12_000
    archive.attach("film.bin", content)
    archive.house.sync_until(lambda: bool(archive.at_desk()))
    assert archive.at_desk() == {"film.bin": content}


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_lost_reply_doubles_and_loses_no_file(archive: Archive, when: str) -> None:
    archive.desk.attach(ANA, "one.txt", b"one")
    archive.hub.fault(path=NOTES_BATCH, method="POST", drop=when)
    Flow.objects.update(next_sweep_at=timezone.now())
    archive.house.sync_until(lambda: archive.in_hubspot() == [b"one"])
    archive.sync()
    archive.sweep()
    assert archive.in_hubspot() == [b"one"]
    assert archive.at_desk() == {"one.txt": b"one"}
    assert ChildIntent.objects.count() == 0


def test_a_file_shows_in_the_counts_and_the_story_of_its_run(
    archive: Archive, monitor_client: Client
) -> None:
    archive.attach("offer.pdf", b"offer", "Here it is")
    run = archive.house.run_until_seen("to_right")
    assert (run.comments, run.files) == (1, 1)
    line = RecordEvent.objects.get(run=run, kind=RecordEvent.Kind.FILE)
    assert "offer.pdf" in line.detail["reason"]
    page = monitor_client.get(reverse("integrations:run_detail", args=[run.pk]))
    assert "1 comment, 1 file" in page.content.decode()


def test_two_hubspot_accounts_keep_comments_and_files_the_same(
    hub: Sandbox, tmp_path: Path, settings: Settings
) -> None:
    settings.SQLITE_DIR = tmp_path
    with sandbox(portal_id=5151) as other:
        house = furnish_pair(
            (make_hubspot(hub), "contacts"),
            (make_hubspot(other, "Other HubSpot"), "contacts"),
            (("email", "email"), ("firstname", "firstname")),
            comments="both",
            files="both",
        )
        ours = hub.create("contacts", {"email": ANA, "firstname": "Ana"})
        file = hub.add_file(b"offer", "offer.pdf")
        hub.add_note("Here it is", ("contacts", ours), files=[str(file["id"])])
        house.activate()
        house.sync()
        theirs = str(other.list("contacts")[0]["id"])
        other.add_note("<p>Thank <b>you</b></p>", ("contacts", theirs))

        def texts() -> tuple[list[str], list[str]]:
            sides = (notes_of(hub, "contacts", ours), notes_of(other, "contacts", theirs))
            left, right = (sorted(filter(None, side)) for side in sides)
            return left, right

        both = ["Here it is", "Thank you"]
        house.sync_until(lambda: texts() == (both, both))
        for _ in range(2):
            Flow.objects.update(next_sweep_at=timezone.now())
            house.sync()
        assert texts() == (both, both)
        assert files_of(hub, "contacts", ours) == files_of(other, "contacts", theirs) == [b"offer"]
        assert CommentLink.objects.exclude(left_id="").exclude(right_id="").count() == 2
        assert house.open_failures() == []


def test_a_refused_file_is_not_asked_for_again_by_every_run(archive: Archive, admin: User) -> None:
    Mapping.objects.update(file_refused_types=["exe"])
    archive.attach("virus.exe", b"MZ")
    archive.house.sync_until(lambda: bool(archive.house.open_failures()))
    (failure,) = archive.house.open_failures()
    assert failure.next_try_at is None, "time alone changes no limit; the sweep and Retry look"

    failures.retry(failure, admin)
    archive.sync()

    (failure,) = archive.house.open_failures()
    assert (failure.attempts, failure.next_try_at) == (1, None)


def test_the_same_content_waits_for_the_file_whose_reply_was_lost(
    hub: Sandbox, tmp_path: Path, settings: Settings
) -> None:
    settings.SQLITE_DIR = tmp_path
    archive = furnish_archive(hub, tmp_path, is_prepared=False)
    link, flow = Link.objects.get(), Flow.objects.get(pk=archive.house.flows["to_left"].pk)
    intent = ChildIntent.objects.create(
        type_pair=link.type_pair,
        flow=flow,
        link=link,
        kind=ChildIntent.Kind.FILE,
        key="lost",
        source_side=flow.source_side,
        source_id=hashlib.md5(b"same", usedforsecurity=False).hexdigest(),
        sent={
            "record_id": archive.contact,
            "holder": "gone",
            "file": "gone",
            "name": "one.txt",
            "size": 4,
            "digest": hashlib.md5(b"same", usedforsecurity=False).hexdigest(),
        },
        sent_at=timezone.now(),
        fence=0,
    )
    archive.desk.attach(ANA, "copy.txt", b"same")
    archive.sweep()
    assert archive.in_hubspot() == [], "it may be there in a moment"

    ChildIntent.objects.filter(pk=intent.pk).update(sent_at=timezone.now() - timedelta(hours=1))
    FollowUp.objects.update(due_at=timezone.now())
    archive.sync()

    assert archive.in_hubspot() == [b"same"]
    assert FollowUp.objects.count() == 0
