"""A machine that edits two systems at random, runs and cuts flows, and checks the promises."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any

from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, multiple, rule

from hubconnect.engine.values import from_stored
from hubconnect.integrations.models import (
    ChildIntent,
    Failure,
    Flow,
    FollowUp,
    Integration,
    Intent,
    Link,
    QueuedRead,
    RecordEvent,
    Side,
    TypePair,
)
from hubconnect.mappings.models import Mapping
from hubconnect.systems.models import System
from tests.children import PairHouse, furnish_pair
from tests.crashing import killed_at, run_once
from tests.fakes.memory import REFUSED, THINGS, MemoryConnector, plain
from tests.fakes.memory_desk import MemoryDesk
from tests.house import make_system

SIDES = st.sampled_from([Side.LEFT, Side.RIGHT])
WAYS = st.sampled_from(["to_right", "to_left"])
WORDS = st.sampled_from(["a", "b", "c", " c ", "D", None])
NOTES = st.sampled_from(["x", "y", " z", REFUSED, None])
TROUBLES = st.sampled_from(["", "lost", "away", "partial"])
SETTLING_ROUNDS = 16
QUIET_ROUNDS = 3  # a run may first end the window that one before it had begun
_numbers = count(1)


@dataclass(slots=True)
class Edit:
    """What a person did to a field, and what HubConnect had told by then."""

    side: Side
    value: Any
    told: int
    agreed: object  # what both sides had agreed on then; empty where they had not met


@dataclass(slots=True)
class Thing:
    """What people did to one record."""

    edits: dict[str, list[Edit]] = field(default_factory=dict)
    deleted: set[Side] = field(default_factory=set)
    said: dict[str, str] = field(default_factory=dict)  # what each comment last said, by its number


def read_as(value: object) -> object:
    """Return a value as both systems can hold it."""
    return value.strip() or None if isinstance(value, str) else value


class Promises(RuleBasedStateMachine):
    """A hub ↔ a ledger desk, both ways, with comments. Each code is a record's own."""

    things = Bundle("things")
    lookup: list[dict[str, str]] = []

    def __init__(self) -> None:
        super().__init__()
        for model in (Integration, Mapping, System, TypePair):
            model.objects.all().delete()
        number = next(_numbers)
        self.desks = {
            Side.LEFT: MemoryDesk(f"h{number}", is_hub=True),
            Side.RIGHT: MemoryDesk(f"d{number}", is_hub=False),
        }
        for desk in self.desks.values():
            MemoryConnector.desks[desk.number] = desk
        self.house = self.furnish(number)
        self.seen: dict[str, Thing] = {}

    def furnish(self, number: int) -> PairHouse:
        left, right = (
            make_system(f"{slug} {number}", slug, {"address": desk.number}, {})
            for slug, desk in zip(("memory-hub", "memory"), self.desks.values(), strict=True)
        )
        rows = tuple((name, name) for name in ("code", "name", "note"))
        house = furnish_pair(
            (left, THINGS), (right, THINGS), rows, comments="both", lookup=self.lookup
        )
        Integration.objects.filter(pk=house.integration.pk).update(max_attempts=100)
        house.activate()
        return house

    # --- What people do ------------------------------------------------------------------------

    @initialize(target=things)
    def begin(self) -> Any:  # noqa: ANN401 - of hypothesis
        """Have something on both sides, of which nothing is synced yet."""
        made = [self.create(side, "a", None) for side in (*Side, *Side)]
        return multiple(*made)

    @rule(target=things, side=SIDES, name=WORDS, text=NOTES)
    def create(self, side: Side, name: str | None, text: str | None) -> str:
        code = f"code{len(self.seen) + 1}"
        self.seen[code] = Thing()
        self.add(side, code, name, text)
        return code

    def add(self, side: Side, code: str, name: str | None, text: str | None) -> None:
        self.desks[side].add({"code": code, "name": name, "note": text})
        for one, value in (("name", name), ("note", text)):
            if value is not None:  # what was never filled in gives way
                self.note_edit(code, side, one, value)

    @rule(code=things, side=SIDES, name=WORDS)
    def rename(self, code: str, side: Side, name: str | None) -> None:
        self.edit(code, side, "name", name)

    @rule(code=things, side=SIDES, text=NOTES)
    def annotate(self, code: str, side: Side, text: str | None) -> None:
        self.edit(code, side, "note", text)

    def edit(self, code: str, side: Side, name: str, value: str | None) -> None:
        desk = self.desks[side]
        for record_id in desk.ids_of(code)[:1]:
            if desk.rows[record_id].values[name] != desk.stored({name: value})[name]:
                desk.change(record_id, {name: value})
                self.note_edit(code, side, name, value)

    def note_edit(self, code: str, side: Side, name: str, value: str | None) -> None:
        last = RecordEvent.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        edits = self.seen[code].edits.setdefault(name, [])
        ids = self.desks[side].ids_of(code)
        link = Link.objects.filter(**{f"{side}_id__in": ids}).first()
        base = getattr(link, f"{side}_base").get(name) if link is not None else None
        edits.append(
            Edit(side, read_as(value), last, read_as(from_stored(base[0] if base else None)))
        )

    @rule(code=things, side=SIDES)
    def delete(self, code: str, side: Side) -> None:
        desk = self.desks[side]
        for record_id in desk.ids_of(code)[:1]:
            desk.rows[record_id].is_deleted = True
            desk.rows[record_id].modified_at = desk.now()
            self.seen[code].deleted.add(side)

    @rule(code=things, side=SIDES)
    def say(self, code: str, side: Side) -> None:
        thing = self.seen[code]
        for record_id in self.desks[side].ids_of(code)[:1]:
            number = f"{code} no{len(thing.said) + 1}"
            thing.said[number] = f"{number} one"
            self.desks[side].say(record_id, f"<p>{number} one</p>", "rae@x.example")

    @rule(code=things, side=SIDES)
    def rephrase(self, code: str, side: Side) -> None:
        thing, desk = self.seen[code], self.desks[side]
        for number in list(thing.said)[:1]:
            for note_id, one in list(desk.notes.items()):
                if plain(one.body).startswith(number):
                    told = f"{plain(one.body)} {'more' if side is Side.LEFT else 'else'}"
                    desk.rephrase(note_id, f"<p>{told}</p>")

    # --- What goes wrong -----------------------------------------------------------------------

    @rule(is_frozen=st.booleans())
    def index(self, *, is_frozen: bool) -> None:
        self.desks[Side.LEFT].is_frozen = is_frozen

    @rule(way=WAYS, step=st.integers(1, 150))
    def crash(self, way: str, step: int) -> None:
        with killed_at(step, self.listen):
            self.run_once(way)

    def listen(self, step: Callable[[], None]) -> None:
        for desk in self.desks.values():
            desk.step = step

    # --- What HubConnect does ------------------------------------------------------------------

    @rule(way=WAYS, trouble=TROUBLES)
    def run(self, way: str, trouble: str) -> None:
        target = self.desks[Side.RIGHT if way == "to_right" else Side.LEFT]
        target.trouble = trouble
        self.run_once(way)
        target.trouble = ""

    @rule(target=things, way=WAYS, name=WORDS, edited=WORDS)
    def edit_what_a_lost_create_made(self, way: str, name: str | None, edited: str | None) -> str:
        """The answer of a create is lost, and before that is settled its record is edited."""
        source = Side.LEFT if way == "to_right" else Side.RIGHT
        code = f"code{len(self.seen) + 1}"
        self.seen[code] = Thing()
        self.add(source, code, name, None)
        self.run(way, "lost")
        self.rename(code, source.other, edited)
        return code

    @rule()
    def wait(self) -> None:
        self.let_time_pass()

    def run_once(self, way: str) -> None:
        run_once(self.house.flows[way])

    def let_time_pass(self, *, are_failures_due: bool = True) -> None:
        """Make everything due, as minutes do."""
        now = timezone.now()
        for desk in self.desks.values():
            desk.is_frozen = False  # an index is not behind for that long
            desk.catch_up()
            desk.ahead += timedelta(minutes=5)
        if are_failures_due:
            Failure.objects.filter(state=Failure.State.OPEN).update(next_try_at=now)
        QueuedRead.objects.update(due_at=now)
        FollowUp.objects.filter(due_at__isnull=False).update(due_at=now)
        Flow.objects.update(next_sweep_at=now)
        TypePair.objects.update(leased_until=now, settle_after=now)

    # --- What must hold ------------------------------------------------------------------------

    def teardown(self) -> None:
        quiet = 0
        for _ in range(SETTLING_ROUNDS):
            before = self.written()
            self.sync()
            is_open = Intent.objects.exists() or ChildIntent.objects.exists()
            quiet = 0 if is_open or before != self.written() else quiet + 1
            if quiet == QUIET_ROUNDS:
                break
        self.check()
        # A failure that is tried again writes by design; here nobody asks for it.
        Failure.objects.filter(state=Failure.State.OPEN).update(next_try_at=None)
        lengths = [len(one) for one in self.written()]
        self.sync(are_failures_due=False)
        self.sync(are_failures_due=False)
        more = [one[number:] for one, number in zip(self.written(), lengths, strict=True)]
        assert more == [[], []], f"It bounces: syncs at rest wrote {more}."

    def written(self) -> list[list[str]]:
        """Return what was written to both desks so far."""
        return [list(desk.writes) for desk in self.desks.values()]

    def sync(self, *, are_failures_due: bool = True) -> None:
        self.let_time_pass(are_failures_due=are_failures_due)
        for way in ("to_right", "to_left"):
            self.run_once(way)

    def check(self) -> None:
        assert not Intent.objects.exists(), "A write is never settled."
        assert not ChildIntent.objects.exists(), "A comment is never settled."
        for code, thing in self.seen.items():
            ids = {side: desk.ids_of(code) for side, desk in self.desks.items()}
            self.check_counts(code, thing, ids)
            if all(ids.values()):
                self.check_fields(code, thing, {side: one[0] for side, one in ids.items()})
                self.check_comments(code, {side: one[0] for side, one in ids.items()})

    def check_counts(self, code: str, thing: Thing, ids: dict[Side, list[str]]) -> None:
        for side, found in ids.items():
            assert len(found) <= 1, f"{code} is doubled: {found} on the {side}"
            is_missing = not found and ids[side.other]
            if is_missing and side not in thing.deleted:
                assert self.failures(ids), f"{code} is lost: it is missing on the {side}"

    def check_fields(self, code: str, thing: Thing, ids: dict[Side, str]) -> None:
        if self.failures({side: [one] for side, one in ids.items()}):
            return
        for name, edits in thing.edits.items():
            held = {s: read_as(self.desks[s].rows[i].values[name]) for s, i in ids.items()}
            value = held[Side.LEFT]
            assert value == held[Side.RIGHT], f"{code}: {name} differs: {held}; no failure says so"
            if not thing.deleted:  # edits of a deleted record went with it
                self.check_last(code, name, edits, value, ids)

    def check_last(
        self, code: str, name: str, edits: list[Edit], value: object, ids: dict[Side, str]
    ) -> None:
        """The last edit stands, or a conflict that was told of overruled it."""
        last = edits[-1]
        if value == last.value:
            return
        others = [edit for edit in edits if edit.side is not last.side]
        problem = f"{code}: {name} is {value!r}; that went back. The edits were {edits}."
        assert others, problem
        assert value == others[-1].value, problem
        if last.value == last.agreed:
            return  # undone before anybody saw it; or empty, which gives way where two first meet
        told = RecordEvent.objects.filter(
            pk__gt=last.told, source_id__in=ids.values(), target_id__in=ids.values()
        )
        assert any(
            change["field"] == name and change["remark"]
            for event in told
            for change in event.detail.get("fields", ())
        ), f"{code}: the edit of {name} to {last.value!r} was overruled; nothing says so."

    def check_comments(self, code: str, ids: dict[Side, str]) -> None:
        if (
            Failure.objects.filter(
                state=Failure.State.OPEN, flow__pair__integration=self.house.integration
            )
            .exclude(child="")
            .exists()
        ):
            return
        said = {
            side: sorted(
                plain(one.body) for one in self.desks[side].notes.values() if one.record_id == i
            )
            for side, i in ids.items()
        }
        assert said[Side.LEFT] == said[Side.RIGHT], f"{code}: comments differ: {said}"
        for number in self.seen[code].said:
            copies = [text for text in said[Side.LEFT] if text.startswith(number)]
            assert len(copies) <= 1, f"{code}: a comment is doubled: {copies}"

    def failures(self, ids: dict[Side, list[str]]) -> bool:
        """Tell whether a failure is open about one of these records."""
        return any(
            Failure.objects.filter(
                state=Failure.State.OPEN,
                child="",
                flow__pair__integration=self.house.integration,
                side=side,
                record_id__in=found,
            ).exists()
            for side, found in ids.items()
        )


class ByCode(Promises):
    """The same with a lookup by code: what both sides have already is found."""

    lookup = [{"condition": "EQUALS", "field": "code", "value": "@code@"}]

    @rule(target=Promises.things, names=st.tuples(WORDS, WORDS))
    def create_both(self, names: tuple[str | None, str | None]) -> Any:  # noqa: ANN401 - of hypothesis
        code = f"code{len(self.seen) + 1}"
        self.seen[code] = Thing()
        for side, name in zip(self.desks, names, strict=True):
            self.add(side, code, name, None)
        # Long ago: no lookup in HubSpot's index finds what was made there a second ago.
        hub = self.desks[Side.LEFT]
        hub.index |= {one: hub.rows[one] for one in hub.ids_of(code)}
        return multiple(code)
