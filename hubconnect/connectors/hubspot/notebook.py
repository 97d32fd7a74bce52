"""Notes of records, as comments and files both need them ("Notes", "Associate records")."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hubconnect.connectors.base import Draft, NewAssociation, Outcome, SentCreate, Settled, Values
from hubconnect.connectors.errors import AttentionError
from hubconnect.connectors.hubspot.api import Json
from hubconnect.connectors.hubspot.links import Links
from hubconnect.connectors.hubspot.records import RecordReader
from hubconnect.connectors.hubspot.settling import APP_SOURCE, CLOCK_ROOM, Settler
from hubconnect.connectors.hubspot.values import SEPARATOR, is_id, parse_moment
from hubconnect.connectors.hubspot.writes import RecordWriter

NOTES = "notes"
BODY, OWNER, TIME = "hs_note_body", "hubspot_owner_id", "hs_timestamp"
CREATOR, FILES = "hs_created_by_user_id", "hs_attachment_ids"
READ = (BODY, OWNER, TIME, CREATOR, FILES, APP_SOURCE)


@dataclass(frozen=True, slots=True)
class Note:
    """A note as HubSpot tells it. Texts are "" where it has none."""

    id: str
    properties: Json
    version: str
    created_at: datetime | None
    modified_at: datetime | None

    def text(self, name: str) -> str:
        """Return a property."""
        return str(self.properties.get(name) or "")

    @property
    def file_ids(self) -> tuple[str, ...]:
        """Return the files it carries."""
        return split_ids(self.text(FILES))


@dataclass(frozen=True, slots=True)
class NewNote:
    """A note to create on a record; values are canonical ones of the notes' fields."""

    key: str
    record_id: str
    values: Values


@dataclass(frozen=True, slots=True)
class SentNote:
    """A note whose outcome was lost, and what tells that a note is it."""

    key: str
    record_id: str
    sent_at: datetime
    is_it: Callable[[Note], bool]


class Notebook:
    """Reads and writes notes."""

    def __init__(
        self, reader: RecordReader, links: Links, *, app_id: str, longest_request: timedelta
    ) -> None:
        """Keep all.

        Args:
            reader: of notes.
            links: of the account.
            app_id: the app that writes, or "".
            longest_request: time after which a request sent by us is surely over.
        """
        self.reader = reader
        self._links = links
        self._app_id = app_id
        self._longest_request = longest_request
        self.writer = RecordWriter(reader.api, reader.schema)

    def ids(self, object_type: str, record_ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Return the notes of each record, ascending: one call for a thousand records."""
        found = self._links.read(object_type, NOTES, record_ids)
        return {record_id: tuple(sorted(ends, key=int)) for record_id, ends in found.items()}

    def read(self, ids: Sequence[str]) -> dict[str, Note]:
        """Return notes by id; a deleted one is missing."""
        asked = list(dict.fromkeys(ids))
        return {str(item["id"]): _note(item) for item in self.reader.batch(asked, READ)}

    def add(self, object_type: str, notes: Sequence[NewNote]) -> list[Outcome]:
        """Create notes, each with its link: one call for a hundred."""
        if not notes:
            return []
        plain = self._links.plain_type(NOTES, object_type)
        if plain is None:
            msg = f"HubSpot cannot associate notes with {object_type}."
            raise AttentionError(msg, hint="Switch comments and files off in the mapping.")
        return self.writer.create(
            [
                Draft(one.key, one.values, (NewAssociation(plain.name, one.record_id),))
                for one in notes
            ]
        )

    def settle(
        self,
        object_type: str,
        sent: Sequence[SentNote],
        now: datetime,
        taken: Collection[str] = (),
    ) -> dict[str, Settled]:
        """Find out which notes were stored.

        Args:
            object_type: of the records they were to hang on.
            sent: the notes.
            now: time by HubSpot's clock before this reading began.
            taken: notes known to be something else, whatever they say.
        """
        if not sent:
            return {}
        if self.reader.schema.has_key:
            settler = Settler(
                self.reader, app_id=self._app_id, longest_request=self._longest_request
            )
            return settler.by_key([SentCreate(one.key, {}, one.sent_at) for one in sent])
        ids = self.ids(object_type, [one.record_id for one in sent])
        notes = self.read([one for each in ids.values() for one in each if one not in taken])
        settled: dict[str, Settled] = {}
        for one in sorted(sent, key=lambda each: each.sent_at):
            its_own = (notes[each] for each in ids[one.record_id] if each in notes)
            found = next((note.id for note in its_own if self._may_be(note, one)), "")
            if found:
                del notes[found]  # a second one with the same text is another note
            settled[one.key] = self._settled(one, found, now)
        return settled

    def _settled(self, sent: SentNote, found: str, now: datetime) -> Settled:
        """Return the answer. A parent's associations are read without lag."""
        is_over = now >= sent.sent_at + self._longest_request
        return Settled(id=found) if found else Settled(is_certain=is_over)

    def _may_be(self, note: Note, sent: SentNote) -> bool:
        source = note.text(APP_SOURCE)
        is_ours = not (source and self._app_id) or source == self._app_id
        is_later = note.created_at is None or note.created_at >= sent.sent_at - CLOCK_ROOM
        return is_ours and is_later and sent.is_it(note)


def split_ids(text: str) -> tuple[str, ...]:
    """Return ids as HubSpot joins them; anybody may write into the property what is none."""
    return tuple(part.strip() for part in text.split(SEPARATOR) if is_id(part.strip()))


def _note(item: Json) -> Note:
    updated, created = item.get("updatedAt") or "", item.get("createdAt") or ""
    return Note(
        id=str(item["id"]),
        properties=item.get("properties") or {},
        version=updated,
        created_at=parse_moment(created) if created else None,
        modified_at=parse_moment(updated) if updated else None,
    )
