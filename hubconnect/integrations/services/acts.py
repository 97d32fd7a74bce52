"""Acts of people on failures: each is on record; a long one is a worker's, in batches.

The row is the truth: it says how far the act is. A message to a worker is only a wake-up, and the
tick sends another for an act that nobody works on.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

import structlog
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from kombu.exceptions import OperationalError

from hubconnect.celery import app
from hubconnect.core.models import User
from hubconnect.core.wording import counted
from hubconnect.integrations.models import Failure, FailureAct
from hubconnect.integrations.services import failures
from hubconnect.integrations.services.narrowing import in_words, narrow

log = structlog.get_logger()

Kind = FailureAct.Kind
# Done while the person waits; more is a worker's.
AT_ONCE: Final = 200
LEASE: Final = timedelta(minutes=2)
# Batches that one message works through; then the next act may have its turn.
BATCHES_A_TURN: Final = 20
_A_TICK: Final = 5


class _OvertakenError(Exception):
    """Another worker did this batch meanwhile."""


def note(kind: FailureAct.Kind, failure: Failure, actor: User, words: str = "") -> FailureAct:
    """Put an act on one failure on record, for the audit and the failure's page."""
    now = timezone.now()
    name = failure.title or failure.record_id or str(failure.flow)
    return FailureAct.objects.create(
        kind=kind,
        actor=actor,
        asked_at=now,
        finished_at=now,
        failure=failure,
        words=f"{name}: {words}" if words else f"{name}: {failure.category}",
        total=1,
        done=1,
    )


def pick(kind: FailureAct.Kind, ids: Sequence[int], actor: User) -> FailureAct:
    """Do something about failures that were ticked one by one, at most a page of them."""
    chosen = list(
        Failure.objects.filter(pk__in=ids[: failures.BATCH], state=Failure.State.OPEN)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    now = timezone.now()
    with transaction.atomic():
        done = _do(kind, chosen, actor)
        shown = ", ".join(map(str, chosen[:20])) + (", …" if len(chosen) > 20 else "")  # noqa: PLR2004
        return FailureAct.objects.create(
            kind=kind,
            actor=actor,
            asked_at=now,
            finished_at=now,
            words=f"{counted(done, 'failure')} ticked: {shown}",
            chosen={"pick": chosen},
            total=len(chosen),
            done=done,
        )


def all_that_fit(kind: FailureAct.Kind, chosen: Mapping[str, str], actor: User) -> FailureAct:
    """Do something about all open failures that fit a filter and are there now."""
    found = waiting_for(chosen)
    newest = found.order_by("-pk").values_list("pk", flat=True).first() or 0
    total = found.count()
    act = FailureAct.objects.create(
        kind=kind,
        state=FailureAct.State.WORKING,
        actor=actor,
        asked_at=timezone.now(),
        words=f"{counted(total, 'failure')}: {in_words(chosen)}",
        chosen=dict(chosen),
        total=total,
        up_to=newest,
    )
    if total <= AT_ONCE:
        work(act.pk)
    else:
        transaction.on_commit(lambda: wake(act.pk))
    act.refresh_from_db()
    return act


def waiting_for(chosen: Mapping[str, str]) -> QuerySet[Failure]:
    """Return the open failures that fit."""
    return narrow(Failure.objects.filter(state=Failure.State.OPEN), chosen)


def unfinished() -> list[int]:
    """Return the acts that nobody works on now, for the tick."""
    found = FailureAct.objects.filter(
        Q(leased_until=None) | Q(leased_until__lt=timezone.now()), state=FailureAct.State.WORKING
    )
    return list(found.order_by("pk").values_list("pk", flat=True)[:_A_TICK])


def wake(act_id: int) -> None:
    """Ask a worker to go on with an act; without a broker the next tick does."""
    try:
        app.send_task("hubconnect.integrations.act_on_failures", [act_id], retry=False)
    except OperationalError as error:
        log.warning("act.message_lost", act=act_id, error=str(error))


def work(act_id: int) -> bool:
    """Go on with an act for a while; tell whether more is left."""
    now = timezone.now()
    free = Q(leased_until=None) | Q(leased_until__lt=now)
    mine = FailureAct.objects.filter(free, pk=act_id, state=FailureAct.State.WORKING)
    if not mine.update(leased_until=now + LEASE):
        return False
    act = FailureAct.objects.select_related("actor").get(pk=act_id)
    try:
        for _ in range(BATCHES_A_TURN):
            if not _batch(act):
                return False
    except _OvertakenError:
        return False
    FailureAct.objects.filter(pk=act_id).update(leased_until=None)
    return True


@transaction.atomic
def _batch(act: FailureAct) -> bool:
    """Work one batch and note it in the same transaction; tell whether there was one.

    Raises:
        _OvertakenError: another worker went on from here; nothing of this batch was done.
    """
    now = timezone.now()
    found = waiting_for(act.chosen).filter(pk__gt=act.done_to, pk__lte=act.up_to)
    ids = list(found.order_by("pk").values_list("pk", flat=True)[: failures.BATCH])
    here = FailureAct.objects.filter(pk=act.pk, done_to=act.done_to, state=FailureAct.State.WORKING)
    if not ids:
        here.update(state=FailureAct.State.DONE, finished_at=now, leased_until=None)
        return False
    done = act.done + _do(Kind(act.kind), ids, act.actor)
    if not here.update(done=done, done_to=ids[-1], leased_until=now + LEASE):
        raise _OvertakenError
    act.done, act.done_to = done, ids[-1]
    return True


def stop(act: FailureAct) -> bool:
    """Stop an act after its batch; what is done stays done. Tell whether it was under way."""
    working = FailureAct.objects.filter(pk=act.pk, state=FailureAct.State.WORKING)
    return bool(
        working.update(
            state=FailureAct.State.STOPPED, finished_at=timezone.now(), leased_until=None
        )
    )


def _do(kind: FailureAct.Kind, ids: Sequence[int], actor: User | None) -> int:
    if kind == Kind.DISMISS:
        return failures.dismiss_ids(ids, actor)
    failures.retry_ids(ids, actor)
    return len(ids)
