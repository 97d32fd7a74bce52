"""How integrations are doing: one word of health with its reason, and what needs a person."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, OuterRef, Prefetch, QuerySet, Subquery
from django.utils import timezone

from hubconnect.connectors.errors import Category
from hubconnect.core.wording import counted
from hubconnect.integrations.models import Failure, Flow, Integration, Pair, Run
from hubconnect.integrations.schedules import describe
from hubconnect.integrations.services import hourly, rollup
from hubconnect.systems.models import System
from hubconnect.systems.services.budget import Budget, short_of_calls

# A flow that is due for this long was not taken by any worker.
OVERDUE = timedelta(minutes=2)
# A system that is away for a moment is no reason to call anybody; one that stays away is.
CRITICAL_ATTEMPTS = 3
_PASSING = (Category.UNREACHABLE, Category.RATE_LIMIT)


def integrations() -> QuerySet[Integration]:
    """Return integrations with pairs, flows and systems at hand."""
    pairs = Pair.objects.select_related(
        "mapping__left_system", "mapping__right_system"
    ).prefetch_related("flows")
    return Integration.objects.select_related("left_system", "right_system").prefetch_related(
        Prefetch("pairs", queryset=pairs)
    )


@dataclass(frozen=True, slots=True)
class Health:
    """A kind of state, its word, and the reason."""

    kind: str
    word: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What is read once for all integrations of a list."""

    last: dict[int, Run]
    hours: dict[int, hourly.Hours]
    failures: dict[int, list[Failure | int]]
    links: dict[int, int]
    budgets: dict[int, Budget]  # of systems whose calls of the day run short


@dataclass(frozen=True, slots=True)
class Line:
    """One integration in a list."""

    integration: Integration
    health: Health
    schedule: str
    mappings: str
    next_run_at: datetime | None
    last_run_at: datetime | None
    failures: int
    links: int
    carried: int  # in the last day
    failed: int
    hours: list[int]  # carried in each hour of that day, the oldest first
    failed_hours: list[int]
    per_hour: float  # carried, in this hour and the one before
    lag: timedelta | None  # how old the oldest change may be that was not read yet
    running: Run | None

    @property
    def hours_words(self) -> str:
        """What the row of small bars shows, for readers who do not see it."""
        if not any(self.hours):
            return "Nothing carried in the last 24 hours"
        return f"Carried per hour, the last 24: {self.carried:,}, most in one {max(self.hours):,}"

    @property
    def both_ways(self) -> bool:
        """Tell whether records flow in both directions."""
        enabled = {flow.source_system.pk for flow in flows_of(self.integration) if flow.is_enabled}
        return len(enabled) != 1


def flows_of(integration: Integration) -> list[Flow]:
    """Return the flows of an integration whose pairs were read with it."""
    flows = []
    for pair in integration.pairs.all():
        pair.integration = integration
        for flow in pair.flows.all():
            flow.pair = pair
            flows.append(flow)
    return flows


def lines(found: Iterable[Integration], links: dict[int, int] | None = None) -> list[Line]:
    """Return integrations with their numbers; the number of queries does not grow with them.

    ``links`` are those of each type pair, if they are known already.
    """
    listed = list(found)
    links = rollup.links_now() if links is None else links
    flows = [flow for one in listed for flow in flows_of(one)]
    known = Known(
        last_runs(flows),
        hourly.by_flow(hourly.DAY),
        _failures(),
        links,
        short_of_calls(_systems(listed)),
    )
    return [_line(one, known) for one in listed]


def systems_of(listed: Iterable[Line]) -> list[System]:
    """Return the systems of integrations in a list, each once."""
    return _systems(line.integration for line in listed)


def _systems(found: Iterable[Integration]) -> list[System]:
    return list(
        {one.pk: one for each in found for one in (each.left_system, each.right_system)}.values()
    )


def last_runs(flows: Iterable[Flow]) -> dict[int, Run]:
    """Return the newest run of each flow, however many there are; one query."""
    newest = Run.objects.filter(flow=OuterRef("pk")).order_by("-pk").values("pk")[:1]
    wanted = Flow.objects.filter(pk__in=[flow.pk for flow in flows]).order_by()
    keys = wanted.annotate(newest=Subquery(newest)).values("newest")
    return {run.flow_id: run for run in Run.objects.filter(pk__in=keys)}


def _failures() -> dict[int, list[Failure | int]]:
    """Return by flow its own failure, if it has one, and how many records failed."""
    rows = Failure.objects.filter(state=Failure.State.OPEN).order_by()
    counts = dict(
        rows.filter(level=Failure.Level.RECORD).values_list("flow").annotate(count=Count("pk"))
    )
    found: dict[int, list[Failure | int]] = defaultdict(list)
    for flow, count in counts.items():
        found[flow].append(count)
    for failure in rows.filter(level=Failure.Level.FLOW).defer("source_values", "sent_values"):
        found[failure.flow_id].append(failure)
    return found


