"""Previews a flow: the next page of what a run would read, planned by the run's own code."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.core import signing
from django.utils.dateparse import parse_datetime

from hubconnect.connectors.base import IdRange, Page, Record, Window
from hubconnect.integrations.models import Flow, Slice
from hubconnect.integrations.services import page as pages
from hubconnect.integrations.services.execute import waits_for_load
from hubconnect.integrations.services.looking import looking
from hubconnect.integrations.services.plan_lines import KINDS, Line, lines_of
from hubconnect.integrations.services.reading import (
    RETRY_BATCH,
    find_due,
    has_modified_times,
    needs_second_pass,
    reach_back,
)
from hubconnect.integrations.services.session import Result, Session
from hubconnect.integrations.stores import links_by_source

_SALT = "hubconnect.preview"

DUE, LOAD, CHANGES, LINKED = "due", "load", "changes", "linked"
STAGES: Mapping[str, str] = {
    DUE: "What waits for a fresh read",
    LOAD: "First load",
    CHANGES: "Changes",
    LINKED: "Linked records outside the criteria",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a preview goes on: the stage, the place in it, the end of its window.

    ``part`` is the position of a load's slice, if the load was cut into slices.
    """

    stage: str = DUE
    after: str = ""
    upper: datetime | None = None
    part: int | None = None

    def as_text(self) -> str:
        """Return it for an address, signed: only we know what a connector's cursor means."""
        upper = self.upper.isoformat() if self.upper else ""
        text: str = signing.dumps([self.stage, self.after, upper, self.part], salt=_SALT)
        return text

    @classmethod
    def read(cls, text: str) -> "Place":
        """Return the place of an address; one that is not ours is the beginning."""
        try:
            stage, after, upper, part = signing.loads(text, salt=_SALT)
        except (signing.BadSignature, ValueError):
            return cls()  # of a forger, or of an earlier version
        return cls(stage, after, parse_datetime(upper) if upper else None, part)


@dataclass(slots=True)
class Preview:
    """One page of what a run would do.

    Attributes:
        read: records of the source that were looked at.
        counts: records by kind, in the order of ``KINDS``.
        note: what should be known before reading it, or why there is nothing to read.
        later: where the next page begins, or None at the end.
        window: the span of modified times, for changes.
        calls: requests it cost, by system.
    """

    stage: str = ""
    lines: list[Line] = field(default_factory=list)
    read: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    later: Place | None = None
    window: Window | None = None
    calls: Mapping[str, int] = field(default_factory=dict)

    @property
    def stage_word(self) -> str:
        """Return the stage in words."""
        return STAGES.get(self.stage, "")


@dataclass(frozen=True, slots=True)
class _Reading:
    """One page of the source, and where the next one begins."""

    records: list[Record]
    is_settled: bool
    is_forced: bool
    place: Place
    later: Place | None
    window: Window | None = None


def preview(flow: Flow, place: Place) -> Preview:
    """Return the page of the flow's next run that begins at ``place``. Nothing is written.

    The flow comes with its pair, mapping, systems and integration.

    Raises:
        ConnectorError: a system cannot be read, or the flow's settings do not fit it.
    """
    with looking() as look:
        session = look.session(flow)
        shown = Preview(notes=list(_notes(session)))
        for reading in _readings(session, place):
            shown.stage, shown.later = reading.place.stage, reading.later
            shown.window = reading.window
            if reading.records:
                _plan(session, reading, shown)
                break
        shown.calls = dict(look.calls)
        return shown


def _notes(session: Session) -> Iterator[str]:
    flow = session.flow
    if flow.is_paused:
        yield "The safety brake paused this flow; it runs again once it is activated anew."
    if waits_for_load(flow, session.opposite):
        yield (
            f"It waits until the other direction has loaded: what {flow.target_system} gives "
            "first is linked by then, so fewer records may be left to create."
        )
    if flow.phase == Flow.Phase.NEW and _begins_with_nothing(session):
        yield (
            "It starts with changes from its activation on, so nothing that is there now would "
            "be carried."
        )


def _begins_with_nothing(session: Session) -> bool:
    flow = session.flow
    return flow.start == Flow.Start.NOW or (
        flow.start != Flow.Start.EVERYTHING and not has_modified_times(session)
    )


# --- Reading -----------------------------------------------------------------------------------


