from datetime import UTC, datetime, timedelta

import pytest

from hubconnect.connectors import rich_text
from hubconnect.connectors.base import Capability, Window
from hubconnect.connectors.children import (
    Comment,
    CommentDraft,
    Commenting,
    CommentPatch,
    SentComment,
)
from hubconnect.connectors.html_tree import render
from tests.contract.subject import CommentPlayer, Subject

# Some systems tell their time in whole seconds.
A_MOMENT = timedelta(seconds=2)
RICH = (
    "<p>First <b>bold</b> and <i>slanted</i></p><ul><li>one</li><li>two</li></ul>"
    '<p><a href="https://example.com/a?b=1&amp;c=2">a link</a></p>'
    "<table><tbody><tr><td>Tea</td><td>2</td></tr></tbody></table>"
)
NOBODY = "987654321"


@pytest.fixture
def player(subject: Subject) -> CommentPlayer:
    if subject.comments is None:
        assert subject.connector.commenting is None
        pytest.skip("This connector has no comments.")
    return subject.comments


@pytest.fixture
def commenting(subject: Subject, player: CommentPlayer) -> Commenting:  # noqa: ARG001 - skips first
    offered = subject.connector.commenting
    assert offered is not None
    return offered


def draft(record_id: str, body: str, *, key: str = "c", author: str = "") -> CommentDraft:
    return CommentDraft(key=key, record_id=record_id, body=body, author=author)


def read_one(commenting: Commenting, player: CommentPlayer, comment_id: str) -> Comment:
    return commenting.read_comments(player.object_type, [comment_id])[comment_id]


def test_the_object_type_says_that_it_has_comments(subject: Subject, player: CommentPlayer) -> None:
    types = {one.name: one for one in subject.connector.object_types()}

    assert Capability.COMMENTS in types[player.object_type].capabilities


@pytest.mark.requirement("S39")
def test_the_comments_of_records_are_listed_and_read(
    commenting: Commenting, player: CommentPlayer
) -> None:
    records = player.make_records(3)
    made = [player.add(records[0], f"Comment {number}") for number in range(3)]
    other = player.add(records[2], "Elsewhere")
    ids = commenting.comment_ids(player.object_type, records)
    comments = commenting.read_comments(player.object_type, made)

    assert ids == {records[0]: tuple(made), records[1]: (), records[2]: (other,)}
    assert [rich_text.to_plain(comments[one].body) for one in made] == [
        "Comment 0",
        "Comment 1",
        "Comment 2",
    ]
    assert {comments[one].author for one in made} == {player.author}
    assert {comments[one].author_name for one in made} == {player.author_name}


def test_a_comment_tells_when_it_was_written(
    subject: Subject, commenting: Commenting, player: CommentPlayer
) -> None:
    before = subject.connector.now() - A_MOMENT
    (record_id,) = player.make_records(1)
    comment = read_one(commenting, player, player.add(record_id, "Now"))

    assert comment.created_at is not None
    assert before <= comment.created_at <= subject.connector.now() + A_MOMENT


def test_an_edited_comment_has_another_version(
    commenting: Commenting, player: CommentPlayer
) -> None:
    (record_id,) = player.make_records(1)
    made = player.add(record_id, "Before")
    before = read_one(commenting, player, made)
    player.edit(made, "After")
    after = read_one(commenting, player, made)

    assert (rich_text.to_plain(before.body), rich_text.to_plain(after.body)) == ("Before", "After")
    assert before.version != after.version


def test_a_deleted_comment_is_missing(commenting: Commenting, player: CommentPlayer) -> None:
    (record_id,) = player.make_records(1)
    gone, kept = player.add(record_id, "Gone"), player.add(record_id, "Kept")
    player.delete(gone)

    assert commenting.comment_ids(player.object_type, [record_id]) == {record_id: (kept,)}
    assert set(commenting.read_comments(player.object_type, [gone, kept])) == {kept}


def test_changes_are_the_comments_written_or_edited_in_the_window(
    subject: Subject, commenting: Commenting, player: CommentPlayer
) -> None:
    records = player.make_records(2)
    player.add(records[0], "Long ago")
    edited = player.add(records[1], "Before")
    subject.settle_down()
    lower = subject.connector.now() - A_MOMENT
    new = player.add(records[0], "New")
    player.edit(edited, "After")
    subject.settle_down()
    window = Window(lower, subject.connector.now() + A_MOMENT)
    found: dict[str, tuple[str, ...]] = {}
    for page in commenting.changed_comments(player.object_type, window):
        assert not found.keys() & page.records.keys()
        found |= page.records

    assert found[new] == (records[0],)
    assert found[edited] == (records[1],)


def test_nothing_changes_in_a_window_long_ago(
    subject: Subject, commenting: Commenting, player: CommentPlayer
) -> None:
    player.add(player.make_records(1)[0], "Now")
    subject.settle_down()
    window = Window(datetime(2001, 1, 1, tzinfo=UTC), datetime(2001, 1, 2, tzinfo=UTC))
    pages = commenting.changed_comments(player.object_type, window)

    assert not [page for page in pages if page.records]


