"""HubSpot's day, which ends the daily limit: it begins at midnight in the account's time zone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hubconnect.connectors.http import Answer, date_of

# Its counter may be a moment late, and a call sent too early is refused for another day.
SLACK = timedelta(seconds=3)
# A refusal so soon after midnight is about the day before.
JUST_BEGUN = timedelta(minutes=10)
AGAIN = timedelta(minutes=1)


def until_midnight(time_zone: str, now: datetime | None = None) -> timedelta:
    """Return the time to the account's next midnight and a little more.

    Args:
        time_zone: of the account, as HubSpot names it; UTC is assumed for an unknown one.
        now: by HubSpot's clock; by ours if it is not known.
    """
    try:
        zone = ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        zone = ZoneInfo("UTC")
    here = (now or datetime.now(UTC)).astimezone(zone)
    midnight = (here + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight.astimezone(UTC) - here.astimezone(UTC) + SLACK


def until_allowed(time_zone: str, answer: Answer) -> timedelta:
    """Return how long to wait after the daily limit was exceeded."""
    now = date_of(answer) or datetime.now(UTC)
    left = until_midnight(time_zone, now)
    is_young = left > until_midnight(time_zone, now + left + SLACK) - JUST_BEGUN
    return AGAIN if is_young else left
