"""Holds back what a create that a person is to look into may have made.

Such a record stands among the failure's candidates. Until the failure is over, the opposite flow
must not create it at the source, where the record it may be a copy of is already.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from hubconnect.connectors.base import Record
from hubconnect.connectors.errors import Category
from hubconnect.engine.settle import is_like
from hubconnect.engine.values import restore_all
from hubconnect.integrations.models import Failure, PastCreate
from hubconnect.integrations.services.candidates import listed, lost_create
from hubconnect.integrations.services.session import Queue, Result, Session

# A record made up to this long before our create was sent may still be ours: clocks differ.
KIN_MARGIN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Suspicion:
    """One create of unknown outcome, sent towards the side that is read now."""

    failure: Failure
    sent_at: datetime | None

    def names(self, record_id: str) -> bool:
        """Tell whether a record stands among the candidates."""
        return any(one["id"] == record_id for one in self.failure.candidates or ())

    def is_about(self, record: Record) -> bool:
        """Tell whether it may have made this unlinked record.

        An index may have hidden the record when the candidates were looked for; where the system
        does not say who made it, it must hold what was sent.
        """
        if self.names(record.id):
            return True
        if record.made_by_us is False or not self._is_of_that_time(record.created_at):
            return False
        sent = restore_all(self.failure.sent_values)
        return record.made_by_us is True or all(
            is_like(value, record.values.get(name)) for name, value in sent.items()
        )

    def _is_of_that_time(self, created_at: datetime | None) -> bool:
        if created_at is None:
            return True  # not every system tells
        since, until = self.sent_at, self.failure.last_at + KIN_MARGIN
        return created_at <= until and (since is None or created_at >= since - KIN_MARGIN)


def load(session: Session) -> list[Suspicion]:
    """Return the open ones of the type pair that concern the side read; few, mostly none.

    A flow that is switched off counts too: its create may have been carried out all the same.
    """
    side, type_pair_id = session.flow.source_side.other, session.flow.pair.type_pair_id
    failures = list(
        Failure.objects.filter(
            type_pair_id=type_pair_id,
            side=side,
            state=Failure.State.OPEN,
            level=Failure.Level.RECORD,
            category=Category.UNKNOWN_OUTCOME,
            child="",
        )
        .order_by("pk")
        .defer("source_values", "faults", "answer", "tries")
    )
    if not failures:
        return []
    rows = PastCreate.objects.filter(
        type_pair_id=type_pair_id, side=side, record_id__in=[one.record_id for one in failures]
    )
    sent = dict(rows.values_list("record_id", "sent_at"))
    return [Suspicion(one, sent.get(one.record_id)) for one in failures]


def store(session: Session, result: Result) -> None:
    """Add held records to the candidates they are; called within the page's commit.

    What closed meanwhile holds nothing back any more.
    """
    if not result.suspected:
        return
    end, left = session.end(session.flow.source_side), dict(result.suspected)
    rows = Failure.objects.select_for_update().filter(
        pk__in=list(left), state=Failure.State.OPEN, category=Category.UNKNOWN_OUTCOME
    )
    for row in rows.order_by("pk"):
        known = [one["id"] for one in row.candidates or ()]
        new = {one.id: one for one in left.pop(row.pk) if one.id not in known}
        names = list(row.sent_values)
        shown = [one for each in new.values() for one in listed(end, [each.id], [each], names)]
        row.candidates = [*(row.candidates or ()), *shown]
        row.message = lost_create(end.system, [*known, *new])
        setattr(row, session.waits_field, True)
        row.save(update_fields=["candidates", "message", session.waits_field])
    for records in left.values():
        for record in records:
            reason = "What it waited for is over."
            result.queued.append(Queue(session.flow.pk, record.id, reason))
