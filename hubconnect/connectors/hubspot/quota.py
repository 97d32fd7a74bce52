"""HubSpot's call limits ("Usage guidelines and limits"): whose they are, and what answers tell.

A burst belongs to an app in an account, searches belong to the account, and so does the day of its
private apps. OAuth apps have no daily limit; what they call is counted all the same, to be shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from hubconnect.connectors.answers import whole_number
from hubconnect.connectors.base import Settings
from hubconnect.connectors.budgets import Budget, DayBudget, Told
from hubconnect.connectors.http import Answer
from hubconnect.connectors.hubspot.days import until_midnight
from hubconnect.connectors.hubspot.errors import SECONDLY, TEN_SECONDLY

# Limits of the smallest subscription, until answers tell ours.
BURST_CALLS = 100
BURST_SPAN = timedelta(seconds=10)
# Five a second for all apps of the account.
SEARCH_CALLS = 5
SEARCH_SPAN = timedelta(seconds=1)
MILLISECOND = timedelta(milliseconds=1)
HUBSPOT_HOST = "hubapi.com"
LIMIT = "X-HubSpot-RateLimit-"
Budgets = tuple[Budget | DayBudget, ...]

DEFAULT_KEPT = 10
DEFAULT_SLOW = 5


@dataclass(slots=True)
class Quota:
    """Limits of one account and app.

    Attributes:
        place: host of the API, so that a stand-in's account is another one.
        account: portal id; until that is known, what names the credential.
        app: id of the app, or "".
        time_zone: of the account, "" until it is known.
        is_oauth: the app was installed by OAuth.
        kept: share of the account's day and searches left to its other apps, in percent.
        slow: share of the day before that, in which calls are spread.
        kept_of_burst: share of the app's own burst left to other programs that use the app.
        daily_left: calls left today, as the last answer said, or None.
    """

    place: str
    account: str
    app: str = ""
    time_zone: str = ""
    is_oauth: bool = False
    kept: int = DEFAULT_KEPT
    slow: int = DEFAULT_SLOW
    kept_of_burst: int = 0
    daily_left: int | None = None

    @classmethod
    def of(cls, settings: Settings | Mapping[str, str], *, account: str) -> "Quota":
        """Return the limits of a system with these settings."""

        def number(name: str, default: int) -> int:
            found = whole_number(str(settings.get(name) or ""))
            return default if found is None else found

        parts = urlsplit(str(settings.get("api_url") or ""))
        is_real = (parts.hostname or "").endswith(HUBSPOT_HOST)
        return cls(
            place=HUBSPOT_HOST if is_real else parts.netloc,
            account=account,
            app=str(settings.get("app_id") or ""),
            is_oauth=settings.get("auth_type") == "oauth",
            kept=number("kept_percent", DEFAULT_KEPT),
            slow=number("slow_percent", DEFAULT_SLOW),
            kept_of_burst=number("kept_burst_percent", 0),
        )

    def introduce(self, account: str, time_zone: str) -> None:
        """Count calls with those of every other credential of this account."""
        self.account = account
        self.time_zone = time_zone or "UTC"

    def of_call(self, now: datetime | None) -> Budgets:
        """Return what an ordinary call is taken from; ``now`` by HubSpot's clock."""
        return self._burst(is_told=True), *self._day(now)

    def of_associations(self, now: datetime | None) -> Budgets:
        """Return the same for associations, whose answers tell limits of their own."""
        return self._burst(is_told=False), *self._day(now)

    def of_search(self, now: datetime | None) -> Budgets:
        """Return what a search is taken from; with OAuth it is no part of the burst."""
        search = Budget(
            self._key("search"), SEARCH_CALLS, SEARCH_SPAN, SECONDLY, self.kept, is_told=False
        )
        if self.is_oauth:
            return search, *self._day(now)
        return self._burst(is_told=False), search, *self._day(now)

    @property
    def day_key(self) -> str:
        """Name the account's day; apps installed by OAuth each have one of their own."""
        return self._key(f"day:oauth:{self.app}" if self.is_oauth else "day")

    def read(self, answer: Answer) -> Told:
        """Return what an answer says of limits."""

        def number(name: str) -> int | None:
            return whole_number(answer.headers.get(LIMIT + name, ""))

        most, span = number("Max"), number("Interval-Milliseconds")
        if number("Daily-Remaining") is not None:
            self.daily_left = number("Daily-Remaining")
        return Told(
            most=most if most and span else None,
            left=number("Remaining") if most and span else None,
            per=span * MILLISECOND if most and span else None,
            day_most=number("Daily"),
            day_left=number("Daily-Remaining"),
        )

    def _burst(self, *, is_told: bool) -> Budget:
        key = self._key(f"burst:{self.app}")
        kept = self.kept_of_burst
        return Budget(key, BURST_CALLS, BURST_SPAN, TEN_SECONDLY, kept, is_told=is_told)

    def _day(self, now: datetime | None) -> tuple[DayBudget, ...]:
        if not self.time_zone:
            return ()
        return (
            DayBudget(
                self.day_key,
                "HubSpot's daily limit",
                until_midnight(self.time_zone, now),
                f"midnight in {self.time_zone}",
                self.kept,
                self.slow,
            ),
        )

    def _key(self, limit: str) -> str:
        return f"hubspot:{self.place}:{self.account}/{limit}"
