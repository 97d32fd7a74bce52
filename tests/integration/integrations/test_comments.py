"""Notes in HubSpot are comments at the desk, and the other way round."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from hubconnect.integrations.models import ChildIntent, CommentLink, Flow, FollowUp, Link
from hubconnect.integrations.services.activation import ActivationRefusedError
from hubconnect.mappings.models import Direction, Mapping
from tests.children import (
    ChattyDesk,
    PairHouse,
    add_pair,
    furnish_pair,
    make_chatty_desk,
    notes_of,
)
from tests.house import CUSTOMERS, Desk, make_desk, make_hubspot
from tests.sandbox_process import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
ANA = "ana@x.example"
ROWS = (("email", "email"), ("firstname", "first_name"))
RAE = "rae.poe@example.com"


@dataclass
class Office:
    """Contacts of a sandbox ↔ customers of a desk, with their comments."""

    hub: Sandbox
    desk: ChattyDesk
    house: PairHouse
    contact: str

    def note(self, text: str) -> str:
        """Write a note on Ana in HubSpot."""
        return self.hub.add_note(text, ("contacts", self.contact))

    def notes(self) -> list[str]:
        """Return Ana's notes in HubSpot."""
        return notes_of(self.hub, "contacts", self.contact)

    def said(self) -> list[str]:
        """Return Ana's comments at the desk."""
        return self.desk.said(ANA)

    def sync(self) -> None:
        """Run both directions, twice, so that nothing is left to do."""
        for _ in range(2):
            self.house.sync()


def furnish_office(hub: Sandbox, tmp_path: Path, *, is_prepared: bool = True) -> Office:
    """Set everything up and carry the first contact."""
    contact = hub.create("contacts", {"email": ANA, "firstname": "Ana"})
    desk = ChattyDesk(tmp_path / "desk.sqlite3").build()
    house = furnish_pair(
        (make_hubspot(hub, is_prepared=is_prepared), "contacts"),
        (make_chatty_desk(desk.file), "customers"),
        ROWS,
        comments="both",
    )
    house.activate()
    made = Office(hub, desk, house, contact)
    made.sync()
    return made


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, settings: Settings) -> None:
    settings.SQLITE_DIR = tmp_path


@pytest.fixture
def office(hub: Sandbox, tmp_path: Path) -> Office:
    return furnish_office(hub, tmp_path)


@pytest.mark.requirement("S38", "S39", "S79", "S82")
def test_a_note_arrives_as_a_comment_once(office: Office) -> None:
    office.note("Called Ana")
    office.house.sync_until(lambda: office.said() == ["Called Ana"])
    office.sync()
    assert office.said() == ["Called Ana"]
    assert office.notes() == ["Called Ana"]
    assert CommentLink.objects.count() == 1


@pytest.mark.requirement("S40", "S79")
def test_a_comment_arrives_as_a_note_once(office: Office) -> None:
    office.desk.say(ANA, "Ana wrote")
    office.house.sync_until(lambda: office.notes() == ["Ana wrote"])
    office.sync()
    assert office.notes() == ["Ana wrote"]
    assert office.said() == ["Ana wrote"]


def test_rich_text_arrives_readable_and_stays_rich_in_hubspot(office: Office) -> None:
    office.note("<p>Ask <b>Ana</b>:</p><ul><li>price</li><li>date</li></ul>")
    office.house.sync_until(lambda: office.said() == ["Ask Ana:\n- price\n- date"])
    office.sync()
    assert office.notes() == ["Ask Ana:\n- price\n- date"]
    (note_id,) = office.hub.associations("contacts", office.contact, "notes")
    assert "<b>Ana</b>" in office.hub.get("notes", note_id)["properties"]["hs_note_body"]


def test_an_edit_on_either_side_arrives(office: Office) -> None:
    note_id = office.note("Called Ana")
    office.house.sync_until(lambda: office.said() == ["Called Ana"])
    office.hub.update("notes", note_id, {"hs_note_body": "<p>Called Ana twice</p>"})
    office.house.sync_until(lambda: office.said() == ["Called Ana twice"])
    office.desk.edit("Called Ana twice", "Ana called back")
    office.house.sync_until(lambda: office.notes() == ["Ana called back"])
    office.sync()
    assert office.said() == ["Ana called back"]
    assert office.house.open_failures() == []


