"""Scopes that were granted, held against those that are needed."""

from collections.abc import Collection, Iterable

from hubconnect.connectors.base import Grant
from hubconnect.connectors.needs import Need, describe


def build_grants(granted: Collection[str], needs: Iterable[Need]) -> tuple[Grant, ...]:
    """Return the needed scopes, granted or missing, and then the other granted ones."""
    rows: dict[str, list[Need]] = {}
    for need in needs:
        name = next((scope for scope in need.scopes if scope in granted), need.scopes[0])
        rows.setdefault(name, []).append(need)
    others = sorted(scope for scope in granted if scope not in rows)
    needed = (_grant(name, found, granted) for name, found in rows.items())
    return (*needed, *(Grant(scope, granted=True) for scope in others))


def _grant(name: str, needs: list[Need], granted: Collection[str]) -> Grant:
    known_as = dict.fromkeys(need.known_as for need in needs if need.known_as not in ("", name))
    return Grant(
        name,
        name in granted,
        describe(act for need in needs for act in need.acts),
        known_as=", ".join(known_as),
        is_optional=all(need.is_optional for need in needs),
    )
