"""Puts integrations to work and stops them, after showing what that would do."""

from collections.abc import Collection, Mapping as ReadOnly
from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone

from hubconnect.core.models import User
from hubconnect.integrations.models import Flow, Integration, Pair, Run
from hubconnect.integrations.services import (
    closing,
    row_changes,
    shared_fields,
    type_pairs,
    widening,
)
from hubconnect.integrations.services.forecast import FlowForecast, foresee
from hubconnect.integrations.services.nudging import Nudge
from hubconnect.integrations.services.row_changes import PairChanges


class ActivationRefusedError(Exception):
    """Activation would fail or do harm.

    Attributes:
        problems: sentences, one per reason.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class ActivationPreview:
    """What activating would do, flow by flow."""

    flows: list[FlowForecast]
    problems: list[str] = field(default_factory=list)
    changes: list[PairChanges] = field(default_factory=list)

    @property
    def can_activate(self) -> bool:
        """Tell whether nothing stands in the way but a number to type."""
        return not self.problems and not any(flow.problems for flow in self.flows)

    @property
    def creates(self) -> int:
        """Records that would be created, both ways."""
        return sum(flow.creates for flow in self.flows)

    @property
    def widened(self) -> list[FlowForecast]:
        """Flows whose criteria changed, so that a person chooses what of it is loaded."""
        return [flow for flow in self.flows if flow.widened is not None]

    @property
    def to_confirm(self) -> list[FlowForecast]:
        """Flows whose number of creates must be typed."""
        return [flow for flow in self.flows if flow.must_confirm]


def preview(integration: Integration) -> ActivationPreview:
    """Ask both systems what activation would do. Nothing is written."""
    flows = [
        flow
        for pair in integration.pairs.select_related(
            "integration", "mapping__left_system", "mapping__right_system", "type_pair"
        ).prefetch_related("flows")
        for flow in _flows_of(pair)
        if flow.is_enabled
    ]
    problems = _own_problems(integration, flows)
    pairs = {flow.pair.pk: flow.pair for flow in flows}
    return ActivationPreview(foresee(flows), problems, row_changes.changes(pairs.values()))


def _flows_of(pair: Pair) -> list[Flow]:
    flows = list(pair.flows.all())
    for flow in flows:
        flow.pair = pair
    return flows


def _own_problems(integration: Integration, flows: list[Flow]) -> list[str]:
    if not flows:
        return ["There is no pair with a direction that is switched on. Add one first."]
    problems = []
    for system in (integration.left_system, integration.right_system):
        if not system.identity:
            problems.append(
                f"{system} was never checked, so its account is not known. Check it first."
            )
        elif system.needs_person:
            problems.append(f"{system} needs a person first: {system.state_reason}")
    for pair in {flow.pair for flow in flows}:
        mapping = pair.mapping
        left, right = mapping.left_system, mapping.right_system
        is_same = (left.identity, mapping.left_type) == (right.identity, mapping.right_type)
        if left.identity and is_same:
            problems.append(f"{mapping}: both sides are {mapping.left_type} of the same account.")
    return problems + shared_fields.problems(flows)


def activate(
    integration: Integration,
    actor: User,
    confirmed: ReadOnly[int, int | None],
    loads: Collection[int] = (),
    chosen: ReadOnly[str, str] | None = None,
) -> Nudge:
    """Put an integration to work: its flows are due at once.

    Args:
        integration: with its pairs and flows.
        actor: who does it.
        confirmed: the typed numbers of creates by the flow's key.
        loads: keys of flows that load what their changed criteria newly take; the others go on
            with changes from now on.
        chosen: what becomes of rows that came or changed while records are linked, by
            ``<pair>-<row>``: see ``row_changes``.

    Raises:
        ActivationRefusedError: with every reason.
    """
    seen = preview(integration)
    problems = [*seen.problems, *(text for flow in seen.flows for text in flow.sentences)]
    problems += [
        f"{flow.flow}: {flow.creates:,} records would be created in {flow.target}, which holds "
        f"{flow.target_count:,} already. Type {flow.creates} if that is what you want, "
        "or set a target lookup."
        for flow in seen.to_confirm
        if confirmed.get(flow.flow.pk) != flow.creates
    ]
    if problems:
        raise ActivationRefusedError(problems)
    with transaction.atomic():
        row_changes.begin(seen.changes, chosen or {})
        return _activate(integration, actor, seen, loads)


def _activate(
    integration: Integration, _actor: User, seen: ActivationPreview, loads: Collection[int]
) -> Nudge:
    # The actor stands in the audit entry, which the request's middleware completes.
    row = Integration.objects.select_for_update().get(pk=integration.pk)
    now = timezone.now()
    for pair in {forecast.flow.pair for forecast in seen.flows}:
        type_pairs.join(pair)
        row_changes.remember(pair)
    for forecast in seen.flows:
        flow = forecast.flow
        flow.next_run_at, flow.nudged_at = now, None
        flow.is_paused, flow.setbacks = False, 0
        if forecast.must_confirm:
            flow.creates_confirmed = forecast.creates
        if forecast.widened is not None and flow.pk in loads:
            widening.begin(flow)
        if flow.phase != Flow.Phase.NEW:
            flow.taken_by = flow.criteria
        cursor = ("phase", "after_id", "is_window_open", "is_second_pass")
        due = ("next_run_at", "nudged_at", "is_paused", "setbacks")
        chosen = ("creates_confirmed", "taken_by", "widened_from")
        flow.save(update_fields=[*due, *chosen, *cursor])
    row.is_active, row.activated_at = True, now
    row.save(update_fields=["is_active", "activated_at", "updated_at"])
    integration.is_active = True
    nudge = Nudge.of(forecast.flow.pk for forecast in seen.flows)
    transaction.on_commit(nudge.send)
    return nudge


def deactivate(integration: Integration, actor: User) -> None:  # noqa: ARG001 - asked of all acts
    """Stop an integration: what runs ends its page, nothing starts any more."""
    with transaction.atomic():
        row = Integration.objects.select_for_update().get(pk=integration.pk)
        row.is_active = False
        row.save(update_fields=["is_active", "updated_at"])
        for pair in row.pairs.filter(known_rows=None).select_related("mapping"):
            row_changes.remember(pair)  # put to work before this was kept
        flows = Flow.objects.filter(pair__integration=row)
        flows.update(next_run_at=None, nudged_at=None)
        loads = Run.objects.filter(flow__in=flows, state=Run.State.RUNNING, slices__state="open")
        Run.objects.filter(pk__in=loads.values("pk")).update(
            state=Run.State.STOPPED,
            finished_at=timezone.now(),
            message="The integration was deactivated.",
            hint="The load goes on from where it stopped when the integration is active again.",
        )
        # Another integration may work on the same records, and this one may change or go.
        closing.release(list(flows.values_list("pk", flat=True)), timezone.now())
    integration.is_active = False


def run_now(of: Integration | Flow, actor: User) -> Nudge:
    """Make the flows due at once, without waiting for the schedule.

    Raises:
        ActivationRefusedError: the integration is not active, or nothing of it can run.
    """
    flows = Flow.objects.filter(is_enabled=True)
    flows = flows.filter(pk=of.pk) if isinstance(of, Flow) else flows.filter(pair__integration=of)
    integration = of.pair.integration if isinstance(of, Flow) else of
    if not integration.is_active:
        raise ActivationRefusedError([f"{integration} is not active. Activate it first."])
    with transaction.atomic():
        ids = list(flows.filter(is_paused=False).values_list("pk", flat=True))
        if not ids:
            msg = "The safety brake paused it. Look at the failure, then activate it again."
            raise ActivationRefusedError([msg])
        due = {"next_run_at": timezone.now(), "nudged_at": None, "asked_by": actor}
        Flow.objects.filter(pk__in=ids).update(**due)
        nudge = Nudge.of(ids)
        transaction.on_commit(nudge.send)
    return nudge
