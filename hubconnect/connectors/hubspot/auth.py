"""How requests are signed."""

import hashlib

from hubconnect.connectors.base import Settings
from hubconnect.connectors.errors import AttentionError, Category
from hubconnect.connectors.parameters import Secret

TOKEN = "token"  # noqa: S105 - name of a way to sign in
OAUTH = "oauth"


def get_token(settings: Settings) -> Secret:
    """Return the token that signs requests.

    Raises:
        AttentionError: there is none, or OAuth was chosen, which cannot sign in yet.
    """
    if settings.get("auth_type") == OAUTH:
        msg = "This version of HubConnect cannot sign in to HubSpot by OAuth 2.0 yet."
        raise AttentionError(
            msg,
            hint="Choose Access Token as Authentication Type and enter a token.",
            category=Category.AUTHENTICATION,
            parameter="auth_type",
        )
    token = settings.get("access_token")
    if not isinstance(token, Secret) or not token:
        msg = "There is no access token for HubSpot."
        raise AttentionError(
            msg,
            hint="Enter the token of a private app, a static app token or a service key.",
            category=Category.AUTHENTICATION,
            parameter="access_token",
        )
    return token


def fingerprint(api_url: str, token: Secret) -> str:
    """Return a name for this credential that tells nothing about it."""
    text = f"{api_url}\n{token.reveal()}"
    return hashlib.sha256(text.encode()).hexdigest()[:24]
