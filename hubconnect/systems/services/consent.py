"""Asking a person's consent at the system: the address to open, and what comes back from there.

What leads there carries a ``state``: signed, bound to the session, good once and for a quarter of
an hour. What comes back without it is nobody's answer to a question of ours.
"""

import secrets
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core import signing
from django.urls import reverse

Session = MutableMapping[str, Any]

STATE_LIFE: Final = timedelta(minutes=15)
MOST_OPEN: Final = 5
_SALT: Final = "hubconnect.systems.consent"
_BINDING: Final = "systems.consent.binding"
_OPEN: Final = "systems.consent.open"
_AGAIN: Final = "Press the button to connect once more."


class StateRefusedError(Exception):
    """What came back does not answer a question that was asked in this session."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question under way.

    Attributes:
        form: key of the form, or of the system, it was asked from.
        is_direct: asked from the system's page: the answer is stored at once.
    """

    form: str
    is_direct: bool


def redirect_uri() -> str:
    """Return the address to enter at the app: the system leads back there."""
    return f"{settings.PUBLIC_URL}{reverse('systems:oauth_callback')}"


def redirect_problem(host: str) -> str:
    """Return why a redirect would not work, or "".

    Args:
        host: under which this page was opened.
    """
    public = urlsplit(settings.PUBLIC_URL)
    if public.scheme != "https" and public.hostname != "localhost":
        return (
            "Redirects go to https:// addresses only, and to http://localhost. Set PUBLIC_URL to "
            "the https:// address of HubConnect."
        )
    if host != public.netloc:
        return (
            f"This page was opened at {host}, and the answer comes to {public.netloc}. Open "
            f"HubConnect at {settings.PUBLIC_URL} to connect."
        )
    return ""


def ask(session: Session, asked: Asked) -> str:
    """Return the state of a new question."""
    binding = session.setdefault(_BINDING, secrets.token_urlsafe(16))
    nonce = secrets.token_urlsafe(16)
    kept = dict(list(session.get(_OPEN, {}).items())[-MOST_OPEN + 1 :])
    session[_OPEN] = {**kept, nonce: [asked.form, asked.is_direct]}
    return signing.dumps({"nonce": nonce, "binding": binding}, salt=_SALT)


def receive(session: Session, state: str) -> Asked:
    """Return the question that this state answers; it is closed by that.

    Raises:
        StateRefusedError: with the sentence for the person.
    """
    try:
        told: Mapping[str, str] = signing.loads(state, salt=_SALT, max_age=STATE_LIFE)
    except signing.SignatureExpired as error:
        msg = f"This connection was begun more than a quarter of an hour ago. {_AGAIN}"
        raise StateRefusedError(msg) from error
    except signing.BadSignature as error:
        msg = f"This answer belongs to no connection that was begun here. {_AGAIN}"
        raise StateRefusedError(msg) from error
    if told["binding"] != session.get(_BINDING):
        msg = f"This connection was begun in another browser or another session. {_AGAIN}"
        raise StateRefusedError(msg)
    still_open = dict(session.get(_OPEN, {}))
    asked = still_open.pop(told["nonce"], None)
    session[_OPEN] = still_open
    if asked is None:
        msg = f"This answer was received already, and counts once. {_AGAIN}"
        raise StateRefusedError(msg)
    return Asked(form=asked[0], is_direct=asked[1])
