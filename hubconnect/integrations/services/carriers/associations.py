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
from hubconnect.integrations.services import child_failures, follow_ups, missing_links
from hubconnect.integrations.services.far_records import FarRecords, ids_by_types
from hubconnect.integrations.services.lease import renew
from hubconnect.integrations.services.session import Session, event

KIND = FollowUp.Kind.ASSOCIATIONS
LOOK_SOON = timedelta(seconds=10)


@dataclass(slots=True)
class Carried:
    """One linked record with what became of its links."""

    link: LinkState
    plan: AssociationPlan
    done: list[Agreed] = field(default_factory=list)
    ended: list[Agreed] = field(default_factory=list)
    failed: list[tuple[Agreed, RecordError]] = field(default_factory=list)
    unknown: list[Agreed] = field(default_factory=list)  # compared and sent again soon


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
    _leave_dismissed(session, carried)
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


def _leave_dismissed(session: Session, carried: Sequence[Carried]) -> None:
    """Send nothing that the target refused and a person let go."""
    links = [one.link for one in carried]
    # That a far record was missing is no reason against the link, once it is there.
    refused = child_failures.dismissed(session, KIND, links, but=Category.MISSING_LINK)
    for one in carried if refused else ():
        for name in ("add", "end"):
            kept = [each for each in getattr(one.plan, name) if _named(one, each) not in refused]
            setattr(one.plan, name, kept)


def _named(one: Carried, agreed: Agreed) -> tuple[str, str]:
    """Name a link as failures do: by record and child."""
    return one.link.source_id, _child(agreed.association, agreed.source_to)


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
        session.begin_writing()
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
    elif outcome.is_unknown:
        one.unknown.append(agreed)
    else:
        (one.ended if is_end else one.done).append(agreed)


def _store(session: Session, carried: Sequence[Carried]) -> None:
    side = session.flow.source_side
    # First what goes: a new link may take the place of an old one with the same far end.
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


def _fail_and_wait(session: Session, carried: Sequence[Carried]) -> set[str]:
    """Store failures and what waits; return the failures that stand, as ``heal`` names them."""
    let_go = child_failures.dismissed(session, KIND, [one.link for one in carried])
    missing = {(one.link.source_id, *wanted): one for one in carried for wanted in one.plan.missing}
    problems = [
        (one, _child(each.association, each.source_to), error)
        for one in carried
        for each, error in one.failed
    ]
    for each, error in missing_links.wait(session, missing).items():
        child = _child(each[1], each[2])
        if (each[0], child) not in let_go:
            problems.append((missing[each], child, error))
    for one, child, error in problems:
        child_failures.record(session, one.link, child, error)
    open_ones = [one for one in carried if one.unknown]
    record_ids = [one.link.source_id for one in open_ones]
    follow_ups.look_at(session, KIND, record_ids, timezone.now() + LOOK_SOON)
    standing = {f"{one.link.source_id}\n{child}" for one, child, _ in problems}
    return standing | {"\n".join(_named(one, each)) for one in open_ones for each in one.unknown}


def _child(association: AssociationFlow, far_id: str) -> str:
    return f"{KIND} {association.source} {far_id}"


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
