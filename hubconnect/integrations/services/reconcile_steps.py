"""Compares a page of a pair at a time: linked records, then those without link on each side."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from hubconnect.connectors.base import Page, Record
from hubconnect.connectors.errors import AttentionError
from hubconnect.engine.comparing import Compared, Comparer
from hubconnect.engine.mapping import Direction
from hubconnect.engine.matching import matches
from hubconnect.engine.plan import title_of
from hubconnect.engine.values import show
from hubconnect.integrations.models import (
    Failure,
    Flow,
    Link,
    Pair,
    ReconcileFinding,
    Reconciliation,
    Side,
)
from hubconnect.integrations.services.completing import complete_creates
from hubconnect.integrations.services.flowspec import rules_of
from hubconnect.integrations.services.looking import Looking
from hubconnect.integrations.services.planning import make_plans
from hubconnect.integrations.services.session import Candidates, Result, Session
from hubconnect.integrations.stores import decisions, links_by_source

Kind = ReconcileFinding.Kind
Step = Reconciliation.Step
STEPS = (Step.LINKS, Step.LEFT, Step.RIGHT)
LEFT, RIGHT = "left", "right"
# A link with the records of the mapping's left and right; None for one that is not there any more.
Pairing = tuple[Link, Record | None, Record | None]


@dataclass(slots=True)
class Batch:
    """What one page came to, and where the next one begins."""

    after: str
    findings: list[ReconcileFinding] = field(default_factory=list)
    looked_at: int = 0
    same: int = 0
    outside: int = 0


def left_of(link: Link, pair: Pair) -> str:
    """Return the id of the record on the mapping's left side."""
    return link.right_id if pair.is_swapped else link.left_id


def right_of(link: Link, pair: Pair) -> str:
    """Return the id of the record on the mapping's right side."""
    return link.left_id if pair.is_swapped else link.right_id


def stored_side(pair: Pair, side: str) -> Side:
    """Return the side of the type pair that is this side of the mapping."""
    return Side.LEFT if (side == LEFT) != pair.is_swapped else Side.RIGHT


