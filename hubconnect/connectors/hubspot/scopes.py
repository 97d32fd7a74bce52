"""Which scopes are needed for what, and what a set of granted scopes allows.

Names as in HubSpot's "Scopes" page; where a type has had two names, either will do.
"""

from collections.abc import Collection
from dataclasses import dataclass

from hubconnect.connectors.base import Ability, Grant, ObjectTypeReport
from hubconnect.connectors.hubspot.custom import (
    MAKE_SCOPE,
    READ_SCOPE,
    SEE_SCOPE,
    WRITE_SCOPE,
)
from hubconnect.connectors.hubspot.objects import KINDS, OWNERS_SCOPE, ObjectKind


@dataclass(frozen=True, slots=True)
class Need:
    """Something HubConnect does, and the scopes of which one allows it."""

    purpose: str
    scopes: tuple[str, ...]


def needs() -> list[Need]:
    """Return what HubConnect may need, by object type, then what serves all of them."""
    found: list[Need] = []
    for kind in KINDS.values():
        label = kind.label.lower()
        found += [
            Need(f"read {label}", kind.read_scopes),
            Need(f"create and change {label}", kind.write_scopes),
            *(Need(f"read, create and change {label}", (scope,)) for scope in kind.also_scopes),
            Need(f"set up the HubConnect key of {label}", kind.schema_scopes),
        ]
    found += [
        Need("list custom objects", (SEE_SCOPE,)),
        Need("read custom objects", (READ_SCOPE,)),
        Need("create and change custom objects", (WRITE_SCOPE,)),
        Need("set up the HubConnect key of custom objects", (MAKE_SCOPE,)),
    ]
    found.append(Need("show owners by e-mail and check the User Email", (OWNERS_SCOPE,)))
    return found


def has_any(granted: Collection[str], scopes: tuple[str, ...]) -> bool:
    """Tell whether one of the scopes is granted."""
    return any(scope in granted for scope in scopes)


def build_grants(granted: Collection[str]) -> tuple[Grant, ...]:
    """Return the needed scopes, granted or missing, and then the other granted ones."""
    purposes: dict[str, list[str]] = {}
    for need in needs():
        fitting = [scope for scope in need.scopes if scope in granted] or [need.scopes[0]]
        purposes.setdefault(fitting[0], []).append(need.purpose)
    grants = [Grant(scope, scope in granted, "; ".join(texts)) for scope, texts in purposes.items()]
    others = sorted(scope for scope in granted if scope not in purposes)
    return (*grants, *(Grant(scope, granted=True) for scope in others))


def report_on(kind: ObjectKind, granted: Collection[str]) -> ObjectTypeReport:
    """Return what the granted scopes allow with an object type."""
    to_read, to_write = kind.lacks_to_read(granted), kind.lacks_to_write(granted)
    return ObjectTypeReport(
        name=kind.name,
        label=kind.label,
        read=Ability.NO if to_read else Ability.YES,
        write=Ability.NO if to_write else Ability.YES,
        needed=", ".join(dict.fromkeys((*to_read, *to_write))),
    )
