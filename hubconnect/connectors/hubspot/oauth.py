"""Signing in by OAuth 2.0, as on HubSpot's pages "OAuth quickstart" and "Manage OAuth tokens".

A code is sent once: repeating it after a lost answer would find it used up.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from hubconnect.connectors.base import Context
from hubconnect.connectors.budgets import Clock
from hubconnect.connectors.errors import (
    AttentionError,
    Category,
    ConnectorError,
    OutcomeUnknownError,
    SignInLostError,
)
from hubconnect.connectors.guard import WriteGuard
from hubconnect.connectors.http import FORM, Answer, HttpClient, Request, temporary_error
from hubconnect.connectors.hubspot.api import OAUTH_INTROSPECT, OAUTH_TOKEN
from hubconnect.connectors.hubspot.errors import BAD_REQUEST, HOST, not_hubspot
from hubconnect.connectors.oauth import Invitation, Tokens
from hubconnect.connectors.parameters import Secret

API_HOSTS = {"api.hubapi.com", "api.hubspot.com"}
APP_HOST = "https://app.hubspot.com"
CODE = "authorization_code"
BASE_SCOPE = "oauth"

CONNECT_AGAIN = "Press Connect to HubSpot, or install the app once more and paste the new code."
RECONNECT = "Press Reconnect on the system's page."
# Where HubSpot leaves out its own status, RFC 6749's error stands for one.
STANDARD = {
    "invalid_client": "BAD_CLIENT_SECRET",
    "unsupported_grant_type": "BAD_GRANT_TYPE",
}


def app_host(api_url: str) -> str:
    """Return where people let apps in: HubSpot's own pages, or those of another API's host."""
    is_hubspot = (urlsplit(api_url).hostname or "") in API_HOSTS
    return APP_HOST if is_hubspot else api_url.rstrip("/")


class HubSpotApp:
    """A public app: its id and secret."""

    def __init__(
        self,
        api_url: str,
        client_id: str,
        client_secret: Secret,
        context: Context,
        *,
        clock: Clock | None = None,
    ) -> None:
        """Keep all; connect to nothing yet."""
        self._api_url = api_url
        self._client_id = client_id
        self._client_secret = client_secret
        self.http = HttpClient(
            api_url,
            replace(context, guard=WriteGuard()),  # no record is written here
            headers={"Accept": "application/json", "User-Agent": "HubConnect"},
            judge=_judge,
            parameter="api_url",
            clock=clock,
        )

    def close(self) -> None:
        """Give connections back."""
        self.http.close()

    @property
    def id(self) -> str:
        """Name the app by where it is and its client id."""
        return f"{self._api_url}#{self._client_id}"

    def install_url(self, invitation: Invitation) -> str:
        """Return where a HubSpot user lets the app in."""
        account = f"/{invitation.account}" if invitation.account else ""
        required = dict.fromkeys((BASE_SCOPE, *invitation.required))
        optional = [scope for scope in invitation.optional if scope not in required]
        query = {
            "client_id": self._client_id,
            "redirect_uri": invitation.redirect_uri,
            "scope": " ".join(required),
            "optional_scope": " ".join(dict.fromkeys(optional)),
            "state": invitation.state,
        }
        given = {name: text for name, text in query.items() if text}
        parameters = urlencode(given, quote_via=quote)
        return f"{app_host(self._api_url)}/oauth{account}/authorize?{parameters}"

    def exchange(self, code: Secret, redirect_uri: str) -> Tokens:
        """Exchange an authorization code, once."""
        fields = {
            "grant_type": "authorization_code",
            "code": code.reveal(),
            "redirect_uri": redirect_uri,
        }
        try:
            answer = self._send(OAUTH_TOKEN, fields, "sign in", is_write=True)
        except OutcomeUnknownError as error:
            msg = "HubSpot's answer to the authorization code was lost; the code may be used up."
            raise _sign_in_error(msg, CONNECT_AGAIN) from error
        return _tokens(answer, redirect_uri)

    def renew(self, refresh: Secret) -> Tokens:
        """Return a new access token."""
        fields = {"grant_type": "refresh_token", "refresh_token": refresh.reveal()}
        return _tokens(self._send(OAUTH_TOKEN, fields, "renew"))

    def introspect(self, access: Secret) -> Answer:
        """Return what HubSpot tells of an access token."""
        fields = {"token": access.reveal(), "token_type_hint": "access_token"}
        return self._send(OAUTH_INTROSPECT, fields, "account")

    def denial(self, error: str, description: str) -> AttentionError:
        """Return the error of a redirect that brings no code."""
        if error == "access_denied":
            return _sign_in_error(
                "The connection was refused in HubSpot, so nothing was connected.",
                "Connect again as a Super Admin of the account, and choose Connect app.",
            )
        told = ": ".join(filter(None, (error, description)))
        return _sign_in_error(f"HubSpot did not connect the app: {told}.", CONNECT_AGAIN)

    def _send(
        self, path: str, fields: Mapping[str, str], kind: str, *, is_write: bool = False
    ) -> Answer:
        own = {"client_id": self._client_id, "client_secret": self._client_secret.reveal()}
        return self.http.send(
            Request(
                method="POST",
                path=path,
                kind=kind,
                body=urlencode({**own, **fields}).encode(),
                content_type=FORM,
                is_write=is_write,
                is_repeatable=not is_write,
            )
        )


def _judge(answer: Answer) -> ConnectorError | None:
    """Return the error of an answer that means "not now", or is none of HubSpot's."""
    error = temporary_error(answer, HOST)
    if error is None and not isinstance(answer.data, dict):
        return not_hubspot(answer)
    return error


