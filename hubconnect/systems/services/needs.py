"""What systems are used for and the scopes that needs; uses live in a higher layer.

That layer registers itself here when it starts, as it does with ``identity``.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

from hubconnect.connectors.base import CheckReport, Grant
from hubconnect.connectors.grants import build_grants
from hubconnect.connectors.needs import Need, Use
from hubconnect.connectors.registry import connectors
from hubconnect.systems.models import System

Collector = Callable[[System], Iterable[Use]]

_collectors: Final[list[Collector]] = []


def register_collector(collector: Collector) -> None:
    """Have ``collector`` asked what a system is used for. Twice counts once."""
    if collector not in _collectors:
        _collectors.append(collector)


def uses_of(system: System) -> list[Use]:
    """Return what a system is used for, by all integrations, at work or not."""
    return [use for collector in _collectors for use in collector(system)]


def needs_of(slug: str, system: System | None) -> tuple[Need, ...]:
    """Return the scopes a system's uses need; of no use yet, what may ever be needed."""
    connector = connectors().get(slug)
    if connector is None:
        return ()
    return connector.needs(uses_of(system) if system is not None else ())


def to_ask_for(slug: str, system: System | None) -> list[tuple[str, bool]]:
    """Return each scope to add to an app, and whether it is optional."""
    found: dict[str, bool] = {}
    for need in needs_of(slug, system):
        found[need.scopes[0]] = found.get(need.scopes[0], True) and need.is_optional
    return list(found.items())


def hold(grants: Iterable[Grant], system: System) -> tuple[Grant, ...]:
    """Return a check's grants held against what the system is used for now."""
    known = tuple(grants)
    if not known or not uses_of(system):
        return known
    granted = [grant.name for grant in known if grant.granted]
    return build_grants(granted, needs_of(system.connector, system))


def narrowed(report: CheckReport, system: System | None) -> CheckReport:
    """Return a report whose grants are those the system's uses need."""
    return replace(report, grants=hold(report.grants, system)) if system is not None else report