@pytest.mark.requirement("S46")
def test_author_and_time_stand_in_front_and_are_taken_off_on_the_way_back(office: Office) -> None:
    Mapping.objects.update(comment_author_to_left=True, comment_time_to_left=True)
    office.desk.run(
        "insert into customer_comments (customer_id, body, author, written_at) values (?, ?, ?, ?)",
        office.desk.customer_id(ANA),
        "Hello",
        RAE,
        "2026-05-02 10:15:00.000",
    )
    line = f"{RAE}, 2 May 2026, 10:15 UTC"
    office.house.sync_until(lambda: office.notes() == [f"{line}\nHello"])
    (note_id,) = office.hub.associations("contacts", office.contact, "notes")
    body = f'<div style="" dir="auto"><p style="margin:0;">{line}</p><p>Hello you</p></div>'
    office.hub.update("notes", note_id, {"hs_note_body": body})
    office.house.sync_until(lambda: office.said() == ["Hello you"])
    office.sync()
    assert office.notes() == [f"{line}\nHello you"]


def test_a_note_on_two_records_is_a_comment_of_each_and_edits_reach_both(office: Office) -> None:
    ben = office.hub.create("contacts", {"email": "ben@x.example"})
    office.hub.add_note("About both", ("contacts", office.contact), ("contacts", ben))
    office.house.sync_until(
        lambda: (
            "ben@x.example" in office.desk.customers()
            and office.said() == office.desk.said("ben@x.example") == ["About both"]
        )
    )
    office.desk.run(
        "update customer_comments set body = 'Edited' where customer_id = ?",
        office.desk.customer_id(ANA),
    )
    office.house.sync_until(lambda: office.desk.said("ben@x.example") == ["Edited"])
    assert office.notes() == notes_of(office.hub, "contacts", ben) == ["Edited"]


@pytest.mark.parametrize("has_key", [True, False])
def test_a_lost_reply_doubles_and_loses_no_comment(
    hub: Sandbox, tmp_path: Path, *, has_key: bool
) -> None:
    office = furnish_office(hub, tmp_path, is_prepared=has_key)
    for number in range(3):
        office.desk.say(ANA, f"Comment {number}")
    office.hub.fault(path="/crm/objects/2026-03/notes/batch/", method="POST", drop="after")
    office.house.sync_until(lambda: len(office.notes()) == 3)
    office.sync()
    assert sorted(office.notes()) == ["Comment 0", "Comment 1", "Comment 2"]
    assert office.said() == ["Comment 0", "Comment 1", "Comment 2"]
    assert ChildIntent.objects.count() == 0


def test_of_two_equal_comments_the_second_is_not_taken_for_the_copy_of_the_first(
    hub: Sandbox, tmp_path: Path
) -> None:
    """Both within the seconds that clocks may differ; no key tells the notes apart."""
    office = furnish_office(hub, tmp_path, is_prepared=False)
    office.desk.say(ANA, "Thanks")
    office.house.sync_until(lambda: office.notes() == ["Thanks"])
    office.sync()
    office.desk.say(ANA, "Thanks")
    path = "/crm/objects/2026-03/notes/batch/"
    office.hub.fault(path=path, method="POST", drop="after", times=0)
    office.house.sync_until(ChildIntent.objects.exists)
    office.hub.clear_faults()
    intent = ChildIntent.objects.get()
    intent.sent_at -= timedelta(seconds=60)  # as if both had been sent at once
    intent.save()
    office.sync()
    assert office.notes() == ["Thanks", "Thanks"]
    assert office.said() == ["Thanks", "Thanks"]
    assert CommentLink.objects.exclude(left_id="").exclude(right_id="").count() == 2
    assert ChildIntent.objects.count() == 0


def test_a_request_that_never_arrived_is_sent_again(office: Office) -> None:
    office.desk.say(ANA, "Hello")
    office.hub.fault(path="/crm/objects/2026-03/notes/batch/", method="POST", drop="before")
    office.house.sync_until(lambda: office.notes() == ["Hello"])
    office.sync()
    assert office.notes() == ["Hello"]
    assert ChildIntent.objects.count() == 0


def test_a_lost_reply_to_an_edit_is_settled_by_what_the_note_says(office: Office) -> None:
    office.desk.say(ANA, "Hello")
    office.house.sync_until(lambda: office.notes() == ["Hello"])
    office.desk.edit("Hello", "Hello you")
    office.hub.fault(path="/crm/objects/2026-03/notes/batch/update", drop="after")
    office.house.sync_until(lambda: office.notes() == ["Hello you"])
    office.sync()
    assert office.said() == ["Hello you"]
    assert ChildIntent.objects.count() == 0
    assert office.house.open_failures() == []


def test_a_hundred_records_with_a_note_each_cost_few_calls(office: Office) -> None:
    for number in range(100):
        contact = office.hub.create("contacts", {"email": f"n{number}@x.example"})
        office.hub.add_note(f"About {number}", ("contacts", contact))
    calls = []
    while len(office.desk.customers()) <= 100 or not office.desk.said("n99@x.example"):
        calls.append(office.house.run_until_seen("to_right").api_calls)
    office.house.run("to_right")
    assert CommentLink.objects.count() == 100
    assert max(calls) <= 12, calls


