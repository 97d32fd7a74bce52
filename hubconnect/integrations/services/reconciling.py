"""Compares both sides of a pair in full, in turns, and goes on where it stopped.

A comparison only reads, so it takes no lease of the type pair and keeps no run waiting. It has one
of its own, so that one worker at a time goes on with it; whoever slept past its end stores nothing.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone

from hubconnect.connectors.errors import ConnectorError, TemporaryError
from hubconnect.core.models import User
from hubconnect.integrations.models import Pair, ReconcileFinding, Reconciliation
from hubconnect.integrations.services import lease, type_pairs
from hubconnect.integrations.services.looking import Looking, nothing_stored, reading_only
from hubconnect.integrations.services.nudging import Nudge
from hubconnect.integrations.services.reconcile_steps import STEPS, Batch, Comparison, Kind, Step
from hubconnect.integrations.services.remedying import apply_asked

log = structlog.get_logger()

FIRST_WAIT = timedelta(seconds=10)
LONGEST_WAIT = timedelta(minutes=15)
# Turns in a row that a system ended: then a person is to look.
MOST_SETBACKS = 10


class ReconcileRefusedError(Exception):
    """A comparison cannot be started; the text says why."""


class TurnLostError(Exception):
    """It was cancelled, or another worker goes on with it."""


@dataclass(slots=True)
class _Turn:
    """The right to go on with a comparison for a while."""

    row: Reconciliation
    fence: int
    ends_at: float

    @property
    def is_over(self) -> bool:
        return time.monotonic() > self.ends_at

    def keep(self, **changes: object) -> None:
        """Store changes and prolong the right.

        Raises:
            TurnLostError: it is no longer ours.
        """
        now = lease.database_now()
        kept = Reconciliation.objects.filter(
            Q(state=Reconciliation.State.WORKING) | Q(has_asked=True),
            pk=self.row.pk,
            fence=self.fence,
        ).update(leased_until=now + _length(), settle_after=now + _length(), **changes)
        if not kept:
            raise TurnLostError
        for name, value in changes.items():
            setattr(self.row, name, value)


def _length() -> timedelta:
    return timedelta(seconds=settings.LEASE_S)


def start(pair: Pair, actor: User) -> Reconciliation:
    """Begin to compare a pair; a worker goes on with it at once.

    Raises:
        ReconcileRefusedError: one is under way, or an account is not known.
    """
    for system in (pair.mapping.left_system, pair.mapping.right_system):
        if not system.identity:
            msg = f"{system} was never checked, so its account is not known. Check it first."
            raise ReconcileRefusedError(msg)
    if not pair.flows.filter(is_enabled=True).exists():
        msg = f"No direction of {pair} is on, so nothing is to be the same. Switch one on first."
        raise ReconcileRefusedError(msg)
    try:
        with transaction.atomic():
            row = Reconciliation.objects.create(pair=pair, asked_by=actor)
            transaction.on_commit(Nudge(reconciliation_ids=(row.pk,)).send)
    except IntegrityError:
        msg = "A comparison of this pair is under way already."
        raise ReconcileRefusedError(msg) from None
    return row


def cancel(row: Reconciliation) -> None:
    """Stop a comparison for good; what it found until then stays."""
    Reconciliation.objects.filter(
        pk=row.pk, state__in=(Reconciliation.State.WORKING, Reconciliation.State.STOPPED)
    ).update(state=Reconciliation.State.CANCELLED, finished_at=timezone.now())


def go_on(row: Reconciliation) -> None:
    """Have a comparison that a system stopped go on from where it is.

    Raises:
        ReconcileRefusedError: another one of this pair is under way.
    """
    try:
        with transaction.atomic():
            Reconciliation.objects.filter(pk=row.pk, state=Reconciliation.State.STOPPED).update(
                state=Reconciliation.State.WORKING,
                finished_at=None,
                message="",
                hint="",
                setbacks=0,
                next_turn_at=timezone.now(),
                nudged_at=None,
            )
            transaction.on_commit(Nudge(reconciliation_ids=(row.pk,)).send)
    except IntegrityError:
        msg = "Another comparison of this pair is under way."
        raise ReconcileRefusedError(msg) from None


def take_turn(pk: int) -> Reconciliation | None:
    """Go on with a comparison for a while, if nobody else does; return it as it stands then.

    What was asked to be done about findings comes first.
    """
    turn = _claim(pk)
    if turn is None:
        return None
    with structlog.contextvars.bound_contextvars(reconciliation=pk):
        try:
            _work(turn)
        except TurnLostError:
            log.info("reconcile.lost")
        finally:
            _release(turn)
    row = Reconciliation.objects.get(pk=pk)
    if _has_more(row) and row.next_turn_at <= timezone.now():
        Reconciliation.objects.filter(pk=pk).update(nudged_at=timezone.now())
        Nudge(reconciliation_ids=(pk,)).send()
    return row


def _has_more(row: Reconciliation) -> bool:
    return row.has_asked or row.state == Reconciliation.State.WORKING


def _claim(pk: int) -> _Turn | None:
    now = timezone.now()
    taken = Reconciliation.objects.filter(
        Q(state=Reconciliation.State.WORKING) | Q(has_asked=True),
        lease.is_free(now),
        pk=pk,
        next_turn_at__lte=now,
    ).update(fence=F("fence") + 1, leased_until=now + _length(), settle_after=now + _length())
    if not taken:
        return None
    row = Reconciliation.objects.select_related(
        "pair__integration", "pair__mapping__left_system", "pair__mapping__right_system"
    ).get(pk=pk)
    return _Turn(row, row.fence, time.monotonic() + settings.RECONCILE_TURN_S)


def _release(turn: _Turn) -> None:
    now = timezone.now()
    Reconciliation.objects.filter(pk=turn.row.pk, fence=turn.fence).update(
        leased_until=now, settle_after=now, nudged_at=None
    )


def _work(turn: _Turn) -> None:
    """Do the turn's work; an error of a system ends it, and is told on the page."""
    row = turn.row
    if row.pair.type_pair_id is None:
        type_pairs.recall(row.pair)
    try:
        with reading_only() as look:
            before = dict(row.calls)
            try:
                if row.has_asked:
                    apply_asked(row, look, lambda: turn.is_over)
                if row.state == Reconciliation.State.WORKING:
                    _compare(turn, look)  # at least a page
            finally:
                Reconciliation.objects.filter(pk=row.pk).update(calls=_added(before, look.calls))
    except ConnectorError as error:
        _setback(turn, error)


