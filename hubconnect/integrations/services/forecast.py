"""Foresees what a flow would do: records on each side, links, creates to expect, obstacles."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from hubconnect.connectors.base import Capability, Condition, Connector, ObjectType, Operator
from hubconnect.connectors.errors import ConnectorError
from hubconnect.engine.criteria import CriteriaInvalidError
from hubconnect.engine.mapping import MappingBrokenError
from hubconnect.integrations.models import Flow, Link
from hubconnect.integrations.services import scopes, type_pairs, widening
from hubconnect.integrations.services.child_forecast import child_problems
from hubconnect.integrations.services.childspec import build_children
from hubconnect.integrations.services.flowspec import FlowSpec, build_spec
from hubconnect.integrations.services.looking import Looking, looking
from hubconnect.integrations.services.widening import Widened
from hubconnect.systems.models import System


@dataclass(slots=True)
class FlowForecast:
    """What one flow would do once it is active.

    Attributes:
        source_count: source records that its criteria take, or None when it could not be asked.
        target_count: target records, whatever they are.
        links: records known to be the same already.
        creates: records to create in the target at most, by the chosen start.
        is_upper_bound: a lookup may find some of them, so that fewer are created.
        widened: its criteria changed since it ran by them, and what they take now and took before.
    """

    flow: Flow
    source_count: int | None = None
    target_count: int | None = None
    links: int = 0
    creates: int = 0
    is_upper_bound: bool = False
    widened: Widened | None = None
    problems: list[str] = field(default_factory=list)

    @property
    def source(self) -> System:
        """The system that is read."""
        return self.flow.source_system

    @property
    def target(self) -> System:
        """The system that is written."""
        return self.flow.target_system

    @property
    def must_confirm(self) -> bool:
        """Tell whether both sides are filled and nothing would keep records from doubling.

        A load that goes on was confirmed when it began.
        """
        return bool(
            self.creates
            and self.target_count
            and self.flow.phase != Flow.Phase.LOADING
            and not self.flow.lookup
            and self.flow.creates_confirmed is None
        )

    @property
    def sentences(self) -> list[str]:
        """The problems, each with the flow it is of."""
        return [f"{self.flow}: {problem}" for problem in self.problems]


def foresee(flows: list[Flow]) -> list[FlowForecast]:
    """Ask the systems about flows; each system is opened once."""
    with looking() as look:
        return [_foresee(flow, look) for flow in flows]


def _foresee(flow: Flow, look: Looking) -> FlowForecast:
    forecast = FlowForecast(flow)
    if flow.pair.type_pair_id is None:
        type_pairs.recall(flow.pair)
    if not flow.start:
        forecast.problems.append("choose where to start: everything, from now, or a time.")
    try:
        source, target = look.open(forecast.source), look.open(forecast.target)
        ungranted = list(scopes.missing(flow, build_children(flow), source, target))
        if ungranted:  # what else there is to say could not be asked
            forecast.problems += ungranted
            return forecast
        spec = build_spec(flow, source, target)
        forecast.problems += _missing(flow, spec, source, target)
        forecast.problems += child_problems(flow, spec.children, source, target)
        _count(forecast, spec, source, target)
    except ConnectorError as error:
        forecast.problems.append(" ".join(filter(None, [error.message, error.hint])))
    except CriteriaInvalidError as error:
        forecast.problems.append(f"criteria or lookup: {error.message} {error.hint}".strip())
    except MappingBrokenError as error:
        forecast.problems.append(f"mapping {flow.pair.mapping}: {error}")
    return forecast


def _missing(flow: Flow, spec: FlowSpec, read: Connector, written: Connector) -> Iterator[str]:
    if not spec.plan.flows:
        yield f"mapping {flow.pair.mapping} has no row that flows this way."
    kind = _type_of(written, flow.target_type)
    wanted = [Capability.UPDATE]
    if not flow.lookup or flow.none_found == Flow.NoneFound.CREATE:
        wanted.insert(0, Capability.CREATE)
    if kind is not None:
        for one in wanted:
            if one not in kind.capabilities:
                yield (
                    kind.why_not.get(one)
                    or f"{flow.target_system} offers no {one} of {kind.label}."
                )
        if Capability.CREATE in wanted:
            yield from _lonely(flow, spec, kind)
    source = _type_of(read, flow.source_type)
    if flow.start == Flow.Start.TIME and source is not None and not source.modified_field:
        yield (
            f"{source.label} in {flow.source_system} carries no modified time, so a start at a "
            "time is impossible. Choose everything or from now."
        )


def _lonely(flow: Flow, spec: FlowSpec, kind: ObjectType) -> Iterator[str]:
    """Tell that no record could be created for want of a link that every one needs."""
    ends = {one.target_to for one in spec.children.associations}
    if kind.needs_association and not ends & set(kind.needs_association):
        yield (
            f"{kind.label.lower()} are created in {flow.target_system} only with a link to one of "
            f"{', '.join(kind.needs_association)}, and mapping {flow.pair.mapping} carries none. "
            "Add an association to it."
        )


def _type_of(connector: Connector, name: str) -> ObjectType | None:
    return next((one for one in connector.object_types() if one.name == name), None)


def _count(forecast: FlowForecast, spec: FlowSpec, source: Connector, target: Connector) -> None:
    flow = forecast.flow
    forecast.source_count = source.count(flow.source_type, spec.criteria)
    forecast.target_count = target.count(flow.target_type)
    if flow.pair.type_pair_id is not None:
        forecast.links = Link.objects.filter(type_pair=flow.pair.type_pair_id).count()
    if widening.is_open(flow):
        forecast.widened = widening.count(flow, spec, source, forecast.source_count)
    if flow.phase == Flow.Phase.RUNNING or flow.start in ("", Flow.Start.NOW):
        return
    if flow.lookup and flow.none_found == Flow.NoneFound.SKIP:
        return
    taken = forecast.source_count
    kind = _type_of(source, flow.source_type)
    if flow.start == Flow.Start.TIME and kind is not None and kind.modified_field:
        since = Condition(kind.modified_field, Operator.GREATER_THAN_OR_EQUALS, flow.start_at)
        taken = source.count(flow.source_type, (*spec.criteria, since))
    forecast.creates = max(taken - forecast.links, 0)
    forecast.is_upper_bound = bool(flow.lookup)
