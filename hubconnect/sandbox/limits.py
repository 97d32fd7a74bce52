"""Call limits: a rolling ten seconds per app, one second of searches per account, one day.

Window lengths, headers and both shapes of the 429 are those of the page "Usage guidelines".
"""

import threading
import time
from collections import defaultdict, deque

from hubconnect.sandbox.errors import ApiError

BURST_WINDOW_S = 10
SEARCH_WINDOW_S = 1
_BURST_POLICY = "TEN_SECONDLY_ROLLING"
_DAILY_POLICY = "DAILY"


class Limits:
    """Counts calls, and those ``refused``; a limit of 0 is switched off."""

    def __init__(self, burst: int, search: int, daily: int) -> None:
        self.burst = burst
        self.search = search
        self.daily = daily
        self._recent: defaultdict[int, deque[float]] = defaultdict(deque)
        self._searches: deque[float] = deque()
        self._today = ("", 0)
        self._guard = threading.Lock()
        self.refused = 0

    def reset(self) -> None:
        """Forget all calls so far."""
        with self._guard:
            self._recent.clear()
            self._searches.clear()
            self._today = ("", 0)
            self.refused = 0

    def used_today(self, day: str) -> int:
        """Return the number of calls of a day, given as YYYY-MM-DD in the account's zone."""
        return self._today[1] if self._today[0] == day else 0

    def admit(self, app_id: int, day: str, *, is_search: bool) -> dict[str, str]:
        """Count one call and return the headers that tell what is left.

        Raises:
            ApiError: one of the limits is used up (429).
        """
        with self._guard:
            try:
                headers = self._admit_burst(app_id) if not is_search else self._admit_search()
                return {**headers, **self._admit_daily(day)}
            except ApiError:
                self.refused += 1
                raise

    def _admit_burst(self, app_id: int) -> dict[str, str]:
        if not self.burst:
            return {}
        calls = self._recent[app_id]
        used = _used(calls, BURST_WINDOW_S)
        headers = {
            "X-HubSpot-RateLimit-Max": str(self.burst),
            "X-HubSpot-RateLimit-Remaining": str(max(self.burst - used - 1, 0)),
            "X-HubSpot-RateLimit-Interval-Milliseconds": str(BURST_WINDOW_S * 1000),
        }
        if used >= self.burst:
            raise _exceeded(_BURST_POLICY, headers)
        calls.append(time.monotonic())
        return headers

    def _admit_search(self) -> dict[str, str]:
        if not self.search:
            return {}
        if _used(self._searches, SEARCH_WINDOW_S) >= self.search:
            message = "You have reached your secondly limit."
            raise ApiError(429, message, "RATE_LIMITS", policyName="SECONDLY")
        self._searches.append(time.monotonic())
        return {}

    def _admit_daily(self, day: str) -> dict[str, str]:
        used = self.used_today(day)
        if not self.daily:
            self._today = (day, used + 1)
            return {}
        headers = {
            "X-HubSpot-RateLimit-Daily": str(self.daily),
            "X-HubSpot-RateLimit-Daily-Remaining": str(max(self.daily - used - 1, 0)),
        }
        if used >= self.daily:
            raise _exceeded(_DAILY_POLICY, headers)
        self._today = (day, used + 1)
        return headers


def _used(calls: deque[float], window_s: float) -> int:
    """Drop what left the window and return how many calls are still in it."""
    horizon = time.monotonic() - window_s
    while calls and calls[0] <= horizon:
        calls.popleft()
    return len(calls)


def _exceeded(policy: str, headers: dict[str, str]) -> ApiError:
    message = f"You have reached your {policy.lower()} limit."
    error = ApiError(429, message, errorType="RATE_LIMIT", policyName=policy)
    error.headers = headers
    return error
