"""Connectors by slug: the built-in ones by hand, others through entry points."""

from functools import cache
from importlib.metadata import entry_points

from hubconnect.connectors.base import Connector
from hubconnect.connectors.hubspot.connector import HubSpotConnector
from hubconnect.connectors.sql.connector import SQLConnector

ENTRY_POINTS = "hubconnect.connectors"


@cache
def connectors() -> dict[str, type[Connector]]:
    """Return every known connector class by slug, the built-in ones first."""
    found: dict[str, type[Connector]] = {
        HubSpotConnector.slug: HubSpotConnector,
        SQLConnector.slug: SQLConnector,
    }
    for entry in entry_points(group=ENTRY_POINTS):
        connector: type[Connector] = entry.load()
        found.setdefault(connector.slug, connector)
    return found


def get_connector(slug: str) -> type[Connector]:
    """Return the connector class of this slug.

    Raises:
        LookupError: no such connector is installed.
    """
    try:
        return connectors()[slug]
    except KeyError:
        msg = f"No connector {slug!r} is installed. Known: {', '.join(connectors())}."
        raise LookupError(msg) from None
