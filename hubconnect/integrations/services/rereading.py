"""Queues records to be read afresh, and ends what was queued once that is done."""

from collections.abc import Iterable, Sequence

from hubconnect.integrations.models import QueuedRead


def ask(rows: Iterable[QueuedRead]) -> None:
    """Queue fresh reads by what a person did, or by what is over.

    A read that is queued already is asked for anew: a run that has it in hand may have read the
    record before, and must not end it.
    """
    once = {(row.flow_id, row.record_id): row for row in rows}
    QueuedRead.objects.bulk_create(
        [once[one] for one in sorted(once)],  # in one order, so that two never wait in a ring
        update_conflicts=True,
        unique_fields=["flow", "record_id"],
        update_fields=["reason", "due_at"],
    )


def finish(rows: Sequence[QueuedRead]) -> None:
    """End reads as they were taken up; what was asked for anew since then stays."""
    if rows:
        moments = {row.due_at for row in rows}
        QueuedRead.objects.filter(pk__in=[row.pk for row in rows], due_at__in=moments).delete()
