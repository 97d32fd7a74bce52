"""Refusals, in the words and shapes of HubSpot's error answers (page "Error handling")."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

Json = dict[str, Any]


class ApiError(Exception):
    """One refusal: an HTTP status and the members of its body besides ``correlationId``."""

    def __init__(self, status: int, message: str, category: str = "", **members: object) -> None:
        super().__init__(message)
        self.status = status
        self.body: Json = {"status": "error", "message": message}
        if category:
            self.body["category"] = category
        self.body.update(members)
        self.headers: dict[str, str] = {}

    def standard_error(self, context: Mapping[str, list[str]]) -> Json:
        """Build the entry that stands for this refusal in ``errors`` of a batch answer."""
        return {**self.body, "context": {**self.body.get("context", {}), **context}}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one property of one record."""

    name: str
    code: str
    message: str
    value: str | None = None


def invalid(message: str, **members: object) -> ApiError:
    """Build a 400 of category VALIDATION_ERROR."""
    return ApiError(400, message, "VALIDATION_ERROR", **members)


def refuse(message: str, **members: object) -> NoReturn:
    """Refuse a call with a 400 of category VALIDATION_ERROR.

    Raises:
        ApiError: always.
    """
    raise invalid(message, **members)


def invalid_properties(problems: Iterable[Problem], portal_id: int) -> ApiError:
    """Build the answer to a write with wrong values: once as text, once as structure."""
    found = list(problems)
    told = [
        {
            "isValid": False,
            "message": problem.message,
            "error": problem.code,
            "name": problem.name,
            **({} if problem.value is None else {"propertyValue": problem.value}),
            "localizedErrorMessage": problem.message,
            "portalId": portal_id,
        }
        for problem in found
    ]
    return invalid(
        f"Property values were not valid: {json.dumps(told, separators=(',', ':'))}",
        errors=[
            {
                "message": problem.message,
                "code": problem.code,
                "context": {"propertyName": [problem.name]},
            }
            for problem in found
        ],
    )


def missing_scopes(scopes: Iterable[str]) -> ApiError:
    """Build the 403 of a token that lacks all of the given scopes."""
    return ApiError(
        403,
        "This app hasn't been granted all required scopes to make this call. "
        "Read more about required scopes here: https://developers.hubspot.com/scopes.",
        "MISSING_SCOPES",
        errors=[
            {
                "message": "One or more of the following scopes are required.",
                "context": {"requiredGranularScopes": list(scopes)},
            }
        ],
        links={"scopes": "https://developers.hubspot.com/scopes"},
    )


def unauthenticated() -> ApiError:
    """Build the 401 of a missing, wrong or revoked token."""
    return ApiError(
        401,
        "Authentication credentials not found. This API supports OAuth 2.0 authentication and "
        "you can find more details at "
        "https://developers.hubspot.com/docs/methods/auth/oauth-overview",
        "INVALID_AUTHENTICATION",
    )


def not_found(message: str = "resource not found", **members: object) -> ApiError:
    """Build a 404."""
    return ApiError(404, message, "OBJECT_NOT_FOUND", **members)


def file_not_found(given: object) -> ApiError:
    """Build the 404 of a file."""
    return not_found(f"File {given} does not exist.")


def folder_not_found(given: object) -> ApiError:
    """Build the 404 of a folder."""
    return not_found(f"Folder {given} does not exist.")


def record_not_found(record_id: str) -> ApiError:
    """Build the 404 of a record; an id that is no number has words of its own."""
    if record_id.isdigit():
        return not_found()
    return ApiError(
        404, "Object not found.  objectId are usually numeric.", context={"id": [record_id]}
    )


def unknown_kind(name: str) -> ApiError:
    """Build the 400 of an object type that does not exist."""
    return invalid(f"Unable to infer object type from: {name}")
