"""What becomes of comments that are edited, refused or let go, between two databases."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from hubconnect.connectors.errors import Category
from hubconnect.core.models import User
from hubconnect.engine.comments import text_hash
from hubconnect.integrations.models import (
    ChildIntent,
    CommentLink,
    Failure,
    Flow,
    FollowUp,
    Link,
    RecordEvent,
)
from hubconnect.integrations.services import failures
from hubconnect.mappings.models import Mapping
from tests.children import ChattyDesk, PairHouse, furnish_pair, make_chatty_desk

pytestmark = pytest.mark.django_db(transaction=True)
ANA = "ana@x.example"
BEN = "ben@x.example"
ROWS = (("email", "email"), ("first_name", "first_name"))
REFUSES = """
create trigger no_shouting before insert on customer_comments when new.body like '%!%'
begin select raise(abort, 'Do not shout'); end;
"""


@dataclass
class Desks:
    """Customers of one desk ↔ customers of another, comments both ways."""

    left: ChattyDesk
    right: ChattyDesk
    house: PairHouse

    def sync(self) -> None:
        """Run both directions, twice, so that nothing is left to do."""
        for _ in range(2):
            self.house.sync()

    def both(self) -> tuple[list[str], list[str]]:
        """Return Ana's comments on both sides."""
        return self.left.said(ANA), self.right.said(ANA)

    def set(self, **chosen: object) -> None:
        """Change what the mapping says about comments."""
        Mapping.objects.update(**chosen)


@pytest.fixture
def desks(tmp_path: Path, settings: Settings) -> Desks:
    settings.SQLITE_DIR = tmp_path
    left, right = (ChattyDesk(tmp_path / f"{name}.sqlite3").build() for name in ("left", "right"))
    systems = [make_chatty_desk(one.file, one.file.stem) for one in (left, right)]
    house = furnish_pair(
        (systems[0], "customers"), (systems[1], "customers"), ROWS, comments="both"
    )
    left.add_customer(ANA)
    house.activate()
    return Desks(left, right, house)


def test_comments_are_carried_both_ways_once(desks: Desks) -> None:
    desks.left.say(ANA, "Hello")
    desks.sync()
    desks.right.say(ANA, "Answer")
    desks.sync()
    desks.sync()
    assert desks.both() == (["Hello", "Answer"], ["Hello", "Answer"])
    assert ChildIntent.objects.count() == 0
    assert FollowUp.objects.count() == 0


def test_an_edit_of_original_or_copy_changes_the_other(desks: Desks) -> None:
    desks.left.say(ANA, "Hello")
    desks.sync()
    desks.left.edit("Hello", "Hello you")
    desks.sync()
    assert desks.both() == (["Hello you"], ["Hello you"])
    desks.right.edit("Hello you", "Hello both")
    desks.sync()
    assert desks.both() == (["Hello both"], ["Hello both"])


def test_an_edit_can_be_left(desks: Desks) -> None:
    desks.set(comment_edits="leave")
    desks.left.say(ANA, "Hello")
    desks.sync()
    desks.left.edit("Hello", "Hello you")
    desks.sync()
    assert desks.both() == (["Hello you"], ["Hello"])


def test_an_edit_can_be_posted_again_and_the_old_copy_never_returns(desks: Desks) -> None:
    desks.set(comment_edits="again")
    desks.left.say(ANA, "One")
    desks.sync()
    for old, new in (("One", "Two"), ("Two", "One")):
        desks.left.edit(old, new)
        desks.sync()
    assert desks.both() == (["One"], ["One", "Two", "One"])


def test_a_comment_edited_on_both_sides_is_one_failure_with_both_texts(desks: Desks) -> None:
    desks.left.say(ANA, "Hello")
    desks.sync()
    desks.left.edit("Hello", "Left says")
    desks.right.edit("Hello", "Right says")
    desks.sync()
    (failure,) = desks.house.open_failures()
    assert failure.category == Category.CONFLICT
    assert "left: “Left says”. right: “Right says”" in failure.message
    assert desks.both() == (["Left says"], ["Right says"])
    desks.right.edit("Right says", "Left says")
    desks.sync()
    assert desks.house.open_failures() == []
    desks.right.edit("Left says", "Agreed")
    desks.sync()
    assert desks.both() == (["Agreed"], ["Agreed"])


@pytest.mark.parametrize(("rule", "winner"), [("left", "Left says"), ("right", "Right says")])
def test_a_side_may_win(desks: Desks, rule: str, winner: str) -> None:
    desks.set(comment_conflict=rule)
    desks.left.say(ANA, "Hello")
    desks.sync()
    desks.left.edit("Hello", "Left says")
    desks.right.edit("Hello", "Right says")
    desks.sync()
    desks.sync()
    assert desks.both() == ([winner], [winner])
    assert desks.house.open_failures() == []


