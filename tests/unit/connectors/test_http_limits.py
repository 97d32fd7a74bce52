from collections.abc import Iterator
from datetime import timedelta
from itertools import count

import pytest
import redis

from hubconnect.connectors.budgets import PERSON, Budget, Caller, DayBudget, Told
from hubconnect.connectors.errors import BudgetSpentError
from hubconnect.connectors.limits import MemoryRateLimiter, RedisRateLimiter
from tools.localservices import valkey

NOBODY = "redis://127.0.0.1:9/0"
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
SPAN = timedelta(seconds=10)
ONE, OTHER, LOAD = Caller("flow:1"), Caller("flow:2"), Caller("flow:3", is_load=True)
NUMBERS = count(1)


class SteppedClock:
    """Time that passes only by waiting."""

    def __init__(self) -> None:
        self.time_s = 1_700_000_000.0
        self.waits: list[float] = []

    def monotonic_s(self) -> float:
        return self.time_s

    def now_ms(self) -> int:
        return round(self.time_s * 1000)

    def wait(self, span: timedelta) -> None:
        self.waits.append(span.total_seconds())
        self.time_s += span.total_seconds()


@pytest.fixture(scope="module")
def broker() -> Iterator[str]:
    with valkey() as service:
        yield service.url


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture
def limiter(broker: str, clock: SteppedClock) -> RedisRateLimiter:
    return RedisRateLimiter(broker, clock=clock, now_ms=clock.now_ms)


def window(calls: int, per: timedelta = SPAN, *, kept: int = 0, policy: str = "BURST") -> Budget:
    return Budget(f"test/{next(NUMBERS)}", calls, per, policy, kept)


def day(*, kept: int = 10, slow: int = 5, ends_in: timedelta = 10 * HOUR) -> DayBudget:
    key = f"test/{next(NUMBERS)}"
    return DayBudget(key, "The desk's daily limit", ends_in, "midnight in Rome", kept, slow)


def call(
    limiter: RedisRateLimiter | MemoryRateLimiter,
    *budgets: Budget | DayBudget,
    told: Told | None = None,
    caller: Caller = ONE,
) -> timedelta:
    """Send a call that is answered at once; return how long it waited."""
    ticket = limiter.take(budgets, caller=caller)
    limiter.note(ticket, told or Told())
    return ticket.waited


def refused_wait(limiter: RedisRateLimiter | MemoryRateLimiter, *budgets: Budget) -> timedelta:
    with pytest.raises(BudgetSpentError) as caught:
        limiter.take(budgets, caller=ONE)
    assert caught.value.retry_after is not None
    return caught.value.retry_after


class TestAlone:
    def test_a_budget_is_used_up_and_says_when_it_is_free(self) -> None:
        limiter, budget = MemoryRateLimiter(clock=SteppedClock()), window(3, HOUR)
        assert [call(limiter, budget) for _ in range(3)] == [timedelta(0)] * 3
        assert refused_wait(limiter, budget) == HOUR

    def test_budgets_do_not_know_each_other(self) -> None:
        limiter = MemoryRateLimiter(clock=SteppedClock())
        call(limiter, window(1, HOUR))
        assert call(limiter, window(1, HOUR)) == timedelta(0)

    def test_a_short_wait_is_waited(self) -> None:
        limiter, budget = MemoryRateLimiter(clock=SteppedClock()), window(1, SECOND)
        call(limiter, budget)
        assert call(limiter, budget) == SECOND

    def test_without_redis_a_quarter_of_the_budget_is_used(self) -> None:
        limiter, budget = RedisRateLimiter(NOBODY, clock=SteppedClock()), window(100, HOUR)
        assert [call(limiter, budget) for _ in range(25)] == [timedelta(0)] * 25
        refused_wait(limiter, budget)

    def test_without_redis_a_tiny_budget_still_lets_one_call_through(self) -> None:
        limiter = RedisRateLimiter(NOBODY, clock=SteppedClock())
        assert call(limiter, window(2, HOUR)) == timedelta(0)

    def test_a_told_limit_and_a_refusal_are_kept(self) -> None:
        limiter, budget = MemoryRateLimiter(clock=SteppedClock()), window(100, HOUR)
        call(limiter, budget, told=Told(most=2, per=HOUR))
        call(limiter, budget, told=Told(refused="BURST", wait=MINUTE))
        assert refused_wait(limiter, budget) == HOUR
        other = window(100, HOUR)
        call(limiter, other, told=Told(refused="BURST", wait=MINUTE))
        assert refused_wait(limiter, other) == MINUTE


