"""When a refused record is tried again by itself."""

from datetime import datetime, timedelta
from typing import Final

from hubconnect.integrations.models import Integration

# However long the waits grow, a record whose tries are not used up is tried once a day.
LONGEST_WAIT_S: Final = 24 * 60 * 60
_MOST_GROWTH: Final = 30  # more would only make big numbers


def next_try(attempts: int, integration: Integration, now: datetime) -> datetime | None:
    """Return when the next try comes after so many; None: it waits for a person."""
    if attempts >= integration.max_attempts:
        return None
    growth: int = integration.retry_factor ** min(attempts - 1, _MOST_GROWTH)
    return now + timedelta(seconds=min(integration.retry_wait_s * growth, LONGEST_WAIT_S))
