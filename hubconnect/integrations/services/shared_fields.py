"""Keeps pairs over the same object types from missing each other's changes.

What two records agreed on is kept once for each field of a link, whichever pair carried it. Where
one pair carries a field to one target field and another pair to another one, the pair that runs
first takes the change for agreed on, and the other never sees it. Within one mapping all rows of a
field are carried together, so that a field may go to many there.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from hubconnect.engine.mapping import Direction, When
from hubconnect.integrations.models import Flow
from hubconnect.integrations.services.flowspec import rules_of
from hubconnect.integrations.services.row_changes import field_label

End = tuple[str, str]  # account and object type
TargetsByField = dict[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class _Carried:
    """A flow with the target fields that each source field goes to in updates."""

    flow: Flow
    targets: TargetsByField


def problems(flows: Iterable[Flow]) -> list[str]:
    """Return a sentence for each field that these flows and another pair at work carry apart.

    Args:
        flows: those that are to be put to work, with their pairs.
    """
    mine = [_carried(flow) for flow in flows]
    types = {one.flow.source_type for one in mine}
    own = {one.flow.pk for one in mine}
    others = (
        Flow.objects.filter(is_enabled=True, pair__integration__is_active=True)
        .exclude(pk__in=own)
        .exclude(pair__in={one.flow.pair_id for one in mine})
        .select_related(
            "pair__integration", "pair__mapping__left_system", "pair__mapping__right_system"
        )
    )
    at_work = [_carried(flow) for flow in others if flow.source_type in types]
    return [
        sentence
        for place, one in enumerate(mine)
        for other in (*mine[place + 1 :], *at_work)
        if one.flow.pair_id != other.flow.pair_id and _ends(one.flow) == _ends(other.flow)
        for sentence in _apart(one, other)
    ]


def _ends(flow: Flow) -> tuple[End, End]:
    return (
        (flow.source_system.identity, flow.source_type),
        (flow.target_system.identity, flow.target_type),
    )


def _carried(flow: Flow) -> _Carried:
    found: dict[str, set[str]] = {}
    for rule in rules_of(flow.pair.mapping):
        source, target = (rule.left, rule.right) if flow.is_to_right else (rule.right, rule.left)
        is_carried = rule.direction in (Direction.BOTH, flow.direction)
        if source and target and is_carried and rule.when is not When.CREATE:
            found.setdefault(source, set()).add(target)
    return _Carried(flow, {name: frozenset(ends) for name, ends in found.items()})


def _apart(one: _Carried, other: _Carried) -> Iterable[str]:
    for name, targets in one.targets.items():
        elsewhere = other.targets.get(name, targets)
        if targets != elsewhere:
            flow, second = one.flow, other.flow
            yield (
                f"{flow.pair} of {flow.pair.integration} and {second.pair} of "
                f"{second.pair.integration} both carry “{_label(flow, name)}” of "
                f"{flow.source_system} to {flow.target_system}, the one to "
                f"{_labels(flow, targets)}, the other to {_labels(flow, elsewhere)}: a change "
                "carried by one would be missed by the other. Map it to the same fields in both, "
                "or leave it out of one."
            )


def _label(flow: Flow, name: str) -> str:
    return field_label(flow.source_system, flow.source_type, name)


def _labels(flow: Flow, names: Iterable[str]) -> str:
    known = (field_label(flow.target_system, flow.target_type, name) for name in sorted(names))
    return " and ".join(f"“{label}”" for label in known)
