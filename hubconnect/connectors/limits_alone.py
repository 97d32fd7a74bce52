"""Call budgets of one process, as long as it knows nobody else."""

import threading
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from hubconnect.connectors.budgets import Budget, Clock, DayBudget, Ticket, Told

SHORTEST_WAIT = timedelta(milliseconds=10)


@dataclass(slots=True)
class _Window:
    """Moments at which calls leave the window; what answers told of it; when it is open again."""

    ends_s: deque[float] = field(default_factory=deque)
    most: int | None = None
    per: timedelta | None = None
    blocked_until_s: float = float("-inf")


class LoneWindows:
    """Windows by key. Days are known by refusals only: what is left is not counted."""

    def __init__(self, share: int, clock: Clock) -> None:
        """Use one part in ``share`` of each window."""
        self._share = share
        self._clock = clock
        self._windows: defaultdict[str, _Window] = defaultdict(_Window)
        self._guard = threading.Lock()

    def try_take(self, budgets: Sequence[Budget | DayBudget]) -> timedelta:
        """Take one call from each budget, or none and return how long to wait."""
        with self._guard:
            now_s = self._clock.monotonic_s()
            wait_s = max((self._wait_s(one, now_s) for one in budgets), default=0.0)
            if wait_s > 0:
                return max(SHORTEST_WAIT, timedelta(seconds=wait_s))
            for one in budgets:
                if isinstance(one, Budget):
                    window = self._windows[one.key]
                    window.ends_s.append(now_s + (window.per or one.per).total_seconds())
            return timedelta(0)

    def note(self, ticket: Ticket, told: Told) -> None:
        """Take in what an answer said of its windows."""
        with self._guard:
            first = ticket.budgets[0] if ticket.budgets else None
            if isinstance(first, Budget) and first.is_told and told.most and told.per:
                window = self._windows[first.key]
                window.most, window.per = told.most, told.per
            if told.refused is None or first is None:
                return
            named = [one for one in ticket.budgets if one.policy == told.refused]
            until_s = self._clock.monotonic_s() + told.wait.total_seconds()
            self._windows[(named or [first])[0].key].blocked_until_s = until_s

    def told(self, budget: Budget) -> Budget:
        """Return a budget with the numbers that answers told this process."""
        with self._guard:
            window = self._windows.get(budget.key)
        if window is None or window.most is None or window.per is None:
            return budget
        return replace(budget, calls=window.most, per=window.per)

    def _wait_s(self, budget: Budget | DayBudget, now_s: float) -> float:
        window = self._windows[budget.key]
        wait_s = max(0.0, window.blocked_until_s - now_s)
        if isinstance(budget, DayBudget):
            return wait_s
        most = (window.most or budget.calls) * (100 - budget.kept_percent) // 100
        most = max(1, most // self._share)
        while window.ends_s and window.ends_s[0] <= now_s:
            window.ends_s.popleft()
        if len(window.ends_s) >= most:
            wait_s = max(wait_s, window.ends_s[len(window.ends_s) - most] - now_s)
        return wait_s
