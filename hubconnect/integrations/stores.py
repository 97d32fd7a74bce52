"""Reads and writes what the runner remembers: links, failures, decisions, claims."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Q

from hubconnect.engine.loops import Trace
from hubconnect.engine.plan import BaseMap, LinkState
from hubconnect.engine.values import Stored
from hubconnect.integrations.models import (
    Decision,
    Failure,
    Flow,
    Intent,
    Link,
    Side,
    Slice,
)

Bases = dict[str, list[Stored]]
# How often links are stored anew when another worker's links came between.
SAVE_TRIES = 3


def links_by_source(flow: Flow, source_ids: Iterable[str]) -> dict[str, LinkState]:
    """Return the links of source records, as this flow sees them."""
    side = flow.source_side
    found = Link.objects.filter(
        type_pair_id=flow.pair.type_pair_id, **{f"{side}_id__in": list(source_ids)}
    )
    return {getattr(link, f"{side}_id"): link_state(link, side) for link in found}


def links_by_target(flow: Flow, target_ids: Iterable[str]) -> dict[str, LinkState]:
    """Return the links of target records, as this flow sees them."""
    side = flow.source_side
    found = Link.objects.filter(
        type_pair_id=flow.pair.type_pair_id, **{f"{side.other}_id__in": list(target_ids)}
    )
    return {getattr(link, f"{side.other}_id"): link_state(link, side) for link in found}


def link_state(link: Link, source: Side) -> LinkState:
    """Return a link with its sides named by their part in a flow."""
    other = source.other
    base: BaseMap = getattr(link, f"{source}_base")
    target_base: BaseMap = getattr(link, f"{other}_base")
    return LinkState(
        pk=link.pk,
        source_id=getattr(link, f"{source}_id"),
        target_id=getattr(link, f"{other}_id"),
        source_base=base,
        target_base=target_base,
        source_version=getattr(link, f"{source}_version"),
        recent=traces(link, source),
    )


def traces(link: Link, source: Side) -> tuple[Trace, ...]:
    """Return the recent updates of a link's fields, as a flow from this side sees them."""
    return tuple(
        Trace(
            at=datetime.fromisoformat(one["at"]),
            to_target=one["to"] != source,
            source=one[str(source)],
            target=one[str(source.other)],
            sent=one["sent"],
            kept=one["kept"],
        )
        for one in link.recent
    )


def _kept_traces(recent: Iterable[Trace], source: Side) -> list[dict[str, str]]:
    return [
        {
            "at": one.at.isoformat(),
            "to": str(source.other if one.to_target else source),
            str(source): one.source,
            str(source.other): one.target,
            "sent": one.sent,
            "kept": one.kept,
        }
        for one in recent
    ]


def save_links(
    flow: Flow, type_pair_id: int, states: Mapping[str, tuple[LinkState, str]]
) -> dict[str, LinkState]:
    """Store new and moved links in one statement; values are (state, title) by source id.

    Called within a transaction. A new link of which one record was linked with a third meanwhile,
    by another worker or by a person, is not stored.

    Returns:
        The links that stand in the way, by the source id of what was not stored.
    """
    refused: dict[str, LinkState] = {}
    for attempt in range(SAVE_TRIES):
        refused |= _taken(flow, states, refused)
        stored = _stored(flow.source_side, states)
        rows = [
            _row(type_pair_id, flow.source_side, _onto(state, stored.get(source_id)), title)
            for source_id, (state, title) in states.items()
            if source_id not in refused
        ]
        try:
            with transaction.atomic():  # a savepoint: what was done before it stays
                _upsert(flow.source_side, rows)
        except IntegrityError:
            # Somebody else's transaction ended between our look and our statement.
            if attempt == SAVE_TRIES - 1:
                raise
        else:
            break
    return refused


