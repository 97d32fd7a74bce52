"""A sandbox account, and connectors to it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from hubconnect.connectors.addresses import NetworkPolicy
from hubconnect.connectors.base import Cache, Context
from hubconnect.connectors.hubspot.connector import HubSpotConnector
from hubconnect.connectors.limits import MemoryRateLimiter
from hubconnect.connectors.parameters import Secret
from tests.sandbox_process import Sandbox, sandbox

LOOPBACK = NetworkPolicy(["127.0.0.0/8", "::1"])


class DictCache:
    """A cache that forgets nothing."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def get(self, key: str) -> str | None:
        return self.texts.get(key)

    def set(self, key: str, text: str, keep_for: timedelta) -> None:
        assert keep_for > timedelta(0)
        self.texts[key] = text


@contextmanager
def connect(
    account: Sandbox,
    *,
    cache: Cache | None = None,
    policy: NetworkPolicy = LOOPBACK,
    request_timeout: timedelta = timedelta(seconds=20),
    **settings: str,
) -> Iterator[HubSpotConnector]:
    """Open a connector to a sandbox; settings replace the right ones."""
    texts = {
        "api_url": account.url,
        "user_email": "rae.poe@example.com",
        "auth_type": "token",
        "access_token": account.token,
        "app_id": "9001",
        "remote_link_base": "",
    } | settings
    connector = HubSpotConnector(
        {**texts, "access_token": Secret(texts["access_token"])},
        Context(
            limiter=MemoryRateLimiter(),
            addresses=policy,
            cache=cache,
            request_timeout=request_timeout,
        ),
    )
    try:
        yield connector
    finally:
        connector.close()


@pytest.fixture(scope="package")
def seeded() -> Iterator[Sandbox]:
    """An account whose records nobody changes, but some are added."""
    with sandbox(contacts=1000, companies=60, deals=120, tickets=80) as account:
        yield account


@pytest.fixture(scope="module")
def account() -> Iterator[Sandbox]:
    """An empty account, shared by the tests of a module."""
    with sandbox() as running:
        yield running


@pytest.fixture
def connector(account: Sandbox) -> Iterator[HubSpotConnector]:
    account.clear_faults()
    with connect(account) as opened:
        yield opened
