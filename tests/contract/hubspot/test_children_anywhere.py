"""Custom objects, and two accounts: nothing is known of ids beforehand."""

import io
from collections.abc import Iterator

import pytest

from hubconnect.connectors.base import Draft
from hubconnect.connectors.children import Association, CommentDraft, FileDraft
from hubconnect.connectors.hubspot.connector import HubSpotConnector
from tests.contract.hubspot.conftest import connect
from tests.contract.hubspot.custom_objects import MACHINES, add_machines
from tests.sandbox_process import Sandbox, sandbox

RAE = '<span data-mention="rae.poe@example.com">@Rae Poe</span>'


@pytest.fixture(scope="module")
def other() -> Iterator[Sandbox]:
    """Another account, with machines."""
    with sandbox(contacts=5, companies=3) as running:
        add_machines(running)
        yield running


@pytest.fixture
def far(other: Sandbox) -> Iterator[HubSpotConnector]:
    with connect(other) as opened:
        yield opened


def test_a_custom_object_has_associations_comments_and_files(
    other: Sandbox, far: HubSpotConnector
) -> None:
    (machine,) = far.create(MACHINES, [Draft("m", {"serial": "M-1"})])
    contact = other.create("contacts", {"lastname": "Keeper"})
    types = far.associating.association_types(MACHINES)
    plain = next(one for one in types if one.to_type == "contacts")
    link = Association(machine.id, plain.name, contact)
    (linked,) = far.associating.associate(MACHINES, [link])
    (note,) = far.commenting.add_comments(
        MACHINES, [CommentDraft(key="c", record_id=machine.id, body="<p>Oiled</p>")]
    )

    assert linked.id == contact
    assert far.associating.associations(MACHINES, [machine.id], [plain.name]) == {
        machine.id: frozenset({link})
    }
    assert far.commenting.comment_ids(MACHINES, [machine.id]) == {machine.id: (note.id,)}
    assert far.attaching.holder_ids(MACHINES, [machine.id]) == {machine.id: (f"notes/{note.id}",)}


def test_a_note_with_a_file_goes_from_one_account_to_another(
    account: Sandbox, connector: HubSpotConnector, other: Sandbox, far: HubSpotConnector
) -> None:
    here = account.create("contacts", {"lastname": "Here"})
    there = other.create("companies", {"name": "There"})
    content = bytes(range(256)) * 2000
    file = account.add_file(content, "Plan B.bin")
    made = account.add_note(f"<p>See {RAE}</p>", ("contacts", here), files=[file["id"]])
    comment = connector.commenting.read_comments("contacts", [made])[made]
    (copy,) = far.commenting.add_comments(
        "companies",
        [CommentDraft(key="c", record_id=there, body=comment.body, author=comment.author)],
    )
    holders = connector.attaching.holder_ids("contacts", [here])[here]
    (info,) = connector.attaching.read_holders("contacts", holders)[holders[0]]
    with connector.attaching.open_file("contacts", info) as opened:
        spool = b"".join(opened.chunks)
    draft = FileDraft(
        key="f",
        record_id=there,
        name=info.name,
        media_type=info.media_type,
        size=len(spool),
        digest=info.digest,
        open=lambda: io.BytesIO(spool),
    )
    (holder,) = far.attaching.add_files("companies", [draft])
    (arrived,) = far.attaching.read_holders("companies", [holder.id])[holder.id]
    read = far.commenting.read_comments("companies", [copy.id])[copy.id]

    assert read.body == comment.body
    assert read.author == comment.author == "rae.poe@example.com"
    assert (arrived.name, arrived.size, arrived.digest) == (info.name, len(content), info.digest)
    assert other.content(arrived.id) == content
