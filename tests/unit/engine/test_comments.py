"""What each comment of a linked record asks for, and the text its copy gets."""

from dataclasses import replace
from datetime import UTC, datetime
from html import escape

import pytest
from hypothesis import given, strategies as st

from hubconnect.connectors import rich_text
from hubconnect.connectors.children import Comment, CommentAbilities
from hubconnect.connectors.errors import Category, RecordError
from hubconnect.engine.children import CommentFlow, Edited
from hubconnect.engine.comments import (
    AddComment,
    AgreeComment,
    Decision,
    EditComment,
    KnownComment,
    RememberComment,
    Rules,
    Why,
    compose,
    decide_comment,
    line_of,
    needs_target,
    strip_line,
    text_hash,
)

WRITTEN = datetime(2026, 5, 2, 10, 15, tzinfo=UTC)
RICH = CommentAbilities(
    is_rich=True, keeps_author=True, keeps_time=True, can_edit=True, has_mentions=True
)
PLAIN = replace(RICH, is_rich=False, has_mentions=False)
RULES = Rules(flow=CommentFlow(), abilities=RICH, source_name="HubSpot", target_name="Desk")


def note(body: str, comment_id: str = "1") -> Comment:
    return Comment(
        id=comment_id,
        body=body,
        author="rae.poe@example.com",
        author_name="Rae Poe",
        created_at=WRITTEN,
        version="v",
    )


def same(source: str, target: str, **changes: str) -> KnownComment:
    known = KnownComment(
        pk=7,
        source_id="1",
        target_id="9",
        source_base=text_hash(source),
        target_base=text_hash(target),
        source_version="v",
        source_line="",
        target_line="",
    )
    return replace(known, **changes)  # type: ignore[arg-type]  # texts only


def rules(**changes: object) -> Rules:
    return replace(RULES, flow=replace(RULES.flow, **changes))  # type: ignore[arg-type]


def decide(
    source: str, known: KnownComment | None, target: str | None, chosen: Rules = RULES
) -> Decision:
    stands = None if target is None else note(target, "9")
    return decide_comment(note(source), known, stands, chosen)


@pytest.mark.requirement("S39", "S40")
def test_a_new_comment_is_added() -> None:
    decision = decide("<p>Hello</p>", None, None)
    assert isinstance(decision, AddComment)
    assert decision.body == "<p>Hello</p>"
    assert decision.line == ""


@pytest.mark.requirement("S44")
def test_a_note_that_only_carries_files_is_no_comment_until_somebody_writes_in_it() -> None:
    decision = decide("", None, None)
    assert isinstance(decision, RememberComment)
    assert decision.reason == Why.FILES
    known = same("", "", target_id="", reason=Why.FILES)
    assert isinstance(decide("", known, None), AgreeComment)
    assert isinstance(decide("<p>See the file</p>", known, None), AddComment)


def test_what_was_written_before_the_start_is_known_only() -> None:
    later = replace(RULES, since=datetime(2026, 6, 1, tzinfo=UTC))
    decision = decide("<p>Old</p>", None, None, later)
    assert isinstance(decision, RememberComment)
    assert decision.reason == Why.OLD


def test_our_own_copy_is_never_news() -> None:
    known = same("<p>Hello</p>", "<p>Hello</p>")
    assert isinstance(decide("<p>Hello</p>", known, None), AgreeComment)
    assert isinstance(decide("<div><p>Hello</p>\n</div>", known, None), AgreeComment)
    assert not needs_target(note("<p>Hello</p>"), known, RULES)


def test_an_edit_changes_the_counterpart() -> None:
    known = same("<p>Hello</p>", "<p>Hello</p>")
    assert needs_target(note("<p>Hello you</p>"), known, RULES)
    decision = decide("<p>Hello you</p>", known, "<p>Hello</p>")
    assert isinstance(decision, EditComment)
    assert decision.body == "<p>Hello you</p>"


def test_an_edit_is_left_or_posted_again_as_chosen() -> None:
    known = same("<p>Hello</p>", "<p>Hello</p>")
    left = decide("<p>New</p>", known, None, rules(edited=Edited.LEAVE))
    assert isinstance(left, AgreeComment)
    again = decide("<p>New</p>", known, None, rules(edited=Edited.AGAIN))
    assert isinstance(again, AddComment)
    assert again.replaces == known
    fixed = replace(RULES, abilities=replace(RICH, can_edit=False))
    assert isinstance(decide("<p>New</p>", known, None, fixed), AddComment)


def test_edited_on_both_sides_shows_both_texts_or_follows_the_winner() -> None:
    known = same("<p>Hello</p>", "<p>Hello</p>")
    with pytest.raises(RecordError, match=r"HubSpot: “Here”. Desk: “There”") as caught:
        decide("<p>Here</p>", known, "<p>There</p>")
    assert caught.value.category == Category.CONFLICT
    won = decide("<p>Here</p>", known, "<p>There</p>", rules(winner="source"))
    assert isinstance(won, EditComment)
    lost = decide("<p>Here</p>", known, "<p>There</p>", rules(winner="target"))
    assert isinstance(lost, AgreeComment)


