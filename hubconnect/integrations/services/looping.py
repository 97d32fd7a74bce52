"""Stops records whose values go to and fro between both systems, and tells what each answered."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from hubconnect.connectors.base import Field
from hubconnect.connectors.errors import Category, FieldFault, RecordError
from hubconnect.core.models import User
from hubconnect.engine.loops import goes_round
from hubconnect.engine.plan import UpdatePlan
from hubconnect.engine.values import from_stored, show
from hubconnect.integrations.models import Failure, Link, Side
from hubconnect.integrations.services import parts
from hubconnect.integrations.services.parts import Acted, Part, PartRefusedError
from hubconnect.integrations.services.session import Session
from hubconnect.integrations.stores import traces
from hubconnect.systems.models import System


def check(session: Session, plan: UpdatePlan) -> None:
    """Refuse a plan that would write a value which both systems keep changing.

    Raises:
        RecordError: LOOP, naming the fields.
    """
    now = timezone.now()
    recent = plan.link.recent
    if not recent:
        return
    found = [names for names in plan.sent if goes_round(recent, names, plan.writes[names[1]], now)]
    if not found:
        return
    flow = session.flow
    labels = {row.target.name: row.target.label for row in session.spec.plan.flows}
    named = ", ".join(labels.get(target, target) for _, target in found)
    sentence = (
        f"{named} goes to and fro: {flow.source_system} and {flow.target_system} each answer the "
        "other's value with one of their own, within ten minutes."
    )
    raise RecordError(
        sentence,
        category=Category.LOOP,
        hint="Look for a workflow, a trigger or a form on either side that rewrites the value, "
        "and stop one of them, or let the row flow one way; then press Retry.",
        faults=tuple(FieldFault(target, sentence, "LOOP") for _, target in found),
    )


@dataclass(frozen=True, slots=True)
class ShownWrite:
    """One write as a person sees it: when, into which system, what was sent, what it kept."""

    at: datetime
    system: System
    field: str
    sent: str
    kept: str


def shown(failure: Failure) -> list[ShownWrite] | None:
    """Return the writes that went to and fro, oldest first; None where they are not known."""
    side = Side(failure.side)
    link = Link.objects.filter(
        type_pair_id=failure.type_pair_id, **{f"{side}_id": failure.record_id}
    ).first()
    at_fault = {fault["field"] for fault in failure.faults}
    if link is None:
        return None
    flow = failure.flow
    found = [
        ShownWrite(
            at=one.at,
            system=flow.target_system if one.to_target else flow.source_system,
            field=one.target if one.to_target else one.source,
            sent=_text(one.sent),
            kept=_text(one.kept),
        )
        for one in traces(link, side)
        if one.target in at_fault
    ]
    return found or None


def _text(marked: str, field: Field | None = None) -> str:
    try:
        return show(from_stored(json.loads(marked)), field)
    except ValueError:  # the beginning of a long one
        return marked


def _act(failure: Failure, posted: Mapping[str, str], actor: User) -> Acted:  # noqa: ARG001 - of all parts
    msg = "There is nothing to choose here. Stop what rewrites the value, then press Retry."
    raise PartRefusedError(msg)


def register() -> None:
    """Show the writes on the pages of loops."""
    template = "integrations/failure_parts/loop.html"
    parts.register(Part("loop", template, shown, _act), Category.LOOP)
