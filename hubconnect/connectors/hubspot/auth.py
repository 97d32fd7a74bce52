"""How requests are signed: with a token that stays, or with one that is renewed by OAuth."""

import hashlib
from collections.abc import Mapping

from hubconnect.connectors.base import Context, Settings
from hubconnect.connectors.errors import AttentionError, Category
from hubconnect.connectors.http import Answer
from hubconnect.connectors.hubspot.api import Signer
from hubconnect.connectors.hubspot.oauth import CODE, RECONNECT, HubSpotApp
from hubconnect.connectors.oauth import TokenStore
from hubconnect.connectors.parameters import Secret

TOKEN = "token"  # noqa: S105 - name of a way to sign in
OAUTH = "oauth"


class AccessToken:
    """The token of a private app, a static app token or a service key."""

    def __init__(self, api_url: str, token: Secret) -> None:
        """Keep both."""
        self._token = token
        self.name = fingerprint(api_url, token.reveal())

    @property
    def calls(self) -> Mapping[str, int]:
        """Return no requests: nothing is renewed."""
        return {}

    def token(self, refused: Secret | None = None) -> Secret:  # noqa: ARG002 - there is no other
        """Return the token."""
        return self._token

    def introspect(self) -> Answer | None:
        """Return nothing: an API call tells what such a token is."""
        return None

    def reworded(self, error: AttentionError) -> AttentionError:
        """Return the error as it is: it speaks of an access token."""
        return error

    def close(self) -> None:
        """Have nothing to give back."""


class SignIn:
    """An OAuth app that a person let into the account."""

    def __init__(self, app: HubSpotApp, store: TokenStore) -> None:
        """Keep both."""
        self._app = app
        self._store = store
        self.name = fingerprint(app.id, store.name)

    @property
    def calls(self) -> Mapping[str, int]:
        """Return the requests to the token endpoint, by kind."""
        return self._app.http.calls

    def token(self, refused: Secret | None = None) -> Secret:
        """Return an access token that is good now."""
        return self._store.access_token(self._app.renew, refused=refused)

    def introspect(self) -> Answer | None:
        """Return what HubSpot tells of the access token."""
        return self._app.introspect(self.token())

    def reworded(self, error: AttentionError) -> AttentionError:
        """Return an error of a refused token in words that fit this way to sign in."""
        if error.missing_scopes:
            hint = (
                "Add it to the app in HubSpot, then press Reconnect on the system's page: a "
                "change of scopes needs a new consent."
            )
        elif error.category is Category.AUTHENTICATION:
            hint = RECONNECT
        else:
            return error
        return AttentionError(
            error.message,
            hint=hint,
            category=error.category,
            parameter=CODE,
            missing_scopes=error.missing_scopes,
        )

    def close(self) -> None:
        """Give the app's connections back."""
        self._app.close()


def build_signer(settings: Settings, context: Context) -> Signer:
    """Return what signs requests.

    Raises:
        AttentionError: there is no token, or nobody has connected the app.
    """
    if settings.get("auth_type") == OAUTH:
        return _sign_in(settings, context)
    token = settings.get("access_token")
    if not isinstance(token, Secret) or not token:
        msg = "There is no access token for HubSpot."
        raise AttentionError(
            msg,
            hint="Enter the token of a private app, a static app token or a service key.",
            category=Category.AUTHENTICATION,
            parameter="access_token",
        )
    return AccessToken(str(settings.get("api_url") or ""), token)


def _sign_in(settings: Settings, context: Context) -> SignIn:
    app = build_app(settings, context)
    if app is None or context.tokens is None:
        msg = "No app is connected to HubSpot yet."
        raise AttentionError(
            msg,
            hint="Press Connect to HubSpot, or paste an authorization code.",
            category=Category.AUTHENTICATION,
            parameter=CODE,
        )
    return SignIn(app, context.tokens)


def build_app(settings: Settings, context: Context) -> HubSpotApp | None:
    """Return the app of these settings, None where another way to sign in is chosen."""
    secret = settings.get("client_secret")
    client_id = str(settings.get("client_id") or "")
    if settings.get("auth_type") != OAUTH or not isinstance(secret, Secret) or not client_id:
        return None
    return HubSpotApp(str(settings.get("api_url") or ""), client_id, secret, context)


def fingerprint(place: str, credential: str) -> str:
    """Return a name for this credential that tells nothing about it."""
    return hashlib.sha256(f"{place}\n{credential}".encode()).hexdigest()[:24]
