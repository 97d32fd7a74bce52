"""Applies what was asked to be done about findings, after looking whether they still stand."""

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from hubconnect.core.models import User
from hubconnect.integrations.models import Decision, Link, ReconcileFinding, Reconciliation
from hubconnect.integrations.services import lease as leases
from hubconnect.integrations.services.finding_records import Place
from hubconnect.integrations.services.lease import Lease
from hubconnect.integrations.services.looking import Looking, nothing_stored
from hubconnect.integrations.services.nudging import Nudge
from hubconnect.integrations.services.reconcile_steps import (
    LEFT,
    RIGHT,
    Comparison,
    Kind,
    Pairing,
    left_of,
    right_of,
    stored_side,
)
from hubconnect.integrations.services.retiring import give_up
from hubconnect.integrations.services.syncing_now import NotSyncedError, sync_all
from hubconnect.integrations.services.taking_sides import take

Remedy = ReconcileFinding.Remedy
State = ReconcileFinding.State
Findings = Sequence[ReconcileFinding]

AT_ONCE = 100
MOST_ASKED = 10_000
BUSY_WAIT = timedelta(seconds=3)
# What may be done about which kind of finding; the first is the nearest at hand.
REMEDIES: dict[Kind, tuple[Remedy, ...]] = {
    Kind.DIFFERENT: (Remedy.SYNC, Remedy.TAKE_LEFT, Remedy.TAKE_RIGHT),
    Kind.ONLY_LEFT: (Remedy.SYNC,),
    Kind.ONLY_RIGHT: (Remedy.SYNC,),
    Kind.UNLINKED: (Remedy.LINK, Remedy.SYNC),
    Kind.UNCLEAR: (Remedy.SYNC,),
    Kind.LEFT_GONE: (Remedy.RECREATE, Remedy.UNLINK),
    Kind.RIGHT_GONE: (Remedy.RECREATE, Remedy.UNLINK),
    Kind.BOTH_GONE: (Remedy.UNLINK,),
}
_LINKED = (Kind.DIFFERENT, Kind.LEFT_GONE, Kind.RIGHT_GONE, Kind.BOTH_GONE)


def ask(
    row: Reconciliation, findings: QuerySet[ReconcileFinding], remedy: Remedy, actor: User
) -> int:
    """Ask for a remedy; a worker applies it soon. Returns to how many findings it applies.

    Findings of a kind for which it is none are left alone, as are those done already.
    """
    kinds = [kind for kind, remedies in REMEDIES.items() if remedy in remedies]
    chosen = findings.filter(
        reconciliation=row, kind__in=kinds, state__in=(State.OPEN, State.REFUSED)
    )
    keys = list(chosen.order_by("-pk").values_list("pk", flat=True)[:MOST_ASKED])
    if not keys:
        return 0
    with transaction.atomic():
        for start in range(0, len(keys), AT_ONCE * 5):
            ReconcileFinding.objects.filter(pk__in=keys[start : start + AT_ONCE * 5]).update(
                state=State.ASKED, remedy=remedy, asked_by=actor, note=""
            )
        Reconciliation.objects.filter(pk=row.pk).update(
            has_asked=True, next_turn_at=timezone.now(), nudged_at=None
        )
        transaction.on_commit(Nudge(reconciliation_ids=(row.pk,)).send)
    return len(keys)


def apply_asked(row: Reconciliation, look: Looking, is_over: Callable[[], bool]) -> None:
    """Apply what was asked for, a batch of one remedy at a time, until it is done or time is up.

    Raises:
        ConnectorError: a system cannot be asked now; what is left stays asked for.
    """
    with nothing_stored():
        comparison = Comparison(look, row.pair)
    while batch := _next(row):
        if not _Remedy(row, comparison, batch).apply() or is_over():
            return
    with transaction.atomic():  # what is asked for in this moment is seen, or comes after
        Reconciliation.objects.select_for_update().get(pk=row.pk)
        row.has_asked = row.findings.filter(state=State.ASKED).exists()
        Reconciliation.objects.filter(pk=row.pk).update(has_asked=row.has_asked)


def _next(row: Reconciliation) -> list[ReconcileFinding]:
    """Return findings of one kind for which one person asked the same."""
    asked = row.findings.filter(state=State.ASKED).order_by("-pk")
    first = asked.first()
    if first is None:
        return []
    same = asked.filter(remedy=first.remedy, kind=first.kind, asked_by=first.asked_by_id)
    return list(same.select_related("asked_by")[:AT_ONCE])


