"""Decides which links between records are to be made and ended at the target."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from hubconnect.engine.children import AssociationFlow


@dataclass(frozen=True, slots=True)
class Agreed:
    """A link both sides agreed on: far ids, "" at the source for a default."""

    association: AssociationFlow
    source_to: str
    target_to: str


@dataclass(slots=True)
class AssociationPlan:
    """What one linked record asks of the target.

    Attributes:
        add: links to make.
        end: links to end, that are gone at the source.
        forget: links in whose place another one steps by itself.
        missing: far records of the source that have no counterpart yet.
        left_out: far ids that do not fit because the target holds one link of this kind.
    """

    add: list[Agreed] = field(default_factory=list)
    end: list[Agreed] = field(default_factory=list)
    forget: list[Agreed] = field(default_factory=list)
    missing: list[tuple[AssociationFlow, str]] = field(default_factory=list)
    left_out: list[tuple[AssociationFlow, str]] = field(default_factory=list)


# Returns the target's id of a far record, or "" while it has none.
Counterpart = Callable[[AssociationFlow, str], str]


def plan_associations(
    associations: Iterable[AssociationFlow],
    held: Callable[[AssociationFlow], Collection[str]],
    agreed: Collection[Agreed],
    counterpart: Counterpart,
    singles: Collection[str],
) -> AssociationPlan:
    """Return what to do about the links of one record.

    Args:
        associations: kinds of link that this flow carries.
        held: far ids the source record is linked with, by kind.
        agreed: what both sides agreed on until now.
        counterpart: the far records' counterparts.
        singles: names of the target's kinds that hold one link a record.
    """
    plan = AssociationPlan()
    for one in associations:
        known = [each for each in agreed if each.association == one]
        _plan_one(plan, one, sorted(held(one), key=_by_number), known, counterpart, singles)
    return plan


def _plan_one(
    plan: AssociationPlan,
    one: AssociationFlow,
    held: list[str],
    known: list[Agreed],
    counterpart: Counterpart,
    singles: Collection[str],
) -> None:
    by_source = {each.source_to: each for each in known if each.source_to}
    is_single = one.target in singles
    if is_single and len(held) > 1:
        kept = next((each for each in held if each in by_source), held[0])
        plan.left_out += [(one, each) for each in held if each != kept]
        held = [kept]
    added = []
    for far_id in held:
        if far_id in by_source:
            continue
        found = counterpart(one, far_id)
        if found:
            added.append(Agreed(one, far_id, found))
        else:
            plan.missing.append((one, far_id))
    plan.add += added
    gone = [each for each in by_source.values() if each.source_to not in held]
    _end(plan, one, gone, added, is_single=is_single)
    defaults = [each for each in known if not each.source_to]
    if held:
        _end(plan, one, defaults, added, is_single=is_single)
    elif one.default and not defaults:
        plan.add.append(Agreed(one, "", one.default))


def _end(
    plan: AssociationPlan,
    one: AssociationFlow,
    gone: list[Agreed],
    added: list[Agreed],
    *,
    is_single: bool,
) -> None:
    """End what is gone; a new one takes its place by itself if it is the same, or the only one.

    What is left at the target stays agreed on, or the opposite flow would bring it back.
    """
    new = {each.target_to for each in added}
    for each in gone:
        if each.target_to in new or (is_single and added):
            plan.forget.append(each)
        elif one.carries_removal:
            plan.end.append(each)


def _by_number(text: str) -> tuple[int, str]:
    return (int(text), "") if text.isdecimal() else (0, text)
