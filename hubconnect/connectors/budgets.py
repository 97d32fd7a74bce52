"""What calls are taken from: the words in which clients and limiters speak of limits.

A *window* allows so many calls in a span that moves on; a *day* so many until a moment. Both belong
to an account, and what is left of them is shared by everybody who uses it.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

# A run that would have to wait for longer ends, and another goes on later.
LONGEST_WAIT = timedelta(seconds=15)
DAILY = "DAILY"
# Of a day near its end: ordinary changes still go, first loads wait.
DAILY_LOADS = "DAILY_LOADS"


class Clock(Protocol):
    """Time as clients and limiters know it."""

    def monotonic_s(self) -> float:
        """Return seconds that never go back."""

    def wait(self, span: timedelta) -> None:
        """Return after this long."""


class SystemClock:
    """The machine's clock."""

    def monotonic_s(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()

    def wait(self, span: timedelta) -> None:
        """Return after this long."""
        time.sleep(max(0.0, span.total_seconds()))


@dataclass(frozen=True, slots=True)
class Budget:
    """A moving window a request takes one call from.

    Attributes:
        key: names account and limit, never a System row.
        calls: allowed in the span, until answers tell the account's own number.
        per: the span.
        policy: what the system calls this limit when it refuses.
        kept_percent: share left to others who draw on the same limit.
        is_told: the answer tells this window's numbers, not those of another limit.
    """

    key: str
    calls: int
    per: timedelta
    policy: str = ""
    kept_percent: int = 0
    is_told: bool = True


@dataclass(frozen=True, slots=True)
class DayBudget:
    """Calls of a day; how many there are is known from answers only.

    Attributes:
        key: names the account.
        label: what a person reads, such as ``HubSpot's daily limit``.
        ends_in: until the next day begins.
        ends_at: the same in words, such as ``midnight in Europe/Madrid``.
        kept_percent: share left to the account's other apps.
        slow_percent: share before that, in which calls are spread and first loads wait.
    """

    key: str
    label: str
    ends_in: timedelta
    ends_at: str
    kept_percent: int = 0
    slow_percent: int = 0
    policy: str = DAILY


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: those who wait are served by turns, whatever the number of their workers.

    Attributes:
        name: the same for all workers of one flow.
        is_load: carries what was there before, and gives way when a day's calls run short.
        is_person: somebody waits before a page; a day's last calls are not spread for them.
    """

    name: str
    is_load: bool = False
    is_person: bool = False

    @property
    def kind(self) -> str:
        """Name the kind for the limiter: ``load``, ``person`` or ``flow``."""
        return "load" if self.is_load else "person" if self.is_person else "flow"


PERSON = Caller("person", is_person=True)


@dataclass(frozen=True, slots=True)
class Ticket:
    """Permission for one call, given back with what its answer said.

    Attributes:
        id: of the call.
        name: of the caller.
        budgets: what it was taken from.
        at_ms: when it was given, by the clock of the limiter.
        used: of each budget, calls in the window including this one.
        numbers: of each budget, the running number of this call.
        waited: how long it took.
        is_shared: given by the shared limiter.
    """

    id: str
    budgets: tuple[Budget | DayBudget, ...]
    name: str = ""
    at_ms: int = 0
    used: tuple[int, ...] = ()
    numbers: tuple[int, ...] = ()
    waited: timedelta = timedelta(0)
    is_shared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What an answer says of limits. None where it says nothing.

    Attributes:
        most: calls of the window that is told; ``left`` are those still free, by everybody's use.
        per: its span.
        day_most: calls of the day, ``day_left`` those still free.
        refused: policy of the limit that was exceeded; ``wait`` is what the system asks for.
    """

    most: int | None = None
    left: int | None = None
    per: timedelta | None = None
    day_most: int | None = None
    day_left: int | None = None
    refused: str | None = None
    wait: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class DayState:
    """How a day's calls stand.

    Attributes:
        ours: calls that were taken here.
        most: calls of the day, None where the system does not tell.
        left: what is free of them, by everybody's use.
        ends_in: until the next day begins.
        told_ago: since an answer told, None if none did.
        is_refused: the system refuses further calls.
    """

    ours: int
    most: int | None
    left: int | None
    ends_in: timedelta
    told_ago: timedelta | None
    is_refused: bool = False


class RateLimiter(Protocol):
    """Shared call budgets."""

    def take(
        self,
        budgets: Sequence[Budget | DayBudget],
        *,
        caller: Caller,
        patience: timedelta = LONGEST_WAIT,
    ) -> Ticket:
        """Take one call from each of the budgets, waiting if needed.

        Raises:
            BudgetSpentError: the wait would exceed the patience, or the day is over.
        """

    def note(self, ticket: Ticket, told: Told) -> None:
        """Take in what the answer to a call said."""
