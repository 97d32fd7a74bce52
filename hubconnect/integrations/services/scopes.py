"""Which scopes flows need of the systems they connect."""

from collections.abc import Iterator

from django.db.models import Q

from hubconnect.connectors.base import Connector
from hubconnect.connectors.needs import Use
from hubconnect.engine.children import ChildrenSpec
from hubconnect.integrations.models import Flow
from hubconnect.integrations.services.childspec import build_children
from hubconnect.systems.models import System


def uses_of(system: System) -> list[Use]:
    """Return what all flows that are switched on use a system for, at work or not yet."""
    is_side = Q(pair__mapping__left_system=system) | Q(pair__mapping__right_system=system)
    flows = Flow.objects.filter(is_side, is_enabled=True).select_related(
        "pair__mapping__left_system", "pair__mapping__right_system"
    )
    found = []
    for flow in flows:
        children = build_children(flow)
        if flow.source_system == system:
            found.append(source_use(flow, children))
        if flow.target_system == system:
            found.append(target_use(flow, children))
    return found


def source_use(flow: Flow, children: ChildrenSpec) -> Use:
    """Return what a flow uses its source for; the other side's id and link go there."""
    remote = children.remote
    return Use(
        object_type=flow.source_type,
        reads=True,
        writes=bool(remote.source_id or remote.source_link),
        has_comments=children.comments is not None,
        has_attachments=children.files is not None,
        associated=tuple(one.source_to for one in children.associations),
    )


def target_use(flow: Flow, children: ChildrenSpec) -> Use:
    """Return what a flow uses its target for."""
    return Use(
        object_type=flow.target_type,
        writes=True,
        has_comments=children.comments is not None,
        has_attachments=children.files is not None,
        associated=tuple(one.target_to for one in children.associations),
    )


def missing(
    flow: Flow, children: ChildrenSpec, source: Connector, target: Connector
) -> Iterator[str]:
    """Yield a sentence for each scope without which the flow would fail.

    Raises:
        ConnectorError: a system cannot tell now.
    """
    for system, connector, use in (
        (flow.source_system, source, source_use(flow, children)),
        (flow.target_system, target, target_use(flow, children)),
    ):
        needs = [need for need in connector.needs([use]) if not need.is_optional]
        granted = connector.granted() if needs else None
        if granted is None:
            continue
        for need in needs:
            if not need.is_met(granted):
                yield (
                    f"{system} lacks the scope {need.label}, needed to {need.purpose}. Grant it "
                    f"in the app, then renew the sign-in of {system}."
                )
