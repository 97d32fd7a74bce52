"""Completes creates: the links a record cannot be without, and the counterpart's id and address.

Links that a record can be without are made afterwards, with those of all other records.
"""

from collections.abc import Sequence
from dataclasses import replace

from hubconnect.connectors.base import NewAssociation
from hubconnect.connectors.children import Associating, Association, AssociationType
from hubconnect.connectors.errors import Category, RecordError
from hubconnect.engine.plan import CreatePlan
from hubconnect.integrations.services.carriers.remote import counterpart_values
from hubconnect.integrations.services.far_records import FarRecords, ids_by_types
from hubconnect.integrations.services.missing_links import Missing, wait
from hubconnect.integrations.services.session import Fault, Plans, Result, Session
from hubconnect.systems.services import schema


def complete_creates(session: Session, plans: Plans, result: Result) -> None:
    """Give each create what it needs; one that cannot have it becomes a fault.

    Raises:
        ConnectorError: the source cannot tell the links now.
    """
    if not plans.creates:
        return
    linked = _Linked.of(session, plans.creates)
    done: list[CreatePlan] = []
    for plan in plans.creates:
        try:
            whole = linked.complete(plan) if linked is not None else plan
            done.append(_with_source_named(session, whole))
        except RecordError as error:
            result.faults.append(Fault(plan.source, error, "", plan.values))
    plans.creates = done


def _with_source_named(session: Session, plan: CreatePlan) -> CreatePlan:
    """Add the source's id and address, where fields are named for them."""
    remote = session.spec.children.remote
    if not remote.on_target:
        return plan
    record = plan.source
    url = record.url or session.source.url(session.flow.source_type, record.id)
    names = (remote.target_id, remote.target_link)
    values = counterpart_values(session.spec.target_fields, names, record.id, url)
    return replace(plan, values=plan.values | values)


class _Linked:
    """Knows the links of source records whose counterparts cannot be created without one."""

    def __init__(self, session: Session, held: dict[str, frozenset[Association]]) -> None:
        self._session = session
        self._held = held
        self._flows = session.spec.children.associations
        self._far = FarRecords(session.flow)
        ends = {(each.type, each.to_id) for found in held.values() for each in found}
        self._far.load(
            ids_by_types(
                (one, to) for name, to in ends for one in self._flows if one.source == name
            )
        )
        self._failing = wait(session, self._missing())
        flow = session.flow
        kinds = {one.name: one for one in schema.object_types(flow.target_system)}
        kind = kinds.get(flow.target_type)
        self._label = kind.label.lower() if kind is not None else flow.target_type
        self._needs = kind.needs_association if kind is not None else ()
        self._required = _required(session.target.associating, flow.target_type)

    @classmethod
    def of(cls, session: Session, creates: Sequence[CreatePlan]) -> "_Linked | None":
        """Return what is known of these records, or None where creates need no link."""
        source, flow = session.source.associating, session.flow
        flows = session.spec.children.associations
        if source is None or not flows or not _is_needed(session):
            return None
        names = list(dict.fromkeys(one.source for one in flows))
        ids = [plan.source.id for plan in creates]
        return cls(session, source.associations(flow.source_type, ids, names))

    def complete(self, plan: CreatePlan) -> CreatePlan:
        """Return the create with its links.

        Raises:
            RecordError: it cannot be without a link and has none whose far record is synced.
        """
        held = self._held.get(plan.source.id, frozenset())
        made: dict[NewAssociation, None] = {}
        for one in self._flows:
            for far_id in sorted(each.to_id for each in held if each.type == one.source):
                found = self._far.counterpart(one, far_id)
                if found:
                    made[NewAssociation(one.target, found)] = None
                elif error := self._failing.get((plan.source.id, one, far_id)):
                    raise error
            has_one = any(each.type == one.target for each in made)
            if not has_one and one.default:
                made[NewAssociation(one.target, one.default)] = None
        self._refuse_lonely(plan, list(made))
        return replace(plan, associations=tuple(made))

    def _missing(self) -> list[Missing]:
        """Return the links of all these records that go on once their far records are synced."""
        return [
            (record_id, one, each.to_id)
            for record_id, found in self._held.items()
            for each in found
            for one in self._flows
            if one.source == each.type and not self._far.counterpart(one, each.to_id)
        ]

    def _refuse_lonely(self, plan: CreatePlan, made: list[NewAssociation]) -> None:
        held = self._held.get(plan.source.id)
        flow = self._session.flow
        targets = {one.target: one.target_to for one in self._flows}
        given = {name for name, value in plan.values.items() if value is not None}
        open_names = {
            one.name for one in self._required if not (one.fields and given.issuperset(one.fields))
        } - {each.type for each in made}
        is_lonely = bool(self._needs) and not any(
            targets[each.type] in self._needs for each in made
        )
        if not open_names and not is_lonely:
            return
        wanted = ", ".join(sorted(self._needs)) if is_lonely else ", ".join(sorted(open_names))
        reason = (
            f"what it is linked with in {flow.source_system} is not synced yet"
            if held
            else f"it is linked with nothing of that kind in {flow.source_system}"
        )
        msg = (
            f"One of {self._label} in {flow.target_system} cannot be created without a link "
            f"({wanted}), and {reason}."
        )
        raise RecordError(
            msg,
            hint="It goes on by itself once a linked record is synced. Or give the mapping's "
            "association a default record to link with.",
            category=Category.MISSING_LINK,
        )


def _is_needed(session: Session) -> bool:
    flow = session.flow
    kinds = {one.name: one for one in schema.object_types(flow.target_system)}
    kind = kinds.get(flow.target_type)
    has_need = kind is not None and bool(kind.needs_association)
    return has_need or bool(_required(session.target.associating, flow.target_type))


def _required(target: Associating | None, object_type: str) -> list[AssociationType]:
    types = target.association_types(object_type) if target is not None else []
    return [one for one in types if one.is_required]
