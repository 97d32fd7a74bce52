"""What was typed into a form that is not saved yet.

A page never gets a secret back, so after an error a person would have to type it again. It waits
in the session instead: sealed, for one form, for a quarter of an hour. So does all the rest while
a person is away to give consent, and what that brought.
"""

from collections.abc import Mapping, MutableMapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils import timezone

from hubconnect.connectors.oauth import Tokens
from hubconnect.connectors.parameters import Secret
from hubconnect.core.crypto import CannotOpenError, open_sealed, seal
from hubconnect.systems.services.token_stores import HeldTokens

KEEP_FOR: Final = timedelta(minutes=15)

Session = MutableMapping[str, Any]


def keep(session: Session, form: str, secrets: Mapping[str, str]) -> None:
    """Let what was typed into ``form`` wait for its next attempt."""
    if not secrets:
        session.pop(_key(form), None)
        return
    _put(session, _key(form), seal(secrets))


def recall(session: Session, form: str) -> dict[str, str]:
    """Return the secrets that wait for ``form``, by parameter."""
    return _opened(session, _key(form))


def keep_values(session: Session, form: str, values: Mapping[str, str]) -> None:
    """Let the form's clear text wait while the person is away."""
    _put(session, f"{_key(form)}.values", dict(values))


def recall_values(session: Session, form: str) -> dict[str, str]:
    """Return the clear text that waits for ``form``."""
    return dict(_waiting(session, f"{_key(form)}.values") or {})


def keep_tokens(session: Session, form: str, held: HeldTokens) -> None:
    """Let the tokens of a sign-in wait until the form is saved."""
    tokens = {
        "app": held.app,
        "access": held.access.reveal(),
        "refresh": held.refresh.reveal(),
        "expires_at": held.expires_at.isoformat(),
    }
    _put(session, f"{_key(form)}.tokens", seal(tokens))


def recall_tokens(session: Session, form: str) -> HeldTokens | None:
    """Return the tokens that wait for ``form``, if there are any."""
    kept = _opened(session, f"{_key(form)}.tokens")
    if not kept:
        return None
    lasts = datetime.fromisoformat(kept["expires_at"]) - timezone.now()
    return HeldTokens(kept["app"], Tokens(Secret(kept["access"]), Secret(kept["refresh"]), lasts))


def forget(session: Session, form: str) -> None:
    """Drop what waits for ``form``: it was saved or given up."""
    for part in ("", ".values", ".tokens"):
        session.pop(f"{_key(form)}{part}", None)


def _put(session: Session, key: str, what: str | dict[str, str]) -> None:
    until = timezone.now() + KEEP_FOR
    session[key] = {"what": what, "until": until.isoformat()}


def _waiting(session: Session, key: str) -> Any:  # noqa: ANN401 - what was put there
    """Return what waits under a key, None if nothing does or it waited too long."""
    kept = session.get(key)
    if not isinstance(kept, dict) or "until" not in kept:
        return None
    return None if datetime.fromisoformat(kept["until"]) < timezone.now() else kept.get("what")


def _opened(session: Session, key: str) -> dict[str, str]:
    sealed = _waiting(session, key)
    try:
        return open_sealed(sealed) if sealed else {}
    except CannotOpenError:  # the key was rotated away meanwhile
        return {}


def _key(form: str) -> str:
    return f"systems.pending.{form}"
