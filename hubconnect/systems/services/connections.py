"""Opens connectors: the one place where stored secrets become a connector's settings."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

from django.conf import settings
from django.core.cache import cache

from hubconnect.connectors.addresses import NetworkPolicy
from hubconnect.connectors.base import Connector, Context, Settings
from hubconnect.connectors.budgets import PERSON, Caller
from hubconnect.connectors.errors import AttentionError
from hubconnect.connectors.oauth import TokenStore
from hubconnect.connectors.parameters import Secret
from hubconnect.connectors.read_only import read_only
from hubconnect.connectors.registry import get_connector
from hubconnect.systems.models import System
from hubconnect.systems.services import budget
from hubconnect.systems.services.limiter import limiter
from hubconnect.systems.services.token_stores import StoredTokens


class DjangoCache:
    """The connectors' Cache, kept in Django's."""

    def get(self, key: str) -> str | None:
        """Return the text kept under this key, or None."""
        found: str | None = cache.get(f"connector:{key}")
        return found

    def set(self, key: str, text: str, keep_for: timedelta) -> None:
        """Keep a text for a while."""
        cache.set(f"connector:{key}", text, keep_for.total_seconds())


def build_context(
    *, is_fresh: bool = False, tokens: TokenStore | None = None, caller: Caller = PERSON
) -> Context:
    """Return what connectors may know of this installation."""
    return Context(
        limiter=limiter(),
        caller=caller,
        addresses=NetworkPolicy(settings.ALLOWED_PRIVATE_ADDRESSES),
        cache=DjangoCache(),
        is_fresh=is_fresh,
        sqlite_dir=str(settings.SQLITE_DIR),
        forbidden_databases=(_own_database(),),
        request_timeout=timedelta(seconds=settings.REQUEST_TIMEOUT_S),
        tokens=tokens,
    )


def _own_database() -> str:
    """Return HubConnect's own database: a path for SQLite, else ``host:port/name``."""
    own = settings.DATABASES["default"]
    if own["ENGINE"].endswith("sqlite3"):
        return str(own["NAME"])
    return f"{own.get('HOST') or 'localhost'}:{own.get('PORT') or 5432}/{own['NAME']}"


def merge_settings(parameters: Mapping[str, str], secrets: Mapping[str, str]) -> Settings:
    """Return parameters and secrets as a connector takes them."""
    values: dict[str, str | Secret] = dict(parameters)
    values.update({name: Secret(text) for name, text in secrets.items()})
    return values


def build_connector(
    slug: str,
    parameters: Mapping[str, str],
    secrets: Mapping[str, str],
    context: Context,
    *,
    is_read_only: bool = False,
) -> Connector:
    """Return a connector for these values, saved or not. The caller closes it.

    One that is read-only raises ``WriteRefusedError`` instead of writing.

    Raises:
        AttentionError: no such connector is installed.
    """
    kind = connector_class(slug)
    return (read_only(kind) if is_read_only else kind)(merge_settings(parameters, secrets), context)


def connector_class(slug: str) -> type[Connector]:
    """Return the connector of this name.

    Raises:
        AttentionError: it is not installed (any more).
    """
    try:
        return get_connector(slug)
    except LookupError as error:
        hint = "Install the package it came with, or delete the system."
        raise AttentionError(str(error), hint=hint) from error


@contextmanager
def open_connector(
    system: System,
    *,
    is_fresh: bool = False,
    is_read_only: bool = False,
    caller: Caller = PERSON,
) -> Iterator[Connector]:
    """Open the connector of a saved system and close it at the end.

    ``caller`` is for whom calls are made: who waits for shared limits is served by turns of these.
    """
    context = build_context(is_fresh=is_fresh, tokens=StoredTokens(system.pk), caller=caller)
    connector = build_connector(
        system.connector, system.parameters, system.secrets, context, is_read_only=is_read_only
    )
    try:
        yield connector
    finally:
        connector.close()
        budget.keep(system)
