"""How integrations are doing: one word of health with its reason, and what needs a person."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db.models import Count, Max, Prefetch, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone

from hubconnect.core.wording import counted
from hubconnect.engine import lookup
from hubconnect.integrations.models import Failure, Flow, Integration, Link, Pair, Run
from hubconnect.integrations.schedules import describe
from hubconnect.integrations.services.causes import Cause

if TYPE_CHECKING:
    from hubconnect.systems.models import System

# A flow that is due for this long was not taken by any worker.
OVERDUE = timedelta(minutes=2)


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
    carried: int

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


def lines(found: Iterable[Integration]) -> list[Line]:
    """Return integrations with their numbers; the number of queries does not grow with them."""
    listed = list(found)
    runs = _runs()
    failures = _failures()
    links = dict(Link.objects.order_by().values_list("type_pair").annotate(count=Count("pk")))
    return [_line(one, runs, failures, links) for one in listed]


@dataclass(frozen=True, slots=True)
class Moved:
    """What a flow did in the last day."""

    last_at: datetime
    carried: int


def _runs() -> dict[int, Moved]:
    day = timezone.now() - timedelta(days=1)
    rows = (
        Run.objects.filter(started_at__gte=day)
        .order_by()
        .values("flow")
        .annotate(
            last=Max("started_at"),
            carried=Coalesce(Sum("created"), 0) + Coalesce(Sum("updated"), 0),
        )
    )
    return {row["flow"]: Moved(row["last"], row["carried"]) for row in rows}


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


def _line(
    integration: Integration,
    runs: dict[int, Moved],
    failures: dict[int, list[Failure | int]],
    links: dict[int, int],
) -> Line:
    flows = flows_of(integration)
    own = [one for flow in flows for one in failures.get(flow.pk, [])]
    records = sum(one for one in own if isinstance(one, int))
    stopped = [one for one in own if isinstance(one, Failure)]
    times = [flow.next_run_at for flow in flows if flow.is_enabled and flow.next_run_at]
    seen = [runs[flow.pk] for flow in flows if flow.pk in runs]
    pairs = {pair.type_pair_id for pair in integration.pairs.all() if pair.type_pair_id}
    return Line(
        integration=integration,
        health=health(integration, flows, stopped, records),
        schedule=describe(integration),
        mappings=", ".join(pair.mapping.name for pair in integration.pairs.all()),
        next_run_at=min(times, default=None) if integration.is_active else None,
        last_run_at=max((one.last_at for one in seen), default=None),
        failures=records + len(stopped),
        links=sum(links.get(pair, 0) for pair in pairs),
        carried=sum(one.carried for one in seen),
    )


def health(
    integration: Integration, flows: list[Flow], stopped: list[Failure], records: int
) -> Health:
    """Return the word for how an integration is doing; the worst reason wins."""
    if not integration.is_active:
        is_fresh = integration.activated_at is None
        return Health("idle", "Inactive", "never activated" if is_fresh else "")
    working = [flow for flow in flows if flow.is_enabled]
    found = _critical(integration, working, stopped) or _remarkable(working, records)
    if found is None and any(flow.phase == Flow.Phase.LOADING for flow in working):
        found = Health("run", "First load")
    return found or Health("ok", "Healthy")


def _critical(integration: Integration, flows: list[Flow], stopped: list[Failure]) -> Health | None:
    for system in (integration.left_system, integration.right_system):
        if system.needs_person:
            return Health("bad", "Critical", f"{system}: {system.state_reason}")
    if any(flow.is_paused for flow in flows):
        return Health("bad", "Paused", "The safety brake stopped it before writing")
    return Health("bad", "Critical", stopped[0].message) if stopped else None


def _remarkable(flows: list[Flow], records: int) -> Health | None:
    late = timezone.now() - OVERDUE
    if any(flow.next_run_at is not None and flow.next_run_at < late for flow in flows):
        return Health("warn", "Waiting", "Due, but no worker has taken it. Is one running?")
    if records:
        return Health("warn", "Warning", f"{counted(records, 'record')} could not be synced")
    return None


@dataclass(frozen=True, slots=True)
class PairLine:
    """A pair as the page of its integration shows it; its flows with what they are set to."""

    pair: Pair
    flows: list["FlowLine"]

    @property
    def kind(self) -> str:
        """Which way records flow: ``both-ways``, ``to-right``, ``to-left`` or nothing."""
        on = [line for line in self.flows if line.flow.is_enabled]
        if len(on) > 1:
            return "both-ways"
        if not on:
            return ""
        left = self.pair.integration.left_system_id
        return "to-right" if on[0].flow.source_system.pk == left else "to-left"

    @property
    def left_type(self) -> str:
        """The object type in the integration's first system."""
        mapping = self.pair.mapping
        is_turned = mapping.left_system_id != self.pair.integration.left_system_id
        return mapping.right_type if is_turned else mapping.left_type

    @property
    def right_type(self) -> str:
        """The object type in the integration's second system."""
        mapping = self.pair.mapping
        is_turned = mapping.left_system_id != self.pair.integration.left_system_id
        return mapping.left_type if is_turned else mapping.right_type


@dataclass(frozen=True, slots=True)
class FlowLine:
    """One direction: how far it is, and what it takes."""

    flow: Flow
    criteria: str
    lookup: str
    last_run: Run | None


def pair_lines(integration: Integration) -> list[PairLine]:
    """Return the pairs of one integration in their order."""
    flows = flows_of(integration)
    newest = (
        Run.objects.filter(flow__in=[flow.pk for flow in flows])
        .order_by()
        .values("flow")
        .annotate(newest=Max("pk"))
        .values("newest")
    )
    last = {run.flow_id: run for run in Run.objects.filter(pk__in=newest)}
    return [
        PairLine(
            pair,
            [
                FlowLine(flow, _criteria(flow), lookup.describe(flow.lookup), last.get(flow.pk))
                for flow in flows
                if flow.pair_id == pair.pk
            ],
        )
        for pair in integration.pairs.all()
    ]


def _criteria(flow: Flow) -> str:
    return counted(len(flow.criteria), "condition") if flow.criteria else ""


@dataclass(frozen=True, slots=True)
class Todo:
    """Something a person must see to: what happened, what it means, where to go."""

    kind: str
    title: str
    text: str
    url: str
    action: str
    at: datetime | None = None


def todo(listed: Iterable[Line], found: Iterable[Cause]) -> list[Todo]:
    """Return what needs a person: systems first, then flows, then records by cause."""
    systems: dict[int, System] = {}
    for line in listed:
        for system in (line.integration.left_system, line.integration.right_system):
            if system.needs_person:
                systems[system.pk] = system
    items = [
        Todo(
            "bad",
            f"{system} needs a person.",
            system.state_reason,
            reverse("systems:detail", args=[system.pk]),
            "Open the system",
            system.checked_at,
        )
        for system in systems.values()
    ]
    items += [_todo(cause) for cause in found]
    return items


def _todo(cause: Cause) -> Todo:
    failure = cause.first
    url = reverse("integrations:failure_detail", args=[failure.pk])
    if cause.is_flow:
        title, text = f"{failure.flow} stands still.", failure.message
        return Todo("bad", title, f"{text} {failure.hint}".strip(), url, "Look", cause.newest_at)
    if cause.count == 1:
        title = f"{failure.title or failure.record_id} could not be synced."
        return Todo("warn", title, failure.message, url, "Look", cause.newest_at)
    title = f"{counted(cause.count, 'record')} could not be synced: {failure.flow}."
    return Todo("warn", title, failure.message, url, "Look at the newest", cause.newest_at)