@pytest.mark.requirement("S40")
def test_comments_are_added(commenting: Commenting, player: CommentPlayer) -> None:
    records = player.make_records(2)
    drafts = [
        draft(records[number % 2], f"<p>Text {number}</p>", key=f"key {number}")
        for number in range(5)
    ]
    outcomes = {one.key: one for one in commenting.add_comments(player.object_type, drafts)}
    comments = commenting.read_comments(player.object_type, [one.id for one in outcomes.values()])
    ids = commenting.comment_ids(player.object_type, records)

    for one in drafts:
        made = outcomes[one.key]
        assert made.id in ids[one.record_id]
        assert rich_text.normalise(comments[made.id].body) == rich_text.normalise(one.body)
        assert made.values["body"] == comments[made.id].body
    assert sum(map(len, ids.values())) == len(drafts)


def test_rich_text_is_kept_or_stays_readable(commenting: Commenting, player: CommentPlayer) -> None:
    (record_id,) = player.make_records(1)
    (made,) = commenting.add_comments(player.object_type, [draft(record_id, RICH)])
    body = read_one(commenting, player, made.id).body

    assert rich_text.to_plain(body) == rich_text.to_plain(RICH)
    if commenting.comment_abilities(player.object_type).is_rich:
        assert body == RICH


def test_what_acts_in_a_text_is_not_stored(commenting: Commenting, player: CommentPlayer) -> None:
    (record_id,) = player.make_records(1)
    text = '<p onclick="x()">Safe</p><script>alert(1)</script><img src=x onerror=alert(1)>'
    (made,) = commenting.add_comments(player.object_type, [draft(record_id, text)])
    body = read_one(commenting, player, made.id).body

    assert rich_text.to_plain(body) == "Safe"
    assert "alert" not in body


def test_author_and_time_are_kept_as_far_as_the_system_can(
    commenting: Commenting, player: CommentPlayer
) -> None:
    abilities = commenting.comment_abilities(player.object_type)
    written_at = datetime(2024, 2, 29, 12, 30, tzinfo=UTC)
    (record_id,) = player.make_records(1)
    sent = CommentDraft(
        key="c", record_id=record_id, body="Old", author=player.author, written_at=written_at
    )
    (made,) = commenting.add_comments(player.object_type, [sent])
    comment = read_one(commenting, player, made.id)

    assert not abilities.keeps_author or comment.author == player.author
    assert not abilities.keeps_time or comment.created_at == written_at


def test_an_unknown_author_is_no_hindrance(commenting: Commenting, player: CommentPlayer) -> None:
    (record_id,) = player.make_records(1)
    sent = draft(record_id, "Text", author="nobody@elsewhere.example")
    (made,) = commenting.add_comments(player.object_type, [sent])

    assert made.id


def test_mentions_are_kept_or_become_plain_text(
    commenting: Commenting, player: CommentPlayer
) -> None:
    (record_id,) = player.make_records(1)
    known = render(rich_text.mention(player.author, player.author_name))
    stranger = render(rich_text.mention("nobody@elsewhere.example", "No Body"))
    text = f"<p>Ask {known} or {stranger}.</p>"
    (made,) = commenting.add_comments(player.object_type, [draft(record_id, text)])
    body = read_one(commenting, player, made.id).body
    has_mentions = commenting.comment_abilities(player.object_type).has_mentions

    assert set(rich_text.names(body)) == ({player.author} if has_mentions else set())
    assert rich_text.normalise(body) == f"Ask @{player.author_name} or @No Body."


def test_one_comment_that_is_refused_does_not_hold_up_the_others(
    commenting: Commenting, player: CommentPlayer
) -> None:
    (record_id,) = player.make_records(1)
    sent = [draft(one, "Text", key=one) for one in (record_id, NOBODY)]
    outcomes = {one.key: one for one in commenting.add_comments(player.object_type, sent)}

    assert outcomes[record_id].id
    error = outcomes[NOBODY].error
    assert error is not None
    assert error.message


def test_a_text_that_is_too_long_is_refused(commenting: Commenting, player: CommentPlayer) -> None:
    longest = commenting.comment_abilities(player.object_type).max_length
    if longest is None:
        return  # the system takes any length
    (record_id,) = player.make_records(1)
    (outcome,) = commenting.add_comments(
        player.object_type, [draft(record_id, "x" * (longest + 1))]
    )

    assert outcome.error is not None


def test_comments_are_edited(commenting: Commenting, player: CommentPlayer) -> None:
    if not commenting.comment_abilities(player.object_type).can_edit:
        return  # the system keeps comments as they are, and says so
    (record_id,) = player.make_records(1)
    made = [player.add(record_id, "Before") for _ in range(2)]
    patches = [
        CommentPatch(key=one, id=one, record_id=record_id, body=f"<p>After {one}</p>")
        for one in (*made, NOBODY)
    ]
    outcomes = {one.key: one for one in commenting.edit_comments(player.object_type, patches)}
    comments = commenting.read_comments(player.object_type, made)

    for one in made:
        assert outcomes[one].id == one
        assert outcomes[one].values["body"] == comments[one].body
        assert rich_text.to_plain(comments[one].body) == f"After {one}"
    assert outcomes[NOBODY].is_gone


def test_a_lost_comment_is_settled(
    subject: Subject, commenting: Commenting, player: CommentPlayer
) -> None:
    sent_at = subject.connector.now()
    (record_id,) = player.make_records(1)
    made = draft(record_id, "<p>Stored <b>once</b></p>", key="made")
    never = draft(record_id, "<p>Never sent</p>", key="never")
    (outcome,) = commenting.add_comments(player.object_type, [made])
    settled = commenting.settle_comments(
        player.object_type, [SentComment(made, sent_at), SentComment(never, sent_at)]
    )

    assert outcome.id in {settled["made"].id, *settled["made"].candidates}
    assert not settled["never"].id
    assert not settled["never"].candidates
