"""Reads what ran and what was decided, for the pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone

from hubconnect.core.counting import MOST, at_most, count_each, stretch_each
from hubconnect.core.wording import counted
from hubconnect.integrations.models import RecordEvent, Run, Slice
from hubconnect.integrations.models.history import Failure
from hubconnect.integrations.services.counting import merged

# The steps of a run in their order, with the words a person sees.
PHASES = (
    ("settle", "Settle"),
    ("retry", "Retry"),
    ("pages", "Pages"),
    ("follow", "Links, comments, files"),
)
_INSIDE_PAGES = {
    "load": "first load",
    "changes": "changes",
    "linked": "linked records outside the criteria",
    "look back": "what became visible late",
}
_NEWEST = 2**62  # above every key
# Steps that a person sees as part of another one.
_PART_OF = {
    "settle comments": "settle",
    "align": "retry",
    "comments": "follow",
    "sweep": "follow",
    "look back": "pages",
}


def runs() -> QuerySet[Run]:
    """Return runs with everything that a line of the history names."""
    return Run.objects.select_related(
        "flow__pair__integration",
        "flow__pair__mapping__left_system",
        "flow__pair__mapping__right_system",
        "started_by",
    )


@dataclass(frozen=True, slots=True)
class IdleRuns:
    """Runs in a row that found nothing to do.

    Above ``counting.MOST`` they are not counted on, and ``first_at`` is None.
    """

    count: int
    first_at: datetime | None
    last_at: datetime

    @property
    def words(self) -> str:
        """How many, in words."""
        return f"{at_most(self.count)} {'run' if self.count == 1 else 'runs'}"


def fold_idle(
    found: QuerySet[Run], shown: Sequence[Run], *, is_first: bool, is_last: bool
) -> dict[int, IdleRuns]:
    """Return the idle runs right after each shown run, by its key; those above all by 0.

    ``shown`` are the runs with changes of one page, newest first. The number of queries and of rows
    looked at does not grow with the history.
    """
    keys = [run.pk for run in shown]
    ends = [*keys[1:], 0 if is_last or not keys else _next_busy(found, keys[-1])]
    gaps = dict(zip(keys, zip(keys, ends, strict=False), strict=False))
    if is_first:
        gaps[0] = (_NEWEST, keys[0] if keys else 0)
    idle = found.filter(is_idle=True)
    parts = [idle.filter(pk__lt=newer, pk__gt=older) for newer, older in gaps.values()]
    counted = {place: one for place, one in zip(gaps, stretch_each(parts), strict=True) if one.rows}
    ends_of = {key for one in counted.values() for key in (one.lowest, one.highest)}
    times = dict(Run.objects.filter(pk__in=ends_of).values_list("pk", "started_at"))
    return {
        place: IdleRuns(
            one.rows,
            None if one.rows > MOST else times.get(one.lowest),
            times[one.highest],
        )
        for place, one in counted.items()
        if one.highest in times  # it may have been purged meanwhile
    }


def _next_busy(found: QuerySet[Run], key: int) -> int:
    """Return the key of the next older run that did something, or 0."""
    older = found.filter(is_idle=False, pk__lt=key).order_by("-pk")
    return older.values_list("pk", flat=True).first() or 0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is.

    Attributes:
        done: records read so far.
        per_s: records a second, or None while that says nothing.
        left: time to go, if the number of records is known.
    """

    done: int
    expected: int | None
    per_s: float | None
    left: timedelta | None


def progress(run: Run) -> Progress:
    """Return how far a run is and how long it may still take."""
    until = run.finished_at or timezone.now()
    seconds = max((until - run.started_at).total_seconds(), 0.001)
    rate = run.read / seconds if run.read and seconds >= 1 else None
    left = None
    if rate and run.expected and run.expected > run.read and run.finished_at is None:
        left = timedelta(seconds=(run.expected - run.read) / rate)
    expected = max(run.expected, run.read) if run.expected else None
    return Progress(run.read, expected, rate, left)


@dataclass(frozen=True, slots=True)
class Phase:
    """One step of a run: its state, its word, how long it took."""

    state: str
    label: str
    note: str
    took_s: float | None


