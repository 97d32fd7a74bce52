"""Brings fields of linked records into line after the rows of a mapping were changed."""

from collections.abc import Iterable
from dataclasses import replace

from hubconnect.connectors.base import Record, Value
from hubconnect.connectors.errors import RecordError
from hubconnect.engine.conflict import agrees, has_changed
from hubconnect.engine.mapping import FieldFlow, joined
from hubconnect.engine.plan import BaseMap, FieldChange, LinkState, Names, UpdatePlan, names_of
from hubconnect.engine.values import Stored, to_stored

REMARK = "filled after the mapping was changed"


def left_as_they_are(
    record: Record, target: Record, link: LinkState, rows: Iterable[Names]
) -> LinkState:
    """Return the link with what both sides hold as agreed on, where nothing was agreed on yet.

    What differs then stays until one side changes.
    """
    source_base = _stored(link.source_base)
    target_base = _stored(link.target_base)
    for source_name, target_name in rows:
        if source_name and source_name not in source_base:
            value = to_stored(record.values.get(source_name))
            source_base[source_name] = [value, record.version]
        if target_name and target_name not in target_base:
            value = to_stored(target.values.get(target_name))
            target_base[target_name] = [value, target.version]
    return replace(link, source_base=source_base, target_base=target_base)


def has_open_rows(link: LinkState, rows: Iterable[Names]) -> bool:
    """Tell whether nothing was agreed on for one of these rows."""
    return any(
        (source and source not in link.source_base) or (target and target not in link.target_base)
        for source, target in rows
    )


def plan_fill(
    record: Record, target: Record, link: LinkState, flows: Iterable[FieldFlow]
) -> UpdatePlan:
    """Return what to write so that the target holds what comes from the source.

    Where nothing comes, the target keeps its value: filling empties no field.

    Raises:
        RecordError: values cannot be converted; all faults are named.
    """
    writes: dict[str, Value] = {}
    sent: list[Names] = []
    agreed: list[Names] = []
    changes: list[FieldChange] = []
    refused: list[RecordError] = []
    for flow in flows:
        names = names_of(flow)
        value, held = record.values.get(names[0]), target.values.get(names[1])
        try:
            mapped = flow.convert(value)
        except RecordError as error:
            refused.append(error)
            continue
        if _keeps(flow, value, mapped, held):
            agreed.append(names)
            continue
        writes[names[1]] = mapped
        sent.append(names)
        changes.append(FieldChange(names[1], flow.target.label, held, mapped, REMARK))
    if refused:
        raise joined(refused)
    return UpdatePlan(
        source=record,
        target=target,
        link=link,
        writes=writes,
        expected={name: target.values.get(name) for name in writes},
        sent=tuple(names for names in sent if _may_move(names, record, link)),
        agreed=tuple(names for names in agreed if _may_move(names, record, link)),
        gives_back=(),
        changes=tuple(changes),
    )


def _keeps(flow: FieldFlow, value: Value, mapped: Value, held: Value) -> bool:
    """Tell whether the target keeps what it holds: the same, or nothing comes but a default."""
    is_empty = flow.source is not None and to_stored(value) is None
    if mapped is None or (is_empty and to_stored(held) is not None):
        return True
    return agrees(flow, value, mapped, held)


def _may_move(names: Names, record: Record, link: LinkState) -> bool:
    """Tell whether the source's base may move: not past a change that other rows still carry."""
    known = link.source_base.get(names[0])
    return known is None or not has_changed(record.values.get(names[0]), known[0])


def _stored(base: BaseMap) -> dict[str, list[Stored]]:
    return {name: list(one) for name, one in base.items()}
