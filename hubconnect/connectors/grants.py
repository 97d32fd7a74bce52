"""Scopes that were granted, held against those that are needed."""

from collections.abc import Collection, Iterable

from hubconnect.connectors.base import Grant
from hubconnect.connectors.needs import Need


def build_grants(granted: Collection[str], needs: Iterable[Need]) -> tuple[Grant, ...]:
    """Return the needed scopes, granted or missing, and then the other granted ones."""
    rows: dict[str, Grant] = {}
    for need in needs:
        name = next((scope for scope in need.scopes if scope in granted), need.scopes[0])
        known = rows.get(name)
        rows[name] = Grant(
            name,
            name in granted,
            f"{known.purpose}; {need.purpose}" if known else need.purpose,
            known_as=need.known_as if need.known_as != name else "",
            is_optional=need.is_optional and (known is None or known.is_optional),
        )
    others = sorted(scope for scope in granted if scope not in rows)
    return (*rows.values(), *(Grant(scope, granted=True) for scope in others))
