"""Secrets typed into a form that is not saved yet.

A page never gets a secret back, so after an error a person would have to type it again. It waits
in the session instead: sealed, for one form, for a quarter of an hour.
"""

from collections.abc import Mapping, MutableMapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils import timezone

from hubconnect.core.crypto import CannotOpenError, open_sealed, seal

KEEP_FOR: Final = timedelta(minutes=15)

Session = MutableMapping[str, Any]


def keep(session: Session, form: str, secrets: Mapping[str, str]) -> None:
    """Let what was typed into ``form`` wait for its next attempt."""
    if secrets:
        until = timezone.now() + KEEP_FOR
        session[_key(form)] = {"sealed": seal(secrets), "until": until.isoformat()}


def recall(session: Session, form: str) -> dict[str, str]:
    """Return the secrets that wait for ``form``, by parameter."""
    waiting = session.get(_key(form))
    if not waiting or datetime.fromisoformat(waiting["until"]) < timezone.now():
        return {}
    try:
        return open_sealed(waiting["sealed"])
    except CannotOpenError:  # the key was rotated away meanwhile
        return {}


def forget(session: Session, form: str) -> None:
    """Drop what waits for ``form``: it was saved or given up."""
    session.pop(_key(form), None)


def _key(form: str) -> str:
    return f"systems.pending.{form}"
