"""Points out that another system has the same app or token: one app serves one use."""

import hashlib
from collections.abc import Mapping

from hubconnect.connectors.registry import get_connector
from hubconnect.systems.models import System


def find_shared(
    slug: str, values: Mapping[str, str], system: System | None
) -> list[tuple[str, str]]:
    """Return labels of the parameters and name of the system, for each that has the same values.

    Args:
        slug: the connector.
        values: parameters and secrets as they would be saved.
        system: the one that is edited, if it is saved already.
    """
    ours = {**system.parameters, **system.secrets} if system is not None else {}
    exclusive = [
        one
        for one in get_connector(slug).parameters
        if one.is_exclusive
        and values.get(one.name)
        and values[one.name] != ours.get(one.name)  # else it was confirmed when it was entered
    ]
    found: list[tuple[str, str]] = []
    others = System.objects.filter(connector=slug)
    for other in others.exclude(pk=system.pk) if system is not None else others:
        theirs = {**other.parameters, **other.secrets}
        same = [one.label for one in exclusive if theirs.get(one.name) == values[one.name]]
        if same:
            found.append((" and ".join(same), other.name))
    return found


def mark(shared: list[tuple[str, str]]) -> str:
    """Return a word for what was pointed out, with which a person confirms exactly that."""
    return hashlib.sha256(repr(sorted(shared)).encode()).hexdigest()[:16]
