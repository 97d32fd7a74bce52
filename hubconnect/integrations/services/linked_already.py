"""Says that two records of one side would have the same counterpart, naming both."""

from hubconnect.connectors.errors import Category, RecordError
from hubconnect.engine.plan import LinkState
from hubconnect.integrations.models import Flow
from hubconnect.systems.models import System


def already_linked(flow: Flow, record_id: str, target_id: str, other_id: str) -> RecordError:
    """Return the error for a second source record that would have the same counterpart."""
    source, target = flow.source_system, flow.target_system
    return RecordError(
        f"{target_id} in {target} is already linked with {other_id} in {source}.",
        category=Category.ALREADY_LINKED,
        hint=f"{record_id} and {other_id} look like duplicates in {source}: merge them there or "
        "change what the lookup compares, then press Retry.",
    )


def in_the_way(flow: Flow, wanted: LinkState, other: LinkState) -> RecordError:
    """Return the error for a new link of which one record is linked with a third already."""
    if other.source_id != wanted.source_id:
        return already_linked(flow, wanted.source_id, wanted.target_id, other.source_id)
    source, target = flow.source_system, flow.target_system
    return RecordError(
        f"{wanted.source_id} in {source} was linked with {other.target_id} in {target} while "
        f"{wanted.target_id} there was written for it.",
        category=Category.ALREADY_LINKED,
        hint=f"{wanted.target_id} and {other.target_id} look like duplicates in {target}: merge "
        "them there or delete one, then press Retry.",
    )


def left_over(system: System, source_id: str, other_id: str) -> str:
    """Say why a record that was created a moment ago is left without a link."""
    return (
        f"It was created for {source_id} in {system}, which was linked with {other_id} meanwhile."
    )
