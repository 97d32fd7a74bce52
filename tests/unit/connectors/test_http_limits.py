from datetime import timedelta

import pytest

from hubconnect.connectors.errors import RateLimitedError
from hubconnect.connectors.limits import MemoryRateLimiter, RedisRateLimiter
from tools.localservices import valkey

NOBODY = "redis://127.0.0.1:9/0"
HOUR = timedelta(hours=1)


class RecordingClock:
    """Does not wait, but remembers."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def monotonic_s(self) -> float:
        return sum(self.waits)

    def wait(self, span: timedelta) -> None:
        self.waits.append(span.total_seconds())


def test_a_budget_is_used_up_and_says_when_it_is_free() -> None:
    limiter = MemoryRateLimiter()
    for _ in range(3):
        assert limiter.wait_for("a", calls=3, per=HOUR) == timedelta(0)
    with pytest.raises(RateLimitedError) as caught:
        limiter.wait_for("a", calls=3, per=HOUR)
    assert caught.value.retry_after is not None
    assert timedelta(minutes=59) < caught.value.retry_after <= HOUR


def test_budgets_do_not_know_each_other() -> None:
    limiter = MemoryRateLimiter()
    limiter.wait_for("a", calls=1, per=HOUR)
    assert limiter.wait_for("b", calls=1, per=HOUR) == timedelta(0)


def test_a_short_wait_is_waited() -> None:
    limiter = MemoryRateLimiter()
    limiter.wait_for("a", calls=1, per=timedelta(seconds=1))
    waited = limiter.wait_for("a", calls=1, per=timedelta(seconds=1))
    assert timedelta(0) < waited <= timedelta(seconds=2)


def test_without_redis_a_quarter_of_the_budget_is_used() -> None:
    limiter = RedisRateLimiter(NOBODY, clock=RecordingClock())
    for _ in range(25):
        assert limiter.wait_for("a", calls=100, per=HOUR) == timedelta(0)
    with pytest.raises(RateLimitedError):
        limiter.wait_for("a", calls=100, per=HOUR)


def test_without_redis_a_tiny_budget_still_lets_one_call_through() -> None:
    limiter = RedisRateLimiter(NOBODY, clock=RecordingClock())
    assert limiter.wait_for("a", calls=2, per=HOUR) == timedelta(0)


def test_a_budget_in_redis_is_shared() -> None:
    with valkey() as broker:
        first, second = RedisRateLimiter(broker.url), RedisRateLimiter(broker.url)
        for limiter in (first, second, first, second):
            assert limiter.wait_for("a", calls=4, per=HOUR) == timedelta(0)
        for limiter in (first, second):
            with pytest.raises(RateLimitedError):
                limiter.wait_for("a", calls=4, per=HOUR)
