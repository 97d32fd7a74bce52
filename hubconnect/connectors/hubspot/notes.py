"""Notes as the comments of the records they are associated with."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from hubconnect.connectors import rich_text
from hubconnect.connectors.base import Outcome, Patch, Settled, Value, Window
from hubconnect.connectors.children import (
    Comment,
    CommentAbilities,
    CommentDraft,
    CommentPage,
    CommentPatch,
    SentComment,
)
from hubconnect.connectors.hubspot.account import OwnerDirectory
from hubconnect.connectors.hubspot.links import Links
from hubconnect.connectors.hubspot.mentions import Mentions, ask_owners
from hubconnect.connectors.hubspot.notebook import (
    BODY,
    CREATOR,
    NOTES,
    OWNER,
    TIME,
    NewNote,
    Note,
    Notebook,
    SentNote,
)
from hubconnect.connectors.hubspot.values import LONGEST_TEXT, parse_moment

ABILITIES = CommentAbilities(
    is_rich=True,
    keeps_author=True,
    keeps_time=True,
    can_edit=True,
    has_mentions=True,
    max_length=LONGEST_TEXT,
)


class Notes:
    """Fulfils ``children.Commenting`` for one account."""

    def __init__(
        self,
        notebook: Notebook,
        links: Links,
        owners: OwnerDirectory,
        now: Callable[[], datetime],
    ) -> None:
        """Keep all.

        Args:
            notebook: reads and writes notes.
            links: of the account.
            owners: of the account.
            now: HubSpot's clock.
        """
        self._notebook = notebook
        self._links = links
        self._owners = owners
        self._mentions = Mentions(owners)
        self._now = now

    def comment_abilities(self, object_type: str) -> CommentAbilities:  # noqa: ARG002 - all alike
        """Return what notes can hold."""
        return ABILITIES

    def stored_as(self, object_type: str) -> str:  # noqa: ARG002 - all alike
        """Return the object type of notes."""
        return NOTES

    def comment_ids(
        self, object_type: str, record_ids: Sequence[str]
    ) -> dict[str, tuple[str, ...]]:
        """Return the notes of each record, those that only carry files among them."""
        return self._notebook.ids(object_type, record_ids)

    def read_comments(
        self,
        object_type: str,  # noqa: ARG002 - a note is the same on every record
        comment_ids: Sequence[str],
    ) -> dict[str, Comment]:
        """Return notes by id."""
        return {one: self._comment(note) for one, note in self._notebook.read(comment_ids).items()}

    def changed_comments(
        self, object_type: str, window: Window, after: str = ""
    ) -> Iterator[CommentPage]:
        """Yield notes modified in the window, as the search index has them.

        Associating an old note with another record modifies no note: it is not among them.
        """
        reader = self._notebook.reader
        for items in reader.search([[reader.modified_in(window)]], (), after):
            ids = [str(item["id"]) for item in items]
            found = self._links.read(NOTES, object_type, ids)
            records = {one: tuple(sorted(ends, key=int)) for one, ends in found.items() if ends}
            yield CommentPage(records, ids[-1])

    def add_comments(self, object_type: str, drafts: Sequence[CommentDraft]) -> list[Outcome]:
        """Create a note for each draft."""
        if not drafts:
            return []
        now = self._now()
        bodies = {draft.key: rich_text.clean(draft.body) for draft in drafts}
        notes = [
            NewNote(draft.key, draft.record_id, self._values(draft, bodies[draft.key], now))
            for draft in drafts
        ]
        outcomes = self._notebook.add(object_type, notes)
        return [_shown(one, bodies) for one in outcomes]

    def edit_comments(
        self,
        object_type: str,  # noqa: ARG002 - a note is the same on every record
        patches: Sequence[CommentPatch],
    ) -> list[Outcome]:
        """Change the bodies of notes; author and time stay."""
        bodies = {patch.key: rich_text.clean(patch.body) for patch in patches}
        outcomes = self._notebook.writer.update(
            [Patch(patch.key, patch.id, {BODY: bodies[patch.key]}) for patch in patches]
        )
        return [_shown(one, bodies) for one in outcomes]

    def settle_comments(
        self, object_type: str, sent: Sequence[SentComment], taken: Collection[str] = ()
    ) -> dict[str, Settled]:
        """Look for the notes by key, else among those of the record."""
        notes = [
            SentNote(each.draft.key, each.draft.record_id, each.sent_at, self._recognise(each))
            for each in sent
        ]
        return self._notebook.settle(object_type, notes, self._now(), taken) if notes else {}

    def _recognise(self, sent: SentComment) -> Callable[[Note], bool]:
        text = rich_text.normalise(rich_text.clean(sent.draft.body))
        return lambda note: not note.file_ids and rich_text.normalise(self._body(note)) == text

    def _values(self, draft: CommentDraft, body: str, now: datetime) -> Mapping[str, Value]:
        values: dict[str, Value] = {BODY: body, TIME: draft.written_at or now}
        if draft.author and ask_owners(self._owners.id_of, draft.author):
            values[OWNER] = draft.author
        return values

    def _body(self, note: Note) -> str:
        return self._mentions.read(note.text(BODY)) or ""

    def _comment(self, note: Note) -> Comment:
        author = self._author(note)
        return Comment(
            id=note.id,
            body=self._body(note),
            author=author,
            author_name=ask_owners(self._owners.name_of, author) if author else "",
            created_at=parse_moment(note.text(TIME)) or note.created_at,
            modified_at=note.modified_at,
            version=note.version,
            has_files=bool(note.file_ids),
            holder=f"{NOTES}/{note.id}",
        )

    def _author(self, note: Note) -> str:
        """Return the e-mail of who wrote it: the owner, as HubSpot shows it, else the creator."""
        owner_id, user_id = note.text(OWNER), note.text(CREATOR)
        email = ask_owners(self._owners.email_of, owner_id) if owner_id else ""
        if "@" not in email and user_id:
            email = ask_owners(self._owners.email_of_user, user_id)
        return email if "@" in email else ""


def _shown(outcome: Outcome, bodies: Mapping[str, str]) -> Outcome:
    """Return the outcome with the body as stored; an answer shows only what it changed."""
    if not outcome.id:
        return outcome
    stored = outcome.values.get(BODY, bodies[outcome.key])
    return replace(outcome, values={"body": stored or ""})
