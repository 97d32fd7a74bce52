"""What grows with time and what of it goes when; settings ``KEEP_..._DAYS`` say the ages.

What a promise rests on never goes by age: links and all that hangs on them, open failures, intents,
follow-ups, queued reads, and decisions about records that have no link.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from auditlog.models import LogEntry
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from hubconnect.core.models import Heartbeat
from hubconnect.core.purging import (
    BATCH,
    Purged,
    Rule,
    found_by_index,
    old_ones,
    oldest_first,
    purge,
)
from hubconnect.integrations.models import (
    Claim,
    Decision,
    Failure,
    FailureAct,
    Flow,
    FollowUp,
    HourlyFigures,
    Link,
    Notice,
    ReconcileFinding,
    Reconciliation,
    RecordEvent,
    Run,
    Side,
)
from hubconnect.systems.models import UsedCode

# An authorization code is good for minutes; that it was used is remembered far longer.
KEEP_CODES = timedelta(days=7)
# A decision is not taken away while the run that made the link is still at work.
SETTLED = timedelta(days=1)
RUNS_AT_ONCE = 50


def purge_all(budget_s: float | None = None) -> Purged:
    """Delete all that is over, within a time if one is given; what is left goes the next time."""
    return purge(RULES, budget_s)


def _events(before: datetime) -> Iterator[int]:
    """Lines of the history; that of an open failure stays, for it says whose change failed."""
    waiting = Failure.objects.filter(
        state=Failure.State.OPEN, run=OuterRef("run"), record_id=OuterRef("source_id")
    )
    stays = Q(Exists(waiting), kind=RecordEvent.Kind.FAILED)
    return oldest_first(RecordEvent.objects.all(), "at", before, ~stays)


def _runs(before: datetime) -> Iterator[int]:
    """Runs, after their events, so that no statement has to take both at once."""
    for batch in old_ones(Run.objects.all(), "started_at", before):
        for keys in _few_at_once(batch.filter(_may_go())):
            for _ in found_by_index(RecordEvent.objects.filter(run__in=keys)):
                yield 0  # of the runs; but time may be up
            yield _delete_runs(keys)


def _idle_runs(before: datetime) -> Iterator[int]:
    """Runs that found nothing to do. One that linked what was alike already has a story to tell."""
    told = RecordEvent.objects.filter(run=OuterRef("pk"))
    for batch in old_ones(Run.objects.filter(is_idle=True), "started_at", before):
        for keys in _few_at_once(batch.filter(_may_go(), ~Exists(told))):
            yield _delete_runs(keys)


def _few_at_once(runs: QuerySet[Run]) -> Iterator[list[int]]:
    """Return keys in small groups: for the events of many runs a table is read from end to end."""
    keys = list(runs.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(keys), RUNS_AT_ONCE):
        yield keys[start : start + RUNS_AT_ONCE]


def _delete_runs(keys: list[int]) -> int:
    return Run.objects.filter(pk__in=keys).delete()[1].get(Run._meta.label, 0)


def _may_go() -> Q:
    """Runs without each flow's newest, those at work, and those that open failures tell of."""
    newest = Run.objects.filter(flow=OuterRef("pk")).order_by("-pk").values("pk")[:1]
    kept = Flow.objects.order_by().annotate(newest=Subquery(newest)).values_list("newest")
    keep = [key for (key,) in kept if key is not None]
    waiting = Failure.objects.filter(state=Failure.State.OPEN, run=OuterRef("pk"))
    return ~Q(pk__in=keep) & ~Q(state=Run.State.RUNNING) & ~Q(Exists(waiting))