def _tokens(answer: Answer, redirect_uri: str = "") -> Tokens:
    """Return what was issued.

    Raises:
        AttentionError: nothing was; a person must act.
    """
    data: dict[str, Any] = answer.data
    if answer.status >= BAD_REQUEST:
        raise refusal(data, redirect_uri)
    access, refresh, seconds = (
        data.get(name) for name in ("access_token", "refresh_token", "expires_in")
    )
    if not (isinstance(access, str) and isinstance(refresh, str) and isinstance(seconds, int)):
        raise not_hubspot(answer)
    return Tokens(Secret(access), Secret(refresh), timedelta(seconds=seconds))


def refusal(data: Mapping[str, Any], redirect_uri: str = "") -> AttentionError:
    """Return the error of a refused exchange (with its redirect address) or renewal (without)."""
    error = str(data.get("error") or "")
    status = str(data.get("status") or "")
    if status not in SENTENCES and status not in LOST:
        status = STANDARD.get(error, status)
    if status not in SENTENCES and status not in LOST and error == "invalid_grant":
        status = "BAD_AUTH_CODE" if redirect_uri else "BAD_REFRESH_TOKEN"
    if status in LOST:
        message, hint = LOST[status]
        return SignInLostError(message, hint=hint, parameter=CODE)
    if status in SENTENCES:
        message, hint, parameter = SENTENCES[status]
        return _sign_in_error(message.format(redirect_uri=redirect_uri), hint, parameter)
    told = data.get("message") or data.get("error_description") or status or error
    return _sign_in_error(f"HubSpot refused to sign in: {told}", CONNECT_AGAIN)


def _sign_in_error(message: str, hint: str, parameter: str = CODE) -> AttentionError:
    return AttentionError(message, hint=hint, category=Category.AUTHENTICATION, parameter=parameter)


_OTHER_REDIRECT = (
    "HubSpot issued this authorization code for another redirect address than {redirect_uri}.",
    "Enter exactly this address in the Auth section of the app in HubSpot, then connect again.",
    CODE,
)
# By HubSpot's status: what happened, what to do next, which parameter is at fault.
SENTENCES: Mapping[str, tuple[str, str, str]] = {
    "BAD_AUTH_CODE": (
        "HubSpot does not know this authorization code: used before, of another app, or cut off.",
        CONNECT_AGAIN,
        CODE,
    ),
    "EXPIRED_AUTH_CODE": (
        "The authorization code has expired: HubSpot takes one for a few minutes only.",
        CONNECT_AGAIN,
        CODE,
    ),
    "MISMATCH_REDIRECT_URI_AUTH_CODE": _OTHER_REDIRECT,
    "BAD_REDIRECT_URI": _OTHER_REDIRECT,
    "BAD_CLIENT_ID": (
        "HubSpot knows no app with this Client ID.",
        "Copy it once more from the Auth section of the app in HubSpot.",
        "client_id",
    ),
    "BAD_CLIENT_SECRET": (
        "The Client Secret does not belong to this Client ID; it may have been rotated in HubSpot.",
        "Copy it once more from the Auth section of the app. The connection itself is kept.",
        "client_secret",
    ),
    "BAD_SCOPES": (
        "HubSpot does not grant the scopes that were asked for.",
        "Compare the scopes of the app in HubSpot with those needed, then connect again.",
        CODE,
    ),
}
# These end the sign-in: only a person who connects again helps.
LOST: Mapping[str, tuple[str, str]] = {
    "BAD_REFRESH_TOKEN": (
        "HubSpot no longer accepts the sign-in: the app was uninstalled or its scopes changed.",
        RECONNECT,
    ),
    "BAD_HUB": (
        "HubSpot says that the connected account does not exist any more.",
        "If it was only moved, press Reconnect; else add the other account as a system of its own.",
    ),
}
