"""Failures of a whole flow: one line with a counter, which heals by itself."""

from django.utils import timezone

from hubconnect.connectors.errors import Category
from hubconnect.integrations.models import Failure, Flow, Run


def record(flow: Flow, run: Run | None, category: Category, message: str, hint: str) -> Failure:
    """Store that a flow could not go on, or count one more time."""
    now = timezone.now()
    failure = Failure.objects.filter(flow=flow, record_id="", state=Failure.State.OPEN).first()
    if failure is None:
        failure = Failure(flow=flow, level=Failure.Level.FLOW, first_at=now, attempts=0)
    failure.type_pair_id = flow.pair.type_pair_id
    failure.category = category
    failure.message = message
    failure.hint = hint
    failure.note_try(run, now)
    failure.save()
    return failure


def heal(flow: Flow) -> None:
    """Close the flow's own failure: a run went through."""
    Failure.objects.filter(flow=flow, record_id="", state=Failure.State.OPEN).update(
        state=Failure.State.HEALED, closed_at=timezone.now()
    )
