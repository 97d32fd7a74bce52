"""The pairs of an integration as its page shows them."""

from dataclasses import dataclass

from hubconnect.core.wording import counted
from hubconnect.engine import lookup
from hubconnect.integrations.models import Flow, Integration, Pair, Run
from hubconnect.integrations.services.standing import flows_of, last_runs


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
    last = last_runs(flows)
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