def _added(before: Mapping[str, int], calls: Mapping[str, int]) -> dict[str, int]:
    names = {*before, *calls}
    return {name: before.get(name, 0) + calls.get(name, 0) for name in sorted(names)}


def _setback(turn: _Turn, error: ConnectorError) -> None:
    row = turn.row
    setbacks = row.setbacks + 1
    wait = min(FIRST_WAIT * 2 ** min(setbacks - 1, 10), LONGEST_WAIT)
    if isinstance(error, TemporaryError) and error.retry_after is not None:
        wait = max(wait, error.retry_after)
    told = {"message": error.message, "hint": error.hint, "setbacks": setbacks}
    is_lasting = not isinstance(error, TemporaryError) or setbacks >= MOST_SETBACKS
    if is_lasting and row.state == Reconciliation.State.WORKING:
        turn.keep(state=Reconciliation.State.STOPPED, finished_at=timezone.now(), **told)
    else:
        turn.keep(next_turn_at=timezone.now() + wait, **told)


def _compare(turn: _Turn, look: Looking) -> None:
    row = turn.row
    with nothing_stored():
        comparison = Comparison(look, row.pair)
        expected = comparison.expected() if row.expected is None else row.expected
    turn.keep(expected=expected)
    for step in STEPS[STEPS.index(Step(row.step)) :]:
        if step != row.step:
            turn.keep(step=step, after="")
        pages = comparison.pages(step, row.after)
        while True:
            with nothing_stored():
                batch = next(pages, None)
            if batch is None:
                break
            _store(turn, batch)
            if turn.is_over:
                return
    turn.keep(state=Reconciliation.State.DONE, finished_at=timezone.now(), message="", hint="")
    log.info("reconcile.done", looked_at=row.looked_at)


def _store(turn: _Turn, batch: Batch) -> None:
    """Store a page's findings together with the place to go on from.

    Raises:
        TurnLostError: nothing was stored.
    """
    row = turn.row
    findings = _without_known(row, batch.findings)
    for one in findings:
        one.reconciliation = row
    with transaction.atomic():
        ReconcileFinding.objects.bulk_create(findings)
        turn.keep(
            after=batch.after,
            looked_at=row.looked_at + batch.looked_at,
            same=row.same + batch.same,
            outside=row.outside + batch.outside,
            setbacks=0,
            message="",
            hint="",
        )


def _without_known(row: Reconciliation, findings: list[ReconcileFinding]) -> list[ReconcileFinding]:
    """Drop what the left side has told already: two records that are to be linked."""
    if row.step != Step.RIGHT or not findings:
        return findings
    ids = [one.right_id for one in findings]
    told = set(
        row.findings.filter(kind=Kind.UNLINKED, right_id__in=ids).values_list("right_id", flat=True)
    )
    return [one for one in findings if one.right_id not in told]
