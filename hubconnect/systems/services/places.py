"""Addresses in a system's own application, for guides: of the account that was chosen."""

from collections.abc import Mapping

from hubconnect.connectors.registry import connectors
from hubconnect.systems.models import System


def systems_with_places() -> list[tuple[System, Mapping[str, str]]]:
    """Return the systems whose connector knows pages to lead to, with the addresses by name."""
    found = []
    for system in System.objects.defer("secrets"):
        connector = connectors().get(system.connector)
        if connector is None:
            continue
        facts = dict((system.report or {}).get("facts", ()))
        places = connector.places(system.identity, facts)
        if places:
            found.append((system, places))
    return found