class TestWindow:
    def test_it_is_shared(self, broker: str, clock: SteppedClock) -> None:
        both = [RedisRateLimiter(broker, clock=clock, now_ms=clock.now_ms) for _ in range(2)]
        budget = window(4, HOUR)
        for limiter in (*both, *both):
            assert call(limiter, budget) == timedelta(0)
        for limiter in both:
            refused_wait(limiter, budget)

    def test_a_slot_is_free_one_span_after_the_answer(
        self, limiter: RedisRateLimiter, clock: SteppedClock
    ) -> None:
        budget = window(1)
        ticket = limiter.take((budget,), caller=ONE)
        clock.wait(SECOND)
        limiter.note(ticket, Told())
        assert call(limiter, budget) == SPAN

    def test_a_call_that_is_never_answered_does_not_hold_its_slot(
        self, limiter: RedisRateLimiter
    ) -> None:
        budget = window(1)
        limiter.take((budget,), caller=ONE)
        assert call(limiter, budget) == SPAN + 2 * SECOND

    def test_a_limit_told_by_an_answer_counts_for_all(
        self, broker: str, limiter: RedisRateLimiter, clock: SteppedClock
    ) -> None:
        budget = window(100)
        call(limiter, budget, told=Told(most=3, per=SPAN, left=2))
        other = RedisRateLimiter(broker, clock=clock, now_ms=clock.now_ms)
        assert [call(other, budget) for _ in range(2)] == [timedelta(0)] * 2
        assert call(other, budget) == SPAN

    def test_a_told_limit_survives_a_redis_that_began_anew(
        self, broker: str, limiter: RedisRateLimiter
    ) -> None:
        budget = window(100)
        call(limiter, budget, told=Told(most=3, per=SPAN, left=2))
        with redis.Redis.from_url(broker) as connection:
            connection.flushall()
        assert [call(limiter, budget) for _ in range(3)] == [timedelta(0)] * 3
        assert call(limiter, budget) == SPAN

    def test_a_share_is_left_to_others(self, limiter: RedisRateLimiter) -> None:
        budget = window(10, kept=20)
        assert [call(limiter, budget) for _ in range(8)] == [timedelta(0)] * 8
        assert call(limiter, budget) == SPAN

    def test_what_others_called_leaves_less(self, limiter: RedisRateLimiter) -> None:
        budget = window(10)
        call(limiter, budget, told=Told(most=10, per=SPAN, left=2))  # seven are not ours
        assert [call(limiter, budget) for _ in range(2)] == [timedelta(0)] * 2
        assert call(limiter, budget) == SPAN

    def test_our_own_calls_under_way_are_not_taken_for_those_of_others(
        self, limiter: RedisRateLimiter
    ) -> None:
        budget = window(6)
        tickets = [limiter.take((budget,), caller=ONE) for _ in range(3)]
        for left, ticket in zip((3, 4, 5), tickets, strict=True):  # they overtook each other
            limiter.note(ticket, Told(most=6, per=SPAN, left=left))
        assert [call(limiter, budget) for _ in range(3)] == [timedelta(0)] * 3

    def test_a_full_window_is_spread(self, limiter: RedisRateLimiter) -> None:
        """So that who comes later finds a slot soon, and not when all are free again at once."""
        budget = window(40)
        for _ in range(80):
            call(limiter, budget)
        late = [call(limiter, budget) for _ in range(40)]
        assert max(late) <= timedelta(milliseconds=800)
        assert sum(late, timedelta(0)) <= SPAN * 1.05

    def test_two_budgets_are_taken_together_or_not_at_all(self, limiter: RedisRateLimiter) -> None:
        wide, narrow = window(2), window(1, HOUR)
        call(limiter, wide, narrow)
        refused_wait(limiter, wide, narrow)
        assert call(limiter, wide) == timedelta(0)


