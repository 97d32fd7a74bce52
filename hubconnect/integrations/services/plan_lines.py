"""What a page's plans come to, record by record, as a person reads it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hubconnect.connectors.base import Field, Value
from hubconnect.engine.plan import CreatePlan, FieldChange, UpdatePlan, title_of
from hubconnect.engine.values import show
from hubconnect.integrations.models import RecordEvent
from hubconnect.integrations.services.session import Fault, Plans, Result, Session

# What may become of a record, in the order of interest.
KINDS: Mapping[str, str] = {
    "failed": "Would fail",
    "created": "Create",
    "updated": "Change",
    "linked": "Link",
    "skipped": "Skip",
    "held": "Hold",
    "unchanged": "Same already",
}
_KINDS_OF_EVENTS = {
    RecordEvent.Kind.LINKED: "linked",
    RecordEvent.Kind.HELD: "held",
    RecordEvent.Kind.SKIPPED: "skipped",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One field of a planned record, as a page shows it."""

    label: str
    old: str
    new: str
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """What a run would do about one record, and why; ``kind`` is one of ``KINDS``."""

    kind: str
    source_id: str
    title: str = ""
    target_id: str = ""
    url: str = ""
    reason: str = ""
    hint: str = ""
    changes: tuple[Change, ...] = ()

    @property
    def word(self) -> str:
        """Return the kind in words."""
        return KINDS[self.kind]


def lines_of(session: Session, plans: Plans, result: Result) -> list[Line]:
    """Return what a page's plans come to, a line for each record that is not left as it is."""
    lines = [_created(session, plan) for plan in plans.creates]
    lines += [_updated(session, plan) for plan in plans.updates]
    lines += [_failed(session, fault) for fault in result.faults]
    told = {one.source_id for one in lines}
    for event in result.events:
        kind = _KINDS_OF_EVENTS.get(RecordEvent.Kind(event.kind), "")
        if kind and event.source_id not in told:
            told.add(event.source_id)
            reason = event.detail.get("reason", "")
            lines.append(Line(kind, event.source_id, event.title, event.target_id, reason=reason))
    for queued in result.queued:
        if queued.flow_id == session.flow.pk and queued.record_id not in told:
            told.add(queued.record_id)
            lines.append(Line("held", queued.record_id, reason=queued.reason))
    return lines


def _created(session: Session, plan: CreatePlan) -> Line:
    changes = tuple(_told(session, plan.changes, plan.values))
    title = title_of(plan.source, session.spec.plan)
    return Line("created", plan.source.id, title, url=plan.source.url, changes=changes)


def _updated(session: Session, plan: UpdatePlan) -> Line:
    is_new = plan.link.pk == 0
    reasons = ["Found by the lookup."] if is_new else []
    if plan.gives_back:
        reasons.append(f"Values of {session.flow.target_system} go back by the opposite flow.")
    if plan.asked:
        names = ", ".join(one.flow.target.label for one in plan.asked)
        reasons.append(f"Both sides changed {names}: a person is asked.")
    return Line(
        "linked" if is_new else "updated" if plan.writes else "unchanged",
        plan.source.id,
        title_of(plan.source, session.spec.plan),
        plan.target.id,
        url=plan.source.url,
        reason=" ".join(reasons),
        changes=tuple(_told(session, plan.changes, {})),
    )


def _failed(session: Session, fault: Fault) -> Line:
    return Line(
        "failed",
        fault.record.id,
        title_of(fault.record, session.spec.plan),
        fault.target_id,
        url=fault.record.url,
        reason=fault.error.message,
        hint=fault.error.hint,
        changes=tuple(_told(session, (), fault.sent)),
    )


def _told(
    session: Session, changes: tuple[FieldChange, ...], values: Mapping[str, Value]
) -> Iterator[Change]:
    """Yield changes with labels of options; values without a change of their own come last."""
    fields = session.spec.target_fields
    for one in changes:
        known = fields.get(one.field)
        yield Change(one.label, show(one.old, known), show(one.new, known), one.remark)
    named = {one.field for one in changes}
    for name, value in values.items():
        if name not in named:
            yield Change(_label(fields, name), "", show(value, fields.get(name)))


def _label(fields: Mapping[str, Field], name: str) -> str:
    return fields[name].label if name in fields else name
