"""Finds the counterparts of unlinked records at the target before any is created."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from hubconnect.connectors.base import Criteria, Record
from hubconnect.connectors.errors import Category, RecordError
from hubconnect.engine import lookup as lookup_language
from hubconnect.engine.mapping import map_values
from hubconnect.engine.plan import LinkState
from hubconnect.integrations.models import Flow, Intent
from hubconnect.integrations.services import claims, merging
from hubconnect.integrations.services.linked_already import already_linked
from hubconnect.integrations.services.session import Fault, Plans, Queue, Result, Session, Skip
from hubconnect.integrations.stores import links_by_target

SAME_KEY_WAIT = timedelta(seconds=5)


@dataclass(slots=True)
class Found:
    """What a lookup brought: pairs to link, records to create, and the targets it read, by id."""

    linked: list[tuple[Record, LinkState]] = field(default_factory=list)
    creates: list[Record] = field(default_factory=list)
    targets: dict[str, Record] = field(default_factory=dict)


def look_up(session: Session, records: Sequence[Record], plans: Plans, result: Result) -> Found:
    """Find counterparts of unlinked records.

    Raises:
        ConnectorError: the target does not answer.
        LeaseLostError: another worker took over.
    """
    found = Found()
    if session.spec.lookup is None:
        found.creates = list(records)
        return found
    asking, queries, made = _ask(session, records, plans, result)
    if not asking:
        return found
    flow = session.flow
    answers = session.target.find(flow.target_type, queries, session.spec.plan.target_fields)
    found.targets = {match.id: match for matches in answers for match in matches}
    there = _read_made(session, made, found)
    chosen: list[tuple[Record, str]] = []
    for record, matches in zip(asking, answers, strict=True):
        ids = [match.id for match in matches]
        new = there.get(made.get(plans.lookup_keys[record.id], ""), "")
        ids += [new] if new and new not in ids else []
        if not ids:
            _none_found(session, record, found, result)
        elif len(ids) > 1 and flow.several_found == Flow.SeveralFound.FAIL:
            error = _several(flow, ids)
            result.faults.append(Fault(record, error, found=tuple(matches)))
        elif flow.one_found == Flow.OneFound.SKIP:
            reason = f"The lookup found {ids[0]}; found ones are skipped."
            result.skipped.append(Skip(record, reason))
        else:
            chosen.append((record, ids[0]))
    found.linked = _link(session, chosen, found.targets, result)
    return found


def _ask(
    session: Session, records: Sequence[Record], plans: Plans, result: Result
) -> tuple[list[Record], list[Criteria], dict[str, str]]:
    """Resolve the lookup for each record and take its key.

    A record whose key another one has waits its turn: a second one of this page, one in the hands
    of another worker, one of whose create the reply was lost.

    Returns the records that ask, their queries, and what was created a moment ago by key.
    """
    queries: dict[str, Criteria] = {}
    asking: dict[str, Record] = {}
    creating = _keys_being_created(session)
    for record in records:
        try:
            query = _resolve(session, record, plans)
        except RecordError as error:
            result.faults.append(Fault(record, error))
            continue
        key = lookup_language.key(query)
        if key in asking or key in creating:
            _wait(session, record, result)
        else:
            asking[key], queries[key] = record, query
    taken = _take(session, {key: one.id for key, one in asking.items()})
    for key in taken.lost:
        _wait(session, asking.pop(key), result)
    plans.lookup_keys |= {record.id: key for key, record in asking.items()}
    return list(asking.values()), [queries[key] for key in asking], taken.made


def _read_made(session: Session, made: dict[str, str], found: Found) -> dict[str, str]:
    """Read what was created a moment ago and searches do not show; it may be gone again.

    Returns the ids they have now by the ids they were created under.
    """
    unread = [one for one in dict.fromkeys(made.values()) if one not in found.targets]
    if not unread:
        return {one: one for one in made.values()}
    spec, flow = session.spec.plan, session.flow
    answer = session.target.read(flow.target_type, unread, spec.target_fields)
    found.targets |= {record.id: record for record in answer.values()}
    return {one: one for one in made.values() if one in found.targets} | {
        asked: record.id for asked, record in answer.items()
    }


def _take(session: Session, wanted: dict[str, str]) -> claims.Taken:
    """Take keys for source records; a preview only looks."""
    side = session.flow.source_side.other
    if session.is_preview:
        return claims.see(session.lease, side, wanted)
    return claims.take(session.lease, side, wanted)


def _resolve(session: Session, record: Record, plans: Plans) -> Criteria:
    """Return what finds the counterpart of one record, by the values that are to be sent.

    Raises:
        RecordError: the record has no value to look up by.
    """
    lookup, edits = session.spec.lookup, plans.edits
    if lookup is None:
        return ()
    spec = edits.spec(record, None) if edits is not None else session.spec.plan
    mapped = map_values(spec.flows, record.values, lambda flow: flow.at_create)
    return lookup_language.resolve(lookup, record.values, mapped, record.id)


def _wait(session: Session, record: Record, result: Result) -> None:
    reason = "Another record looks for the same counterpart; its turn is first."
    result.queued.append(Queue(session.flow.pk, record.id, reason, SAME_KEY_WAIT))
    result.count("held")


def _keys_being_created(session: Session) -> set[str]:
    """Return what was looked up for the creates of this direction that are not settled yet."""
    flow = session.flow
    found = Intent.objects.filter(
        type_pair_id=flow.pair.type_pair_id, source_side=flow.source_side
    ).exclude(lookup_key="")
    return set(found.values_list("lookup_key", flat=True))


def _none_found(session: Session, record: Record, found: Found, result: Result) -> None:
    if session.flow.none_found == Flow.NoneFound.CREATE:
        found.creates.append(record)
    else:
        reason = "The lookup found no counterpart; such records are skipped."
        result.skipped.append(Skip(record, reason))


def _link(
    session: Session,
    chosen: Sequence[tuple[Record, str]],
    targets: dict[str, Record],
    result: Result,
) -> list[tuple[Record, LinkState]]:
    """Return found pairs as new links; a target that is taken becomes a fault naming both."""
    side = session.flow.source_side.other
    read = [targets[target_id] for _, target_id in chosen if target_id in targets]
    merging.follow_records(session, side, read)
    taken = links_by_target(session.flow, [target_id for _, target_id in chosen])
    mine: dict[str, str] = {target_id: link.source_id for target_id, link in taken.items()}
    free: dict[str, Record] = {}
    for record, target_id in chosen:
        if target_id in mine:
            error = already_linked(session.flow, record.id, target_id, mine[target_id])
            result.faults.append(Fault(record, error, target_id))
            continue
        mine[target_id] = record.id
        free[target_id] = record
    wanted = {claims.target_key(target_id): record.id for target_id, record in free.items()}
    lost = _take(session, wanted).lost
    pairs = []
    for target_id, record in free.items():
        if claims.target_key(target_id) in lost:
            _wait(session, record, result)
        else:
            pairs.append((record, LinkState(0, record.id, target_id, {}, {})))
    return pairs


def _several(flow: Flow, ids: list[str]) -> RecordError:
    shown = ", ".join(ids[:10])
    error = RecordError(
        f"The lookup found {len(ids)} counterparts in {flow.target_system}: {shown}.",
        category=Category.LOOKUP,
        hint="Choose the one to link it with. Or merge or correct them there, or choose another "
        "lookup; then press Retry.",
    )
    error.candidates = tuple(ids)
    return error
