"""Foresees whether comments and files can be carried, and that nothing is delivered twice."""

from collections.abc import Iterator

from django.db.models import Q

from hubconnect.connectors.base import Capability, Connector
from hubconnect.engine.children import ChildrenSpec
from hubconnect.integrations.models import Flow
from hubconnect.systems.models import System

WORDS = {Capability.COMMENTS: "comments", Capability.ATTACHMENTS: "files"}


def child_problems(
    flow: Flow, children: ChildrenSpec, source: Connector, target: Connector
) -> Iterator[str]:
    """Return why what hangs on records cannot be carried as the mapping says."""
    wanted = []
    if children.comments is not None:
        wanted.append(Capability.COMMENTS)
    if children.files is not None:
        wanted.append(Capability.ATTACHMENTS)
    for one in wanted:
        problems = [
            _unable(source, flow.source_system, flow.source_type, one),
            _unable(target, flow.target_system, flow.target_type, one),
        ]
        yield from filter(None, problems)
        if one is Capability.COMMENTS and not any(problems):
            yield from _delivered_twice(flow, source)


def _unable(connector: Connector, system: System, object_type: str, wanted: Capability) -> str:
    kind = next((one for one in connector.object_types() if one.name == object_type), None)
    if kind is None or wanted in kind.capabilities:
        return ""
    word = WORDS[wanted]
    why = kind.why_not.get(wanted, "")
    return f"{kind.label} in {system} cannot have {word}. {why}".strip()


def _delivered_twice(flow: Flow, source: Connector) -> Iterator[str]:
    """Refuse notes as comments beside notes as records of their own, to the same system."""
    commenting = source.commenting
    stored_as = commenting.stored_as(flow.source_type) if commenting is not None else ""
    if not stored_as:
        return
    integration = flow.pair.integration
    beside = Flow.objects.filter(
        Q(pair__integration=integration) | Q(pair__integration__is_active=True), is_enabled=True
    ).select_related(
        "pair__integration", "pair__mapping__left_system", "pair__mapping__right_system"
    )
    for other in beside:
        if _ends(other) == (_account(flow.source_system), stored_as, _account(flow.target_system)):
            yield (
                f"each of {stored_as} would arrive twice in {flow.target_system}: as a comment by "
                f"mapping {flow.pair.mapping}, and as a record by mapping {other.pair.mapping}. "
                "Choose one: switch comments off in the first, or take the other pair out."
            )


def _ends(flow: Flow) -> tuple[str, str, str]:
    return _account(flow.source_system), flow.source_type, _account(flow.target_system)


def _account(system: System) -> str:
    return system.identity or f"system {system.pk}"