@pytest.mark.requirement("S46")
def test_author_and_time_stand_in_front_and_never_come_back(desks: Desks) -> None:
    desks.set(comment_author_to_right=True)
    desks.left.say(ANA, "Hello", "rae.poe@example.com")
    desks.sync()
    assert desks.both() == (["Hello"], ["rae.poe@example.com\nHello"])
    desks.right.edit("rae.poe@example.com\nHello", "rae.poe@example.com\nHello you")
    desks.sync()
    assert desks.both() == (["Hello you"], ["rae.poe@example.com\nHello you"])
    desks.left.edit("Hello you", "Bye")
    desks.sync()
    assert desks.both() == (["Bye"], ["rae.poe@example.com\nBye"])


def test_a_refused_comment_is_one_failure_and_others_go_on(desks: Desks) -> None:
    desks.right.script(REFUSES)
    desks.left.say(ANA, "Loud!")
    desks.left.say(ANA, "Calm")
    desks.left.add_customer(BEN)
    desks.left.say(BEN, "Also calm")
    desks.sync()
    desks.sync()
    assert desks.right.said(ANA) == ["Calm"]
    assert desks.right.said(BEN) == ["Also calm"]
    (failure,) = desks.house.open_failures()
    assert failure.child == "comments customer_comments:1"
    assert failure.attempts == 1
    desks.right.script("drop trigger no_shouting")
    Failure.objects.update(next_try_at=timezone.now())
    desks.sync()
    assert desks.right.said(ANA) == ["Calm", "Loud!"]
    assert desks.house.open_failures() == []


def test_an_edit_of_a_refused_comment_is_tried_at_once(desks: Desks) -> None:
    desks.right.script(REFUSES)
    desks.left.say(ANA, "Loud!")
    desks.sync()
    assert len(desks.house.open_failures()) == 1
    desks.left.edit("Loud!", "Quiet")
    desks.sync()
    assert desks.right.said(ANA) == ["Quiet"]
    assert desks.house.open_failures() == []


def test_a_dismissed_comment_is_let_go_until_its_next_edit(desks: Desks, admin: User) -> None:
    desks.right.script(REFUSES)
    desks.left.say(ANA, "Loud!")
    desks.sync()
    base = Link.objects.get().left_base
    (failure,) = desks.house.open_failures()
    failures.dismiss(failure, admin)
    desks.right.script("drop trigger no_shouting")
    desks.sync()
    assert desks.right.said(ANA) == []
    assert Link.objects.get().left_base == base
    assert CommentLink.objects.get().reason
    desks.left.edit("Loud!", "Quiet")
    desks.sync()
    assert desks.right.said(ANA) == ["Quiet"]


def test_a_comment_shows_in_the_counts_and_the_story_of_its_run(desks: Desks) -> None:
    desks.house.sync()
    desks.left.say(ANA, "Hello")
    run = desks.house.run_until_seen("to_right")
    assert run.comments == 1
    line = RecordEvent.objects.get(run=run)
    assert line.kind == RecordEvent.Kind.COMMENT
    assert line.title == "ana"
    assert "“Hello”" in line.detail["reason"]


def test_comments_of_before_the_start_are_known_only(desks: Desks) -> None:
    desks.left.say(ANA, "Old")
    for flow in desks.house.flows.values():
        flow.start = "now"
        flow.save()
    desks.right.add_customer(ANA)
    desks.house.sync()
    desks.left.run("update customers set first_name = 'Anna'")
    desks.sync()
    desks.left.say(ANA, "New")
    desks.sync()
    assert desks.right.said(ANA) == ["New"]


def test_an_edit_made_while_an_earlier_one_is_under_way_is_not_lost(
    desks: Desks, settings: Settings
) -> None:
    settings.OVERLAPS_S = {"sql": 0}
    desks.left.say(ANA, "One")
    desks.sync()
    known = CommentLink.objects.get()
    flow = Flow.objects.get(pk=desks.house.flows["to_right"].pk)
    lost = ChildIntent.objects.create(
        type_pair=known.link.type_pair,
        flow=flow,
        link=known.link,
        kind=ChildIntent.Kind.EDIT,
        key="lost",
        source_side=flow.source_side,
        source_id=known.left_id,
        target_id=known.right_id,
        sent={
            "record_id": known.link.right_id,
            "body": "<p>Two</p>",
            "base": text_hash("<p>Two</p>"),
            "version": "2",
            "before": known.right_base,
            "known": known.pk,
            "summary": "Two",
        },
        sent_at=timezone.now(),
        fence=0,
    )
    desks.left.edit("One", "Three")
    desks.house.run("to_right")
    assert ChildIntent.objects.filter(pk=lost.pk).exists()
    assert desks.right.said(ANA) == ["One"]

    desks.right.edit("One", "Two")  # now it arrives
    desks.house.run("to_right")
    desks.sync()

    assert desks.both() == (["Three"], ["Three"])
    assert ChildIntent.objects.count() == 0