class TestTurns:
    def test_who_used_less_is_served_first(
        self, broker: str, limiter: RedisRateLimiter, clock: SteppedClock
    ) -> None:
        """One who waits is passed by whoever used less, and passes whoever used more."""
        budget = window(4)
        for _ in range(4):
            call(limiter, budget, caller=LOAD)
            clock.wait(SECOND)
        turns: list[str] = []

        class Interrupted(SteppedClock):
            """While the load waits, another flow comes and asks for a call."""

            def wait(self, span: timedelta) -> None:
                if not turns:
                    turns.append("waits")
                    call(limiter, budget, caller=OTHER)
                    turns.append("other")
                clock.wait(span)

        load = RedisRateLimiter(broker, clock=Interrupted(), now_ms=clock.now_ms)
        began = clock.time_s
        call(load, budget, caller=LOAD)
        turns.append("load")
        assert turns == ["waits", "other", "load"]
        # The other one took the first slot that came free, the load the second one.
        assert clock.time_s - began == pytest.approx(7, abs=0.1)

    def test_a_waiter_that_vanished_is_forgotten(
        self, limiter: RedisRateLimiter, clock: SteppedClock
    ) -> None:
        budget = window(1, SECOND)
        call(limiter, budget, caller=LOAD)
        with pytest.raises(BudgetSpentError):
            limiter.take((budget,), caller=ONE, patience=timedelta(0))
        clock.wait(3 * SECOND)
        assert call(limiter, budget, caller=LOAD) == timedelta(0)


class TestRefusal:
    def test_everybody_waits_and_longer_each_time(
        self, broker: str, limiter: RedisRateLimiter, clock: SteppedClock
    ) -> None:
        budget = window(100)
        other = RedisRateLimiter(broker, clock=clock, now_ms=clock.now_ms)
        refusal = Told(refused="BURST", wait=4 * SECOND)
        call(limiter, budget, told=refusal)
        assert call(other, budget, told=refusal) == 4 * SECOND
        assert call(limiter, budget) == 8 * SECOND

    def test_those_under_way_when_it_came_count_once(
        self, limiter: RedisRateLimiter, clock: SteppedClock
    ) -> None:
        budget = window(100)
        tickets = [limiter.take((budget,), caller=ONE) for _ in range(3)]
        clock.wait(timedelta(milliseconds=10))
        for ticket in tickets:
            limiter.note(ticket, Told(refused="BURST", wait=4 * SECOND))
        assert call(limiter, budget) == 4 * SECOND

    def test_it_is_over_with_the_first_good_answer(self, limiter: RedisRateLimiter) -> None:
        budget = window(100)
        call(limiter, budget, told=Told(refused="BURST", wait=4 * SECOND))
        call(limiter, budget)
        assert call(limiter, budget) == timedelta(0)

    def test_only_the_limit_that_was_exceeded_stops(self, limiter: RedisRateLimiter) -> None:
        burst, search = window(100), window(5, SECOND, policy="SEARCH")
        call(limiter, burst, search, told=Told(refused="SEARCH", wait=2 * SECOND))
        assert call(limiter, burst) == timedelta(0)
        assert call(limiter, burst, search) == 2 * SECOND


