"""Opens both ends of a flow, and makes sure that they still lead to the accounts of its links."""

from collections.abc import Iterator
from contextlib import contextmanager

from hubconnect.connectors.base import Connector
from hubconnect.connectors.budgets import Caller
from hubconnect.connectors.errors import AttentionError, Category
from hubconnect.integrations.models import Flow
from hubconnect.mappings.models import Direction
from hubconnect.systems.models import System
from hubconnect.systems.services.connections import open_connector


@contextmanager
def open_ends(flow: Flow) -> Iterator[tuple[Connector, Connector]]:
    """Open source and target of a flow that is to be run.

    Raises:
        AttentionError: one of them leads to another account than its links belong to.
        ConnectorError: one of them cannot be asked.
    """
    who = Caller(f"flow:{flow.pk}", is_load=_is_load(flow))
    with (
        open_connector(flow.source_system, caller=who) as source,
        open_connector(flow.target_system, caller=who) as target,
    ):
        verify_identity(flow.source_system, source)
        verify_identity(flow.target_system, target)
        yield source, target


def _is_load(flow: Flow) -> bool:
    """Tell whether the flow carries what was there before it: that may wait for a better day."""
    is_new = flow.phase == Flow.Phase.NEW and flow.start == Flow.Start.EVERYTHING
    return is_new or flow.phase == Flow.Phase.LOADING


def verify_identity(system: System, connector: Connector) -> None:
    """Refuse another account than the one the links belong to.

    Raises:
        AttentionError: naming both accounts.
    """
    found = connector.identity()
    if system.identity and found != system.identity:
        msg = f"{system} now leads to account {found}; its links belong to {system.identity}."
        hint = (
            f"Give {system} the credentials of {system.identity} again, or make a new system for "
            "the other account."
        )
        raise AttentionError(msg, hint=hint, category=Category.IDENTITY)


def opposite_of(flow: Flow) -> Flow | None:
    """Return the flow that carries the same pair the other way, if it is at work."""
    direction = Direction.TO_LEFT if flow.is_to_right else Direction.TO_RIGHT
    return (
        Flow.objects.filter(pair=flow.pair, direction=direction, is_enabled=True, is_paused=False)
        .select_related("pair__mapping__left_system", "pair__mapping__right_system")
        .first()
    )
