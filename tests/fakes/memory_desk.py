"""What is in a system that lives in memory; ``memory`` opens it for HubConnect."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from hubconnect.connectors.base import Value

FIELDS = ("code", "name", "note")


@dataclass(slots=True)
class Row:
    """One record as stored."""

    values: dict[str, Value]
    created_at: datetime
    modified_at: datetime
    is_deleted: bool = False


@dataclass(slots=True)
class Note:
    """One comment as stored."""

    record_id: str
    body: str
    author: str
    created_at: datetime
    modified_at: datetime


@dataclass
class MemoryDesk:
    """What is stored, and what goes wrong with the next write.

    Attributes:
        step: called before and after everything a connector does; may raise.
        trouble: what becomes of the next write: "" nothing, "lost" (done, its answer is lost),
            "away" (not done), "partial" (the second half of a batch is missing in the answer).
        has_keys: whether it knows what was created with which key.
        ahead: how far its clock is ahead of the machine's.
        writes: what connectors changed so far.
    """

    number: str
    is_hub: bool
    rows: dict[str, Row] = field(default_factory=dict)
    notes: dict[str, Note] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    index: dict[str, Row] = field(default_factory=dict)
    is_frozen: bool = False
    trouble: str = ""
    has_keys: bool = True
    ahead: timedelta = timedelta(0)
    writes: list[str] = field(default_factory=list)
    step: Callable[[], None] = lambda: None
    _last: datetime = datetime(2000, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        """Return its time, never the same twice."""
        self._last = max(datetime.now(UTC) + self.ahead, self._last + timedelta(microseconds=1))
        return self._last

    def stored(self, values: Mapping[str, Value]) -> dict[str, Value]:
        """Return values as it keeps them."""
        if not self.is_hub:
            return dict(values)
        return {n: v.strip() if isinstance(v, str) else v for n, v in values.items()}

    def add(self, values: Mapping[str, Value]) -> str:
        """Store a record; returns its id."""
        record_id, now = str(len(self.rows) + 1), self.now()
        empty: dict[str, Value] = dict.fromkeys(FIELDS)
        self.rows[record_id] = Row(empty | self.stored(values), now, now)
        return record_id

    def change(self, record_id: str, values: Mapping[str, Value]) -> None:
        """Change a record."""
        row = self.rows[record_id]
        self.rows[record_id] = Row(
            row.values | self.stored(values), row.created_at, self.now(), row.is_deleted
        )

    def say(self, record_id: str, text: str, author: str = "") -> str:
        """Store a comment; returns its id."""
        note_id, now = str(len(self.notes) + 1), self.now()
        self.notes[note_id] = Note(record_id, text, author, now, now)
        return note_id

    def rephrase(self, note_id: str, text: str) -> None:
        """Change a comment."""
        self.notes[note_id] = replace(self.notes[note_id], body=text, modified_at=self.now())

    def ids_of(self, code: str) -> list[str]:
        """Return the ids of the records with this code."""
        return [i for i, r in self.rows.items() if r.values["code"] == code and not r.is_deleted]

    def catch_up(self) -> None:
        """Bring the search index up to date, unless it is frozen."""
        if not self.is_frozen:
            self.index = dict(self.rows)

    @property
    def searched(self) -> dict[str, Row]:
        """What a search sees."""
        if not self.is_hub:
            return self.rows
        self.catch_up()
        return self.index
