"""Tokens and what they may do."""

import json
import sqlite3
from dataclasses import dataclass

from werkzeug.wrappers import Request

from hubconnect.sandbox.errors import ApiError, unauthenticated
from hubconnect.sandbox.moments import to_text


@dataclass(frozen=True, slots=True)
class Token:
    """One bearer token.

    Attributes:
        expires_at: in milliseconds; None for tokens that do not expire.
    """

    token: str
    app_id: int
    user_id: int
    scopes: tuple[str, ...]
    expires_at: int | None = None

    @property
    def is_oauth(self) -> bool:
        """Return whether it was issued to an OAuth app: only those expire."""
        return self.expires_at is not None


def save_token(db: sqlite3.Connection, token: Token) -> None:
    """Store a token, in place of one with the same text."""
    db.execute(
        "INSERT OR REPLACE INTO token VALUES (?, ?, ?, ?, ?)",
        (token.token, token.app_id, token.user_id, json.dumps(token.scopes), token.expires_at),
    )


def find_token(db: sqlite3.Connection, text: str) -> Token | None:
    """Find a token by its text."""
    row = db.execute("SELECT * FROM token WHERE token = ?", (text,)).fetchone()
    if row is None:
        return None
    return Token(row[0], row[1], row[2], tuple(json.loads(row[3])), row[4])


def authenticate(db: sqlite3.Connection, request: Request, now: int) -> Token:
    """Return the token a request carries.

    Raises:
        ApiError: there is none, it is unknown, or it has expired (401).
    """
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    token = find_token(db, text.strip()) if scheme.lower() == "bearer" else None
    if token is None:
        raise unauthenticated()
    if token.expires_at is not None and token.expires_at <= now:
        seconds = (now - token.expires_at) // 1000
        message = f"The OAuth token used to make this call expired {seconds} second(s) ago."
        context = {"expire time": [to_text(token.expires_at)]}
        raise ApiError(401, message, "EXPIRED_AUTHENTICATION", context=context)
    return token
