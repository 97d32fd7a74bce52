"""Works alignments: rows that came or changed are brought into line on all linked records.

It happens in the flow's run before anything else is read, page by page; a run that ends early is
gone on with by the next one. Doing a page twice writes nothing twice: what is equal is not sent.
"""

from collections.abc import Sequence

from django.db.models import F
from django.utils import timezone

from hubconnect.connectors.base import Record
from hubconnect.connectors.errors import OutcomeUnknownError, RecordError
from hubconnect.engine.filling import has_open_rows, left_as_they_are, plan_fill
from hubconnect.engine.plan import LinkState, Names, UpdatePlan, names_of
from hubconnect.integrations.models import Alignment, Flow, Integration, Link
from hubconnect.integrations.services.committing import commit
from hubconnect.integrations.services.row_changes import LEAVE
from hubconnect.integrations.services.session import Fault, Plans, Result, Session
from hubconnect.integrations.services.writing import carry_out
from hubconnect.integrations.stores import link_state, open_intents

PAGE = 100


def is_open(pair_id: int) -> bool:
    """Tell whether rows of a pair are still being brought into line."""
    of_pair = Alignment.objects.filter(flow__pair=pair_id, finished_at=None)
    return of_pair.filter(flow__is_enabled=True, flow__is_paused=False).exists()


def waits(flow: Flow, opposite: Flow | None) -> bool:
    """Tell whether a flow holds off until the opposite one has brought its rows into line.

    Where both have rows of their own, the one that was asked first goes first.
    """
    if opposite is None:
        return False
    unfinished = Alignment.objects.filter(flow__in=(flow, opposite), finished_at=None)
    return unfinished.values_list("flow_id", flat=True).order_by("pk").first() == opposite.pk


def unfinished(integration: Integration) -> list[Alignment]:
    """Return the alignments that are under way, for a page."""
    found = Alignment.objects.filter(flow__pair__integration=integration, finished_at=None)
    mapping = "flow__pair__mapping"
    return list(found.select_related(f"{mapping}__left_system", f"{mapping}__right_system"))


def align(session: Session) -> None:
    """Bring rows into line, as far as nothing stops it.

    Raises:
        ConnectorError: a system stopped the work, or an earlier write is to be settled first; it
            goes on from its last page.
        LeaseLostError: another worker took over.
    """
    for alignment in Alignment.objects.filter(flow=session.flow, finished_at=None).order_by("pk"):
        work = _Work(session, alignment)
        while work.next_page():
            pass


class _Work:
    """One alignment at work in a run."""

    def __init__(self, session: Session, alignment: Alignment) -> None:
        self.session, self.alignment = session, alignment
        side = "left" if session.flow.is_to_right else "right"
        flows = {names_of(row): row for row in session.spec.plan.flows}
        chosen = {self._turned(row["left"], row["right"]): row["choice"] for row in alignment.rows}
        self.fills = [
            flows[names] for names, choice in chosen.items() if choice == side and names in flows
        ]
        self.left = [
            names for names, choice in chosen.items() if choice == LEAVE and self._is_there(names)
        ]

    def _turned(self, left: str, right: str) -> Names:
        return (left, right) if self.session.flow.is_to_right else (right, left)

    def _is_there(self, names: Names) -> bool:
        """Tell whether both fields of a row still exist."""
        spec = self.session.spec
        return names[0] in spec.source_fields and names[1] in spec.target_fields

    def next_page(self) -> bool:
        """Work the next links; return whether there may be more."""
        alignment, session = self.alignment, self.session
        rows = Link.objects.filter(
            type_pair_id=session.lease.type_pair_id,
            pk__gt=alignment.after,
            pk__lte=alignment.up_to,
        )
        page = list(rows.order_by("pk")[:PAGE]) if self.left or self.fills else []
        if not page:
            Alignment.objects.filter(pk=alignment.pk).update(finished_at=timezone.now())
            return False
        links = [link_state(row, session.flow.source_side) for row in page]
        if self._awaits_settling(links):
            # Nothing else may go on either: rows that are not in line would be merged by rule.
            msg = "The outcome of an earlier write is not known yet."
            raise OutcomeUnknownError(msg, hint="The next run finds it out, then goes on.")
        written = self._work(links)
        alignment.after = page[-1].pk
        Alignment.objects.filter(pk=alignment.pk).update(
            after=alignment.after, done=F("done") + len(page), written=F("written") + written
        )
        return True

    def _awaits_settling(self, links: Sequence[LinkState]) -> bool:
        flow = self.session.flow
        busy = {
            record_id
            for intent in open_intents(flow, None)
            for record_id in (intent.source_id, intent.target_id)
        }
        return any(link.source_id in busy or link.target_id in busy for link in links)

    def _work(self, links: Sequence[LinkState]) -> int:
        """Read both sides of links that need it, and write; return how many were written."""
        wanted = [link for link in links if self.fills or has_open_rows(link, self.left)]
        if not wanted:
            return 0
        session, flow = self.session, self.session.flow
        names = [*self.left, *map(names_of, self.fills)]
        title = session.spec.plan.title_field
        asked = dict.fromkeys(name for name, _ in names if name)
        asked |= {title: None} if title else {}
        sources = session.source.read(
            flow.source_type, [link.source_id for link in wanted], list(asked)
        )
        targets = session.target.read(
            flow.target_type,
            [link.target_id for link in wanted],
            list(dict.fromkeys(name for _, name in names)),
        )
        result, plans = Result(is_silent=True), Plans()
        for link in wanted:
            record, target = sources.get(link.source_id), targets.get(link.target_id)
            if record is None or target is None:
                continue  # deleted: the flows say so when they meet it
            try:
                plans.updates.append(self._plan(record, target, link))
            except RecordError as error:
                result.faults.append(Fault(record, error, link.target_id))
        stopped = carry_out(session, plans, result)
        commit(session, result, None)
        if stopped is not None:
            raise stopped
        return result.counts.get("updated", 0)

    def _plan(self, record: Record, target: Record, link: LinkState) -> UpdatePlan:
        left = left_as_they_are(record, target, link, self.left)
        return plan_fill(record, target, left, self.fills)
