"""Creates, changes and deletes systems."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from django.db import transaction

from hubconnect.connectors.errors import ConnectorError
from hubconnect.connectors.oauth import TokenStore
from hubconnect.core.models import User
from hubconnect.systems.models import SignIn, System
from hubconnect.systems.services import checking, identity, schema, signing_in, usage
from hubconnect.systems.services.token_stores import HeldTokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A system as a person filled it in: cleaned, not yet saved."""

    name: str
    connector: str
    parameters: Mapping[str, str]
    secrets: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SigningIn:
    """How a system that signs in by OAuth does so.

    Attributes:
        held: tokens of a new sign-in, to be stored; None to keep those stored already.
        actor: who signed in.
    """

    held: HeldTokens | None
    actor: User


def prove(
    draft: Draft, system: System | None, tokens: TokenStore | None = None
) -> checking.Checked:
    """Connect with what was filled in, and with the tokens of a person's sign-in if there are any.

    Raises:
        ConnectorError: it does not connect, or leads to another account than the linked records.
    """
    checked = checking.check_settings(
        draft.connector, draft.parameters, draft.secrets, tokens=tokens, system=system
    )
    if system is not None:
        identity.ensure_same_account(system, checked.report)
    return checked


@transaction.atomic
def save_proved(
    draft: Draft,
    system: System | None,
    checked: checking.Checked,
    sign_in: SigningIn | None = None,
) -> System:
    """Save what was proved to connect, with what the check found out."""
    found = {**draft.parameters, **checked.report.settled}
    saved = _save(replace(draft, parameters=found), system, sign_in)
    checking.store(saved, checked)
    return saved


@transaction.atomic
def save_unproved(
    draft: Draft,
    system: System | None,
    error: ConnectorError | None,
    sign_in: SigningIn | None = None,
) -> System:
    """Save although the system could not answer; its state says so."""
    saved = _save(draft, system, sign_in)
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


def _save(draft: Draft, system: System | None, sign_in: SigningIn | None) -> System:
    saved = system or System(connector=draft.connector)
    is_moved = system is not None and system.parameters != dict(draft.parameters)
    saved.name = draft.name
    saved.parameters = dict(draft.parameters)
    saved.secrets = dict(draft.secrets)
    saved.save()
    if is_moved:
        schema.forget(saved)
    if sign_in is None:  # it signs in otherwise now
        SignIn.objects.filter(system=saved).delete()
    elif sign_in.held is not None:
        signing_in.store(saved, sign_in.held, sign_in.actor)
    return saved
