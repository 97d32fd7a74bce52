"""What ``manage.py check`` says about settings that are missing or do not fit together."""

import ipaddress
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured

NEW_KEY = (
    "python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"
)
NEW_LONG_TEXT = "python -c 'import secrets; print(secrets.token_urlsafe(64))'"
LEASE_REQUESTS = 3


@checks.register("hubconnect")
def check_settings(**_kwargs: Any) -> list[checks.CheckMessage]:
    """Go through the settings that HubConnect cannot do without."""
    return [
        *_secret_key(),
        *_sealing_keys(),
        *_lease(),
        *_addresses(),
        *_sqlite_folder(),
    ]


@checks.register("hubconnect", deploy=True)
def check_deployment(**_kwargs: Any) -> list[checks.CheckMessage]:
    """Point out what holds on one machine only."""
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        return [
            checks.Info(
                "HubConnect keeps its data in SQLite, which works on one host only.",
                hint="Before workers run on a second host, set DATABASE_URL to PostgreSQL.",
                id="hubconnect.I001",
            )
        ]
    return []


def _secret_key() -> Iterator[checks.CheckMessage]:
    try:
        is_set = bool(settings.SECRET_KEY)
    except ImproperlyConfigured:  # Django does not hand out an empty one
        is_set = False
    if not is_set:
        yield checks.Critical(
            "SECRET_KEY is not set, so nobody can sign in.",
            hint=f"Make one, keep it, and set it in the environment: {NEW_LONG_TEXT}",
            id="hubconnect.E001",
        )


def _sealing_keys() -> Iterator[checks.CheckMessage]:
    if not settings.HUBCONNECT_KEYS:
        yield checks.Error(
            "HUBCONNECT_KEYS is not set, so no system's secrets can be stored or used.",
            hint=f"Make one, keep it safe, and set it in the environment: {NEW_KEY}",
            id="hubconnect.E002",
        )
    for place, key in enumerate(settings.HUBCONNECT_KEYS, start=1):
        try:
            Fernet(key)
        except ValueError:
            yield checks.Error(
                f"Key {place} in HUBCONNECT_KEYS is not 32 bytes in URL-safe base64.",
                hint=f"Keys are separated by commas. Make one: {NEW_KEY}",
                id="hubconnect.E003",
            )


def _lease() -> Iterator[checks.CheckMessage]:
    lease, shortest = settings.LEASE_S, LEASE_REQUESTS * settings.REQUEST_TIMEOUT_S
    if lease <= shortest:
        yield checks.Error(
            f"LEASE_S is {lease}, but a run may be silent for {shortest} s, and another "
            "worker would then take it for dead.",
            hint=f"LEASE_S must be above {LEASE_REQUESTS} times REQUEST_TIMEOUT_S.",
            id="hubconnect.E004",
        )


def _addresses() -> Iterator[checks.CheckMessage]:
    for network in settings.ALLOWED_PRIVATE_ADDRESSES:
        try:
            ipaddress.ip_network(network)
        except ValueError:
            yield checks.Error(
                f"“{network}” in ALLOWED_PRIVATE_ADDRESSES is not an address or network.",
                hint="Write networks such as 10.1.0.0/16, separated by commas.",
                id="hubconnect.E005",
            )


def _sqlite_folder() -> Iterator[checks.CheckMessage]:
    name = str(settings.DATABASES["default"]["NAME"])
    is_file = settings.DATABASES["default"]["ENGINE"].endswith("sqlite3") and ":memory:" not in name
    if is_file and Path(name).resolve().is_relative_to(Path(settings.SQLITE_DIR).resolve()):
        yield checks.Error(
            "HubConnect's own database lies in SQLITE_DIR, where synced databases do.",
            hint="Point DATABASE_URL or SQLITE_DIR elsewhere, so that it is never synced.",
            id="hubconnect.E006",
        )
