"""Carries links between synced records: made, ended, or waiting for the far record.

Making a link that exists and ending none are successes at every system, so a batch that broke off
is simply compared and sent again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from hubconnect.connectors.base import Outcome, Record
from hubconnect.connectors.children import Associating, Association
from hubconnect.connectors.errors import Category, RecordError
from hubconnect.engine.associations import Agreed, AssociationPlan, plan_associations
from hubconnect.engine.children import AssociationFlow
from hubconnect.engine.plan import LinkState
from hubconnect.integrations.models import AssociationLink, FollowUp, RecordEvent
from hubconnect.integrations.services import child_failures, follow_ups
from hubconnect.integrations.services.far_records import FarRecords, covering_flows, ids_by_types
from hubconnect.integrations.services.lease import renew
from hubconnect.integrations.services.session import Session, event

KIND = FollowUp.Kind.ASSOCIATIONS
# A link that waits is made due by its far record; this is for when that was missed.
LOOK_AGAIN = timedelta(days=1)
LOOK_SOON = timedelta(minutes=1)


@dataclass(slots=True)
class Carried:
    """One linked record with what became of its links."""

    link: LinkState
    plan: AssociationPlan
    done: list[Agreed] = field(default_factory=list)
    ended: list[Agreed] = field(default_factory=list)
    failed: list[tuple[Agreed, RecordError]] = field(default_factory=list)


def carry(session: Session, links: Sequence[LinkState]) -> None:
    """Compare the links of these records and carry what is new.

    Raises:
        ConnectorError: a system stopped the work; nothing is lost, all is compared again.
        LeaseLostError: another worker took over.
    """
    source, target = session.source.associating, session.target.associating
    if source is None or target is None:
        return
    carried = _plan(session, source, target, links)
    _send(session, target, carried)
    with transaction.atomic():
        renew(session.lease)
        _store(session, carried)
        standing = _fail_and_wait(session, carried)
        child_failures.heal(session, [one.link.source_id for one in carried], KIND, but=standing)
        _tell(session, carried)


def _plan(
    session: Session, source: Associating, target: Associating, links: Sequence[LinkState]
) -> list[Carried]:
    flow, flows = session.flow, session.spec.children.associations
    held = source.associations(
        flow.source_type,
        [link.source_id for link in links],
        list(dict.fromkeys(one.source for one in flows)),
    )
    agreed = _agreed(session, links)
    singles = {one.name for one in target.association_types(flow.target_type) if not one.is_many}
    far = FarRecords(flow)
    wanted = (
        (one, a.to_id)
        for found in held.values()
        for a in found
        for one in flows
        if one.source == a.type
    )
    far.load(ids_by_types(wanted))

    def plan(link: LinkState) -> Carried:
        found = held[link.source_id]
        return Carried(
            link,
            plan_associations(
                flows,
                lambda one: {each.to_id for each in found if each.type == one.source},
                agreed.get(link.pk, ()),
                far.counterpart,
                singles,
            ),
        )

    return [plan(link) for link in links if link.source_id in held]


def _agreed(session: Session, links: Sequence[LinkState]) -> dict[int, list[Agreed]]:
    """Return what both sides agreed on, by link."""
    side = session.flow.source_side
    kinds = {(one.source, one.target): one for one in session.spec.children.associations}
    agreed: dict[int, list[Agreed]] = {}
    for row in AssociationLink.objects.filter(link_id__in=[link.pk for link in links]):
        names = (getattr(row, f"{side}_association"), getattr(row, f"{side.other}_association"))
        if names in kinds:
            ends = (getattr(row, f"{side}_to_id"), getattr(row, f"{side.other}_to_id"))
            agreed.setdefault(row.link_id, []).append(Agreed(kinds[names], *ends))
    return agreed


def _send(session: Session, target: Associating, carried: Sequence[Carried]) -> None:
    """End and make links at the target, all records together."""
    object_type = session.flow.target_type
    for name, send in (("end", target.dissociate), ("add", target.associate)):
        wanted = {
            _at_target(one.link, each).key: (one, each)
            for one in carried
            for each in getattr(one.plan, name)
        }
        if not wanted:
            continue
        renew(session.lease)
        outcomes = send(object_type, [_at_target(one.link, each) for one, each in wanted.values()])
        for outcome in outcomes:
            one, each = wanted[outcome.key]
            _take(one, each, outcome, is_end=name == "end")


def _at_target(link: LinkState, agreed: Agreed) -> Association:
    return Association(link.target_id, agreed.association.target, agreed.target_to)


def _take(one: Carried, agreed: Agreed, outcome: Outcome, *, is_end: bool) -> None:
    if outcome.error is not None:
        one.failed.append((agreed, outcome.error))
    elif is_end:
        one.ended.append(agreed)
    elif not outcome.is_unknown:  # else it is compared and sent again
        one.done.append(agreed)


def _store(session: Session, carried: Sequence[Carried]) -> None:
    side = session.flow.source_side
    AssociationLink.objects.bulk_create(
        [
            AssociationLink(
                link_id=one.link.pk,
                **{
                    f"{side}_association": each.association.source,
                    f"{side}_to_id": each.source_to,
                    f"{side.other}_association": each.association.target,
                    f"{side.other}_to_id": each.target_to,
                },
            )
            for one in carried
            for each in one.done
        ],
        ignore_conflicts=True,
    )
    for one in carried:
        for each in (*one.ended, *one.plan.forget):
            AssociationLink.objects.filter(
                link_id=one.link.pk,
                **{
                    f"{side}_association": each.association.source,
                    f"{side}_to_id": each.source_to,
                    f"{side.other}_association": each.association.target,
                },
            ).delete()


def _fail_and_wait(session: Session, carried: Sequence[Carried]) -> set[str]:
    """Store failures and what waits; return the failures that stand, as ``heal`` names them."""
    standing: set[str] = set()
    for one in carried:
        for agreed, error in one.failed:
            child = _child(agreed.association, agreed.source_to)
            child_failures.record(session, one.link, child, error)
            standing.add(f"{one.link.source_id}\n{child}")
        for association, far_id in one.plan.missing:
            problem = missing_error(session, one.link.source_id, association, far_id)
            if problem is not None:
                child = _child(association, far_id)
                child_failures.record(session, one.link, child, problem)
                standing.add(f"{one.link.source_id}\n{child}")
    return standing


def _child(association: AssociationFlow, far_id: str) -> str:
    return f"{KIND} {association.source} {far_id}"


def missing_error(
    session: Session, record_id: str, association: AssociationFlow, far_id: str
) -> RecordError | None:
    """Have a link wait for its far record; return why it cannot, where it must exist.

    That is known at once when no flow carries far records, else when one that does has finished a
    window since the link was first seen to wait.
    """
    type_name = FarRecords(session.flow).waits_type(association)
    known = FollowUp.objects.filter(
        flow=session.flow,
        record_id=record_id,
        kind=KIND,
        waits_type=type_name,
        waits_id=far_id,
    ).first()
    covering = covering_flows(session.flow, association) if association.must_exist else []
    is_over = known is not None and any(
        one.window_lower is not None and one.window_lower > known.created_at for one in covering
    )
    is_failure = association.must_exist and (is_over or not covering)
    follow_ups.wait_for(
        session,
        record_id,
        KIND,
        type_name=type_name,
        waits_id=far_id,
        look_again=LOOK_SOON if association.must_exist and not is_failure else LOOK_AGAIN,
    )
    if not is_failure:
        return None
    flow = session.flow
    kind, system = association.source_to, flow.source_system
    hint = (
        f"Look why {kind} {far_id} is not synced (criteria, a failure of its own, the start), or "
        "let the mapping have links wait for their records."
        if covering
        else f"No active integration carries {kind} from {system} to {association.target_to} in "
        f"{flow.target_system}. Add such a pair, or let the mapping have links wait."
    )
    return RecordError(
        f"It is linked with {kind} {far_id} in {system}, which has no counterpart in "
        f"{flow.target_system}.",
        hint=hint,
        category=Category.MISSING_LINK,
    )


def _target_of(agreed: Agreed) -> str:
    return f"{agreed.association.target_to} {agreed.target_to}"


def _tell(session: Session, carried: Sequence[Carried]) -> None:
    """Leave a line in the run's story for each record whose links changed."""
    now = timezone.now()
    events = []
    for one in carried:
        words = [f"linked with {e.association.target_to} {e.target_to}" for e in one.done]
        words += [
            f"no longer linked with {e.association.target_to} {e.target_to}" for e in one.ended
        ]
        words += [
            f"not linked with {a.source_to} {far_id}: {session.flow.target_system} holds one only"
            for a, far_id in one.plan.left_out
            if one.done
        ]
        if words:
            text = "; ".join(words)
            events.append(
                event(
                    session,
                    RecordEvent.Kind.UPDATED,
                    Record(one.link.source_id, {}),
                    now,
                    target_id=one.link.target_id,
                    reason=f"{text[:1].upper()}{text[1:]}.",
                )
            )
    RecordEvent.objects.bulk_create(events)
    changed = sum(len(one.done) + len(one.ended) for one in carried)
    if changed:
        session.run.associations += changed
        session.run.save(update_fields=["associations"])