def _stored(source: Side, states: Mapping[str, tuple[LinkState, str]]) -> dict[str, LinkState]:
    """Return moved links as they stand now, locked: a person may have let values go meanwhile."""
    keys = [state.pk for state, _ in states.values() if state.pk]
    if not keys:
        return {}
    rows = Link.objects.select_for_update(no_key=True).filter(pk__in=keys).order_by("pk")
    return {getattr(row, f"{source}_id"): link_state(row, source) for row in rows}


def _onto(state: LinkState, stored: LinkState | None) -> LinkState:
    """Return a link whose moved bases, and those it had none of, are put onto what is stored."""
    if stored is None or stored.pk != state.pk:
        return state
    of_source, of_target = state.moved
    return replace(
        state,
        source_base={
            **state.source_base,
            **stored.source_base,
            **{n: state.source_base[n] for n in of_source},
        },
        target_base={
            **state.target_base,
            **stored.target_base,
            **{n: state.target_base[n] for n in of_target},
        },
    )


def _taken(
    flow: Flow, states: Mapping[str, tuple[LinkState, str]], known: Collection[str]
) -> dict[str, LinkState]:
    """Return by source id the links that another record has with a record of a new link."""
    new = {one: state for one, (state, _) in states.items() if state.pk == 0 and one not in known}
    if not new:
        return {}
    by_source = links_by_source(flow, new)
    by_target = links_by_target(flow, [state.target_id for state in new.values()])
    found: dict[str, LinkState] = {}
    for source_id, state in new.items():
        own, other = by_source.get(source_id), by_target.get(state.target_id)
        if own is not None and own.target_id != state.target_id:
            found[source_id] = own
        elif other is not None and other.source_id != source_id:
            found[source_id] = other
    return found


def _upsert(source: Side, rows: list[Link]) -> None:
    Link.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["type_pair", f"{source}_id"],
        update_fields=[
            "left_base",
            "right_base",
            f"{source}_version",
            "title",
            "recent",
            "updated_at",
        ],
    )


def _row(type_pair_id: int, source: Side, state: LinkState, title: str) -> Link:
    other = source.other
    return Link(
        type_pair_id=type_pair_id,
        title=title[:255],
        recent=_kept_traces(state.recent, source),
        **{
            f"{source}_id": state.source_id,
            f"{other}_id": state.target_id,
            f"{source}_base": state.source_base,
            f"{other}_base": state.target_base,
            f"{source}_version": state.source_version,
        },
    )


def open_failures(
    flow: Flow, source_ids: Iterable[str], target_ids: Iterable[str]
) -> list[Failure]:
    """Return the open record failures that concern these records, whichever side they name.

    Failures of flows that are switched off hold nothing back: nothing would ever heal them.
    """
    side = flow.source_side
    return list(
        Failure.objects.filter(
            Q(side=side, record_id__in=list(source_ids))
            | Q(side=side.other, record_id__in=list(target_ids)),
            type_pair_id=flow.pair.type_pair_id,
            state=Failure.State.OPEN,
            level=Failure.Level.RECORD,
            child="",  # what fails on a record holds nothing of it back
            flow__is_enabled=True,
            flow__pair__integration__is_active=True,
        )
        .order_by("pk")
        .defer("source_values", "sent_values", "faults", "answer", "tries")
    )


def open_intents(flow: Flow, part: Slice | None) -> list[Intent]:
    """Return what of this type pair was sent without a known outcome; few, mostly none.

    What other slices of a load have under way is about other records of the same side.
    """
    found = Intent.objects.filter(type_pair_id=flow.pair.type_pair_id)
    if part is not None:
        found = found.filter(Q(slice=None) | Q(slice=part))
    return list(found)


def decisions(flow: Flow, source_ids: Iterable[str]) -> dict[str, Decision]:
    """Return what was decided about unlinked source records."""
    found = Decision.objects.filter(
        type_pair_id=flow.pair.type_pair_id,
        side=flow.source_side,
        record_id__in=list(source_ids),
    )
    return {decision.record_id: decision for decision in found}