class _Remedy:
    """One remedy for some findings of one kind."""

    def __init__(
        self, row: Reconciliation, comparison: Comparison, batch: list[ReconcileFinding]
    ) -> None:
        self.row, self.pair, self.comparison = row, row.pair, comparison
        self.batch, self.kind = batch, Kind(batch[0].kind)
        self.remedy = Remedy(batch[0].remedy)
        self.read: list[Pairing] = []

    def apply(self) -> bool:
        """Apply it where the finding still stands; False while a run has the type pair."""
        if self.remedy is Remedy.SYNC:
            self._sync(self._standing())
        else:
            # What changes links needs the type pair for itself, as a run does.
            type_pair_id = self.pair.type_pair_id
            lease = leases.claim(type_pair_id) if type_pair_id is not None else None
            if lease is None:
                self._wait()
                return False
            try:
                done = self._act(lease)
            finally:
                leases.release(lease)
            self._sync(done)
        # None may stay asked for, or it would be taken up for ever.
        untold = [one for one in self.batch if one.state == State.ASKED]
        _tell(untold, State.REFUSED, "Nothing came of it. Compare anew.")
        ReconcileFinding.objects.bulk_update(self.batch, ["state", "note"])
        return True

    def _wait(self) -> None:
        next_turn_at = timezone.now() + BUSY_WAIT
        Reconciliation.objects.filter(pk=self.row.pk).update(next_turn_at=next_turn_at)

    def _act(self, lease: Lease) -> Findings:
        standing = self._standing()
        with transaction.atomic():
            leases.renew(lease)
            if self.remedy is Remedy.LINK:
                return self._link(standing, lease.type_pair_id)
            if self.remedy in (Remedy.TAKE_LEFT, Remedy.TAKE_RIGHT):
                return self._take(standing)
            return self._give_up(standing)

    # --- Does it still stand? ---

    def _standing(self) -> Findings:
        """Look at both sides anew; return the findings that are as they were."""
        with nothing_stored():
            return self._linked() if self.kind in _LINKED else self._unlinked()

    def _linked(self) -> Findings:
        links = self._find_links()
        self.read = self.comparison.read(list(links.values())) if links else []
        now = self.comparison.compare(self.read).findings
        kinds = {(one.left_id, one.right_id): one.kind for one in now}
        standing = []
        for one in self.batch:
            key = one.left_id, one.right_id
            if key not in links:
                _tell([one], State.SOLVED, "The two are not linked with each other any more.")
            elif key not in kinds:
                _tell([one], State.SOLVED, "Both sides are the same by now.")
            elif kinds[key] != one.kind:
                word = Kind(kinds[key]).label.lower()
                _tell([one], State.REFUSED, f"It is another thing by now: {word}. Compare anew.")
            else:
                standing.append(one)
        return standing

    def _unlinked(self) -> Findings:
        linked = self._linked_ids()
        lefts, rights = self._there(LEFT), self._there(RIGHT)
        standing = []
        for one in self.batch:
            if (LEFT, one.left_id) in linked or (RIGHT, one.right_id) in linked:
                _tell([one], State.SOLVED, "It is linked by now.")
            elif (one.left_id and one.left_id not in lefts) or (
                one.right_id and one.right_id not in rights
            ):
                _tell([one], State.SOLVED, "It is not there any more.")
            else:
                standing.append(one)
        return standing

    def _there(self, side: str) -> set[str]:
        ids = [getattr(one, f"{side}_id") for one in self.batch]
        return set(self.comparison.read_side(side, [one for one in ids if one]))

    def _find_links(self) -> dict[tuple[str, str], Link]:
        side = stored_side(self.pair, LEFT)
        ids = [one.left_id for one in self.batch]
        found = Link.objects.filter(type_pair=self.pair.type_pair_id, **{f"{side}_id__in": ids})
        wanted = {(one.left_id, one.right_id) for one in self.batch}
        links = {(left_of(one, self.pair), right_of(one, self.pair)): one for one in found}
        return {key: link for key, link in links.items() if key in wanted}

    def _linked_ids(self) -> set[tuple[str, str]]:
        """Return which records of these findings have a link, by side and id."""
        found: set[tuple[str, str]] = set()
        for side in (LEFT, RIGHT):
            name = f"{stored_side(self.pair, side)}_id"
            ids = [getattr(one, f"{side}_id") for one in self.batch]
            links = Link.objects.filter(type_pair=self.pair.type_pair_id, **{f"{name}__in": ids})
            found |= {(side, one) for one in links.values_list(name, flat=True)}
        return found

    # --- What is done ---

    def _link(self, findings: Findings, type_pair_id: int) -> Findings:
        """Link records as they are; the runs that read them then compare field by field."""
        left, right = (f"{stored_side(self.pair, side)}_id" for side in (LEFT, RIGHT))
        Link.objects.bulk_create(
            [
                Link(
                    type_pair_id=type_pair_id,
                    title=one.title,
                    **{left: one.left_id, right: one.right_id},
                )
                for one in findings
            ],
            ignore_conflicts=True,  # one of them may have been linked with another a moment ago
        )
        made = self._find_links()
        done = [one for one in findings if (one.left_id, one.right_id) in made]
        _tell(
            [one for one in findings if one not in done],
            State.REFUSED,
            "One of the two is linked with another record.",
        )
        about = Q(pk__in=())
        for side in (LEFT, RIGHT):
            ids = [getattr(one, f"{side}_id") for one in done]
            about |= Q(side=stored_side(self.pair, side), record_id__in=ids)
        Decision.objects.filter(about, type_pair=self.pair.type_pair_id).delete()
        _tell(done, State.DONE, "Linked.")
        return done

    def _take(self, findings: Findings) -> Findings:
        """Have one side's values count as edits of now."""
        side = LEFT if self.remedy is Remedy.TAKE_LEFT else RIGHT
        by_key = {(one.left_id, one.right_id): one for one in findings}
        done = []
        for link, left, right in self.read:
            finding = by_key.get((left_of(link, self.pair), right_of(link, self.pair)))
            if finding is None or left is None or right is None:
                continue
            taken = take(link, self.pair, side, self.comparison.rows(link, left, right))
            if taken:
                done.append(finding)
                _tell([finding], State.DONE, "Chosen.")
            else:
                _tell([finding], State.REFUSED, "No field that differs flows from there.")
        return done

    def _give_up(self, findings: Findings) -> Findings:
        """Give links up whose counterpart is gone; what is to be created again is read afresh."""
        wanted = {(one.left_id, one.right_id): one for one in findings}
        is_again = self.remedy is Remedy.RECREATE
        again = []
        for link, left, right in self.read:
            finding = wanted.get((left_of(link, self.pair), right_of(link, self.pair)))
            if finding is None:
                continue
            stays = LEFT if left is not None else RIGHT
            if is_again and stays not in self.comparison.by_source:
                _tell([finding], State.REFUSED, "The direction that would create it is off.")
                continue
            there = {LEFT: left, RIGHT: right}
            sides = [side for side, record in there.items() if (record is None) == is_again]
            reason = f"Given up by {finding.asked_by} after a comparison of both sides."
            kind = Decision.Kind.RETIRED if is_again else Decision.Kind.STOPPED
            give_up(link, {stored_side(self.pair, side): reason for side in sides}, kind=kind)
            _tell([finding], State.DONE, "The link was given up.")
            if is_again:
                again.append(finding)
        return again

    def _sync(self, findings: Findings) -> None:
        """Have runs read these records afresh."""
        places = [place for one in findings for place in self._places(one)]
        actor = self.batch[0].asked_by
        if not places:
            return
        if actor is None:
            _tell(findings, State.REFUSED, "Who asked for it is no user any more.")
            return
        try:
            sync_all(places, actor)
        except NotSyncedError as error:
            _tell(findings, State.REFUSED, str(error))
        else:
            for one in findings:
                _tell([one], State.DONE, f"{one.note} The next run reads it afresh.".strip())

    def _places(self, one: ReconcileFinding) -> Iterable[Place]:
        # What is gone is not read: only the record that stays is.
        if one.left_id and self.kind != Kind.LEFT_GONE:
            yield Place(self.pair, LEFT, one.left_id)
        if one.right_id and self.kind != Kind.RIGHT_GONE:
            yield Place(self.pair, RIGHT, one.right_id)


def _tell(findings: Iterable[ReconcileFinding], state: State, note: str) -> None:
    for one in findings:
        one.state, one.note = state, note