def test_a_quiet_run_looks_at_comments_with_one_call(office: Office) -> None:
    office.note("Called Ana")
    office.house.sync_until(lambda: office.said() == ["Called Ana"])
    CommentLink.objects.get()
    assert FollowUp.objects.count() == 0
    run = office.house.run("to_right")
    assert run.api_calls <= 6, run.calls


@pytest.mark.requirement("S41", "S42")
def test_notes_as_comments_beside_notes_as_records_are_refused(
    hub: Sandbox, tmp_path: Path
) -> None:
    desk = ChattyDesk(tmp_path / "desk.sqlite3").build()
    desk.script(
        "create table memos (id integer primary key, body text not null, updated_at datetime);"
    )
    house = furnish_pair(
        (make_hubspot(hub), "contacts"),
        (make_chatty_desk(desk.file), "customers"),
        ROWS,
        comments="to_right",
    )
    add_pair(
        house.integration,
        "notes",
        "memos",
        (("hs_note_body", "body"),),
        lookup=[],
        directions=(Direction.TO_RIGHT,),
    )
    with pytest.raises(ActivationRefusedError, match="arrive twice in Order desk"):
        house.activate()
    Mapping.objects.update(comments="")
    hub.add_note("A memo")
    house.activate()


def test_comments_without_a_table_for_them_are_refused(hub: Sandbox, tmp_path: Path) -> None:
    Desk(tmp_path / "desk.sqlite3").script(CUSTOMERS)
    house = furnish_pair(
        (make_hubspot(hub), "contacts"),
        (make_desk(tmp_path / "desk.sqlite3"), "customers"),
        ROWS,
        comments="both",
    )
    with pytest.raises(ActivationRefusedError, match="cannot have comments"):
        house.activate()


def test_an_edit_of_a_copy_whose_reply_was_lost_goes_back(office: Office) -> None:
    office.desk.say(ANA, "Hello")
    path = "/crm/objects/2026-03/notes/batch/"
    office.hub.fault(path=path, method="POST", drop="after", times=0)
    office.house.run("to_left")
    office.hub.clear_faults()
    assert ChildIntent.objects.count() == 1
    (note_id,) = office.hub.associations("contacts", office.contact, "notes")
    office.hub.update("notes", note_id, {"hs_note_body": "<p>Hello you</p>"})

    office.house.sync_until(lambda: office.said() == ["Hello you"])

    office.sync()
    assert office.notes() == ["Hello you"]


def test_the_side_that_wins_keeps_its_text_though_the_request_was_lost(office: Office) -> None:
    Mapping.objects.update(comment_conflict="right")
    note_id = office.note("Called Ana")
    office.house.sync_until(lambda: office.said() == ["Called Ana"])
    office.sync()
    office.hub.update("notes", note_id, {"hs_note_body": "<p>HubSpot says</p>"})
    office.desk.edit("Called Ana", "The desk says")
    office.hub.fault(path="/crm/objects/2026-03/notes/batch/update", drop="before")
    office.house.run("to_left")
    assert ChildIntent.objects.count() == 1

    ChildIntent.objects.update(sent_at=timezone.now() - timedelta(hours=1))
    office.house.sync_until(lambda: ChildIntent.objects.count() == 0)
    office.sync()

    assert office.notes() == office.said() == ["The desk says"]


def test_comments_of_a_merged_record_go_on(office: Office) -> None:
    office.note("Before.")
    office.desk.say(ANA, "From the desk.")
    office.house.sync_until(lambda: len(office.said()) == 2)
    other = office.hub.create("contacts", {"email": "aa@x.example"})
    office.contact = office.hub.merge("contacts", office.contact, other)
    office.note("After.")
    office.house.sync_until(lambda: sum("After." in one for one in office.said()) == 1)
    assert len(office.said()) == 3
    office.desk.say(ANA, "Still there.")
    office.house.sync_until(lambda: sum("Still there." in one for one in office.notes()) == 1)
    office.sync()
    assert len(office.notes()) == 4
    assert len(office.said()) == 4


def test_a_recreated_record_gets_its_comments_anew(office: Office) -> None:
    office.desk.say(ANA, "From the desk.")
    office.sync()
    Flow.objects.update(target_deleted="recreate")
    office.hub.archive("contacts", office.contact)
    office.desk.run("update customers set first_name = 'Anna' where email = ?", ANA)
    office.house.run_until_seen("to_left")
    office.contact = Link.objects.get().left_id
    office.house.sync_until(lambda: len(office.notes()) == 1)
    office.sync()
    assert sum("From the desk." in one for one in office.notes()) == 1
    assert len(office.said()) == 1