class Comparison:
    """A pair with both systems open, ready to be compared page by page."""

    def __init__(self, look: Looking, pair: Pair) -> None:
        """Open both sides.

        Raises:
            AttentionError: no direction is on, or the mapping or criteria do not fit any more.
            ConnectorError: a system cannot be read.
        """
        self.pair = pair
        flows = Flow.objects.filter(pair=pair, is_enabled=True).select_related(
            "pair__integration", "pair__mapping__left_system", "pair__mapping__right_system"
        )
        sessions = [look.session(flow) for flow in flows]
        if not sessions:
            msg = f"No direction of {pair} is on, so nothing is to be the same."
            raise AttentionError(msg, hint="Switch a direction on in the pair's settings.")
        self.by_source: dict[str, Session] = {
            LEFT if one.flow.is_to_right else RIGHT: one for one in sessions
        }
        one = sessions[0]
        is_right = one.flow.is_to_right
        sides = (one.spec.source_fields, one.spec.target_fields)
        left, right = sides if is_right else (sides[1], sides[0])
        ways = {Direction.BOTH, *(Direction(each.flow.direction) for each in sessions)}
        rules = [rule for rule in rules_of(pair.mapping) if rule.direction in ways]
        self.comparer = Comparer(rules, left, right)
        self.left = one.source if is_right else one.target
        self.right = one.target if is_right else one.source
        self.size = min(self.left.batch_size, self.right.batch_size)

    # --- How much there is ---

    def expected(self) -> int:
        """Return how many links and records will be looked at; a count call for each side."""
        links = Link.objects.filter(type_pair=self.pair.type_pair_id).count()
        return links + sum(
            one.source.count(one.flow.source_type, one.spec.criteria)
            for one in self.by_source.values()
        )

    def pages(self, step: Step, after: str) -> Iterator[Batch]:
        """Yield what each page of a step comes to, from behind ``after`` on."""
        if step is Step.LINKS:
            yield from self._link_pages(int(after or 0))
            return
        session = self.by_source.get(LEFT if step is Step.LEFT else RIGHT)
        if session is None:
            return
        spec = session.spec
        found: Iterator[Page] = session.source.everything(
            session.flow.source_type, spec.criteria, spec.read_fields, after
        )
        for page in found:
            yield self._unlinked(session, page)

    # --- Linked records ---

    def _link_pages(self, after: int) -> Iterator[Batch]:
        rows = Link.objects.filter(type_pair=self.pair.type_pair_id).order_by("pk")
        while links := list(rows.filter(pk__gt=after)[: self.size]):
            after = links[-1].pk
            yield self.compare(self.read(links))

    def compare(self, read: Sequence[Pairing]) -> Batch:
        """Compare linked records as they were read."""
        links = [link for link, _, _ in read]
        batch = Batch(str(links[-1].pk) if links else "", looked_at=len(links))
        holding = self._failures(links)
        for link, left, right in read:
            left_id, right_id = left_of(link, self.pair), right_of(link, self.pair)
            if left is None or right is None:
                batch.findings.append(_gone(link, left_id, right_id, left, right))
            elif not self._is_carried(left, right):
                batch.outside += 1
            elif different := self._different(link, left, right):
                reason = holding.get(link.pk, "")
                batch.findings.append(_different(link, left_id, right_id, different, reason))
            else:
                batch.same += 1
        return batch

    def read(self, links: Sequence[Link]) -> list[Pairing]:
        """Return links with both their records; None for one that is not there any more."""
        lefts = self.read_side(LEFT, [left_of(link, self.pair) for link in links])
        rights = self.read_side(RIGHT, [right_of(link, self.pair) for link in links])
        return [
            (link, lefts.get(left_of(link, self.pair)), rights.get(right_of(link, self.pair)))
            for link in links
        ]

    def read_side(self, side: str, ids: Sequence[str]) -> dict[str, Record]:
        """Return records of one side by id, with all fields that mapping and criteria name."""
        mapping, is_left = self.pair.mapping, side == LEFT
        names = set(self.comparer.left_fields if is_left else self.comparer.right_fields)
        reader = self.by_source.get(side)
        if reader is not None:
            names.update(one.field for one in reader.spec.criteria)
        connector = self.left if is_left else self.right
        kind = mapping.left_type if is_left else mapping.right_type
        return connector.read(kind, ids, sorted(names)) if ids else {}

    def _is_carried(self, left: Record, right: Record) -> bool:
        """Tell whether a flow carries changes of a linked record, by its criteria."""
        for side, record in ((LEFT, left), (RIGHT, right)):
            session = self.by_source.get(side)
            if session is None:
                continue
            keeps = session.flow.outside == Flow.Outside.KEEP
            if keeps or matches(session.spec.criteria, record.values):
                return True
        return False

    def _different(self, link: Link, left: Record, right: Record) -> list[Compared]:
        rows = self.rows(link, left, right)
        return [one for one in rows if not one.is_same]

    def rows(self, link: Link, left: Record, right: Record) -> list[Compared]:
        """Return every row of the mapping with what both sides hold and agreed on."""
        bases = (link.left_base, link.right_base)
        if self.pair.is_swapped:
            bases = bases[1], bases[0]
        return self.comparer.compare(left.values, right.values, *bases)

    def _failures(self, links: Sequence[Link]) -> dict[int, str]:
        """Return why linked records wait, by link: a difference that a failure holds is no news."""
        found: dict[int, str] = {}
        for side in Side:
            ids = {getattr(link, f"{side}_id"): link.pk for link in links}
            failures = Failure.objects.filter(
                type_pair=self.pair.type_pair_id,
                state=Failure.State.OPEN,
                side=side,
                record_id__in=ids,
            )
            for failure in failures:
                found[ids[failure.record_id]] = f"Failure {failure.pk} holds it: {failure.message}"
        return found

    # --- Records without link ---

    def _unlinked(self, session: Session, page: Page) -> Batch:
        batch = Batch(page.after, looked_at=len(page.records))
        links = links_by_source(session.flow, [record.id for record in page.records])
        unlinked = [record for record in page.records if record.id not in links]
        batch.findings = self.judge(session, unlinked)
        return batch

    def judge(self, session: Session, unlinked: Sequence[Record]) -> list[ReconcileFinding]:
        """Plan records without link as a run would: missing, found and not linked, or unclear."""
        if not unlinked:
            return []
        is_left = session.flow.is_to_right
        result = Result()
        plans = make_plans(session, Candidates(unlinked=list(unlinked)), result)
        complete_creates(session, plans, result)
        reasons = {
            record_id: one.reason
            for record_id, one in decisions(session.flow, [one.id for one in unlinked]).items()
        }
        reasons |= {one.record_id: one.reason for one in result.queued}
        found: dict[str, str] = {plan.source.id: plan.target.id for plan in plans.updates}
        found |= {source_id: state.target_id for source_id, (state, _) in result.links.items()}
        faults = {fault.record.id: fault for fault in result.faults}
        findings = []
        for record in unlinked:
            target_id, reason = found.get(record.id, ""), reasons.get(record.id, "")
            kind = Kind.ONLY_LEFT if is_left else Kind.ONLY_RIGHT
            if target_id:
                kind = Kind.UNLINKED
            elif record.id in faults:
                error = faults[record.id].error
                kind, reason = Kind.UNCLEAR, f"{error.message} {error.hint}".strip()
            ids = (record.id, target_id) if is_left else (target_id, record.id)
            findings.append(
                ReconcileFinding(
                    kind=kind,
                    left_id=ids[0],
                    right_id=ids[1],
                    title=title_of(record, session.spec.plan),
                    detail={"reason": reason} if reason else {},
                )
            )
        return findings


def _gone(
    link: Link, left_id: str, right_id: str, left: Record | None, right: Record | None
) -> ReconcileFinding:
    if left is None and right is None:
        kind = Kind.BOTH_GONE
    else:
        kind = Kind.LEFT_GONE if left is None else Kind.RIGHT_GONE
    return ReconcileFinding(kind=kind, left_id=left_id, right_id=right_id, title=link.title)


def _different(
    link: Link, left_id: str, right_id: str, rows: Sequence[Compared], reason: str
) -> ReconcileFinding:
    detail: dict[str, object] = {
        "fields": [
            {
                "label": one.left.label,
                "left": show(one.left_value, one.left)[:1000],
                "right": show(one.right_value, one.right)[:1000],
            }
            for one in rows
        ]
    }
    if reason:
        detail["reason"] = reason
    return ReconcileFinding(
        kind=Kind.DIFFERENT, left_id=left_id, right_id=right_id, title=link.title, detail=detail
    )
