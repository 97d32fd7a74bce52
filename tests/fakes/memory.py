"""A system that lives in memory: records and comments under the real contract, quick and fallible.

Two kinds. A *ledger* desk behaves like a database: an update names what was read, and what moved
on meanwhile stays. A *hub* desk behaves like HubSpot: searches read an index that may lag, an
update overwrites, texts are trimmed, and a request may take effect long after its caller is gone.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import ClassVar, TypeVar

from hubconnect.connectors import rich_text
from hubconnect.connectors.base import (
    ALL_IDS,
    Ability,
    Capability,
    CheckReport,
    Connector,
    Criteria,
    Draft,
    Field,
    IdRange,
    ObjectType,
    ObjectTypeReport,
    Operator,
    Outcome,
    Page,
    Patch,
    Record,
    SentCreate,
    Settled,
    Value,
    ValueType,
    Window,
)
from hubconnect.connectors.children import (
    Comment,
    CommentAbilities,
    CommentDraft,
    CommentPage,
    CommentPatch,
    SentComment,
)
from hubconnect.connectors.errors import (
    FieldFault,
    OutcomeUnknownError,
    RecordError,
    TemporaryError,
)
from hubconnect.connectors.parameters import Parameter
from tests.fakes.memory_desk import FIELDS, MemoryDesk, Note, Row

THINGS = "things"
REFUSED = "refused"  # a text that no desk takes as a note
ABILITIES = frozenset({Capability.CREATE, Capability.UPDATE, Capability.COMMENTS})
T = TypeVar("T")


class MemoryConnector(Connector):
    """Opens the desk at its address."""

    slug = "memory"
    label = "Memory desk"
    batch_size = 3
    desks: ClassVar[dict[str, MemoryDesk]] = {}
    parameters = (Parameter(name="address", label="Address"),)

    @property
    def desk(self) -> MemoryDesk:
        return self.desks[str(self.settings["address"])]

    @property
    def calls(self) -> Mapping[str, int]:
        return {}

    @property
    def commenting(self) -> "MemoryComments":
        return MemoryComments(self)

    def identity(self) -> str:
        return f"{self.slug}:{self.desk.number}"

    def check(self) -> CheckReport:
        return CheckReport(
            identity=self.identity(),
            identity_label="Memory desk",
            object_types=(ObjectTypeReport(THINGS, "Things", Ability.YES, Ability.YES),),
        )

    def object_types(self) -> list[ObjectType]:
        return [
            ObjectType(
                name=THINGS, label="Things", capabilities=ABILITIES, modified_field="modified"
            )
        ]

    def fields(self, object_type: str) -> list[Field]:
        return [Field(name=one, label=one.title(), type=ValueType.TEXT) for one in FIELDS]

    def now(self) -> datetime:
        return self.desk.now()

    def url(self, object_type: str, record_id: str) -> str:
        return ""

    def changes(
        self,
        object_type: str,
        window: Window,
        criteria: Criteria,
        fields: Sequence[str],
        after: str = "",
    ) -> Iterator[Page]:
        def is_in(row: Row) -> bool:
            return window.lower <= row.modified_at <= window.upper

        while True:
            seen = self.do(lambda: {i: r for i, r in self.desk.searched.items() if is_in(r)})
            page = self._page(seen, after, fields)
            if not page.records:
                return
            yield replace(page, settled=not self.desk.is_hub)
            after = page.after

    def everything(
        self,
        object_type: str,
        criteria: Criteria,
        fields: Sequence[str],
        after: str = "",
        within: IdRange = ALL_IDS,
    ) -> Iterator[Page]:
        while True:
            page = self._page(self.do(lambda: self.desk.rows), after, fields)
            if not page.records:
                return
            yield page
            after = page.after

    def _page(self, rows: Mapping[str, Row], after: str, fields: Sequence[str]) -> Page:
        behind = sorted(int(one) for one in rows if int(one) > int(after or 0))
        ids = [str(one) for one in behind if not rows[str(one)].is_deleted][: self.batch_size]
        return Page(
            tuple(self.record(one, rows[one], fields) for one in ids), ids[-1] if ids else after
        )

    def record(self, record_id: str, row: Row, fields: Sequence[str]) -> Record:
        return Record(
            record_id,
            {name: row.values[name] for name in fields},
            row.modified_at.isoformat(),
            row.modified_at,
            row.created_at,
        )

    def count(self, object_type: str, criteria: Criteria = ()) -> int:
        return sum(not row.is_deleted for row in self.desk.rows.values())

    def read(
        self, object_type: str, ids: Sequence[str], fields: Sequence[str]
    ) -> dict[str, Record]:
        rows = self.do(lambda: self.desk.rows)
        return {
            one: self.record(one, rows[one], fields)
            for one in ids
            if one in rows and not rows[one].is_deleted
        }

    def find(
        self, object_type: str, queries: Sequence[Criteria], fields: Sequence[str]
    ) -> list[list[Record]]:
        rows = self.do(lambda: self.desk.searched)

        def fits(row: Row, query: Criteria) -> bool:
            assert all(one.operator is Operator.EQUALS for one in query)
            return not row.is_deleted and all(row.values[c.field] == c.value for c in query)

        return [
            [self.record(i, row, fields) for i, row in rows.items() if fits(row, query)]
            for query in queries
        ]

    def create(self, object_type: str, drafts: Sequence[Draft]) -> list[Outcome]:
        return self.write([partial(self._create, one) for one in drafts])

    def _create(self, draft: Draft) -> Outcome:
        refusal = self._refusal(draft.key, draft.values)
        if refusal is not None:
            return refusal
        known = self.desk.keys.get(draft.key)
        was_there = known is not None and not self.desk.rows[known].is_deleted
        if known is None or self.desk.rows[known].is_deleted:
            known = self.desk.keys[draft.key] = self.desk.add(draft.values)
            self.desk.writes.append(f"create {known}")
        elif self.desk.is_hub:
            self.desk.change(known, draft.values)
            self.desk.writes.append(f"upsert {known}")
        done = self._done(draft.key, known, draft.values)
        return replace(done, was_there=was_there and not self.desk.is_hub)

    def update(self, object_type: str, patches: Sequence[Patch]) -> list[Outcome]:
        return self.write([partial(self._update, one) for one in patches])

    def _update(self, patch: Patch) -> Outcome:
        row = self.desk.rows.get(patch.id)
        if row is None or row.is_deleted:
            return Outcome(key=patch.key, is_gone=True)
        refusal = self._refusal(patch.key, patch.values)
        if refusal is not None:
            return refusal
        if not self.desk.is_hub and any(row.values[n] != v for n, v in patch.expected.items()):
            return Outcome(key=patch.key, is_stale=True)
        self.desk.change(patch.id, patch.values)
        self.desk.writes.append(f"update {patch.id} {dict(patch.values)}")
        return self._done(patch.key, patch.id, patch.values)

    def _refusal(self, key: str, values: Mapping[str, Value]) -> Outcome | None:
        if values.get("note") != REFUSED:
            return None
        faults = (FieldFault("note", "This text is not taken."),)
        return Outcome(key=key, error=RecordError("This text is not taken.", faults=faults))

    def _done(self, key: str, record_id: str, sent: Mapping[str, Value]) -> Outcome:
        row = self.desk.rows[record_id]
        values = {name: row.values[name] for name in sent}
        return Outcome(key=key, id=record_id, version=row.modified_at.isoformat(), values=values)

    def settle(self, object_type: str, sent: Sequence[SentCreate]) -> dict[str, Settled]:
        keys = self.do(lambda: self.desk.keys)
        return {one.key: Settled(id=keys.get(one.key, "")) for one in sent}

    def do(self, work: Callable[[], T]) -> T:
        """Do something for a caller that may be gone before or after."""
        self.desk.step()
        done = work()
        self.desk.step()
        return done

    def write(self, works: Sequence[Callable[[], Outcome]]) -> list[Outcome]:
        """Write a batch, and lose what the desk's trouble says."""
        trouble, self.desk.trouble = self.desk.trouble, ""
        if trouble == "away":
            msg = "The desk is away."
            raise TemporaryError(msg)
        outcomes = self.do(lambda: [work() for work in works])
        if trouble == "lost":
            msg = "The answer was lost."
            raise OutcomeUnknownError(msg)
        return outcomes[: (len(outcomes) + 1) // 2] if trouble == "partial" else outcomes


class MemoryHub(MemoryConnector):
    """Opens a desk that behaves like HubSpot."""

    slug = "memory-hub"
    label = "Memory hub"
    server_time = timedelta(seconds=100)
    has_ordered_versions = True


class MemoryComments:
    """The comments of a desk."""

    def __init__(self, connector: MemoryConnector) -> None:
        self._connector, self._desk = connector, connector.desk

    def comment_abilities(self, object_type: str) -> CommentAbilities:
        return CommentAbilities(
            is_rich=True, keeps_author=True, keeps_time=True, can_edit=True, has_mentions=False
        )

    def stored_as(self, object_type: str) -> str:
        return ""

    def comment_ids(
        self, object_type: str, record_ids: Sequence[str]
    ) -> dict[str, tuple[str, ...]]:
        notes = self._connector.do(lambda: self._desk.notes)
        return {
            one: tuple(i for i, note in notes.items() if note.record_id == one)
            for one in record_ids
        }

    def read_comments(self, object_type: str, comment_ids: Sequence[str]) -> dict[str, Comment]:
        notes = self._connector.do(lambda: self._desk.notes)
        return {one: self._comment(one, notes[one]) for one in comment_ids if one in notes}

    def _comment(self, comment_id: str, note: Note) -> Comment:
        return Comment(
            id=comment_id,
            body=note.body,
            author=note.author,
            created_at=note.created_at,
            modified_at=note.modified_at,
            version=note.modified_at.isoformat(),
        )

    def changed_comments(
        self, object_type: str, window: Window, after: str = ""
    ) -> Iterator[CommentPage]:
        notes = self._connector.do(lambda: dict(self._desk.notes))
        yield CommentPage(
            {
                one: (note.record_id,)
                for one, note in notes.items()
                if window.lower <= note.modified_at <= window.upper
            },
            "",
        )

    def add_comments(self, object_type: str, drafts: Sequence[CommentDraft]) -> list[Outcome]:
        return self._connector.write([partial(self._add, one) for one in drafts])

    def _add(self, draft: CommentDraft) -> Outcome:
        key = f"comment {draft.key}"
        known = self._desk.keys.get(key)
        if known is None or not self._desk.has_keys:
            known = self._desk.say(draft.record_id, draft.body, draft.author)
            self._desk.keys[key] = known
            self._desk.writes.append(f"comment {known} {draft.body}")
        return self._done(draft.key, known)

    def edit_comments(self, object_type: str, patches: Sequence[CommentPatch]) -> list[Outcome]:
        return self._connector.write([partial(self._edit, one) for one in patches])

    def _edit(self, patch: CommentPatch) -> Outcome:
        if patch.id not in self._desk.notes:
            return Outcome(key=patch.key, is_gone=True)
        self._desk.rephrase(patch.id, patch.body)
        self._desk.writes.append(f"edit of comment {patch.id} {patch.body}")
        return self._done(patch.key, patch.id)

    def _done(self, key: str, comment_id: str) -> Outcome:
        note = self._desk.notes[comment_id]
        return Outcome(
            key=key,
            id=comment_id,
            version=note.modified_at.isoformat(),
            values={"body": note.body},
        )

    def settle_comments(
        self,
        object_type: str,
        sent: Sequence[SentComment],
        taken: Collection[str] = (),
    ) -> dict[str, Settled]:
        keys = self._connector.do(lambda: self._desk.keys)
        if not self._desk.has_keys:
            return {one.draft.key: Settled(is_certain=False) for one in sent}
        return {one.draft.key: Settled(id=keys.get(f"comment {one.draft.key}", "")) for one in sent}


def plain(body: str) -> str:
    """Return a comment's text as a person reads it."""
    return rich_text.to_plain(body).strip()
