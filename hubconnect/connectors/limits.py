"""Shared call budgets: moving windows kept in Redis, or in this process alone."""

import time
from collections.abc import Callable
from datetime import timedelta

import structlog
from limits import RateLimitItemPerSecond
from limits.errors import StorageError
from limits.storage import MemoryStorage, MovingWindowSupport, storage_from_string
from limits.strategies import MovingWindowRateLimiter

from hubconnect.connectors.errors import RateLimitedError
from hubconnect.connectors.http import LONGEST_WAIT, Clock, SystemClock

log = structlog.get_logger(__name__)

# While Redis cannot be reached, several processes may go on alone: each takes only this share.
LONE_SHARE = 4
REDIS_TIMEOUT_S = 2.0
# How long a Redis that could not be reached is left alone.
REDIS_PAUSE = timedelta(seconds=30)
# Slots come free one by one; a shorter wait would only ask again in vain.
SHORTEST_WAIT_S = 0.01


class MemoryRateLimiter:
    """Budgets of this process alone: for tests, benchmarks and as a fallback."""

    def __init__(self, *, share: int = 1, clock: Clock | None = None) -> None:
        """Start with full budgets; of each only one part in ``share`` is used."""
        self._window = MovingWindowRateLimiter(MemoryStorage())
        self._share = share
        self._clock = clock or SystemClock()

    def wait_for(self, key: str, *, calls: int, per: timedelta) -> timedelta:
        """Take one call from the budget, waiting if needed; return how long it waited."""
        return _take(self._window, key, max(1, calls // self._share), per, self._clock)


class RedisRateLimiter:
    """Budgets shared by every process that knows the Redis address."""

    def __init__(self, url: str, *, clock: Clock | None = None) -> None:
        """Keep the address; connect to nothing yet."""
        self._clock = clock or SystemClock()
        self._alone = MemoryRateLimiter(share=LONE_SHARE, clock=self._clock)
        storage = storage_from_string(
            url,
            wrap_exceptions=True,
            socket_timeout=REDIS_TIMEOUT_S,
            socket_connect_timeout=REDIS_TIMEOUT_S,
        )
        if not isinstance(storage, MovingWindowSupport):
            msg = f"{type(storage).__name__} cannot keep moving windows; use a redis:// address."
            raise TypeError(msg)
        self._window = MovingWindowRateLimiter(storage)
        self._away_until_s = float("-inf")

    def wait_for(self, key: str, *, calls: int, per: timedelta) -> timedelta:
        """Take one call from the budget, waiting if needed; return how long it waited."""
        if self._clock.monotonic_s() >= self._away_until_s:
            try:
                return _take(self._window, key, calls, per, self._clock)
            except StorageError:
                self._away_until_s = self._clock.monotonic_s() + REDIS_PAUSE.total_seconds()
                log.warning("limits.redis_missed", key=key)
        return self._alone.wait_for(key, calls=calls, per=per)


def _take(
    window: MovingWindowRateLimiter,
    key: str,
    calls: int,
    per: timedelta,
    clock: Clock,
    *,
    wall_s: Callable[[], float] = time.time,
) -> timedelta:
    item = RateLimitItemPerSecond(calls, max(1, round(per.total_seconds())))
    waited = timedelta(0)
    while not window.hit(item, key):
        until_free_s = window.get_window_stats(item, key).reset_time - wall_s()
        wait = timedelta(seconds=max(SHORTEST_WAIT_S, until_free_s))
        if waited + wait > LONGEST_WAIT:
            msg = f"The shared limit of {calls} calls in {per.total_seconds():g} s is used up."
            raise RateLimitedError(msg, retry_after=wait, policy="SHARED")
        clock.wait(wait)
        waited += wait
    return waited
