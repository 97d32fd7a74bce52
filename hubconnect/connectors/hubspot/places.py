"""Pages of HubSpot's own application that guides send people to.

Paths as they stand in the address line of HubSpot's application, read 2026-11-25.
"""

from collections.abc import Mapping

from hubconnect.connectors.hubspot.account import UI_HOST


def build_places(identity: str, opened_at: str) -> dict[str, str]:
    """Return addresses by name; ``portal`` is the account's number. Empty without an account."""
    portal = identity.removeprefix("hubspot:")
    if not portal.isdecimal():
        return {}
    base = opened_at.rstrip("/") or f"https://{UI_HOST}"
    return {
        "portal": portal,
        "base": base,
        "users": f"{base}/settings/{portal}/users",
        "private_apps": f"{base}/private-apps/{portal}",
        "legacy_apps": f"{base}/legacy-apps/{portal}",
        "connected_apps": f"{base}/connected-apps/{portal}/installed",
        "properties": f"{base}/property-settings/{portal}/properties?type=0-3",
        "install": f"{base}/oauth/{portal}/authorize",
        "record": f"{base}/contacts/{portal}/record/0-3/",
    }


def opened_at(facts: Mapping[str, str]) -> str:
    """Return the address of the account's application, as its last check told it."""
    return facts.get("Opened at", "")
