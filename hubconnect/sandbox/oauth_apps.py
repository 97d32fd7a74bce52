"""OAuth apps of the account: what they may ask for, their codes and their refresh tokens.

As on the pages "OAuth quickstart" and "Manage OAuth tokens". A code can be exchanged once and for a
short time; the sandbox also remembers used codes, only to tell its tester what happened.
"""

import json
import secrets
import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from hubconnect.sandbox.auth import Token, save_token

ACCESS_LIFE_MS = 1_800_000
CODE_LIFE_MS = 300_000
BASE_SCOPE = "oauth"


@dataclass(frozen=True, slots=True)
class App:
    """One public app.

    Attributes:
        scopes: each must stand in the install URL and be granted, or nothing is.
        optional_scopes: what the install URL may ask for besides. Both empty: anything goes.
    """

    client_id: str
    client_secret: str
    app_id: int
    name: str = "Sync"
    redirect_uris: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    optional_scopes: tuple[str, ...] = ()


@dataclass(slots=True)
class OAuthState:
    """What tests may change while the sandbox runs.

    Attributes:
        lacking: scopes of products that the account's subscription does not include.
        rotates: a refresh answers with a new refresh token and ends the old one.
        is_gone: the account was deleted.
    """

    lacking: frozenset[str] = field(default_factory=frozenset)
    rotates: bool = False
    is_gone: bool = False

    def change(self, members: Mapping[str, Any]) -> None:
        """Take over what is told of it; the other members are not its own."""
        if "lacking_scopes" in members:
            self.lacking = frozenset(members["lacking_scopes"])
        self.rotates = bool(members.get("rotates", self.rotates))
        self.is_gone = bool(members.get("is_gone", self.is_gone))


@dataclass(frozen=True, slots=True)
class Grant:
    """What a person allowed an app: the refresh token and what it stands for."""

    refresh_token: str
    client_id: str
    user_id: int
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Code:
    """One authorization code."""

    code: str
    client_id: str
    redirect_uri: str
    user_id: int
    scopes: tuple[str, ...]
    expires_at: int
    is_used: bool


def app_of(members: dict[str, Any]) -> App:
    """Return an app of its JSON members.

    Raises:
        TypeError: a member is missing or unknown.
    """
    given = dict(members)
    for name in ("redirect_uris", "scopes", "optional_scopes"):
        given[name] = tuple(given.get(name, ()))
    return App(**given)


def save_app(db: sqlite3.Connection, app: App) -> None:
    """Store an app, in place of one with the same client id."""
    rows = [json.dumps(each) for each in (app.redirect_uris, app.scopes, app.optional_scopes)]
    db.execute(
        "INSERT OR REPLACE INTO oauth_app VALUES (?, ?, ?, ?, ?, ?, ?)",
        (app.client_id, app.client_secret, app.app_id, app.name, *rows),
    )


def find_app(db: sqlite3.Connection, client_id: str) -> App | None:
    """Find an app by its client id."""
    row = db.execute("SELECT * FROM oauth_app WHERE client_id = ?", (client_id,)).fetchone()
    return _app(row) if row is not None else None


def list_apps(db: sqlite3.Connection) -> list[App]:
    """Return all apps by number."""
    return [_app(row) for row in db.execute("SELECT * FROM oauth_app ORDER BY app_id")]


def _app(row: tuple[Any, ...]) -> App:
    return App(*row[:4], *(tuple(json.loads(text)) for text in row[4:]))


def issue_code(db: sqlite3.Connection, code: Code) -> None:
    """Store a code."""
    db.execute(
        "INSERT INTO oauth_code VALUES (?, ?, ?, ?, ?, ?, 0)",
        (
            code.code,
            code.client_id,
            code.redirect_uri,
            code.user_id,
            json.dumps(code.scopes),
            code.expires_at,
        ),
    )


def find_code(db: sqlite3.Connection, text: str) -> Code | None:
    """Find a code, used or not."""
    row = db.execute("SELECT * FROM oauth_code WHERE code = ?", (text,)).fetchone()
    if row is None:
        return None
    text, client_id, redirect_uri, user_id, scopes, expires_at, is_used = row
    granted_scopes = tuple(json.loads(scopes))
    return Code(text, client_id, redirect_uri, user_id, granted_scopes, expires_at, bool(is_used))


def use_up(db: sqlite3.Connection, code: Code) -> None:
    """Mark a code as exchanged."""
    db.execute("UPDATE oauth_code SET is_used = 1 WHERE code = ?", (code.code,))


def save_grant(db: sqlite3.Connection, grant: Grant) -> None:
    """Store a grant in place of the app's former one: an account has one for each app."""
    db.execute("DELETE FROM oauth_grant WHERE client_id = ?", (grant.client_id,))
    db.execute(
        "INSERT INTO oauth_grant VALUES (?, ?, ?, ?)",
        (grant.refresh_token, grant.client_id, grant.user_id, json.dumps(grant.scopes)),
    )


def find_grant(db: sqlite3.Connection, refresh_token: str) -> Grant | None:
    """Find a grant by its refresh token."""
    row = db.execute(
        "SELECT * FROM oauth_grant WHERE refresh_token = ?", (refresh_token,)
    ).fetchone()
    return Grant(row[0], row[1], row[2], tuple(json.loads(row[3]))) if row is not None else None


def drop_grant(db: sqlite3.Connection, refresh_token: str) -> None:
    """End a grant; access tokens live on until they expire."""
    db.execute("DELETE FROM oauth_grant WHERE refresh_token = ?", (refresh_token,))


def revoke_all(db: sqlite3.Connection, app: App) -> None:
    """End everything an app was allowed, as when it is uninstalled or its scopes change."""
    db.execute("DELETE FROM oauth_grant WHERE client_id = ?", (app.client_id,))
    db.execute("DELETE FROM token WHERE app_id = ? AND expires_at IS NOT NULL", (app.app_id,))


def issue_access_token(db: sqlite3.Connection, app: App, grant: Grant, now: int) -> Token:
    """Make an access token for a grant."""
    text = f"C{secrets.token_urlsafe(96)}"
    token = Token(text, app.app_id, grant.user_id, grant.scopes, now + ACCESS_LIFE_MS)
    save_token(db, token)
    return token


def new_refresh_token(portal_id: int) -> str:
    """Make the text of a refresh token."""
    return f"na1-{portal_id:x}-{secrets.token_hex(16)}"


def new_code() -> str:
    """Make the text of a code."""
    return f"na1-{secrets.token_hex(16)}"


def granted(
    required: Collection[str], optional: Collection[str], lacking: Collection[str]
) -> tuple[str, ...]:
    """Return the scopes a consent grants: what the account lacks of the optional ones is left."""
    kept = (scope for scope in optional if scope not in lacking)
    return tuple(dict.fromkeys((BASE_SCOPE, *required, *kept)))
