"""Shared call budgets, kept in Redis by two scripts; while there is none, by this process alone.

What the scripts keep and why is told at their heads. All times are the Redis server's.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import redis
import structlog

from hubconnect.connectors.budgets import (
    DAILY,
    DAILY_LOADS,
    LONGEST_WAIT,
    Budget,
    Caller,
    Clock,
    DayBudget,
    DayState,
    SystemClock,
    Ticket,
    Told,
)
from hubconnect.connectors.errors import BudgetSpentError
from hubconnect.connectors.limits_alone import LoneWindows

log = structlog.get_logger(__name__)

# While Redis cannot be reached, several processes may go on alone: each takes only this share.
LONE_SHARE = 4
REDIS_TIMEOUT_S = 2.0
# How long a Redis that could not be reached is left alone.
REDIS_PAUSE = timedelta(seconds=30)
# Who waits shows again so often that it still does; the script relies on it.
LONGEST_NAP = timedelta(seconds=1)
MILLISECOND = timedelta(milliseconds=1)
HERE = Path(__file__).parent


class MemoryRateLimiter:
    """Budgets of this process alone: for tests, benchmarks and as a fallback."""

    def __init__(self, *, share: int = 1, clock: Clock | None = None) -> None:
        """Start with full budgets; of each only one part in ``share`` is used."""
        self._clock = clock or SystemClock()
        self._windows = LoneWindows(share, self._clock)

    def take(
        self,
        budgets: Sequence[Budget | DayBudget],
        *,
        caller: Caller,  # noqa: ARG002 - nobody else is known
        patience: timedelta = LONGEST_WAIT,
    ) -> Ticket:
        """Take one call from each of the budgets, waiting if needed."""
        waited = timedelta(0)
        while (wait := self._windows.try_take(budgets)) > timedelta(0):
            waited = _nap(self._clock, wait, wait, waited, patience)
        return Ticket(_new_id(), tuple(budgets), waited=waited)

    def note(self, ticket: Ticket, told: Told) -> None:
        """Take in what the answer to a call said."""
        self._windows.note(ticket, told)

    def told(self, budgets: Sequence[Budget | DayBudget]) -> tuple[Budget | DayBudget, ...]:
        """Return budgets with the numbers that answers told this process."""
        return tuple(self._windows.told(one) if isinstance(one, Budget) else one for one in budgets)


class RedisRateLimiter:
    """Budgets shared by every process that knows the Redis address."""

    def __init__(
        self, url: str, *, clock: Clock | None = None, now_ms: Callable[[], int] | None = None
    ) -> None:
        """Keep the address; connect to nothing yet.

        Args:
            url: redis://, rediss:// or unix://.
            clock: waits, and leaves a lost Redis alone for a while.
            now_ms: time of the budgets; the Redis server's own by default.
        """
        self._clock = clock or SystemClock()
        self._now_ms = now_ms
        self._alone = MemoryRateLimiter(share=LONE_SHARE, clock=self._clock)
        self._redis = redis.Redis.from_url(
            url,
            socket_timeout=REDIS_TIMEOUT_S,
            socket_connect_timeout=REDIS_TIMEOUT_S,
            decode_responses=True,
        )
        self._take = self._redis.register_script((HERE / "limits_take.lua").read_text())
        self._note = self._redis.register_script((HERE / "limits_note.lua").read_text())
        self._away_until_s = float("-inf")

    def take(
        self,
        budgets: Sequence[Budget | DayBudget],
        *,
        caller: Caller,
        patience: timedelta = LONGEST_WAIT,
    ) -> Ticket:
        """Take one call from each of the budgets, waiting if needed."""
        if not budgets:
            return Ticket("", ())
        if self._clock.monotonic_s() >= self._away_until_s:
            try:
                # A Redis that began anew has forgotten what answers told; this process has not.
                return self._take_shared(self._alone.told(budgets), caller, patience)
            except redis.RedisError:
                self._leave_alone(budgets[0].key)
        return self._alone.take(budgets, caller=caller, patience=patience)

    def note(self, ticket: Ticket, told: Told) -> None:
        """Take in what the answer to a call said."""
        if ticket.budgets:
            self._alone.note(ticket, told)
        if not ticket.is_shared:
            return
        try:
            self._note(_keys(ticket.budgets), [self._now(), *_said(ticket, told)])
        except redis.RedisError:
            self._leave_alone(ticket.budgets[0].key)

    def days(self, keys: Sequence[str]) -> dict[str, DayState]:
        """Return by key how the days of ``DayBudget``s stand; those without a call are left out.

        Raises:
            ConnectionError: Redis cannot be reached.
        """
        if self._clock.monotonic_s() < self._away_until_s:
            msg = "Redis could not be reached a moment ago."
            raise ConnectionError(msg)
        try:
            with self._redis.pipeline(transaction=False) as pipeline:
                pipeline.time()
                for key in keys:
                    pipeline.hgetall(_key(key))
                (seconds, micros), *found = pipeline.execute()
        except redis.RedisError as error:
            self._leave_alone(keys[0])
            raise ConnectionError(str(error)) from error
        now = int(self._now() or seconds * 1000 + micros // 1000)
        states = zip(keys, (_day_state(kept, now) for kept in found), strict=True)
        return {key: state for key, state in states if state is not None}

    def _take_shared(
        self, budgets: tuple[Budget | DayBudget, ...], caller: Caller, patience: timedelta
    ) -> Ticket:
        call = _new_id()
        waited = timedelta(0)
        asked = _asked(budgets)
        while True:
            left = (patience - waited) // MILLISECOND
            who = [self._now(), caller.name, caller.kind, call, left]
            verdict, *said = self._take(_keys(budgets), [*who, *asked])
            if verdict == "go":
                at, *pairs = map(int, said)
                used, numbers = tuple(pairs[::2]), tuple(pairs[1::2])
                return Ticket(call, budgets, caller.name, at, used, numbers, waited, is_shared=True)
            wait = int(said[0]) * MILLISECOND
            if verdict == "stop":
                raise _day_is_over(budgets[int(said[1])], wait, str(said[2]), int(said[3]))
            waited = _nap(self._clock, wait, min(wait, LONGEST_NAP), waited, patience)

    def _now(self) -> int | str:
        return self._now_ms() if self._now_ms is not None else ""

    def _leave_alone(self, key: str) -> None:
        self._away_until_s = self._clock.monotonic_s() + REDIS_PAUSE.total_seconds()
        log.warning("limits.redis_missed", key=key)


def _new_id() -> str:
    return uuid.uuid4().hex[:16]


def _nap(
    clock: Clock, wait: timedelta, nap: timedelta, waited: timedelta, patience: timedelta
) -> timedelta:
    """Wait a while and return how long it was in all."""
    if waited + wait > patience:
        msg = "The shared limit of calls is used up."
        raise BudgetSpentError(msg, hint="It goes on by itself.", retry_after=wait, policy="SHARED")
    clock.wait(nap)
    return waited + nap


def _day_is_over(
    budget: Budget | DayBudget, wait: timedelta, reason: str, left: int
) -> BudgetSpentError:
    label, ends = "The daily limit", "when the next day begins"
    if isinstance(budget, DayBudget):
        label, ends = budget.label, f"at {budget.ends_at}"
    if reason == "loads":
        return BudgetSpentError(
            f"{label} is near its end: {left:,} calls are left. First loads wait.",
            hint=f"It goes on by itself {ends}.",
            retry_after=wait,
            policy=DAILY_LOADS,
        )
    if reason == "kept" and left:
        said = f"{label} is used up but for {left:,} calls, which are left to other apps."
    else:
        said = f"{label} of calls is used up."
    return BudgetSpentError(
        said, hint=f"It goes on by itself {ends}.", retry_after=wait, policy=DAILY
    )


def _key(key: str) -> str:
    """Return the name in Redis: what belongs to one account stays together in a cluster."""
    account, _, limit = key.partition("/")
    return f"hubconnect:limits:{{{account}}}:{limit}"


def _keys(budgets: Sequence[Budget | DayBudget]) -> list[str]:
    return [_key(one.key) for one in budgets]


def _asked(budgets: Sequence[Budget | DayBudget]) -> list[str | int]:
    """Return what the first script takes of each budget."""
    found: list[str | int] = []
    for one in budgets:
        if isinstance(one, Budget):
            found += ["window", one.calls, one.per // MILLISECOND, one.kept_percent, 0, 0]
        else:
            found += ["day", 0, 0, one.kept_percent, one.slow_percent, one.ends_in // MILLISECOND]
    return found


def _said(ticket: Ticket, told: Told) -> list[str | int]:
    """Return what the second script takes of an answer."""
    policies = [one.policy for one in ticket.budgets]
    refused: str | int = ""
    if told.refused is not None:
        refused = policies.index(told.refused) if told.refused in policies else 0
    numbers = (told.most, told.left, _ms(told.per), told.day_most, told.day_left)
    found: list[str | int] = [ticket.name, ticket.id, ticket.at_ms]
    found += ["" if one is None else one for one in numbers]
    found += [refused, told.wait // MILLISECOND]
    for one, used, number in zip(ticket.budgets, ticket.used, ticket.numbers, strict=True):
        if isinstance(one, Budget):
            kind = "told" if one.is_told else "window"
            found += [kind, one.per // MILLISECOND, used, number]
        else:
            found += ["day", 0, used, number]
    return found


def _ms(span: timedelta | None) -> int | None:
    return None if span is None else span // MILLISECOND


def _day_state(kept: Mapping[str, str], now: int) -> DayState | None:
    ends = float(kept.get("ends", 0))
    if ends <= now:
        return None
    told = float(kept["told"]) if "told" in kept else None
    return DayState(
        ours=int(kept.get("number", 0)),
        most=int(kept["most"]) if "most" in kept else None,
        left=max(0, int(kept["left"])) if "left" in kept else None,
        ends_in=(ends - now) * MILLISECOND,
        told_ago=None if told is None else (now - told) * MILLISECOND,
        is_refused=float(kept.get("block", 0)) > now,
    )
