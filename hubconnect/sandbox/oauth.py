"""Tokens for OAuth apps: exchange, refresh, introspection, revocation.

Bodies of refusals as on the page "Manage OAuth tokens": RFC 6749's members beside HubSpot's own.
"""

import re
import sqlite3
from collections.abc import Callable
from enum import StrEnum

from werkzeug.wrappers import Request, Response

from hubconnect.sandbox.account import Account
from hubconnect.sandbox.auth import Token, find_token
from hubconnect.sandbox.call import answer, nothing
from hubconnect.sandbox.errors import Json
from hubconnect.sandbox.oauth_apps import (
    App,
    Grant,
    drop_grant,
    find_app,
    find_code,
    find_grant,
    issue_access_token,
    list_apps,
    new_refresh_token,
    save_grant,
    use_up,
)

_VERSIONED = re.compile(
    r"/oauth/(?P<version>v1|v3|2026-03|2026-09)/token(?P<rest>|/introspect|/revoke)"
)
_METADATA = re.compile(r"/oauth/v1/(?P<use>access|refresh)-tokens/(?P<token>[^/]+)")
Handler = Callable[[Account, Request], Response]


class Status(StrEnum):
    """HubSpot's own names of refusals."""

    BAD_GRANT_TYPE = "BAD_GRANT_TYPE"
    BAD_CLIENT_ID = "BAD_CLIENT_ID"
    BAD_CLIENT_SECRET = "BAD_CLIENT_SECRET"  # noqa: S105 - a name
    BAD_HUB = "BAD_HUB"
    BAD_AUTH_CODE = "BAD_AUTH_CODE"
    EXPIRED_AUTH_CODE = "EXPIRED_AUTH_CODE"
    BAD_REDIRECT_URI = "BAD_REDIRECT_URI"
    MISMATCH_REDIRECT_URI_AUTH_CODE = "MISMATCH_REDIRECT_URI_AUTH_CODE"
    BAD_REFRESH_TOKEN = "BAD_REFRESH_TOKEN"  # noqa: S105 - a name


# By HubSpot's status: RFC 6749's error, and the words.
_REFUSALS = {
    Status.BAD_GRANT_TYPE: ("unsupported_grant_type", "grant_type is missing or not supported"),
    Status.BAD_CLIENT_ID: ("invalid_client", "missing or unknown client id"),
    Status.BAD_CLIENT_SECRET: ("invalid_client", "missing or invalid client secret"),
    Status.BAD_HUB: ("access_denied", "missing or unknown hub id"),
    Status.BAD_AUTH_CODE: ("invalid_grant", "missing or unknown auth code"),
    Status.EXPIRED_AUTH_CODE: ("invalid_grant", "auth code is expired"),
    Status.BAD_REDIRECT_URI: ("invalid_request", "missing or invalid redirect uri"),
    Status.MISMATCH_REDIRECT_URI_AUTH_CODE: (
        "invalid_request",
        "redirect uri does not match the one the auth code was issued for",
    ),
    Status.BAD_REFRESH_TOKEN: ("invalid_grant", "refresh token is invalid, expired or revoked"),
}


class OAuthRefusal(Exception):  # noqa: N818 - an answer, not a mistake
    """A refusal of the token endpoint (400)."""

    def __init__(self, status: Status) -> None:
        super().__init__(status)
        error, message = _REFUSALS[status]
        self.body: Json = {
            "error": error,
            "error_description": message,
            "status": status.value,
            "message": message,
        }


def find_handler(method: str, path: str) -> tuple[str, Handler] | None:
    """Return the name under which a call is counted, and what answers it."""
    if found := _VERSIONED.fullmatch(path):
        handlers: dict[str, Handler] = {
            "": token,
            "/introspect": introspect,
            "/revoke": revoke,
        }
        if method == "POST" and not (found["version"] == "v1" and found["rest"]):
            return f"oauth{found['rest'].replace('/', '.') or '.token'}", handlers[found["rest"]]
    if found := _METADATA.fullmatch(path):
        text, use = found["token"], found["use"]
        if method == "GET":
            return "oauth.metadata", lambda account, _: _metadata(account, use, text)
        if method == "DELETE" and use == "refresh":
            return "oauth.revoke", lambda account, _: _delete(account, text)
    return None


def token(account: Account, request: Request) -> Response:
    """Exchange a code, or renew an access token."""
    form = request.form
    grants = {"authorization_code": _exchange, "refresh_token": _refresh}
    with account.store.writing() as db:
        try:
            run = grants.get(form.get("grant_type", ""))
            if run is None:
                raise OAuthRefusal(Status.BAD_GRANT_TYPE)  # noqa: TRY301
            app = _authenticated(account, db, request)
            grant = run(account, db, app, request)
        except OAuthRefusal as refusal:
            return answer(refusal.body, 400)
        account.count(f"oauth.{form['grant_type']}")
        now = account.clock.now()
        issued = issue_access_token(db, app, grant, now)
    return answer(
        {
            "token_type": "bearer",
            "refresh_token": grant.refresh_token,
            "access_token": issued.token,
            "expires_in": ((issued.expires_at or now) - now) // 1000,
            "hub_id": account.options.portal_id,
            "scopes": list(grant.scopes),
            "user_id": grant.user_id,
            "token_use": "access_token",
        }
    )