def _readings(session: Session, place: Place) -> Iterator[_Reading]:
    """Yield pages from ``place`` on, in the order of a run; the first with records is shown."""
    flow = session.flow
    if place.stage == DUE:
        yield from _due(session, place)
        place = _first_place(session)
    if flow.phase == Flow.Phase.NEW and _begins_with_nothing(session):
        return
    if place.stage == LOAD:
        yield from _load(session, place)
        return
    lower = flow.window_lower or flow.start_at or session.source.now()
    upper = place.upper or session.source.now()
    window = Window(reach_back(session, lower), upper)
    place = replace(place, upper=upper)
    if place.stage == CHANGES:
        found = _changes(session, window, place)
        has_second = needs_second_pass(session)
        second = Place(LINKED, "", upper) if has_second else None
        yield from _pages(session, found, place, then=second, window=window)
        place = second or place
    if place.stage == LINKED:
        yield from _pages(session, _changes(session, window, place), place, window=window)


def _load(session: Session, place: Place) -> Iterator[_Reading]:
    """Yield pages of the first load; of one that was cut, slice after slice."""
    flow, spec = session.flow, session.spec
    parts = {one.position: one for one in open_slices(flow)}
    wanted = [one for one in sorted(parts) if place.part is None or one >= place.part]
    places = [Place(LOAD, parts[one].after_id, part=one) for one in wanted] or [place]
    if wanted and wanted[0] == place.part:
        places[0] = place
    for one, later in zip(places, [*places[1:], None], strict=True):
        part = parts.get(one.part) if one.part is not None else None
        within = IdRange(part.above_id, part.upto_id) if part is not None else IdRange()
        found = session.source.everything(
            flow.source_type, spec.criteria, spec.read_fields, one.after, within
        )
        yield from _pages(session, found, one, then=later)


def open_slices(flow: Flow) -> list[Slice]:
    """Return what is left of the flow's first load, if it was cut into slices."""
    if flow.phase != Flow.Phase.LOADING:
        return []
    found = Slice.objects.filter(flow=flow, state=Slice.State.OPEN)
    return list(found.order_by("position"))


def _first_place(session: Session) -> Place:
    """Return where a run would go on reading."""
    flow = session.flow
    if flow.phase == Flow.Phase.LOADING:
        return Place(LOAD, flow.after_id)
    if flow.phase == Flow.Phase.NEW:
        return Place(LOAD if flow.start == Flow.Start.EVERYTHING else CHANGES)
    if flow.is_window_open and flow.spec_hash == session.spec.hash:
        stage = LINKED if flow.is_second_pass else CHANGES
        return Place(stage, flow.after_id, flow.window_upper)
    return Place(CHANGES)


def _due(session: Session, place: Place) -> Iterator[_Reading]:
    """Yield what waits for a fresh read, a batch at a time."""
    ids = find_due(session.flow).ids
    start = int(place.after or 0)
    while start < len(ids):
        batch, start = ids[start : start + RETRY_BATCH], start + RETRY_BATCH
        found = session.source.read(session.flow.source_type, batch, session.spec.read_fields)
        later = Place(DUE, str(start))
        yield _Reading(list(found.values()), True, True, place, later)  # noqa: FBT003


def _changes(session: Session, window: Window, place: Place) -> Iterator[Page]:
    criteria = session.spec.criteria if place.stage == CHANGES else ()
    return session.source.changes(
        session.flow.source_type, window, criteria, session.spec.read_fields, place.after
    )


def _pages(
    session: Session,
    found: Iterator[Page],
    place: Place,
    *,
    then: Place | None = None,
    window: Window | None = None,
) -> Iterator[_Reading]:
    """Yield pages of the source; behind the last one the preview goes on with ``then``."""
    page = next(found, None)
    while page is not None:
        records = list(page.records)
        if place.stage == LINKED:
            links = links_by_source(session.flow, [record.id for record in records])
            records = [record for record in records if record.id in links]
        # A full page may be followed by another, which is not asked for before somebody wants it.
        is_full = len(page.records) >= session.source.batch_size
        later = replace(place, after=page.after) if is_full else then
        yield _Reading(records, page.settled, False, place, later, window)  # noqa: FBT003
        page = next(found, None)


# --- Planning ----------------------------------------------------------------------------------


def _plan(session: Session, reading: _Reading, shown: Preview) -> None:
    result = Result()
    _, plans = pages.plan_page(
        session,
        reading.records,
        result,
        is_settled=reading.is_settled,
        is_forced=reading.is_forced,
    )
    try:
        pages.brake(session, plans)
    except pages.SafetyBrakeError as error:
        shown.notes.append(f"The safety brake would stop it: {error.message} {error.hint}")
    shown.read = len(reading.records)
    lines = lines_of(session, plans, result)
    counts = Counter(one.kind for one in lines)
    told = {one.source_id for one in lines}
    counts["unchanged"] += sum(record.id not in told for record in reading.records)
    shown.counts = {kind: counts[kind] for kind in KINDS}
    order = list(KINDS)
    worth = [one for one in lines if one.kind != "unchanged" or one.changes or one.reason]
    shown.lines = sorted(worth, key=lambda one: order.index(one.kind))