def phases(run: Run) -> list[Phase]:
    """Return the steps of a run, those behind it first."""
    names = [name for name, _ in PHASES]
    current = "pages" if run.phase in _INSIDE_PAGES else _PART_OF.get(run.phase, run.phase)
    at = names.index(current) if current in names else -1
    is_over = run.state != Run.State.RUNNING
    steps = []
    for place, (name, label) in enumerate(PHASES):
        took = _took(run, name)
        note = _INSIDE_PAGES.get(run.phase, "") if name == "pages" else ""
        if name == "follow":
            note = _carried(run)
        steps.append(Phase(_step_state(run, place, at, took, is_over=is_over), label, note, took))
    finish = "ok" if run.state in (Run.State.DONE, Run.State.WITH_FAILURES) else "idle"
    steps.append(Phase(finish, "Finish", "", None))
    return steps


def slices(run: Run) -> list[Phase]:
    """Return the slices of a load, in the order of their ids; none if it was not cut."""
    now = timezone.now()
    return [_slice(part, now) for part in run.slices.order_by("position")]


def _slice(part: Slice, now: datetime) -> Phase:
    state, word = "idle", "waits for a worker"
    if part.state == Slice.State.DONE:
        state, word = "ok", ""
    elif part.state == Slice.State.VOID:
        word = "given up"
    elif part.leased_until > now:
        state, word = "run", ""
    elif part.setbacks:
        state, word = "warn", "tried again by itself"
    read = counted(part.read, "record") if part.read or not word else ""
    note = ", ".join(filter(None, [read, word]))
    return Phase(state, f"Slice {part.position + 1}", note, None)


def _carried(run: Run) -> str:
    """Return what was carried beside fields: ``2 comments, 1 file``."""
    counts = {"link": run.associations, "comment": run.comments, "file": run.files}
    return ", ".join(counted(number, word) for word, number in counts.items() if number)


def _took(run: Run, name: str) -> float | None:
    """Return how long a step and its parts took so far, or None before it began."""
    parts = [name, *(part for part, whole in _PART_OF.items() if whole == name)]
    found = [run.timings[part] for part in parts if part in run.timings]
    return round(sum(found), 3) if found else None


def _step_state(run: Run, place: int, at: int, took: float | None, *, is_over: bool) -> str:
    has_ended_well = run.state in (Run.State.DONE, Run.State.WITH_FAILURES)
    if place < at or has_ended_well or (took is not None and place != at):
        return "ok"
    if place == at:
        return "bad" if is_over else "run"
    return "idle"


def kinds_of(run: Run) -> dict[str, int]:
    """Return how many lines of each outcome a run has, counted up to a limit; one query."""
    kinds = RecordEvent.Kind.values
    counts = count_each([run.events.filter(kind=kind) for kind in kinds])
    return dict(zip(kinds, counts, strict=True))


def failures_of(run: Run, events: Sequence[RecordEvent]) -> dict[str, int]:
    """Return the keys of the failures behind failed and held records, by record id; one query."""
    ids = {one.source_id for one in events if one.kind in ("failed", "held")}
    if not ids:
        return {}
    found = Failure.objects.filter(
        type_pair=run.flow.pair.type_pair_id,
        state__in=Failure.State.values,  # all of them: the index begins with it
        side=run.flow.source_side,
        record_id__in=ids,
    )
    return dict(found.order_by("pk").values_list("record_id", "pk"))


def origin_of(failure: Failure) -> str:
    """Return who changed the failed record last, as far as its system told; "" else."""
    told = RecordEvent.objects.filter(
        run=failure.run_id, kind=RecordEvent.Kind.FAILED, source_id=failure.record_id
    )
    detail = told.order_by("pk").values_list("detail", flat=True).last() or {}
    return str(detail.get("origin", ""))


def calls_of(run: Run) -> list[tuple[str, int]]:
    """Return the requests of a run by what they were, source and target named."""
    calls = run.calls
    if run.state == Run.State.RUNNING and run.reason == Run.Reason.LOAD:
        for part in run.slices.all():  # theirs are added at the end
            calls = merged(calls, part.calls)
    names = {"source": run.flow.source_system.name, "target": run.flow.target_system.name}
    listed = [
        (f"{names.get(side, side)}: {kind}", number)
        for side, kinds in sorted(calls.items())
        for kind, number in sorted(kinds.items())
        if number
    ]
    if run.second_pass_calls:
        label = "of these, for linked records outside the criteria"
        listed.append((label, run.second_pass_calls))
    return listed
