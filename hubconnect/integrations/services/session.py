"""What one run works with, and what one page of it brings about."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from hubconnect.connectors.base import Connector, Record, Values
from hubconnect.connectors.errors import RecordError
from hubconnect.engine.plan import CreatePlan, FieldChange, LinkState, UpdatePlan
from hubconnect.engine.values import to_stored
from hubconnect.integrations.models import (
    Decision,
    Failure,
    Flow,
    QueuedRead,
    RecordEvent,
    Run,
    Side,
    Slice,
    WideWindow,
)
from hubconnect.integrations.services.flowspec import FlowSpec
from hubconnect.integrations.services.lease import Lease, renew
from hubconnect.systems.models import System

if TYPE_CHECKING:
    from hubconnect.integrations.services.conflicts import Entry, Known
    from hubconnect.integrations.services.sent_edits import Edits


@dataclass(slots=True)
class Session:
    """One run at work: its rows, its lease and its two open connectors."""

    flow: Flow
    run: Run
    lease: Lease
    spec: FlowSpec
    source: Connector
    target: Connector
    # The flow that carries records the other way, when it is at work too.
    opposite: Flow | None = None
    has_more_due: bool = False  # more is to be read afresh than one run takes
    # Only looked at: no step may store anything, be it in the systems or in our own tables.
    is_preview: bool = False
    # The part of a load that this is, if it was cut; others count into the same run then.
    slice: Slice | None = None
    # The look back that this is, if it is one.
    wide: WideWindow | None = None
    # Calls that the run counts already.
    calls_noted: dict[str, dict[str, int]] = field(default_factory=dict)
    # The rest of the run is done by the slices of its load.
    is_handed_over: bool = False

    def __post_init__(self) -> None:
        """Have the lease renewed right before each request that writes."""
        if not self.is_preview:
            for end in (self.source, self.target):
                end.context.guard.check = partial(renew, self.lease)

    def begin_writing(self, connector: Connector | None = None, *, is_noted: bool = False) -> None:
        """Begin a series of requests to a system, the target by default.

        Args:
            connector: which system.
            is_noted: intents say when it began, so that its last request may not begin much later.
        """
        context = (connector or self.target).context
        context.guard.begin(context.series_limit if is_noted else None)

    @property
    def waits_field(self) -> str:
        """Name the column of a failure that marks this direction of the type pair as waiting."""
        return "waits_to_right" if self.flow.source_side == "left" else "waits_to_left"

    def end(self, side: Side) -> "End":
        """Return the end of the type pair on this side."""
        flow = self.flow
        if side == flow.source_side:
            return End(self.source, flow.source_type, flow.source_system)
        return End(self.target, flow.target_type, flow.target_system)


@dataclass(frozen=True, slots=True)
class End:
    """One of the two ends of a type pair: an open connector, its object type, its system."""

    connector: Connector
    object_type: str
    system: System


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the flow stands once a page is stored."""

    after_id: str
    is_window_open: bool = True


@dataclass(frozen=True, slots=True)
class Fault:
    """A record that could not go on; with ``child``, only that of it."""

    record: Record
    error: RecordError
    target_id: str = ""
    sent: Values = field(default_factory=dict)
    child: str = ""
    found: tuple[Record, ...] = ()  # of the error's candidates, those that were read


@dataclass(frozen=True, slots=True)
class Skip:
    """A record that is left alone while its values stay as they are."""

    record: Record
    reason: str
    kind: Decision.Kind = Decision.Kind.SKIPPED


@dataclass(frozen=True, slots=True)
class Conflicted:
    """A record with fields about which a person decides; ``failure`` is the one open already."""

    record: Record
    target_id: str
    entries: "list[Entry]"
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Queue:
    """A record to be read afresh by a flow."""

    flow_id: int
    record_id: str
    reason: str
    wait: timedelta = timedelta(0)


@dataclass(slots=True)
class Result:
    """Everything one page brings about; stored in one transaction."""

    counts: dict[str, int] = field(default_factory=dict)
    links: dict[str, tuple[LinkState, str]] = field(default_factory=dict)
    events: list[RecordEvent] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    conflicts: list[Conflicted] = field(default_factory=list)
    healed: list[Failure] = field(default_factory=list)
    waiting: dict[int, str] = field(default_factory=dict)  # failure: the record held behind it
    # By failure: unlinked records that its lost create may have made.
    suspected: dict[int, list[Record]] = field(default_factory=dict)
    gone: list[int] = field(default_factory=list)  # failures of records that exist no more
    queued: list[Queue] = field(default_factory=list)
    skipped: list[Skip] = field(default_factory=list)
    claims: list[tuple[str, str, str]] = field(default_factory=list)  # key, source id, target id
    intents_done: list[str] = field(default_factory=list)
    is_silent: bool = False  # no reason to look at what hangs on its records
    reads_done: list[QueuedRead] = field(default_factory=list)
    seen: list[str] = field(
        default_factory=list
    )  # linked records whose children are to be looked at

    def count(self, name: str, number: int = 1) -> None:
        """Add to one of the run's counts."""
        self.counts[name] = self.counts.get(name, 0) + number


@dataclass(slots=True)
class Candidates:
    """What is left of a page once echoes and held records are dropped."""

    linked: list[tuple[Record, LinkState]] = field(default_factory=list)
    unlinked: list[Record] = field(default_factory=list)
    failures: dict[str, list[Failure]] = field(default_factory=dict)  # open ones, by source id


@dataclass(slots=True)
class Plans:
    """What a page asks of the target."""

    creates: list[CreatePlan] = field(default_factory=list)
    updates: list[UpdatePlan] = field(default_factory=list)
    lookup_keys: dict[str, str] = field(default_factory=dict)  # by source id
    # Open failures about fields of linked records, by source id.
    known: "dict[str, Known]" = field(default_factory=dict)
    edits: "Edits | None" = None  # what people want sent of these records


def event(  # noqa: PLR0913 - the columns of one line
    session: Session,
    kind: RecordEvent.Kind,
    record: Record,
    at: datetime,
    *,
    title: str = "",
    target_id: str = "",
    reason: str = "",
    changes: tuple[FieldChange, ...] = (),
) -> RecordEvent:
    """Return the line that tells what was decided about a record."""
    detail: dict[str, object] = {"reason": reason} if reason else {}
    if record.author:  # shown, and never a reason to leave the change out
        detail["origin"] = record.author
    if changes:
        detail["fields"] = [
            {
                "field": change.field,
                "label": change.label,
                "old": to_stored(change.old),
                "new": to_stored(change.new),
                "remark": change.remark,
            }
            for change in changes
        ]
    return RecordEvent(
        run=session.run,
        kind=kind,
        source_id=record.id,
        target_id=target_id,
        title=title,
        detail=detail,
        at=at,
    )
