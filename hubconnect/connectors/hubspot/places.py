"""Pages of HubSpot's own application: those that guides send people to, and those of records.

Paths as they stand in the address line of HubSpot's application, read 2026-11-25.
"""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import unquote, urlsplit

from hubconnect.connectors.hubspot.account import UI_HOST

# A record's page, its older form (which redirects), the API, and the pages of a sandbox.
_RECORD = re.compile(r"/contacts/(?P<portal>\d+)/record/(?P<code>[\w-]+)/(?P<id>\d+)(?:/|$)")
_OLDER = re.compile(
    r"/contacts/(?P<portal>\d+)/(?P<code>contact|company|deal|ticket)/(?P<id>\d+)(?:/|$)"
)
_OWN_BASE = re.compile(r"/record/(?P<code>[\w-]+)/(?P<id>\d+)(?:/|$)")
_OTHERS = re.compile(
    r"/(?:crm/(?:v3|\d{4}-\d\d)/objects|sandbox/records)/(?P<code>[\w-]+)/(?P<id>\d+)(?:/|$)"
)
_UI_HOST = re.compile(r"app(-[a-z0-9]+)?\.hubspot\.com")


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


def find_record(address: str, *, portal: str, bases: Iterable[str]) -> tuple[str, str] | None:
    """Return type (an object type id, a plural or a singular name) and id of a record's address.

    ``bases`` are further addresses that belong to the account: where remote links lead, the API.
    None for another account's address, and for one that is no record's.
    """
    try:
        parts = urlsplit(address.strip())
        host = parts.hostname or ""
    except ValueError:
        return None
    path = unquote(parts.path)
    is_ui = _UI_HOST.fullmatch(host) is not None
    own = {urlsplit(base).hostname for base in bases if base}
    if not is_ui and host not in own:
        return None
    for form in (_RECORD, _OLDER):
        if found := form.search(path):
            return (found["code"], found["id"]) if found["portal"] == portal else None
    found = None if is_ui else _OTHERS.search(path) or _OWN_BASE.search(path)
    return (found["code"], found["id"]) if found else None
