"""The story of one record: what it is linked with, how both sides stand, and why."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from hubconnect.connectors.base import Connector, Field, Record
from hubconnect.connectors.errors import ConnectorError
from hubconnect.engine.comparing import Compared, Comparer
from hubconnect.engine.conflict import Missing
from hubconnect.engine.mapping import MappingBrokenError
from hubconnect.engine.values import Stored, from_stored, show
from hubconnect.integrations.models import Flow, Link
from hubconnect.integrations.services import questions
from hubconnect.integrations.services.finding_records import LEFT, Place
from hubconnect.integrations.services.flowspec import rules_of
from hubconnect.integrations.services.looking import Looking, looking
from hubconnect.integrations.services.questions import Answer, Case
from hubconnect.integrations.services.session import Session
from hubconnect.integrations.stores import link_state
from hubconnect.systems.models import System
from hubconnect.systems.services import schema


@dataclass(frozen=True, slots=True)
class ValueRow:
    """One row of the mapping as a page shows it; texts, "" for nothing.

    Attributes:
        label: of the field on the record's own side, ``names`` both internal names.
        mine, theirs: what both sides hold now.
        base: what this side held when both last agreed, or None without a base.
        state: same, changed (one side since), clash (both), differs (no base).
        who: the system whose value changed, for "changed".
    """

    label: str
    names: tuple[str, str]
    mine: str
    theirs: str
    base: str | None
    state: str
    who: str = ""

    @property
    def is_same(self) -> bool:
        """Tell whether both sides hold the same."""
        return self.state == "same"


@dataclass(slots=True)
class End:
    """One side of the story."""

    system: System
    object_type: str
    label: str
    record_id: str
    record: Record | None = None
    url: str = ""
    problem: str = ""


@dataclass(slots=True)
class Story:
    """Everything that is known of a record. ``calls`` are those that looking cost, by system."""

    place: Place
    mine: End
    theirs: End
    link: Link | None = None
    answers: list[Answer] = field(default_factory=list)
    values: list[ValueRow] = field(default_factory=list)
    flows: list[Flow] = field(default_factory=list)
    calls: Mapping[str, int] = field(default_factory=dict)
    took_s: float = 0.0

    @property
    def title(self) -> str:
        """Return what a person calls the record."""
        return self.place.title or (self.link.title if self.link else "") or self.mine.record_id

    @property
    def differing(self) -> list[ValueRow]:
        """Return the rows whose sides differ."""
        return [one for one in self.values if not one.is_same]

    @property
    def alike(self) -> list[ValueRow]:
        """Return the rows whose sides hold the same."""
        return [one for one in self.values if one.is_same]

    @property
    def answer(self) -> Answer | None:
        """Return the answer a person looks for: the first that is not well, else the first."""
        troubled = [one for one in self.answers if one.kind not in (questions.OK, questions.IDLE)]
        return next(iter(troubled or self.answers), None)

    @property
    def other_answers(self) -> list[Answer]:
        """Return the answers of the other direction."""
        return [one for one in self.answers if one is not self.answer]


def link_of(place: Place) -> Link | None:
    """Return the link of a record, if it has one."""
    side = {f"{place.stored_side}_id": place.record_id}
    return Link.objects.filter(type_pair=place.pair.type_pair_id, **side).first()


def flows_of(place: Place) -> list[Flow]:
    """Return the flows of the pair: first the one that reads this record."""
    found = Flow.objects.filter(pair=place.pair).select_related(
        "pair__integration", "pair__mapping__left_system", "pair__mapping__right_system"
    )
    return sorted(found, key=lambda flow: flow.direction != place.direction)


def tell(place: Place) -> Story:
    """Look at a record on both sides and ask why it is as it is. Nothing is written."""
    began = time.monotonic()
    link = link_of(place)
    other_id = getattr(link, f"{place.stored_side.other}_id") if link is not None else ""
    mapping = place.pair.mapping
    is_left = place.side == LEFT
    ends = {
        True: (mapping.left_system, mapping.left_type),
        False: (mapping.right_system, mapping.right_type),
    }
    mine, theirs = (
        End(*ends[side], label=schema.type_label(*ends[side]), record_id=record_id)
        for side, record_id in ((is_left, place.record_id), (not is_left, other_id))
    )
    story = Story(place, mine, theirs, link, flows=flows_of(place))
    with looking() as look:
        sessions = {flow.pk: _session(look, flow) for flow in story.flows}
        _read(look, story, sessions)
        _compare(story)
        _ask(story, sessions)
        story.calls = {name: number for name, number in look.calls.items() if number}
    story.took_s = time.monotonic() - began
    return story


def _session(look: Looking, flow: Flow) -> tuple[Session | None, str]:
    try:
        return look.session(flow), ""
    except ConnectorError as error:
        return None, f"{error.message} {error.hint}".strip()


def _read(look: Looking, story: Story, sessions: Mapping[int, tuple[Session | None, str]]) -> None:
    """Read both records with all fields that mapping, criteria and lookup name."""
    comparer = _comparer(story)
    is_left = story.place.side == LEFT
    for end, is_mine in ((story.mine, True), (story.theirs, False)):
        names: set[str] = set()
        if comparer is not None:
            on_left = is_left == is_mine
            names.update(comparer.left_fields if on_left else comparer.right_fields)
        for session, _ in sessions.values():
            if session is not None:
                reads = (session.flow.direction == story.place.direction) == is_mine
                spec = session.spec
                names.update(spec.read_fields if reads else spec.plan.target_fields)
        if not end.record_id:
            continue
        try:
            connector = look.open(end.system)
            found = connector.read(end.object_type, [end.record_id], sorted(names))
            end.record = found.get(end.record_id)
            end.url = _url(connector, end)
        except ConnectorError as error:
            end.problem = f"{error.message} {error.hint}".strip()


def _url(connector: Connector, end: End) -> str:
    if end.record is not None and end.record.url:
        return end.record.url
    return connector.url(end.object_type, end.record_id)


def _comparer(story: Story) -> Comparer | None:
    mapping = story.place.pair.mapping
    try:
        left = schema.fields(mapping.left_system, mapping.left_type)
        right = schema.fields(mapping.right_system, mapping.right_type)
        return Comparer(rules_of(mapping), left, right)
    except (ConnectorError, MappingBrokenError):
        return None


def _compare(story: Story) -> None:
    mine, theirs, link = story.mine.record, story.theirs.record, story.link
    comparer = _comparer(story) if mine is not None and theirs is not None else None
    if comparer is None or mine is None or theirs is None or link is None:
        return
    is_left = story.place.side == LEFT
    left, right = (mine, theirs) if is_left else (theirs, mine)
    bases = (link.left_base, link.right_base)
    if story.place.pair.is_swapped:
        bases = bases[1], bases[0]
    names = (story.mine.system.name, story.theirs.system.name)
    story.values = [
        _row(one, names, is_left=is_left)
        for one in comparer.compare(left.values, right.values, *bases)
    ]


def _row(one: Compared, names: tuple[str, str], *, is_left: bool) -> ValueRow:
    mine, theirs = (one.left, one.right) if is_left else (one.right, one.left)
    my_value, their_value = (
        (one.left_value, one.right_value) if is_left else (one.right_value, one.left_value)
    )
    i_changed, they_changed = (
        (one.left_changed, one.right_changed) if is_left else (one.right_changed, one.left_changed)
    )
    base = one.left_base if is_left else one.right_base
    if one.is_same:
        state = "same"
    elif i_changed and they_changed:
        state = "clash"
    else:
        state = "changed" if i_changed or they_changed else "differs"
    return ValueRow(
        mine.label,
        (mine.name, theirs.name),
        show(my_value, mine),
        show(their_value, theirs),
        _base_text(base, mine),
        state,
        names[0] if i_changed else names[1],
    )


def _base_text(base: Stored | Missing, known: Field) -> str | None:
    return None if isinstance(base, Missing) else show(from_stored(base), known)


def _ask(story: Story, sessions: Mapping[int, tuple[Session | None, str]]) -> None:
    """Have each flow say what it makes of the record it reads."""
    agree = bool(story.values) and all(one.is_same for one in story.values)
    for flow in story.flows:
        reads_mine = flow.direction == story.place.direction
        end = story.mine if reads_mine else story.theirs
        if not end.record_id:
            continue
        session, problem = sessions[flow.pk]
        link = link_state(story.link, flow.source_side) if story.link is not None else None
        case = Case(flow, session, problem or end.problem, end.record, link, end.record_id, agree)
        try:
            told = questions.answer(case)
        except ConnectorError as error:
            told = Answer(
                flow, "bad", "It could not be planned now", f"{error.message} {error.hint}"
            )
        story.answers.append(told)