def _line(integration: Integration, known: Known) -> Line:
    flows = flows_of(integration)
    own = [one for flow in flows for one in known.failures.get(flow.pk, [])]
    records = sum(one for one in own if isinstance(one, int))
    stopped = [one for one in own if isinstance(one, Failure)]
    times = [flow.next_run_at for flow in flows if flow.is_enabled and flow.next_run_at]
    seen = [known.last[flow.pk] for flow in flows if flow.pk in known.last]
    pairs = {pair.type_pair_id for pair in integration.pairs.all() if pair.type_pair_id}
    hours = hourly.total(known.hours[flow.pk] for flow in flows if flow.pk in known.hours)
    return Line(
        integration=integration,
        health=health(integration, flows, stopped, records, known.budgets),
        schedule=describe(integration),
        mappings=", ".join(pair.mapping.name for pair in integration.pairs.all()),
        next_run_at=min(times, default=None) if integration.is_active else None,
        last_run_at=max((run.started_at for run in seen), default=None),
        failures=records + len(stopped),
        links=sum(known.links.get(pair, 0) for pair in pairs),
        carried=sum(hours.carried),
        failed=sum(hours.failed),
        hours=hours.carried,
        failed_hours=hours.failed,
        per_hour=hours.per_hour,
        lag=lag_of(flows) if integration.is_active else None,
        running=next((run for run in seen if run.state == Run.State.RUNNING), None),
    )


def lag_of(flows: Iterable[Flow]) -> timedelta | None:
    """Return how old the oldest change may be that no enabled flow has read yet.

    All up to a window's end is read once it is closed, up to its beginning before that. None while
    a flow has not finished its first window: then everything is still to come.
    """
    ends = [
        flow.window_lower if flow.is_window_open else flow.window_upper
        for flow in flows
        if flow.is_enabled
    ]
    if not ends or any(end is None for end in ends):
        return None
    return max(timezone.now() - min(end for end in ends if end is not None), timedelta(0))


def health(
    integration: Integration,
    flows: list[Flow],
    stopped: list[Failure],
    records: int,
    budgets: Mapping[int, Budget],
) -> Health:
    """Return the word for how an integration is doing; the worst reason wins."""
    if not integration.is_active:
        is_fresh = integration.activated_at is None
        return Health("idle", "Inactive", "never activated" if is_fresh else "")
    working = [flow for flow in flows if flow.is_enabled]
    found = (
        _critical(integration, working, stopped)
        or _short_of_calls(integration, budgets)
        or _remarkable(working, stopped, records)
    )
    if found is None and any(flow.phase == Flow.Phase.LOADING for flow in working):
        found = Health("run", "First load")
    return found or Health("ok", "Healthy")


def will_pass(failure: Failure) -> bool:
    """Tell whether what stopped a flow may well be over at the next try, which comes by itself."""
    return failure.category in _PASSING and failure.attempts < CRITICAL_ATTEMPTS


def _critical(integration: Integration, flows: list[Flow], stopped: list[Failure]) -> Health | None:
    for system in (integration.left_system, integration.right_system):
        if system.needs_person:
            return Health("bad", "Critical", f"{system}: {system.state_reason}")
    if any(flow.is_paused for flow in flows):
        return Health("bad", "Paused", "The safety brake stopped it before writing")
    lasting = [failure for failure in stopped if not will_pass(failure)]
    return Health("bad", "Critical", lasting[0].message) if lasting else None


def _short_of_calls(integration: Integration, budgets: Mapping[int, Budget]) -> Health | None:
    for system in (integration.left_system, integration.right_system):
        budget = budgets.get(system.pk)
        if budget is not None:
            word = "Waiting" if budget.kind == "bad" else "Slower"
            return Health("warn", word, f"{system}: {budget.notice}")
    return None


def _remarkable(flows: list[Flow], stopped: list[Failure], records: int) -> Health | None:
    if stopped:
        return Health("warn", "Warning", f"{stopped[0].message} It is tried again by itself.")
    late = timezone.now() - OVERDUE
    is_loading = any(flow.phase == Flow.Phase.LOADING for flow in flows)  # the others wait then
    is_late = any(flow.next_run_at is not None and flow.next_run_at < late for flow in flows)
    if is_late and not is_loading:
        return Health("warn", "Waiting", "Due, but no worker has taken it. Is one running?")
    if records:
        return Health("warn", "Warning", f"{counted(records, 'record')} could not be synced")
    return None