class TestDay:
    LOW = Told(day_most=1000, day_left=145)
    GONE = Told(day_most=1000, day_left=100)

    def test_first_loads_wait_before_the_end_and_changes_are_spread(
        self, limiter: RedisRateLimiter
    ) -> None:
        budget = day(ends_in=45 * timedelta(seconds=2))
        call(limiter, budget, told=self.LOW)
        with pytest.raises(BudgetSpentError) as caught:
            limiter.take((budget,), caller=LOAD)
        assert caught.value.policy == "DAILY_LOADS"
        assert caught.value.retry_after == 90 * SECOND
        assert "145 calls" in caught.value.message
        assert "midnight in Rome" in caught.value.hint
        assert abs(call(limiter, budget) - 2 * SECOND) < SECOND / 10

    def test_a_run_still_comes_through_while_calls_are_spread(
        self, limiter: RedisRateLimiter
    ) -> None:
        budget = day()
        call(limiter, budget, told=self.LOW)
        assert call(limiter, budget) == 5 * SECOND

    def test_nobody_waits_before_a_page_while_calls_are_spread(
        self, limiter: RedisRateLimiter
    ) -> None:
        budget = day()
        call(limiter, budget, told=self.LOW)
        assert call(limiter, budget, caller=PERSON) == timedelta(0)

    def test_the_share_of_others_is_not_touched(self, limiter: RedisRateLimiter) -> None:
        budget = day()
        call(limiter, budget, told=self.GONE)
        with pytest.raises(BudgetSpentError) as caught:
            limiter.take((budget,), caller=ONE)
        assert caught.value.policy == "DAILY"
        assert caught.value.retry_after == 10 * HOUR
        assert "100 calls, which are left to other apps" in caught.value.message

    def test_it_goes_on_when_the_day_is_over(
        self, limiter: RedisRateLimiter, clock: SteppedClock
    ) -> None:
        budget = day()
        late = limiter.take((budget,), caller=ONE)
        call(limiter, budget, told=self.GONE)
        clock.wait(10 * HOUR)
        assert [call(limiter, budget) for _ in range(3)] == [timedelta(0)] * 3
        limiter.note(late, self.GONE)  # of yesterday, answered today
        state = limiter.days([budget.key]).get(budget.key)
        assert state is not None
        assert (state.ours, state.left) == (3, None)

    def test_calls_are_counted_between_answers(self, limiter: RedisRateLimiter) -> None:
        budget = day()
        call(limiter, budget, told=Told(day_most=1000, day_left=500))
        for _ in range(3):
            limiter.take((budget,), caller=ONE)
        state = limiter.days([budget.key]).get(budget.key)
        assert state is not None
        assert (state.ours, state.most, state.left) == (4, 1000, 497)
        assert state.ends_in == 10 * HOUR

    def test_after_a_while_one_call_asks_whether_there_is_more(
        self, limiter: RedisRateLimiter, clock: SteppedClock
    ) -> None:
        budget = day()
        call(limiter, budget, told=self.GONE)
        clock.wait(6 * MINUTE)
        call(limiter, budget, told=self.GONE)
        with pytest.raises(BudgetSpentError):
            limiter.take((budget,), caller=ONE)
        clock.wait(6 * MINUTE)
        call(limiter, budget, told=Told(day_most=2000, day_left=1100))
        assert call(limiter, budget) == timedelta(0)

    def test_a_refusal_stops_until_the_system_says(self, limiter: RedisRateLimiter) -> None:
        budget = day()
        call(limiter, budget, told=Told(refused="DAILY", wait=3 * HOUR))
        with pytest.raises(BudgetSpentError) as caught:
            limiter.take((budget,), caller=ONE)
        assert caught.value.retry_after == 3 * HOUR
        state = limiter.days([budget.key]).get(budget.key)
        assert state is not None
        assert state.is_refused

    def test_what_a_young_day_tells_is_asked_again_soon(self, limiter: RedisRateLimiter) -> None:
        """HubSpot's counter may still be the one of the day before."""
        budget = day(ends_in=24 * HOUR)
        call(limiter, budget, told=self.GONE)
        with pytest.raises(BudgetSpentError) as caught:
            limiter.take((budget,), caller=ONE)
        assert caught.value.retry_after == 5 * MINUTE
