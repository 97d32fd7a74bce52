"""Which rows of a mapping came or changed since a pair was last put to work, and what may be done.

Snapshots are kept with the pair: a digest of what each row does with values.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hubconnect.connectors.errors import ConnectorError
from hubconnect.engine.mapping import Direction, FieldRule, When
from hubconnect.integrations.models import Alignment, Flow, Link, Pair
from hubconnect.integrations.services.flowspec import rules_of
from hubconnect.systems.models import System
from hubconnect.systems.services import schema

LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class RowChange:
    """One row that came or changed while records are linked.

    Attributes:
        key: of the row in a form.
        left, right: the fields.
        is_new: it came; else what it does with values changed.
        fills: which sides may fill the other (``left``, ``right``), with the flow that does it.
    """

    key: str
    left: str
    right: str
    label: str
    is_new: bool
    fills: Mapping[str, Flow]

    @property
    def choices(self) -> list[tuple[str, System, System]]:
        """Return what may be filled: the side, the system it comes from, and the one filled."""
        return [(side, flow.source_system, flow.target_system) for side, flow in self.fills.items()]


@dataclass(frozen=True, slots=True)
class PairChanges:
    """The changed rows of a pair, and the number of records they concern."""

    pair: Pair
    links: int
    rows: tuple[RowChange, ...]


def changes(pairs: Iterable[Pair]) -> list[PairChanges]:
    """Return the pairs with linked records whose mapping has rows that came or changed."""
    found = []
    for pair in pairs:
        rows = _changed(pair)
        links = _links(pair) if rows else 0
        if links:
            found.append(PairChanges(pair, links, tuple(rows)))
    return found


def snapshot(pair: Pair) -> dict[str, str]:
    """Return a digest of each row by its key."""
    return {key_of(rule.left, rule.right): _digest(rule) for rule in rules_of(pair.mapping)}


def remember(pair: Pair) -> None:
    """Take the rows of now for those the pair works with."""
    pair.known_rows = snapshot(pair)
    pair.save(update_fields=["known_rows"])


def key_of(left: str, right: str) -> str:
    """Return a short key of a row, for forms and snapshots."""
    return hashlib.sha256(json.dumps([left, right]).encode()).hexdigest()[:16]


def begin(pairs: Sequence[PairChanges], chosen: Mapping[str, str]) -> None:
    """Have the changed rows brought into line, as chosen by ``<pair>-<row>``; else left.

    Called in the transaction that puts the integration to work.
    """
    for one in pairs:
        by_flow: dict[int, list[dict[str, str]]] = {}
        flows = {flow.pk: flow for flow in one.pair.flows.all() if flow.is_enabled}
        for row in one.rows:
            choice = chosen.get(f"{one.pair.pk}-{row.key}", LEAVE)
            flow = row.fills.get(choice)
            if flow is None and not row.is_new:
                continue  # what was agreed on stands
            flow_id = flow.pk if flow is not None else next(iter(flows), None)
            if flow_id is not None:
                line = {"left": row.left, "right": row.right}
                line["choice"] = choice if flow is not None else LEAVE
                by_flow.setdefault(flow_id, []).append(line)
        _supersede(one)
        up_to = _last_link(one.pair)
        for flow_id, rows in by_flow.items():
            Alignment.objects.create(flow_id=flow_id, rows=rows, up_to=up_to, total=one.links)


def _supersede(changed: PairChanges) -> None:
    """Take rows out of unfinished alignments about which was decided anew."""
    keys = {row.key for row in changed.rows}
    unfinished = Alignment.objects.filter(flow__pair=changed.pair, finished_at=None)
    for alignment in unfinished:
        left = [row for row in alignment.rows if key_of(row["left"], row["right"]) not in keys]
        if left != alignment.rows:
            alignment.rows = left
            alignment.save(update_fields=["rows"])


def _changed(pair: Pair) -> list[RowChange]:
    known = pair.known_rows
    if known is None:
        return []
    flows = [flow for flow in pair.flows.all() if flow.is_enabled]
    for flow in flows:
        flow.pair = pair
    found = []
    for rule in rules_of(pair.mapping):
        key = key_of(rule.left, rule.right)
        if known.get(key) == _digest(rule) or not (rule.left and rule.right):
            continue
        found.append(
            RowChange(
                key=key,
                left=rule.left,
                right=rule.right,
                label=_label(pair, rule),
                is_new=key not in known,
                fills=dict(_fills(rule, flows)),
            )
        )
    return found


def _fills(rule: FieldRule, flows: Iterable[Flow]) -> Iterable[tuple[str, Flow]]:
    if rule.when is When.CREATE:
        return  # it never takes part in an update
    for flow in flows:
        if rule.direction in (Direction.BOTH, flow.direction):
            yield ("left" if flow.is_to_right else "right"), flow


def _label(pair: Pair, rule: FieldRule) -> str:
    mapping = pair.mapping
    left = field_label(mapping.left_system, mapping.left_type, rule.left)
    right = field_label(mapping.right_system, mapping.right_type, rule.right)
    return left if left.casefold() == right.casefold() else f"{left} ↔ {right}"


def field_label(system: System, object_type: str, name: str) -> str:
    """Return a field's label, or its name where the schema cannot be had."""
    try:
        return schema.fields(system, object_type)[name].label
    except (ConnectorError, LookupError):
        return name


def _digest(rule: FieldRule) -> str:
    """Tell what a row does with values; who wins a conflict changes none of them."""
    parts = [
        rule.direction.value,
        rule.when.value,
        rule.default_left,
        rule.default_right,
        rule.cut_text,
        [[one.left, one.right, one.direction.value] for one in rule.value_map],
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def _links(pair: Pair) -> int:
    return Link.objects.filter(type_pair_id=pair.type_pair_id).count() if pair.type_pair_id else 0


def _last_link(pair: Pair) -> int:
    found = Link.objects.filter(type_pair_id=pair.type_pair_id).order_by("-pk")
    return found.values_list("pk", flat=True).first() or 0
