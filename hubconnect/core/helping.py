"""The guides of the Help section, by the topic that fields and pages link to."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final


@dataclass(frozen=True, slots=True)
class Topic:
    """One guide: the last part of its address, its title, what it answers, its heading."""

    slug: str
    title: str
    summary: str
    group: str

    @property
    def template(self) -> str:
        """Name the template with its text."""
        return f"help/guides/{self.slug}.html"


_START, _APPS, _WORK = "Before you start", "Signing in to HubSpot", "Mapping and syncing"

TOPICS: Final[Sequence[Topic]] = (
    Topic(
        "hubspot-prerequisites",
        "What HubSpot asks for first",
        "The order of steps, the two ways to sign in, and what HubSpot still lets you create.",
        _START,
    ),
    Topic(
        "hubspot-user",
        "The Integration User",
        "One HubSpot user for HubConnect alone: why, how to add it, what it must be allowed.",
        _START,
    ),
    Topic(
        "hubspot-scopes",
        "Scopes",
        "Which scopes each object type, comments and files need, and how to change them.",
        _START,
    ),
    Topic(
        "hubspot-service-key",
        "Service key or project app",
        "The way for new set-ups, now that legacy apps can no longer be created.",
        _APPS,
    ),
    Topic(
        "hubspot-private-app",
        "Private app",
        "Access Token and scopes of a legacy private app.",
        _APPS,
    ),
    Topic(
        "hubspot-public-app",
        "Public app",
        "Client ID, Client Secret and redirect address of a legacy public app.",
        _APPS,
    ),
    Topic(
        "hubspot-oauth",
        "OAuth 2.0 and the Authorization Code",
        "Connecting with one press, or by hand with a code that works once.",
        _APPS,
    ),
    Topic(
        "hubspot-app-id",
        "Application Id",
        "The number of the app, and where its address shows it.",
        _APPS,
    ),
    Topic(
        "hubspot-links",
        "Links to records",
        "What Base URL for Remote Link is for, and when to leave it empty.",
        _APPS,
    ),
    Topic(
        "hubspot-limits",
        "Call limits",
        "How many calls HubSpot allows, what is left to other apps, what happens near the end.",
        _WORK,
    ),
    Topic(
        "hubspot-internal-names",
        "Internal names",
        "Labels and internal names of fields and options, and where HubSpot shows them.",
        _WORK,
    ),
    Topic(
        "hubspot-notes",
        "Notes, comments, files and mentions",
        "How notes become comments, how files travel, and what a note associated later does.",
        _WORK,
    ),
    Topic(
        "hubspot-criteria",
        "Criteria and target lookup",
        "The JSON of both, with examples to copy and the limits HubSpot sets.",
        _WORK,
    ),
    Topic(
        "hubspot-troubleshooting",
        "When HubSpot refuses a record",
        "What VALIDATION_ERROR means, and fields that are mandatory without saying so.",
        "When something fails",
    ),
)
_BY_SLUG: Final = {topic.slug: topic for topic in TOPICS}


def find_topic(slug: str) -> Topic | None:
    """Return the guide of this name, or None."""
    return _BY_SLUG.get(slug)


def topic_groups() -> list[tuple[str, list[Topic]]]:
    """Return the guides below their headings."""
    return [(group, list(found)) for group, found in groupby(TOPICS, key=lambda one: one.group)]
