"""Notes as comments beyond the contract: HubSpot's markup, authors, calls, lost answers."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from hubconnect.connectors import rich_text
from hubconnect.connectors.base import Draft, NewAssociation, Patch, Value, Window
from hubconnect.connectors.children import CommentDraft, CommentPatch, SentComment
from hubconnect.connectors.errors import Category, OutcomeUnknownError
from hubconnect.connectors.hubspot.connector import HubSpotConnector
from tests.contract.hubspot.conftest import connect
from tests.sandbox_process import Sandbox, sandbox

COMMON = ("contacts", "companies", "deals", "tickets", "orders")
PROPERTIES = {
    "contacts": {"lastname": "Noted"},
    "companies": {"name": "Noted"},
    "deals": {"dealname": "Noted", "dealstage": "appointmentscheduled"},
    "tickets": {"subject": "Noted", "hs_pipeline_stage": "1"},
    "orders": {"hs_order_name": "Noted"},
}
RAE = '<span data-mention="rae.poe@example.com">@Rae Poe</span>'
CREATE = "/crm/objects/2026-03/notes/batch/create"


def record(account: Sandbox, kind: str = "contacts") -> str:
    return account.create(kind, PROPERTIES[kind])


def drafts(record_id: str, count: int, key: str = "c") -> list[CommentDraft]:
    return [
        CommentDraft(key=f"{key}{number}", record_id=record_id, body=f"<p>{key} {number}</p>")
        for number in range(count)
    ]


@pytest.fixture(scope="module")
def prepared() -> Iterator[Sandbox]:
    """An account with our key property on notes."""
    with sandbox() as running, connect(running) as connector:
        connector.prepare("hubconnect_key:notes")
        yield running


@pytest.mark.requirement("S38", "S39", "S40")
@pytest.mark.parametrize("kind", COMMON)
def test_every_common_object_has_notes_as_comments(
    account: Sandbox, connector: HubSpotConnector, kind: str
) -> None:
    near = record(account, kind)
    theirs = account.add_note("Theirs", (kind, near))
    (ours,) = connector.commenting.add_comments(kind, drafts(near, 1, kind))

    assert connector.commenting.comment_ids(kind, [near]) == {near: (theirs, ours.id)}


def test_a_body_of_the_editor_is_unwrapped(account: Sandbox, connector: HubSpotConnector) -> None:
    made = account.add_note("One\nTwo", ("contacts", record(account)))
    wrapped = account.get("notes", made)["properties"]["hs_note_body"]
    comment = connector.commenting.read_comments("contacts", [made])[made]

    assert "data-top-level" in wrapped
    assert comment.body == "<p>One</p><p>Two</p>"


@pytest.mark.requirement("S77")
def test_mentions_are_written_as_the_editor_does(
    account: Sandbox, connector: HubSpotConnector
) -> None:
    draft = CommentDraft(key="m", record_id=record(account), body=f"<p>Ask {RAE}</p>")
    (made,) = connector.commenting.add_comments("contacts", [draft])
    properties = account.get("notes", made.id)["properties"]
    owner_id = properties["hs_at_mentioned_owner_ids"]

    assert owner_id.isdigit()
    assert f'data-mention-id="{owner_id}"' in properties["hs_note_body"]
    assert 'data-mention-name="Rae Poe"' in properties["hs_note_body"]
    assert made.values["body"] == f"<p>Ask {RAE}</p>"


@pytest.mark.requirement("S77")
@pytest.mark.parametrize("attribute", ["data-mention-id", "data-owner-id"])
def test_mentions_of_users_are_read(
    account: Sandbox, connector: HubSpotConnector, attribute: str
) -> None:
    draft = CommentDraft(key="m", record_id=record(account), body=RAE)
    (made,) = connector.commenting.add_comments("contacts", [draft])
    owner_id = account.get("notes", made.id)["properties"]["hs_at_mentioned_owner_ids"]
    known = f'<p><a href="#" {attribute}="{owner_id}"><b>@Rae Poe</b></a> and '
    unknown = f'<span {attribute}="1">@No Body</span></p>'
    account.update("notes", made.id, {"hs_note_body": known + unknown})
    comment = connector.commenting.read_comments("contacts", [made.id])[made.id]

    assert comment.body == f"<p>{RAE} and @No Body</p>"


@pytest.mark.requirement("S77")
def test_bodies_of_activities_carry_mentions_and_other_texts_do_not(
    account: Sandbox, connector: HubSpotConnector
) -> None:
    near = NewAssociation("HUBSPOT_DEFINED:204", record(account))
    values: dict[str, Value] = {
        "hs_task_subject": "S",
        "hs_task_body": f"<p>{RAE}</p>",
        "hs_timestamp": connector.now(),
    }
    (made,) = connector.create("tasks", [Draft("t", values, (near,))])
    properties = account.get("tasks", made.id)["properties"]
    (edited,) = connector.update("tasks", [Patch("t", made.id, {"hs_task_body": "<p>Nobody</p>"})])
    after = account.get("tasks", made.id)["properties"]

    assert made.values == {**values, "hs_timestamp": made.values["hs_timestamp"]}
    assert "data-mention-id" in properties["hs_task_body"]
    assert properties["hs_at_mentioned_owner_ids"].isdigit()
    assert edited.values == {"hs_task_body": "<p>Nobody</p>"}
    assert not after.get("hs_at_mentioned_owner_ids")


def test_without_the_scope_for_owners_comments_still_go(account: Sandbox) -> None:
    scopes = ["oauth", "crm.objects.contacts.read", "crm.objects.contacts.write"]
    account.add_token("narrow", scopes=scopes)
    near = record(account)
    with connect(account, access_token="narrow") as connector:
        draft = CommentDraft(key="m", record_id=near, body=RAE, author="rae.poe@example.com")
        (made,) = connector.commenting.add_comments("contacts", [draft])
        comment = connector.commenting.read_comments("contacts", [made.id])[made.id]

    assert (comment.body, comment.author) == ("@Rae Poe", "")


def test_the_creator_is_the_author_of_a_note_without_owner(
    account: Sandbox, connector: HubSpotConnector
) -> None:
    made = account.add_note("Mine", ("contacts", record(account)), hubspot_owner_id="")
    comment = connector.commenting.read_comments("contacts", [made])[made]

    assert comment.author == "rae.poe@example.com"
    assert comment.author_name == "Rae Poe"


def test_a_note_that_only_carries_a_file_has_no_text(
    account: Sandbox, connector: HubSpotConnector
) -> None:
    file = account.add_file(b"x", "plan.txt")
    made = account.add_note("", ("contacts", record(account)), files=[file["id"]])
    comment = connector.commenting.read_comments("contacts", [made])[made]

    assert comment.body == ""
    assert comment.has_files


def test_a_note_associated_later_is_found_through_its_new_record(
    account: Sandbox, connector: HubSpotConnector
) -> None:
    first, second = record(account), record(account, "deals")
    made = account.add_note("Old", ("contacts", first))
    before = connector.commenting.read_comments("contacts", [made])[made].version
    account.associate("notes", made, "deals", second)

    assert connector.commenting.comment_ids("deals", [second]) == {second: (made,)}
    assert connector.commenting.read_comments("deals", [made])[made].version == before


def test_changes_name_each_record_of_the_asked_type(
    account: Sandbox, connector: HubSpotConnector
) -> None:
    one, two, deal = record(account), record(account), record(account, "deals")
    made = account.add_note("Shared", ("contacts", one), ("contacts", two), ("deals", deal))
    now = connector.now()
    window = Window(now - timedelta(seconds=10), now + timedelta(seconds=10))
    found = {
        kind: {
            k: v
            for page in connector.commenting.changed_comments(kind, window)
            for k, v in page.records.items()
        }
        for kind in ("contacts", "deals", "tickets")
    }

    assert found["contacts"][made] == (one, two)
    assert found["deals"][made] == (deal,)
    assert made not in found["tickets"]


def test_the_comments_of_a_thousand_records_cost_one_call(seeded: Sandbox) -> None:
    with connect(seeded) as connector:
        ids = [str(one["id"]) for one in seeded.list("contacts")][:1000]
        found = connector.commenting.comment_ids("contacts", ids)

        assert set(found) == set(ids)
        assert connector.calls["associations read"] == 1


def test_a_hundred_comments_cost_one_call(account: Sandbox, connector: HubSpotConnector) -> None:
    near = record(account)
    connector.commenting.add_comments("contacts", drafts(near, 1, "warm"))
    before = connector.calls["batch create"]
    outcomes = connector.commenting.add_comments("contacts", drafts(near, 100))

    assert all(one.id for one in outcomes)
    assert connector.calls["batch create"] == before + 1


def test_a_body_that_mentions_make_too_long_is_refused_alone(
    account: Sandbox, connector: HubSpotConnector
) -> None:
    near = record(account)
    long = CommentDraft(key="long", record_id=near, body=RAE * 600)
    outcomes = {
        one.key: one
        for one in connector.commenting.add_comments("contacts", [long, *drafts(near, 1)])
    }
    error = outcomes["long"].error

    assert outcomes["c0"].id
    assert error is not None
    assert error.category is Category.TOO_LONG


def test_a_lost_comment_is_found_among_those_of_its_record(
    account: Sandbox, connector: HubSpotConnector
) -> None:
    near, sent_at = record(account), connector.now()
    first, second, never = (
        CommentDraft(key=key, record_id=near, body=body)
        for key, body in (("a", "<p>Same</p>"), ("b", "<p>Same</p>"), ("n", "<p>Never</p>"))
    )
    account.fault(path=CREATE, drop="after")
    with pytest.raises(OutcomeUnknownError):
        connector.commenting.add_comments("contacts", [first, second])
    sent = [SentComment(one, sent_at) for one in (first, second, never)]
    settled = connector.commenting.settle_comments("contacts", sent)
    ids = connector.commenting.comment_ids("contacts", [near])[near]

    assert {settled["a"].id, settled["b"].id} == set(ids)
    assert len(ids) == 2
    assert (settled["n"].id, settled["n"].is_certain) == ("", False)


def test_never_is_certain_once_the_request_is_surely_over(
    account: Sandbox, connector: HubSpotConnector
) -> None:
    (draft,) = drafts(record(account), 1, "never")
    sent = SentComment(draft, connector.now() - timedelta(hours=1))

    assert connector.commenting.settle_comments("contacts", [sent])[draft.key].is_certain


def test_an_older_note_with_the_same_text_is_not_ours(
    account: Sandbox, connector: HubSpotConnector
) -> None:
    near = record(account)
    account.add_note("Thanks", ("contacts", near))
    draft = CommentDraft(key="t", record_id=near, body="<p>Thanks</p>")
    sent = SentComment(draft, connector.now() + timedelta(minutes=1))

    assert not connector.commenting.settle_comments("contacts", [sent])["t"].id


def test_with_our_key_a_lost_answer_is_made_good(prepared: Sandbox) -> None:
    near = record(prepared)
    with connect(prepared) as connector:
        connector.commenting.add_comments("contacts", drafts(near, 1, "warm"))
        prepared.fault(path=CREATE, drop="after")
        sent = drafts(near, 2, "keyed")
        outcomes = {one.key: one.id for one in connector.commenting.add_comments("contacts", sent)}
        settled = connector.commenting.settle_comments(
            "contacts", [SentComment(one, connector.now()) for one in [*sent, *drafts(near, 1)]]
        )
        comments = connector.commenting.comment_ids("contacts", [near])[near]

    assert {key: one.id for key, one in settled.items()} == {**outcomes, "c0": ""}
    assert settled["c0"].is_certain
    assert len(comments) == 3


def test_an_edit_that_changes_nothing_answers_with_the_text(
    account: Sandbox, connector: HubSpotConnector
) -> None:
    near = record(account)
    (made,) = connector.commenting.add_comments("contacts", drafts(near, 1, "same"))
    patch = CommentPatch(key="p", id=made.id, record_id=near, body="<p>same 0</p>")
    (edited,) = connector.commenting.edit_comments("contacts", [patch])

    assert edited.values == {"body": "<p>same 0</p>"}
    assert rich_text.to_plain(str(made.values["body"])) == "same 0"


@pytest.mark.requirement("S41")
def test_a_note_is_a_record_of_its_own_too(account: Sandbox, connector: HubSpotConnector) -> None:
    near = NewAssociation("HUBSPOT_DEFINED:202", record(account))
    values: dict[str, Value] = {"hs_note_body": f"<p>{RAE}</p>", "hs_timestamp": connector.now()}
    (made,) = connector.create("notes", [Draft("n", values, (near,))])
    found = connector.read("notes", [made.id], ["hs_note_body"])[made.id]

    assert found.values == {"hs_note_body": f"<p>{RAE}</p>"}
    assert connector.commenting.comment_ids("contacts", [near.to_id]) == {near.to_id: (made.id,)}


@pytest.mark.requirement("S44")
def test_notes_as_records_include_those_that_only_carry_a_file(
    account: Sandbox, connector: HubSpotConnector
) -> None:
    file = account.add_file(b"x", "only.txt")
    made = account.add_note("", ("contacts", record(account)), files=[file["id"]])
    now = connector.now()
    window = Window(now - timedelta(seconds=10), now + timedelta(seconds=10))
    pages = connector.changes("notes", window, (), ["hs_attachment_ids"])
    found = {one.id: one for page in pages for one in page.records}

    assert found[made].values == {"hs_attachment_ids": frozenset({file["id"]})}
