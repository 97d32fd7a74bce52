"""The ways in which HubSpot fails, by name, as the switchboard offers them.

Shapes are those of the pages "Error handling" and "Usage guidelines", and of recorded answers where
the pages are silent. Each entry holds members of ``switches.Fault``; what a request adds to the
name takes their place.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_HTML = (
    "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center>"
    "<hr><center>cloudflare</center></body></html>"
)
_NO_CALLS_LEFT = {
    "X-HubSpot-RateLimit-Max": "190",
    "X-HubSpot-RateLimit-Remaining": "0",
    "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
}
_NO_DAY_LEFT = {
    "X-HubSpot-RateLimit-Daily": "625000",
    "X-HubSpot-RateLimit-Daily-Remaining": "0",
}


@dataclass(frozen=True, slots=True)
class NamedFault:
    """One way to fail: what a person reads, and the members of the fault."""

    label: str
    members: Mapping[str, Any]


def _error(message: str, **members: object) -> dict[str, object]:
    return {"status": "error", "message": message, **members}


def _limit(policy: str, headers: Mapping[str, str]) -> dict[str, Any]:
    """Build a 429 in the shape with errorType and policyName."""
    message = f"You have reached your {policy.lower()} limit."
    body = _error(message, errorType="RATE_LIMIT", policyName=policy)
    return {"status": 429, "body": body, "headers": dict(headers)}


def _limit_by_category(policy: str) -> dict[str, Any]:
    """Build a 429 in the shape with a category, as search answers."""
    body = _error(f"You have reached your {policy} limit.", category="RATE_LIMITS")
    return {"status": 429, "body": body}


def _page(status: int, title: str) -> dict[str, Any]:
    return {"status": status, "body": _HTML.format(title)}


NAMED: dict[str, NamedFault] = {
    "burst": NamedFault(
        "Too many calls in ten seconds (429)", _limit("TEN_SECONDLY_ROLLING", _NO_CALLS_LEFT)
    ),
    "burst_category": NamedFault(
        "Too many calls in ten seconds (429, older shape)",
        _limit_by_category("ten_secondly_rolling"),
    ),
    "search": NamedFault("Too many searches in a second (429)", _limit_by_category("secondly")),
    "search_policy": NamedFault(
        "Too many searches in a second (429, newer shape)", _limit("SECONDLY", {})
    ),
    "daily": NamedFault("Too many calls today (429)", _limit("DAILY", _NO_DAY_LEFT)),
    "daily_category": NamedFault(
        "Too many calls today (429, older shape)", _limit_by_category("daily")
    ),
    "locked": NamedFault(
        "Record is locked (423)",
        {
            "status": 423,
            "body": _error("The resource is locked by another write.", category="LOCKED"),
        },
    ),
    "migration": NamedFault(
        "Account moves to another data centre (477)",
        {
            "status": 477,
            "body": _error("This account is being migrated.", category="MIGRATION_IN_PROGRESS"),
            "headers": {"Retry-After": "30"},
        },
    ),
    "server_error": NamedFault("Internal error (500)", _page(500, "500 Internal Server Error")),
    "bad_gateway": NamedFault("Bad gateway (502)", _page(502, "502 Bad Gateway")),
    "unavailable": NamedFault(
        "Service unavailable (503)",
        {"status": 503, "body": _error("Service temporarily unavailable.")},
    ),
    "gateway_timeout": NamedFault("Gateway timeout (504)", _page(504, "504 Gateway Time-out")),
    "origin_timeout": NamedFault("Took longer than 100 s (524)", _page(524, "524: A timeout")),
    "html": NamedFault("A page in place of JSON (200)", _page(200, "Just a moment...")),
    "truncated": NamedFault("Answer is cut off in the middle", {"truncated": True}),
    "slow": NamedFault("Answer comes late (3 s)", {"delay_s": 3}),
    "dropped_before": NamedFault("Connection drops, nothing was done", {"drop": "before"}),
    "dropped_after": NamedFault("Connection drops, the call was carried out", {"drop": "after"}),
    "expired_token": NamedFault(
        "Token has expired (401)",
        {
            "status": 401,
            "body": _error(
                "The OAuth token used to make this call expired 75 second(s) ago.",
                category="EXPIRED_AUTHENTICATION",
                context={"expire time": ["2026-01-01T10:00:00.040Z"]},
            ),
        },
    ),
    "invalid_token": NamedFault(
        "Token is not known (401)",
        {
            "status": 401,
            "body": _error(
                "Authentication credentials not found. This API supports OAuth 2.0 authentication "
                "and you can find more details at "
                "https://developers.hubspot.com/docs/methods/auth/oauth-overview",
                category="INVALID_AUTHENTICATION",
            ),
        },
    ),
    "forbidden": NamedFault(
        "The account's tier does not allow it (403)",
        {
            "status": 403,
            "body": _error("You do not have permissions to do this.", category="FORBIDDEN"),
        },
    ),
    "clock_skew": NamedFault("Clock is an hour ahead", {"clock_skew_s": 3600}),
    "third_refused": NamedFault("A third of each batch is refused (207)", {"refuses_third": True}),
}