def _failures(before: datetime) -> Iterator[int]:
    """Closed failures. One of a link that a person let go stays: it alone says not to send it."""
    closed = Failure.objects.filter(closed_at__lt=before)
    yield from found_by_index(closed.filter(state=Failure.State.HEALED))
    let_go = closed.filter(state=Failure.State.DISMISSED)
    of_associations = Q(child__startswith=f"{FollowUp.Kind.ASSOCIATIONS} ")
    yield from found_by_index(let_go.exclude(of_associations))
    for side in Side:
        link = {"type_pair": OuterRef("type_pair"), f"{side}_id": OuterRef("record_id")}
        over = ~Exists(Link.objects.filter(**link))
        yield from found_by_index(let_go.filter(of_associations, over, side=side))


def _acts(before: datetime) -> Iterator[int]:
    """What people did about failures that are gone, or about many at once."""
    return found_by_index(FailureAct.objects.filter(failure=None, finished_at__lt=before))


def _notices(before: datetime) -> Iterator[int]:
    over = Notice.objects.exclude(state=Notice.State.WAITING)
    return found_by_index(over.filter(created_at__lt=before))


def _comparisons(before: datetime) -> Iterator[int]:
    """Comparisons of both sides, after what each found."""
    over = Reconciliation.objects.filter(finished_at__lt=before, has_asked=False)
    while keys := list(over.order_by().values_list("pk", flat=True)[:BATCH]):
        for _ in found_by_index(ReconcileFinding.objects.filter(reconciliation__in=keys)):
            yield 0  # of the comparisons; but time may be up
        yield Reconciliation.objects.filter(pk__in=keys).delete()[0]


def _figures(before: datetime) -> Iterator[int]:
    return found_by_index(HourlyFigures.objects.filter(hour__lt=before))


def _audit(before: datetime) -> Iterator[int]:
    return oldest_first(LogEntry.objects.all(), "timestamp", before, Q())


def _claims(now: datetime) -> Iterator[int]:
    """Claims of what was created, once searches show it; others live as long as their lease.

    A page's commit gives those back. What a killed worker left goes once no page is that old.
    """
    made = ~Q(target_id="")
    return found_by_index(
        Claim.objects.filter(made | Q(expires_at__lt=now - SETTLED), expires_at__lt=now)
    )


def _decisions(now: datetime) -> Iterator[int]:
    """Decisions about records that were unlinked and have a link by now."""
    kinds = (Decision.Kind.KNOWN, Decision.Kind.SKIPPED)
    for side in Side:
        link = {"type_pair": OuterRef("type_pair"), f"{side}_id": OuterRef("record_id")}
        rows = Decision.objects.filter(Exists(Link.objects.filter(**link)), side=side)
        yield from found_by_index(rows.filter(kind__in=kinds, made_at__lt=now - SETTLED))


def _sessions(now: datetime) -> Iterator[int]:
    return found_by_index(Session.objects.filter(expire_date__lt=now))


def _codes(now: datetime) -> Iterator[int]:
    return found_by_index(UsedCode.objects.filter(used_at__lt=now - KEEP_CODES))


def _heartbeats(now: datetime) -> Iterator[int]:
    """Signs of life of workers that are gone: a container has another name each time."""
    return found_by_index(Heartbeat.objects.filter(at__lt=now - SETTLED))


RULES = [
    Rule("heartbeats", _heartbeats),
    Rule("sessions", _sessions),
    Rule("authorization codes", _codes),
    Rule("claims", _claims),
    Rule("idle runs", _idle_runs, "KEEP_IDLE_RUNS_DAYS"),
    Rule("events", _events, "KEEP_EVENTS_DAYS"),
    Rule("runs", _runs, "KEEP_RUNS_DAYS"),
    Rule("closed failures", _failures, "KEEP_FAILURES_DAYS"),
    Rule("acts on failures", _acts, "KEEP_FAILURES_DAYS"),
    Rule("comparisons", _comparisons, "KEEP_COMPARISONS_DAYS"),
    Rule("notices", _notices, "KEEP_NOTICES_DAYS"),
    Rule("hourly figures", _figures, "KEEP_FIGURES_DAYS"),
    Rule("audit entries", _audit, "KEEP_AUDIT_DAYS"),
    Rule("decisions", _decisions),
]
