"""Creates, changes and deletes systems."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction

from hubconnect.connectors.errors import ConnectorError
from hubconnect.systems.models import System
from hubconnect.systems.services import checking, identity, schema, usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A system as a person filled it in: cleaned, not yet saved."""

    name: str
    connector: str
    parameters: Mapping[str, str]
    secrets: Mapping[str, str]


def prove(draft: Draft, system: System | None) -> checking.Checked:
    """Connect with what was filled in.

    Raises:
        ConnectorError: it does not connect, or leads to another account than the linked records.
    """
    checked = checking.check_settings(draft.connector, draft.parameters, draft.secrets)
    if system is not None:
        identity.ensure_same_account(system, checked.report)
    return checked


@transaction.atomic
def save_proved(draft: Draft, system: System | None, checked: checking.Checked) -> System:
    """Save what was proved to connect."""
    saved = _save(draft, system)
    checking.store(saved, checked)
    return saved


@transaction.atomic
def save_unproved(draft: Draft, system: System | None, error: ConnectorError | None) -> System:
    """Save although the system could not answer; its state says so."""
    saved = _save(draft, system)
    saved.state = checking.state_of(error) if error else System.State.UNCHECKED
    saved.state_reason = error.message if error else ""
    saved.save(update_fields=["state", "state_reason", "updated_at"])
    return saved


def delete_system(system: System) -> None:
    """Delete a system that nothing uses.

    Raises:
        InUseError: naming what uses it.
    """
    with transaction.atomic():
        usage.ensure_unused(system)
        system.delete()


def _save(draft: Draft, system: System | None) -> System:
    saved = system or System(connector=draft.connector)
    is_moved = system is not None and system.parameters != dict(draft.parameters)
    saved.name = draft.name
    saved.parameters = dict(draft.parameters)
    saved.secrets = dict(draft.secrets)
    saved.save()
    if is_moved:
        schema.forget(saved)
    return saved