def _authenticated(account: Account, db: sqlite3.Connection, request: Request) -> App:
    """Return the app whose id and secret a request carries."""
    app = find_app(db, request.form.get("client_id", ""))
    if app is None:
        raise OAuthRefusal(Status.BAD_CLIENT_ID)
    if request.form.get("client_secret", "") != app.client_secret:
        raise OAuthRefusal(Status.BAD_CLIENT_SECRET)
    if account.oauth.is_gone:
        raise OAuthRefusal(Status.BAD_HUB)
    return app


def _exchange(account: Account, db: sqlite3.Connection, app: App, request: Request) -> Grant:
    form = request.form
    code = find_code(db, form.get("code", ""))
    if code is None or code.is_used or code.client_id != app.client_id:
        raise OAuthRefusal(Status.BAD_AUTH_CODE)
    if code.expires_at <= account.clock.now():
        raise OAuthRefusal(Status.EXPIRED_AUTH_CODE)
    if not form.get("redirect_uri"):
        raise OAuthRefusal(Status.BAD_REDIRECT_URI)
    if form["redirect_uri"] != code.redirect_uri:
        raise OAuthRefusal(Status.MISMATCH_REDIRECT_URI_AUTH_CODE)
    use_up(db, code)
    refresh_token = new_refresh_token(account.options.portal_id)
    grant = Grant(refresh_token, app.client_id, code.user_id, code.scopes)
    save_grant(db, grant)
    return grant


def _refresh(account: Account, db: sqlite3.Connection, app: App, request: Request) -> Grant:
    grant = find_grant(db, request.form.get("refresh_token", ""))
    if grant is None or grant.client_id != app.client_id:
        raise OAuthRefusal(Status.BAD_REFRESH_TOKEN)
    if account.oauth.rotates:
        text = new_refresh_token(account.options.portal_id)
        grant = Grant(text, grant.client_id, grant.user_id, grant.scopes)
        save_grant(db, grant)
    return grant


def introspect(account: Account, request: Request) -> Response:
    """Tell what a token is; one that is unknown, foreign or expired is not active."""
    text, client_id = request.form.get("token", ""), request.form.get("client_id", "")
    with account.store.reading() as db:
        app = find_app(db, client_id)
        if app is not None and request.form.get("client_secret", "") != app.client_secret:
            return answer(OAuthRefusal(Status.BAD_CLIENT_SECRET).body, 400)
        grant, access = find_grant(db, text), find_token(db, text)
    if grant is not None and app is not None and grant.client_id == client_id:
        return answer({"active": True, **_facts(account, grant.user_id, app.app_id), "token": text,
                       "client_id": client_id, "scopes": list(grant.scopes),
                       "token_use": "refresh_token", "token_type": "refresh"})  # fmt: skip
    now = account.clock.now()
    is_over = access is not None and access.expires_at is not None and access.expires_at <= now
    is_foreign = app is not None and access is not None and access.app_id != app.app_id
    if access is None or is_over or is_foreign:
        return answer({"active": False})
    return answer(_active(account, access, client_id))


def _active(account: Account, access: Token, client_id: str) -> Json:
    members: Json = {
        "active": True,
        "token": access.token,
        **_facts(account, access.user_id, access.app_id),
        "client_id": client_id,
        "scopes": list(access.scopes),
        "is_private_distribution": True,
        "token_use": "access_token",
        "token_type": "bearer",
    }
    if access.expires_at is not None:
        members["expires_in"] = (access.expires_at - account.clock.now()) // 1000
    return members


def _facts(account: Account, user_id: int, app_id: int) -> Json:
    return {
        "hub_id": account.options.portal_id,
        "user_id": user_id,
        "app_id": app_id,
        "user": account.options.user_email,
        "hub_domain": f"account-{account.options.portal_id}.example.com",
    }


def revoke(account: Account, request: Request) -> Response:
    """End a refresh token; what was issued for it lives on until it expires."""
    with account.store.writing() as db:
        try:
            app = _authenticated(account, db, request)
        except OAuthRefusal as refusal:
            return answer(refusal.body, 400)
        grant = find_grant(db, request.form.get("token", ""))
        if grant is not None and grant.client_id == app.client_id:
            drop_grant(db, grant.refresh_token)
    return answer({})


def _metadata(account: Account, use: str, text: str) -> Response:
    """Tell what a token is, through the older calls."""
    with account.store.reading() as db:
        grant, access = find_grant(db, text), find_token(db, text)
        apps = {app.client_id: app for app in list_apps(db)}
    now = account.clock.now()
    if use == "refresh" and grant is not None:
        facts = _facts(account, grant.user_id, apps[grant.client_id].app_id)
        return answer({**facts, "token": text, "client_id": grant.client_id,
                       "scopes": list(grant.scopes), "token_type": "refresh"})  # fmt: skip
    is_live = access is not None and access.expires_at is not None and access.expires_at > now
    if use == "access" and access is not None and is_live:
        members = _active(account, access, "")
        return answer({**members, "token_type": "access"})
    message = f"{use} token not found"
    return answer({"status": "error", "message": message}, 404)


def _delete(account: Account, text: str) -> Response:
    with account.store.writing() as db:
        drop_grant(db, text)
    return nothing()
