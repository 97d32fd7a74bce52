"""Failures as the rows of a file, read in pieces."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from django.db.models import QuerySet

from hubconnect.integrations.models import Failure
from hubconnect.integrations.services.causes import HEAVY

HEADER: Final = (
    "Failure",
    "State",
    "Level",
    "Integration",
    "Mapping",
    "From",
    "To",
    "Record",
    "Counterpart",
    "Name",
    "Part",
    "Category",
    "Field",
    "What happened",
    "What to do",
    "Tries",
    "First",
    "Last",
    "Next try",
    "Closed",
    "Closed by",
    "Address",
)
_CHUNK: Final = 500


def rows(found: QuerySet[Failure]) -> Iterator[Sequence[object]]:
    """Return one row a failure, the oldest first; memory does not grow with their number."""
    last = 0
    lean = found.select_related("closed_by").defer(*HEAVY, "faults").order_by("pk")
    while chunk := list(lean.filter(pk__gt=last)[:_CHUNK]):
        last = chunk[-1].pk
        yield from map(_row, chunk)


def _row(failure: Failure) -> Sequence[object]:
    flow = failure.flow
    return (
        failure.pk,
        failure.get_state_display(),
        failure.get_level_display(),
        flow.pair.integration.name,
        flow.pair.mapping.name,
        flow.source_system.name,
        flow.target_system.name,
        failure.record_id,
        failure.target_id,
        failure.title,
        failure.child,
        failure.category,
        failure.field,
        failure.message,
        failure.hint,
        failure.attempts,
        _moment(failure.first_at),
        _moment(failure.last_at),
        _moment(failure.next_try_at),
        _moment(failure.closed_at),
        failure.closed_by or "",
        failure.record_url,
    )


def _moment(moment: datetime | None) -> str:
    return moment.isoformat(timespec="seconds") if moment is not None else ""
