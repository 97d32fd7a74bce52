"""What one page of records asks for: a plan that can be shown, counted and tested unwritten."""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from hubconnect.connectors.base import NewAssociation, Record, Value, Values
from hubconnect.connectors.errors import RecordError
from hubconnect.engine.conflict import (
    MISSING,
    Act,
    Base,
    Choice,
    Decision,
    Restore,
    chosen,
    decide,
    has_changed,
)
from hubconnect.engine.forms import is_own_form
from hubconnect.engine.loops import Trace
from hubconnect.engine.mapping import FieldFlow, joined, map_values
from hubconnect.engine.values import Stored, store_all, to_stored

BaseMap = Mapping[str, tuple[Stored, str] | list[Stored]]
# Internal names of a row's source and target field; "" for no source.
Names = tuple[str, str]


def names_of(flow: FieldFlow) -> Names:
    """Return the source and target field of a row."""
    return (flow.source.name if flow.source is not None else "", flow.target.name)


@dataclass(frozen=True, slots=True)
class LinkState:
    """A link as one flow sees it: ``{field: [stored value, version]}`` on both sides.

    Attributes:
        recent: updates of its fields within the last minutes.
        moved: the source and target fields whose bases are others than those stored.
    """

    pk: int
    source_id: str
    target_id: str
    source_base: BaseMap
    target_base: BaseMap
    source_version: str = ""
    recent: tuple[Trace, ...] = ()
    moved: tuple[frozenset[str], frozenset[str]] = (frozenset(), frozenset())


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One line of a record's story: which field, what it was, what it becomes."""

    field: str
    label: str
    old: Value
    new: Value
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A field in conflict that a person is to decide about, by the values of both sides.

    Without a base (a new link, a new row) nothing was ever agreed on.
    """

    flow: FieldFlow
    source_base: Base
    target_base: Base
    source: Value
    target: Value

    @property
    def names(self) -> Names:
        """Return the source and the target field."""
        return names_of(self.flow)


@dataclass(frozen=True, slots=True)
class Standing:
    """What open failures say about the fields of one link.

    Attributes:
        choices: what a person chose about fields in conflict.
        restores: target values that were overwritten unseen and are to be put back.
        not_stored: source values that the target accepted and did not keep, by field names.
        is_carried_back: the opposite flow is at work.
    """

    choices: Mapping[Names, Choice] = field(default_factory=dict)
    restores: Mapping[Names, Restore] = field(default_factory=dict)
    not_stored: Mapping[Names, Stored] = field(default_factory=dict)
    is_carried_back: bool = True


NOTHING_STANDS = Standing()


@dataclass(frozen=True, slots=True)
class CreatePlan:
    """A record to create at the target."""

    source: Record
    values: dict[str, Value]
    changes: tuple[FieldChange, ...] = ()
    associations: tuple[NewAssociation, ...] = ()


@dataclass(frozen=True, slots=True)
class UpdatePlan:
    """What to do about a linked record.

    Attributes:
        writes: target fields to send; empty when nothing is to be sent.
        expected: what these fields held when they were read.
        agreed: pairs of source and target field whose bases move without a write.
        sent: pairs of source and target field whose bases move with the write's answer.
        stays: source fields whose base stays, as another row of theirs is not carried out; the
            target's base moves all the same.
        gives_back: pairs whose target value belongs on the source.
        asked: fields in conflict about which a person is to decide; their bases stay.
        kept: pairs that are not sent again, because the target did not keep the same value.
        restored: pairs whose target gets back a value that was overwritten; no base moves, so that
            the opposite flow carries it on as the edit it was.
    """

    source: Record
    target: Record
    link: LinkState
    writes: dict[str, Value]
    expected: dict[str, Value]
    sent: tuple[Names, ...]
    agreed: tuple[Names, ...]
    gives_back: tuple[Names, ...]
    changes: tuple[FieldChange, ...]
    asked: tuple[Asked, ...] = ()
    kept: tuple[Names, ...] = ()
    restored: tuple[Names, ...] = ()
    stays: frozenset[str] = frozenset()

    @property
    def does_nothing(self) -> bool:
        """Tell whether neither a write nor a base nor the opposite flow is concerned."""
        return not (self.writes or self.agreed or self.gives_back or self.asked)


@dataclass(frozen=True, slots=True)
class Spec:
    """What a plan needs to know of a flow."""

    flows: tuple[FieldFlow, ...]
    title_field: str = ""
    source_fields: tuple[str, ...] = field(init=False)
    target_fields: tuple[str, ...] = field(init=False)
    echoes: tuple[tuple[str, frozenset[str]], ...] = field(init=False)  # source and its targets

    def __post_init__(self) -> None:
        names = (flow.source.name for flow in self.flows if flow.source is not None)
        object.__setattr__(self, "source_fields", tuple(dict.fromkeys(names)))
        targets = (flow.target.name for flow in self.flows)
        object.__setattr__(self, "target_fields", tuple(dict.fromkeys(targets)))
        updating: dict[str, set[str]] = {}
        for row in self.flows:
            if row.source is not None and row.at_update:
                updating.setdefault(row.source.name, set()).add(row.target.name)
        echoes = tuple((name, frozenset(ends)) for name, ends in updating.items())
        object.__setattr__(self, "echoes", echoes)


def title_of(record: Record, spec: Spec) -> str:
    """Return a readable name for a record: its first text, cut to what a list can show."""
    value = record.values.get(spec.title_field) if spec.title_field else None
    return value[:120] if isinstance(value, str) else ""


def is_echo(record: Record, link: LinkState, spec: Spec) -> bool:
    """Tell whether a linked source record holds nothing but what was agreed on already.

    That a source field has a base says nothing of a target field that has none.
    """
    base, agreed = link.source_base, link.target_base.keys()
    values = record.values
    for name, ends in spec.echoes:
        known = base.get(name)
        if known is None or to_stored(values.get(name)) != known[0] or not ends <= agreed:
            return False
    return True


def values_hash(values: Values) -> str:
    """Return a stable hash of mapped values: a decision holds as long as it stays the same."""
    text = json.dumps(store_all(values), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def source_hash(record: Record, spec: Spec, also: Iterable[str] = ()) -> str:
    """Return the hash of the fields of a source record that the flow maps, and of others."""
    names = (*spec.source_fields, *also)
    return values_hash({name: record.values.get(name) for name in names})


def plan_create(record: Record, spec: Spec) -> CreatePlan:
    """Return what to create for an unlinked source record.

    Raises:
        RecordError: values cannot be converted; all faults are named.
    """
    values = map_values(spec.flows, record.values, lambda flow: flow.at_create)
    given: dict[str, Value] = {n: value for n, value in values.items() if value is not None}
    labels = {flow.target.name: flow.target.label for flow in spec.flows}
    changes = tuple(FieldChange(n, labels[n], None, v) for n, v in given.items())
    return CreatePlan(record, given, changes)


def plan_update(
    record: Record,
    target: Record,
    link: LinkState,
    spec: Spec,
    standing: Standing = NOTHING_STANDS,
) -> UpdatePlan:
    """Return what to do about a linked record, field by field.

    Raises:
        RecordError: changed values cannot be converted; all faults are named.
    """
    draft = _Draft(standing)
    for flow in spec.flows:
        if flow.at_update:
            draft.take(flow, record, target, link)
    if draft.refused:
        raise joined(draft.refused)
    stay = draft.kept_sources
    return UpdatePlan(
        source=record,
        target=target,
        link=link,
        writes=draft.writes,
        expected={name: target.values.get(name) for name in draft.writes},
        sent=tuple(draft.sent),
        agreed=tuple(
            (s, t)
            for s, t in draft.agreed
            if s not in stay or has_changed(target.values.get(t), base_of(link.target_base, t))
        ),
        gives_back=tuple(draft.gives_back),
        changes=tuple(draft.changes),
        asked=tuple(draft.asked),
        kept=tuple(draft.kept),
        restored=tuple(draft.restored),
        stays=frozenset(stay),
    )


class _Draft:
    """Collects the decisions about the fields of one record."""

    def __init__(self, standing: Standing) -> None:
        self.standing = standing
        self.writes: dict[str, Value] = {}
        self.sent: list[Names] = []
        self.agreed: list[Names] = []
        self.gives_back: list[Names] = []
        self.asked: list[Asked] = []
        self.kept: list[Names] = []
        self.restored: list[Names] = []
        self.kept_sources: set[str] = set()
        self.changes: list[FieldChange] = []
        self.refused: list[RecordError] = []

    def take(self, flow: FieldFlow, record: Record, target: Record, link: LinkState) -> None:
        names = names_of(flow)
        value = record.values.get(names[0])
        held = target.values.get(flow.target.name)
        source_base = base_of(link.source_base, names[0]) if names[0] else None
        target_base = base_of(link.target_base, flow.target.name)
        if self._was_not_kept(names, value) or self._restores(flow, value, held):
            return
        try:
            decision = decide(
                flow, source=value, source_base=source_base, target=held, target_base=target_base
            )
        except RecordError as error:
            self.refused.append(error)
            return
        if decision.act is Act.ASK:
            choice = self.standing.choices.get(names)
            if choice is None or not choice.fits(value, held):
                self.asked.append(Asked(flow, source_base, target_base, value, held))
                self.kept_sources.add(names[0])
                return
            decision = chosen(
                flow, decision.mapped, choice, is_carried_back=self.standing.is_carried_back
            )
        self._note(flow, decision, value, held, link)

    def _was_not_kept(self, names: Names, value: Value) -> bool:
        """Tell whether the target did not keep this very value when it was sent before."""
        known = self.standing.not_stored
        if names not in known or to_stored(value) != known[names]:
            return False
        self.kept.append(names)
        self.kept_sources.add(names[0])
        return True

    def _restores(self, flow: FieldFlow, value: Value, held: Value) -> bool:
        """Tell whether the target gets back what was overwritten, as a person chose."""
        names = names_of(flow)
        restore = self.standing.restores.get(names)
        if restore is None or not restore.fits(value, held):
            return False
        self.writes[flow.target.name] = restore.value
        self.restored.append(names)
        self.kept_sources.add(names[0])
        remark = "a person chose the value that had been overwritten"
        change = FieldChange(flow.target.name, flow.target.label, held, restore.value, remark)
        self.changes.append(change)
        return True

    def _note(
        self, flow: FieldFlow, decision: Decision, value: Value, held: Value, link: LinkState
    ) -> None:
        names = names_of(flow)
        if decision.act is Act.WRITE:
            self.writes[flow.target.name] = decision.mapped
            self.sent.append(names)
        elif decision.act is Act.ADOPT:
            if _moves_a_base(names, value, held, link):
                self.agreed.append(names)
        elif decision.act is Act.GIVE_BACK:
            self.gives_back.append(names)
            self.kept_sources.add(names[0])
            if not self.standing.is_carried_back:
                decision = replace(decision, remark=_differing(decision.remark))
        if decision.act is not Act.KEEP and (decision.remark or decision.act is Act.WRITE):
            change = FieldChange(
                flow.target.name, flow.target.label, held, decision.mapped, decision.remark
            )
            self.changes.append(change)


def _differing(remark: str) -> str:
    """Add to a remark that the target's value is not carried to the source."""
    words = "the other direction is not at work, so the sides differ"
    return f"{remark}; {words}" if remark else words


