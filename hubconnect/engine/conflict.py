"""Three values decide about one field: what was agreed on, the source now, the target now."""

from dataclasses import dataclass
from enum import StrEnum

from hubconnect.connectors.base import Value
from hubconnect.connectors.errors import RecordError
from hubconnect.engine.mapping import FieldFlow
from hubconnect.engine.values import Stored, is_same, to_stored


class Act(StrEnum):
    """What to do about one field."""

    WRITE = "write"  # send the mapped value to the target
    ADOPT = "adopt"  # nothing to send; what both sides hold is agreed on
    KEEP = "keep"  # nothing to do, and nothing new is agreed on
    GIVE_BACK = "give back"  # the target's value belongs on the source: the opposite flow's work
    ASK = "ask"  # both changed, and a person is to say which value holds


@dataclass(frozen=True, slots=True)
class Missing:
    """Stands for a base that was never stored."""


MISSING = Missing()
Base = Stored | Missing


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person said about one field in conflict, and the stored values that person saw."""

    takes_source: bool
    source: Stored
    target: Stored

    def fits(self, source: Value, target: Value) -> bool:
        """Tell whether both sides still hold what the person saw."""
        return bool(to_stored(source) == self.source and to_stored(target) == self.target)


@dataclass(frozen=True, slots=True)
class Restore:
    """A target value that was overwritten unseen and that a person wants back.

    ``source`` and ``target`` are what both sides held, in stored form, when the person chose.
    """

    value: Value
    source: Stored
    target: Stored

    def fits(self, source: Value, target: Value) -> bool:
        """Tell whether both sides still hold what the person saw."""
        return bool(to_stored(source) == self.source and to_stored(target) == self.target)


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do about one field, and the remark a person should see."""

    act: Act
    mapped: Value = None
    remark: str = ""


def has_changed(value: Value, base: Base) -> bool:
    """Tell whether a value differs from its base; without a base it does."""
    return isinstance(base, Missing) or to_stored(value) != base


def decide(
    flow: FieldFlow, *, source: Value, source_base: Base, target: Value, target_base: Base
) -> Decision:
    """Return what to do about one field of a linked record.

    ``source`` and ``target`` are what both sides hold now; the bases are stored forms.

    Raises:
        RecordError: the source's value changed and cannot be converted.
    """
    if isinstance(source_base, Missing) or isinstance(target_base, Missing):
        return _first_meeting(flow, source, target)
    if flow.source is not None and not has_changed(source, source_base):
        return Decision(Act.KEEP)
    mapped = flow.convert(source)
    if agrees(flow, source, mapped, target):
        return Decision(Act.ADOPT, mapped)
    if not has_changed(target, target_base) or flow.overwrite:
        return Decision(Act.WRITE, mapped)
    if flow.source is None:
        return Decision(Act.KEEP)  # a constant gives way to what somebody entered
    return _clash(flow, mapped)


def agrees(flow: FieldFlow, source: Value, mapped: Value, target: Value) -> bool:
    """Tell whether both sides say the same; maps lose, so either way round will do."""
    if is_same(mapped, target):
        return True
    return flow.back is not None and _is_back(flow, source, target)


def _is_back(flow: FieldFlow, source: Value, target: Value) -> bool:
    if flow.back is None:
        return False
    try:
        return is_same(flow.back(target), source)
    except RecordError:
        return False  # what cannot come back is not the same


def _first_meeting(flow: FieldFlow, source: Value, target: Value) -> Decision:
    """Decide without a base: a new link, or a row added to the mapping.

    Where the source is empty the target's value is taken, not the source's default.
    """
    mapped = flow.convert(source)
    if agrees(flow, source, mapped, target):
        return Decision(Act.ADOPT, mapped)
    if to_stored(target) is not None and _is_empty(flow, source, mapped):
        return Decision(Act.GIVE_BACK if flow.flows_back else Act.ADOPT, mapped)
    if to_stored(target) is None or flow.overwrite:
        return Decision(Act.WRITE, mapped)
    if flow.source is None:
        return Decision(Act.ADOPT, mapped)
    return _clash(flow, mapped)


def _is_empty(flow: FieldFlow, source: Value, mapped: Value) -> bool:
    """Tell whether nothing comes from the source; with overwrite a default is something."""
    if mapped is None:
        return True
    return flow.source is not None and to_stored(source) is None and not flow.overwrite


def chosen(flow: FieldFlow, mapped: Value, choice: Choice, *, is_carried_back: bool) -> Decision:
    """Return what a person's choice asks of this flow.

    ``is_carried_back``: the opposite flow is at work, so that the target's value can be carried to
    the source. Else both keep what they hold until one side changes.
    """
    if choice.takes_source:
        return Decision(Act.WRITE, mapped, "both sides changed; a person chose the source's value")
    if flow.flows_back and is_carried_back:
        return Decision(Act.GIVE_BACK, mapped)
    remark = "both sides changed; a person chose to keep the target's value"
    return Decision(Act.ADOPT, mapped, remark)


def _clash(flow: FieldFlow, mapped: Value) -> Decision:
    if flow.winner == "ask":
        return Decision(Act.ASK, mapped)
    if flow.winner == "target":
        if flow.flows_back:
            return Decision(Act.GIVE_BACK, mapped, "both sides changed; the target wins")
        return Decision(
            Act.ADOPT, mapped, "both sides changed; the target wins and keeps its value"
        )
    if flow.winner == "source":
        return Decision(Act.WRITE, mapped, "both sides changed; the source wins")
    return Decision(Act.WRITE, mapped, "both sides changed; the later run's source wins")
