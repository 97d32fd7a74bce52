"""The call budgets that all workers and pages of this installation share."""

from functools import cache as keep_once

from django.conf import settings

from hubconnect.connectors.limits import RedisRateLimiter


def limiter() -> RedisRateLimiter:
    """Return the limiter of the configured Redis."""
    return _limiter(settings.REDIS_URL)


@keep_once
def _limiter(redis_url: str) -> RedisRateLimiter:
    return RedisRateLimiter(redis_url)