def _moves_a_base(names: tuple[str, str], value: Value, held: Value, link: LinkState) -> bool:
    source_name, target_name = names
    if source_name and has_changed(value, base_of(link.source_base, source_name)):
        return True
    return has_changed(held, base_of(link.target_base, target_name))


def base_of(bases: BaseMap, name: str) -> Base:
    """Return the stored value of a base, or MISSING."""
    known = bases.get(name)
    return MISSING if known is None else known[0]


def create_bases(
    plan: CreatePlan, stored: Values, version: str, spec: Spec, lost: Collection[str] = ()
) -> tuple[dict[str, list[Stored]], dict[str, list[Stored]]]:
    """Return the bases of both sides after a create whose answer shows ``stored``.

    Nothing is agreed on for the target fields in ``lost``, which did not keep what was sent.
    """
    without = {names_of(flow)[0] for flow in spec.flows if flow.target.name in lost}
    source = {
        name: [to_stored(plan.source.values.get(name)), plan.source.version]
        for name in spec.source_fields
        if name not in without
    }
    target = {
        name: [to_stored(stored.get(name)), version]
        for name in spec.target_fields
        if name not in lost
    }
    return source, target


def not_stored(sent: Values, before: Values, stored: Values) -> list[str]:
    """Return the fields the target answered with their old value instead of the one sent.

    An old value that is the sent one in the target's own form was stored.
    """
    return [
        name
        for name, value in sent.items()
        if name in stored
        and to_stored(stored[name]) == to_stored(before.get(name))
        and to_stored(stored[name]) != to_stored(value)
        and not is_own_form(value, stored[name])
    ]


def unanswered(sent: Iterable[str], stored: Values) -> bool:
    """Tell whether an answer leaves open what a sent field holds now, so that it is read again."""
    return any(name not in stored for name in sent)
