import hashlib
import io
import os

import pytest

from hubconnect.connectors.base import Capability
from hubconnect.connectors.children import Attaching, FileDraft, FileInfo, SentFile
from hubconnect.connectors.errors import RecordError
from tests.contract.subject import FilePlayer, Subject

CHUNK = 256 * 1024
NOBODY = "987654321"


@pytest.fixture
def player(subject: Subject) -> FilePlayer:
    if subject.files is None:
        assert subject.connector.attaching is None
        pytest.skip("This connector has no files.")
    return subject.files


@pytest.fixture
def attaching(subject: Subject, player: FilePlayer) -> Attaching:  # noqa: ARG001 - skips first
    offered = subject.connector.attaching
    assert offered is not None
    return offered


class Counted(io.BytesIO):
    """Content that notes the largest piece it was asked for."""

    largest = 0

    def read(self, size: int | None = -1, /) -> bytes:
        piece = super().read(size)
        Counted.largest = max(Counted.largest, len(piece))
        return piece


def draft(record_id: str, name: str, content: bytes, *, key: str = "f") -> FileDraft:
    return FileDraft(
        key=key,
        record_id=record_id,
        name=name,
        media_type="application/octet-stream",
        size=len(content),
        digest=md5(content),
        open=lambda: Counted(content),
    )


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def held(attaching: Attaching, player: FilePlayer, record_id: str) -> list[FileInfo]:
    """Return the files of a record."""
    holders = attaching.holder_ids(player.object_type, [record_id])[record_id]
    found = attaching.read_holders(player.object_type, holders)
    return [file for files in found.values() for file in files]


def content_of(attaching: Attaching, player: FilePlayer, file: FileInfo) -> bytes:
    with attaching.open_file(player.object_type, file) as opened:
        chunks = list(opened.chunks)
    assert max(map(len, chunks), default=0) <= CHUNK
    return b"".join(chunks)


def test_the_object_type_says_that_it_has_files(subject: Subject, player: FilePlayer) -> None:
    types = {one.name: one for one in subject.connector.object_types()}

    assert Capability.ATTACHMENTS in types[player.object_type].capabilities


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("plan.txt", b"Tea\n"),
        ("empty.txt", b""),
        ("no extension", b"\x00\xff"),
        ("Übersicht (1).csv", b"a;b"),
        ("large.bin", bytes(700_000)),
    ],
)
def test_a_file_is_listed_and_read(
    attaching: Attaching, player: FilePlayer, name: str, content: bytes
) -> None:
    (record_id,) = player.make_records(1)
    holder = player.add(record_id, name, content)
    (file,) = held(attaching, player, record_id)

    assert (file.holder, file.name) == (holder, name)
    assert file.size in {None, len(content)}
    assert file.digest in {"", md5(content)}
    assert content_of(attaching, player, file) == content


def test_files_belong_to_their_records(attaching: Attaching, player: FilePlayer) -> None:
    records = player.make_records(3)
    made = [player.add(records[number], f"{number}.txt", b"x") for number in (0, 2, 0)]
    ids = attaching.holder_ids(player.object_type, records)

    assert set(ids[records[0]]) >= {made[0], made[2]}
    assert made[1] in ids[records[2]]
    assert [len(held(attaching, player, one)) for one in records] == [2, 0, 1]


def test_a_deleted_holder_is_missing(attaching: Attaching, player: FilePlayer) -> None:
    (record_id,) = player.make_records(1)
    gone, kept = (player.add(record_id, f"{name}.txt", b"x") for name in ("gone", "kept"))
    player.delete(gone)

    assert [file.holder for file in held(attaching, player, record_id)] == [kept]
    assert gone not in attaching.read_holders(player.object_type, [gone, kept])


@pytest.mark.requirement("S45")
def test_files_are_added_each_with_a_holder_of_its_own(
    attaching: Attaching, player: FilePlayer
) -> None:
    (record_id,) = player.make_records(1)
    contents = {f"{number}.bin": os.urandom(300_000 * number + 1) for number in range(3)}
    drafts = [draft(record_id, name, one, key=name) for name, one in contents.items()]
    outcomes = attaching.add_files(player.object_type, drafts)
    files = held(attaching, player, record_id)

    assert {one.key for one in outcomes if one.id} == set(contents)
    assert {file.holder for file in files} == {one.id for one in outcomes}
    assert {file.name: content_of(attaching, player, file) for file in files} == contents


def test_a_file_is_streamed(attaching: Attaching, player: FilePlayer) -> None:
    (record_id,) = player.make_records(1)
    Counted.largest = 0
    (outcome,) = attaching.add_files(
        player.object_type, [draft(record_id, "long.bin", os.urandom(3_000_000))]
    )

    assert outcome.id
    assert 0 < Counted.largest < 1_100_000


def test_a_record_that_is_gone_does_not_hold_up_the_others(
    attaching: Attaching, player: FilePlayer
) -> None:
    (record_id,) = player.make_records(1)
    drafts = [draft(one, f"{one}.txt", one.encode(), key=one) for one in (record_id, NOBODY)]
    outcomes = {one.key: one for one in attaching.add_files(player.object_type, drafts)}

    assert outcomes[record_id].id
    assert outcomes[NOBODY].error is not None


def test_a_file_that_vanished_is_an_error_of_its_own(
    attaching: Attaching, player: FilePlayer
) -> None:
    (record_id,) = player.make_records(1)
    holder = player.add(record_id, "gone.txt", b"x")
    (file,) = held(attaching, player, record_id)
    player.destroy(holder)
    with pytest.raises(RecordError) as caught, attaching.open_file(player.object_type, file) as one:
        list(one.chunks)

    assert "gone.txt" in caught.value.message


def test_a_lost_file_is_settled(subject: Subject, attaching: Attaching, player: FilePlayer) -> None:
    sent_at = subject.connector.now()
    (record_id,) = player.make_records(1)
    made, never = (
        SentFile(
            key=key,
            record_id=record_id,
            name="plan.txt",
            size=len(key),
            digest=md5(key.encode()),
            sent_at=sent_at,
        )
        for key in ("made", "never")
    )
    (outcome,) = attaching.add_files(
        player.object_type, [draft(record_id, "plan.txt", b"made", key="made")]
    )
    settled = attaching.settle_files(player.object_type, [made, never])

    assert outcome.id in {settled["made"].id, *settled["made"].candidates}
    assert not settled["never"].id
    assert not settled["never"].candidates