def test_the_same_edit_on_both_sides_is_agreement() -> None:
    known = same("<p>Hello</p>", "<p>Hello</p>")
    decision = decide("<p>Both</p>", known, "Both")
    assert isinstance(decision, AgreeComment)
    assert decision.target is not None


def test_an_edit_of_what_was_deleted_there_is_remembered() -> None:
    known = same("<p>Hello</p>", "<p>Hello</p>")
    decision = decide("<p>More</p>", known, None)
    assert isinstance(decision, RememberComment)
    assert decision.reason == Why.GONE
    retired = replace(known, reason=Why.GONE)
    assert isinstance(decide("<p>Even more</p>", retired, None), AgreeComment)


@pytest.mark.requirement("S46")
def test_author_and_time_stand_in_front_as_chosen() -> None:
    comment = note("<p>Hello</p>")
    assert line_of(comment, CommentFlow()) == ""
    assert line_of(comment, CommentFlow(puts_author=True)) == "Rae Poe"
    assert line_of(comment, CommentFlow(puts_time=True)) == "2 May 2026, 10:15 UTC"
    both = rules(puts_author=True, puts_time=True)
    decision = decide("<p>Hello</p>", None, None, both)
    assert isinstance(decision, AddComment)
    assert decision.body == "<p>Rae Poe, 2 May 2026, 10:15 UTC</p><p>Hello</p>"


def test_an_edited_copy_goes_back_without_the_line() -> None:
    line = "Rae Poe, 2 May 2026, 10:15 UTC"
    known = same(f"<p>{line}</p><p>Hello</p>", "<p>Hello</p>", source_line=line)
    decision = decide(f"<p>{line}</p><p>Hello you</p>", known, "<p>Hello</p>")
    assert isinstance(decision, EditComment)
    assert decision.body == "<p>Hello you</p>"


def test_an_edited_original_keeps_the_line_of_its_copy() -> None:
    known = same("<p>Hello</p>", "<p>Rae Poe</p><p>Hello</p>", target_line="Rae Poe")
    decision = decide("<p>Hello you</p>", known, "<p>Rae Poe</p><p>Hello</p>")
    assert isinstance(decision, EditComment)
    assert decision.body == "<p>Rae Poe</p><p>Hello you</p>"


@pytest.mark.parametrize(
    "body",
    [
        "<p>Rae &amp; Co</p><p>Hello</p>",
        '<div dir="auto"><p style="margin:0;">Rae &amp; Co</p><p>Hello</p></div>',
        "<p><em>Rae &amp; Co</em></p>\n<p>Hello</p>",
        "Rae &amp; Co<br>Hello",
        "<p>Rae &amp; Co<br/>Hello</p>",
    ],
)
def test_the_line_is_found_however_an_editor_dressed_it(body: str) -> None:
    assert rich_text.normalise(strip_line(body, "Rae & Co")) == "Hello"


def test_a_line_that_somebody_changed_belongs_to_the_text() -> None:
    assert strip_line("<p>Rae Poet</p><p>Hello</p>", "Rae Poe") == "<p>Rae Poet</p><p>Hello</p>"


@pytest.mark.requirement("S77")
def test_mentions_stay_where_both_agree_and_become_names_elsewhere() -> None:
    body = '<p>Ask <span data-mention="rae.poe@example.com">@Rae Poe</span></p>'
    assert compose(body, "", RULES) == body
    assert compose(body, "", rules(carries_mentions=False)) == "<p>Ask @Rae Poe</p>"
    assert compose(body, "", replace(RULES, abilities=PLAIN)) == "Ask @Rae Poe"


def test_what_is_too_long_is_refused_before_it_is_sent() -> None:
    short = replace(RULES, abilities=replace(PLAIN, max_length=5))
    assert compose("<p><b>Hello</b></p>", "", short) == "Hello"
    with pytest.raises(RecordError, match="hold 5") as caught:
        compose("<p>Hello you</p>", "", short)
    assert caught.value.category == Category.TOO_LONG


WORDS = st.text(st.characters(categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=60)


@given(WORDS, WORDS)
def test_a_copy_edited_nowhere_is_the_original_once_its_line_is_off(name: str, text: str) -> None:
    author = replace(note(f"<p>{escape(text, quote=False)}</p>"), author_name=name)
    chosen = rules(puts_author=True)
    line = line_of(author, chosen.flow)
    for abilities in (RICH, PLAIN):
        copy = compose(author.body, line, replace(chosen, abilities=abilities))
        back = rich_text.normalise(strip_line(rich_text.clean(copy), line))
        assert back == rich_text.normalise(author.body)
