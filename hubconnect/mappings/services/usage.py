"""Which integrations use a mapping, and therefore keep it from being edited or deleted."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from hubconnect.mappings.models import Mapping


@dataclass(frozen=True, slots=True)
class Use:
    """An integration that uses a mapping: its name, and whether it is active."""

    integration: str
    is_active: bool


# Names the integrations that use a mapping. They live in a higher layer, which registers itself
# here when it starts.
Guard = Callable[[Mapping], Iterable[Use]]

_guards: Final[list[Guard]] = []


class InUseError(Exception):
    """The mapping cannot be edited or deleted; the text names the integrations and says why."""


def register_guard(guard: Guard) -> None:
    """Have ``guard`` asked before a mapping is edited or deleted. Twice counts once."""
    if guard not in _guards:
        _guards.append(guard)


def uses_of(mapping: Mapping) -> list[Use]:
    """Return the integrations that use a mapping."""
    return [use for guard in _guards for use in guard(mapping)]


def lock_reason(mapping: Mapping) -> str:
    """Return why a mapping cannot be edited now, or ""."""
    active = [use.integration for use in uses_of(mapping) if use.is_active]
    if not active:
        return ""
    named = ", ".join(f"“{name}”" for name in active)
    return f"It is used by {named}, which must be deactivated before it can be edited."


def ensure_editable(mapping: Mapping) -> None:
    """Refuse to change rows under a running integration.

    Raises:
        InUseError: naming the active integrations.
    """
    reason = lock_reason(mapping)
    if reason:
        raise InUseError(reason)


def ensure_unused(mapping: Mapping) -> None:
    """Refuse to delete what an integration needs, active or not.

    Raises:
        InUseError: naming the integrations.
    """
    uses = uses_of(mapping)
    if uses:
        named = ", ".join(f"“{use.integration}”" for use in uses)
        msg = f"{mapping.name} cannot be deleted: it is used by {named}. Remove it there first."
        raise InUseError(msg)
