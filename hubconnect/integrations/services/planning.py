"""Turns the chosen records of a page into plans: looks counterparts up, reads targets, merges."""

from collections.abc import Mapping, Sequence

from django.utils import timezone

from hubconnect.connectors.base import Record
from hubconnect.connectors.errors import RecordError
from hubconnect.engine.plan import LinkState, plan_create, plan_update, title_of
from hubconnect.engine.values import to_stored
from hubconnect.integrations.models import Flow, RecordEvent
from hubconnect.integrations.services import conflicts, deleting, looping, merging
from hubconnect.integrations.services.looking_up import look_up
from hubconnect.integrations.services.sent_edits import Edits, edits_of
from hubconnect.integrations.services.session import (
    Candidates,
    Fault,
    Plans,
    Result,
    Session,
    event,
)
from hubconnect.integrations.stores import links_by_source


def make_plans(session: Session, candidates: Candidates, result: Result) -> Plans:
    """Return what the page asks of the target; what cannot be planned becomes a fault."""
    edits = edits_of(session, candidates)
    plans = Plans(edits=edits)
    linked, targets = _read_targets(session, candidates.linked, result)
    gone = [(record, link) for record, link in linked if link.target_id not in targets]
    again = deleting.judge(session, gone, candidates.failures, result)
    found = look_up(session, [*candidates.unlinked, *again], plans, result)
    for record in found.creates:
        try:
            plans.creates.append(plan_create(record, edits.spec(record, None)))
        except RecordError as error:
            result.faults.append(Fault(record, error))
    there = [(record, link) for record, link in linked if link.target_id in targets]
    _plan_updates(session, [*there, *found.linked], targets | found.targets, plans, result, edits)
    return plans


def _read_targets(
    session: Session, linked: Sequence[tuple[Record, LinkState]], result: Result
) -> tuple[Sequence[tuple[Record, LinkState]], dict[str, Record]]:
    """Read the targets of linked records, by the ids their links have; merges are followed.

    A record whose link met another one there has no target any more, and is left out.
    """
    if not linked:
        return linked, {}
    flow, fields = session.flow, session.spec.plan.target_fields
    ids = [link.target_id for _, link in linked]
    answer = session.target.read(flow.target_type, ids, fields)
    merging.follow_answer(session, flow.source_side.other, answer)
    if any(asked != target.id for asked, target in answer.items()):
        links = links_by_source(flow, [record.id for record, _ in linked])
        result.count("skipped", len(linked) - len(links))
        linked = [(record, links[record.id]) for record, _ in linked if record.id in links]
    return linked, {**answer, **{target.id: target for target in answer.values()}}


def _plan_updates(
    session: Session,
    linked: Sequence[tuple[Record, LinkState]],
    targets: Mapping[str, Record],
    plans: Plans,
    result: Result,
    edits: Edits,
) -> None:
    """Plan what linked records ask."""
    flow = session.flow
    plans.known = conflicts.known(session, (link for _, link in linked))
    for record, link in linked:
        target = targets[link.target_id]
        if link.pk == 0 and flow.one_found == Flow.OneFound.LINK:
            _only_link(session, record, target, result)
        else:
            try:
                standing = conflicts.standing(session, plans.known.get(record.id))
                plan = plan_update(record, target, link, edits.spec(record, link), standing)
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


def note_skipped(session: Session, result: Result) -> None:
    """Tell in the run's story which records a rule leaves alone."""
    for one in result.skipped:
        result.count("skipped")
        title = title_of(one.record, session.spec.plan)
        result.events.append(
            event(
                session,
                RecordEvent.Kind.SKIPPED,
                one.record,
                timezone.now(),
                title=title,
                reason=one.reason,
            )
        )
