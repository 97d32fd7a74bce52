"""Turns the chosen records of a page into plans: looks counterparts up, reads targets, merges."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from django.utils import timezone

from hubconnect.connectors.base import Criteria, Record
from hubconnect.connectors.errors import Category, RecordError
from hubconnect.engine import lookup as lookup_language
from hubconnect.engine.mapping import map_values
from hubconnect.engine.plan import LinkState, plan_create, plan_update, title_of
from hubconnect.engine.values import to_stored
from hubconnect.integrations.models import Claim, Flow, Intent, RecordEvent
from hubconnect.integrations.services import conflicts, looping
from hubconnect.integrations.services.session import (
    Candidates,
    Fault,
    Plans,
    Queue,
    Result,
    Session,
    event,
)
from hubconnect.integrations.stores import links_by_target

SAME_KEY_WAIT = timedelta(seconds=5)


def make_plans(session: Session, candidates: Candidates, result: Result) -> Plans:
    """Return what the page asks of the target; what cannot be planned becomes a fault."""
    plans = Plans()
    linked, known = list(candidates.linked), dict[str, Record]()
    creates = candidates.unlinked
    if session.spec.lookup is not None and candidates.unlinked:
        found, creates, known = _look_up(session, candidates.unlinked, plans, result)
        linked += found
    for record in creates:
        try:
            plans.creates.append(plan_create(record, session.spec.plan))
        except RecordError as error:
            result.faults.append(Fault(record, error))
    _plan_updates(session, linked, known, plans, result)
    return plans


def _plan_updates(
    session: Session,
    linked: Sequence[tuple[Record, LinkState]],
    known: Mapping[str, Record],
    plans: Plans,
    result: Result,
) -> None:
    """Plan what linked records ask; ``known`` targets were read by the lookup a moment ago."""
    flow, spec = session.flow, session.spec.plan
    targets = dict(known)
    unread = [link.target_id for _, link in linked if link.target_id not in known]
    if unread:
        targets |= session.target.read(flow.target_type, unread, spec.target_fields)
    plans.known = conflicts.known(session, (link for _, link in linked))
    for record, link in linked:
        target = targets.get(link.target_id)
        if target is None:
            result.faults.append(Fault(record, deleted(flow, link), link.target_id))
        elif link.pk == 0 and flow.one_found == Flow.OneFound.LINK:
            _only_link(session, record, target, result)
        else:
            try:
                standing = conflicts.standing(session, plans.known.get(record.id))
                plan = plan_update(record, target, link, spec, standing)
                looping.check(session, plan)
                plans.updates.append(plan)
            except RecordError as error:
                result.faults.append(Fault(record, error, link.target_id))


def _only_link(session: Session, record: Record, target: Record, result: Result) -> None:
    """Link two records as they are: what differs stays so until one side changes."""
    spec = session.spec.plan
    source_base = {
        name: [to_stored(record.values.get(name)), record.version] for name in spec.source_fields
    }
    target_base = {
        name: [to_stored(target.values.get(name)), target.version] for name in spec.target_fields
    }
    link = LinkState(0, record.id, target.id, source_base, target_base, record.version)
    title = title_of(record, spec)
    result.links[record.id] = (link, title)
    result.count("updated")
    result.events.append(
        event(
            session,
            RecordEvent.Kind.LINKED,
            record,
            timezone.now(),
            title=title,
            target_id=target.id,
            reason="Found by the lookup and only linked, as its rule says.",
        )
    )


def deleted(flow: Flow, link: LinkState) -> RecordError:
    """Return the error for a target that does not exist any more."""
    return RecordError(
        f"Its counterpart {link.target_id} no longer exists in {flow.target_system}.",
        category=Category.TARGET_DELETED,
        hint=f"Restore it in {flow.target_system}, then press Retry; or dismiss this failure.",
    )


def _look_up(
    session: Session, records: Sequence[Record], plans: Plans, result: Result
) -> tuple[list[tuple[Record, LinkState]], list[Record], dict[str, Record]]:
    """Find counterparts of unlinked records.

    Returns the found pairs, the records to create, and the found targets by id.
    """
    asking, queries = _queries(session, records, plans, result)
    if not asking:
        return [], [], {}
    flow = session.flow
    answers = session.target.find(flow.target_type, queries, session.spec.plan.target_fields)
    claimed = _claimed(session, list(plans.lookup_keys.values()))
    chosen: list[tuple[Record, str]] = []
    creates: list[Record] = []
    for record, matches in zip(asking, answers, strict=True):
        ids = [match.id for match in matches]
        ids += [one for one in claimed.get(plans.lookup_keys[record.id], []) if one not in ids]
        if not ids:
            _none_found(session, record, creates, result)
        elif len(ids) > 1 and flow.several_found == Flow.SeveralFound.FAIL:
            result.faults.append(Fault(record, _several(flow, ids)))
        elif flow.one_found == Flow.OneFound.SKIP:
            result.skipped.append((record, f"The lookup found {ids[0]}; found ones are skipped."))
        else:
            chosen.append((record, ids[0]))
    found = {match.id: match for matches in answers for match in matches}
    return _link(session, chosen, result), creates, found


def _queries(
    session: Session, records: Sequence[Record], plans: Plans, result: Result
) -> tuple[list[Record], list[Criteria]]:
    """Resolve the lookup for each record; a second record with the same key waits its turn.

    So does one whose key is that of a create whose reply was lost.
    """
    lookup, spec = session.spec.lookup, session.spec.plan
    asking: list[Record] = []
    queries: list[Criteria] = []
    seen = _keys_being_created(session)
    for record in records:
        if lookup is None:
            break
        try:
            mapped = map_values(spec.flows, record.values, lambda flow: flow.at_create)
            query = lookup_language.resolve(lookup, record.values, mapped, record.id)
        except RecordError as error:
            result.faults.append(Fault(record, error))
            continue
        key = lookup_language.key(query)
        if key in seen:
            reason = "Another record looks for the same counterpart; its turn is first."
            result.queued.append(Queue(session.flow.pk, record.id, reason, SAME_KEY_WAIT))
            result.count("held")
            continue
        seen.add(key)
        plans.lookup_keys[record.id] = key
        asking.append(record)
        queries.append(query)
    return asking, queries


def _keys_being_created(session: Session) -> set[str]:
    """Return what was looked up for the creates of this direction that are not settled yet."""
    flow = session.flow
    found = Intent.objects.filter(
        type_pair_id=flow.pair.type_pair_id, source_side=flow.source_side
    ).exclude(lookup_key="")
    return set(found.values_list("lookup_key", flat=True))


def _claimed(session: Session, keys: list[str]) -> dict[str, list[str]]:
    """Return what was created under these keys too recently for a search to show it."""
    found = Claim.objects.filter(
        type_pair_id=session.flow.pair.type_pair_id,
        side=session.flow.source_side.other,
        key__in=keys,
        expires_at__gt=timezone.now(),
    )
    return {claim.key: [claim.target_id] for claim in found}


def _none_found(session: Session, record: Record, creates: list[Record], result: Result) -> None:
    if session.flow.none_found == Flow.NoneFound.CREATE:
        creates.append(record)
    else:
        result.skipped.append(
            (record, "The lookup found no counterpart; such records are skipped.")
        )


def _link(
    session: Session, chosen: Sequence[tuple[Record, str]], result: Result
) -> list[tuple[Record, LinkState]]:
    """Return found pairs as new links; a target that is taken becomes a fault naming both."""
    taken = links_by_target(session.flow, [target_id for _, target_id in chosen])
    mine: dict[str, str] = {target_id: link.source_id for target_id, link in taken.items()}
    pairs = []
    for record, target_id in chosen:
        if target_id in mine:
            error = _already_linked(session.flow, record.id, target_id, mine[target_id])
            result.faults.append(Fault(record, error, target_id))
            continue
        mine[target_id] = record.id
        pairs.append((record, LinkState(0, record.id, target_id, {}, {})))
    return pairs


def _already_linked(flow: Flow, record_id: str, target_id: str, other_id: str) -> RecordError:
    source, target = flow.source_system, flow.target_system
    return RecordError(
        f"{target_id} in {target} is already linked with {other_id} in {source}.",
        category=Category.ALREADY_LINKED,
        hint=f"{record_id} and {other_id} look like duplicates in {source}: merge them there or "
        "change what the lookup compares, then press Retry.",
    )


def _several(flow: Flow, ids: list[str]) -> RecordError:
    shown = ", ".join(ids[:10])
    return RecordError(
        f"The lookup found {len(ids)} counterparts in {flow.target_system}: {shown}.",
        category=Category.LOOKUP,
        hint="Merge or correct them there, or choose another lookup; then press Retry.",
    )


def note_skipped(session: Session, result: Result) -> None:
    """Tell in the run's story which records the lookup's rules leave alone."""
    for record, reason in result.skipped:
        result.count("skipped")
        title = title_of(record, session.spec.plan)
        result.events.append(
            event(
                session,
                RecordEvent.Kind.SKIPPED,
                record,
                timezone.now(),
                title=title,
                reason=reason,
            )
        )
