"""Keeps the links of one account from being used in another."""

from collections.abc import Callable
from typing import Final

from hubconnect.connectors.base import CheckReport
from hubconnect.connectors.errors import AttentionError, Category
from hubconnect.systems.models import System

# Tells whether records of the account of this identity are linked. Links live in a higher layer,
# which registers itself here when it starts.
Guard = Callable[[str], bool]

_guards: Final[list[Guard]] = []


def register_guard(guard: Guard) -> None:
    """Have ``guard`` asked before a system turns to another account. Twice counts once."""
    if guard not in _guards:
        _guards.append(guard)


def has_links(identity: str) -> bool:
    """Tell whether records of this account are linked."""
    return bool(identity) and any(guard(identity) for guard in _guards)


def ensure_same_account(system: System, found: CheckReport) -> None:
    """Refuse another account than the one whose records are linked.

    Raises:
        AttentionError: naming both accounts.
    """
    if found.identity == system.identity or not has_links(system.identity):
        return
    ours = describe(system.identity, system.identity_label)
    theirs = describe(found.identity, found.identity_label)
    msg = (
        f"These credentials belong to account {theirs}; the records linked so far belong to "
        f"account {ours}."
    )
    hint = f"Enter credentials of {ours}, or add {theirs} as a system of its own."
    raise AttentionError(msg, hint=hint, category=Category.IDENTITY)


def describe(identity: str, label: str) -> str:
    """Return an account in words that hold its number: ``Alder & Finch (4242)``."""
    number = identity.rpartition(":")[2]
    return label if number in label else f"{label} ({number})".strip()
