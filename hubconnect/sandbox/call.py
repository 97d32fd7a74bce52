"""One call of the API: who asks, with which body, inside which transaction."""

import json
import sqlite3
from dataclasses import dataclass
from typing import Any

from werkzeug.wrappers import Request, Response

from hubconnect.sandbox.account import Account, Source
from hubconnect.sandbox.auth import Token
from hubconnect.sandbox.catalog.kinds import Kind, find_kind
from hubconnect.sandbox.errors import (
    Json,
    Problem,
    invalid,
    invalid_properties,
    missing_scopes,
    unknown_kind,
)
from hubconnect.sandbox.records import Records

_NOT_FOUND = "<html><head><title>Error 404</title></head><body><h1>Not Found</h1></body></html>"


@dataclass(frozen=True, slots=True)
class Call:
    """What a handler works with.

    Attributes:
        db: connection inside the transaction of this call.
        refuses_third: whether every third input of a batch is to be refused.
        version: path family, ``v3``, ``v4`` or a date such as ``2026-03``.
    """

    request: Request
    account: Account
    token: Token
    db: sqlite3.Connection
    version: str
    refuses_third: bool = False

    def refuse_third(self, position: int) -> None:
        """Refuse every third input of a batch while the switchboard says so (400)."""
        if self.refuses_third and position % 3 == 2:  # noqa: PLR2004 - the third of three
            message = "The value of this input was refused."
            problem = Problem("hs_object_id", "INVALID_OPTION", message)
            raise invalid_properties([problem], self.account.options.portal_id)

    @property
    def source(self) -> Source:
        """Return how history names this caller."""
        return Source("INTEGRATION", str(self.token.app_id))

    @property
    def is_newest_version(self) -> bool:
        """Return whether the answer codes of the newest version apply (one code per call)."""
        return self.version >= "2026-09" and not self.version.startswith("v")

    def id_of_link(self, number: int) -> int | str:
        """Write an id as the associations API does: a number in v4, a text in date versions."""
        return number if self.version.startswith("v") else str(number)

    def body(self) -> Json:
        """Read the JSON object of the request.

        Raises:
            ApiError: the body is something else (400).
        """
        parsed = self.json()
        if not isinstance(parsed, dict):
            message = "Invalid input JSON on line 1, column 1: expected an object."
            raise invalid(message)
        return parsed

    def json(self) -> Any:  # noqa: ANN401 - any JSON value
        """Read the JSON value of the request; an empty body counts as an empty object."""
        try:
            return json.loads(self.request.get_data() or b"{}")
        except ValueError as error:
            line, column = getattr(error, "lineno", 1), getattr(error, "colno", 1)
            message = f"Invalid input JSON on line {line}, column {column}: {error}"
            raise invalid(message) from None

    def require(self, *scopes: str) -> None:
        """Refuse a token that lacks one of the scopes (403)."""
        missing = [scope for scope in scopes if scope not in self.token.scopes]
        if missing:
            raise missing_scopes(missing)

    def require_one(self, *scopes: str) -> None:
        """Refuse a token that has none of the scopes (403)."""
        if not set(scopes) & set(self.token.scopes):
            raise missing_scopes(scopes)

    def require_any(self, *beginnings: str) -> None:
        """Refuse a token without a scope that begins in one of the given ways (403)."""
        if not any(scope.startswith(beginnings) for scope in self.token.scopes):
            raise missing_scopes(beginnings)

    def kind(self, name: str) -> Kind:
        """Return the object type a path names.

        Raises:
            ApiError: there is none of that name (400).
        """
        kind = find_kind(name)
        if kind is None:
            raise unknown_kind(name)
        return kind

    def readable(self, name: str) -> Records:
        """Open the records of an object type the token may read."""
        kind = self.kind(name)
        self.require(*kind.read_scopes)
        return Records(self.db, self.account, kind.name)

    def writable(self, name: str) -> Records:
        """Open the records of an object type the token may write."""
        kind = self.kind(name)
        self.require(*kind.write_scopes)
        return Records(self.db, self.account, kind.name)

    def names(self, parameter: str) -> list[str]:
        """Read a query parameter that is a list, written with commas or repeated."""
        values = self.request.args.getlist(parameter)
        return [name for value in values for name in value.split(",") if name]

    def flag(self, parameter: str) -> bool:
        """Read a query parameter that is true or false."""
        return bool(self.request.args.get(parameter, "").lower() == "true")

    def link(self) -> str:
        """Return the address of this call without ``after``, for the link to the next page."""
        kept = [(name, value) for name, value in self.request.args.items(multi=True)]
        query = "&".join(f"{name}={value}" for name, value in kept if name != "after")
        return f"{self.request.base_url}?{query}" if query else self.request.base_url


def answer(members: object, status: int = 200) -> Response:
    """Build a JSON answer."""
    return Response(
        json.dumps(members, separators=(",", ":")),
        status=status,
        content_type="application/json;charset=utf-8",
    )


def no_such_path() -> Response:
    """Build the page HubSpot answers with where it has no such call."""
    return Response(_NOT_FOUND, 404, content_type="text/html;charset=utf-8")


def nothing(status: int = 204) -> Response:
    """Build an answer without a body."""
    return Response(status=status)
