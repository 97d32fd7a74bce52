"""What a person does on HubSpot's pages beyond editing a record: notes, files, links, merges."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO

from markupsafe import Markup

from hubconnect.sandbox import links, merging
from hubconnect.sandbox.account import Account
from hubconnect.sandbox.catalog.kinds import Kind, find_kind
from hubconnect.sandbox.errors import record_not_found, refuse, unknown_kind
from hubconnect.sandbox.file_store import File, Files
from hubconnect.sandbox.moments import to_text
from hubconnect.sandbox.records import Record, Records, id_of
from hubconnect.sandbox.writing import create_record

_FOLDER = "/CRM attachments"


@dataclass(frozen=True, slots=True)
class End:
    """One end of a link: an object type and the id of a record that exists."""

    kind: Kind
    id: int

    @property
    def key(self) -> tuple[str, int]:
        """Return the end as tables name it."""
        return self.kind.name, self.id


def find_end(account: Account, db: sqlite3.Connection, kind: str, record_id: object) -> End:
    """Return the end a person names.

    Raises:
        ApiError: the object type or the record does not exist (400, 404).
    """
    found = find_kind(kind)
    if found is None:
        raise unknown_kind(kind)
    number = id_of(str(record_id))
    if number is None or Records(db, account, found.name).find(number) is None:
        raise record_not_found(str(record_id))
    return End(found, number)


def associate(
    account: Account, db: sqlite3.Connection, one: End, other: End, type_id: int | None = None
) -> None:
    """Link two records; no date of either moves by it.

    Raises:
        ApiError: no such type leads from one to the other (400).
    """
    if type_id is None:
        kind = links.default_type(db, one.kind, other.kind)
    else:
        named = [{"associationTypeId": type_id}]
        (kind,) = links.require_types(db, one.kind, other.kind, named)
    links.link(db, one.id, other.id, kind)
    links.recount(account, db, one.key, other.key)


def dissociate(account: Account, db: sqlite3.Connection, one: End, other: End) -> None:
    """Remove every link between two records."""
    links.unlink(db, one.id, other.id, links.default_type(db, one.kind, other.kind))
    links.recount(account, db, one.key, other.key)


def add_note(
    account: Account,
    db: sqlite3.Connection,
    body: str,
    ends: Iterable[End],
    **properties: str,
) -> Record:
    """Write a note on records, as HubSpot's editor stores it.

    Args:
        account: where.
        db: connection inside a writing transaction.
        body: rich text, or plain text that becomes one paragraph a line.
        ends: the records it is about.
        properties: further properties, such as ``hs_attachment_ids``.
    """
    given = {
        "hs_timestamp": to_text(account.clock.now()),
        "hs_note_body": _edited(body),
        **properties,
    }
    filled = {name: value for name, value in given.items() if value}
    records = Records(db, account, "notes")
    note = create_record(records, filled, account.user())
    for end in ends:
        associate(account, db, End(records.kind, note.id), end)
    return note


def add_file(
    account: Account, db: sqlite3.Connection, stream: IO[bytes], name: str, access: str = ""
) -> File:
    """Upload a file as HubSpot's own pages do.

    Raises:
        ApiError: it is too large (413), or nothing says its name (400).
    """
    if not name:
        refuse("A file needs a name.")
    files = Files(db, account)
    folder = files.make_folders(_FOLDER)
    content = account.contents.save(stream, account.file_limit_bytes)
    folder_id = None if folder is None else folder.id
    return files.create(name, folder_id, access or "PRIVATE", content)


def merge(account: Account, db: sqlite3.Connection, one: End, other_id: object) -> Record:
    """Merge another record into one; returns the survivor, which has an id of its own.

    Raises:
        ApiError: HubSpot cannot merge them (400, 404, 414).
    """
    if one.kind.name in links.ACTIVITIES:
        refuse(f"Records of type {one.kind.name} cannot be merged.")
    return merging.merge(Records(db, account, one.kind.name), one.id, other_id, account.user())


def _edited(body: str) -> str:
    """Wrap a text as HubSpot's editor does; text without tags becomes paragraphs."""
    inner = Markup(body)  # noqa: S704 - stored as the user typed it, shown only after cleaning
    if "<" not in body:
        lines = body.replace("\r\n", "\n").split("\n")
        inner = Markup().join(Markup('<p style="margin:0;">{}</p>').format(line) for line in lines)
    return f'<div style="" dir="auto" data-top-level="true">{inner}</div>'
