"""Limits how often somebody may guess a password.

Attempts are counted for a name together with the address they come from, and more generously for a
name from anywhere. They are never counted for an address alone: behind a proxy that does not tell
addresses apart, and in offices, one of them stands for everybody. Names that nobody has are counted
alike, so that a refusal does not tell which exist. Counts stand in Redis for all web processes;
while it cannot be reached, each process counts by itself.
"""

import hashlib
import ipaddress
import time
import unicodedata
from datetime import timedelta
from functools import cache

import structlog
from django.conf import settings
from django.http import HttpRequest
from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import MemoryStorage, MovingWindowSupport, storage_from_string
from limits.strategies import MovingWindowRateLimiter

log = structlog.get_logger(__name__)

FROM_ONE_PLACE = RateLimitItemPerMinute(5, 15)  # 5 within 15 minutes
FROM_ANYWHERE = RateLimitItemPerHour(50)
REDIS_TIMEOUT_S = 1.0
IPV6_NETWORK = 64  # one customer has at least so many addresses


class TooManyAttemptsError(Exception):
    """Nobody is asked for a password now; ``wait`` tells how long."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__(f"again in {wait}")
        self.wait = wait


def begin(scope: str, name: str, address: str) -> None:
    """Count an attempt before the password is looked at, so that many at once are counted too.

    Raises:
        TooManyAttemptsError: the right password would be refused as well.
    """
    who = _digest(scope, name)
    _ensure(FROM_ANYWHERE, who)
    if not _hit(FROM_ONE_PLACE, who, address):
        raise TooManyAttemptsError(_wait(FROM_ONE_PLACE, who, address))


def failed(scope: str, name: str) -> None:
    """Note that the password was wrong."""
    _hit(FROM_ANYWHERE, _digest(scope, name))


def succeeded(scope: str, name: str, address: str) -> None:
    """Forget the attempts that came before the right password."""
    key = (_digest(scope, name), address)
    _alone().clear(FROM_ONE_PLACE, *key)
    try:
        _shared().clear(FROM_ONE_PLACE, *key)
    except StorageError:
        log.warning("attempts.redis_away")


def address_of(request: HttpRequest) -> str:
    """Return where a request comes from: behind our proxy, what that saw; of IPv6 the network."""
    seen = str(request.META.get("REMOTE_ADDR", ""))
    if settings.BEHIND_PROXY:  # it appends; what stands before is the client's own word
        seen = request.headers.get("X-Forwarded-For", seen).rpartition(",")[2].strip()
    try:
        address = ipaddress.ip_address(seen)
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(ipaddress.ip_network((address, IPV6_NETWORK), strict=False))


def _ensure(limit: RateLimitItem, *key: str) -> None:
    if not _ask("test", limit, *key):
        raise TooManyAttemptsError(_wait(limit, *key))


def _hit(limit: RateLimitItem, *key: str) -> bool:
    return _ask("hit", limit, *key)


def _ask(act: str, limit: RateLimitItem, *key: str) -> bool:
    try:
        return bool(getattr(_shared(), act)(limit, *key))
    except StorageError:
        log.warning("attempts.redis_away")
        return bool(getattr(_alone(), act)(limit, *key))


def _wait(limit: RateLimitItem, *key: str) -> timedelta:
    try:
        until = _shared().get_window_stats(limit, *key).reset_time
    except StorageError:
        until = _alone().get_window_stats(limit, *key).reset_time
    return timedelta(seconds=max(until - time.time(), 1))


@cache
def _shared() -> MovingWindowRateLimiter:
    storage = storage_from_string(
        settings.REDIS_URL,
        wrap_exceptions=True,
        key_prefix=f"{settings.REDIS_KEY_PREFIX}attempts",
        socket_timeout=REDIS_TIMEOUT_S,
        socket_connect_timeout=REDIS_TIMEOUT_S,
    )
    if not isinstance(storage, MovingWindowSupport):
        msg = f"{type(storage).__name__} cannot keep moving windows; use a redis:// address."
        raise TypeError(msg)
    return MovingWindowRateLimiter(storage)


@cache
def _alone() -> MovingWindowRateLimiter:
    return MovingWindowRateLimiter(MemoryStorage())


def _digest(scope: str, name: str) -> str:
    """Return what stands for a name: one form of it however it is typed, and not readable."""
    one_form = unicodedata.normalize("NFKC", name).casefold()
    return hashlib.sha256(f"{scope}\n{one_form}".encode(errors="replace")).hexdigest()
