"""Moments as the account writes them: milliseconds inside, ISO text with Z outside."""

import time
from datetime import UTC, datetime

DAY_MS = 86_400_000


class Clock:
    """The account's time in milliseconds; tests and demos may move it forward."""

    def __init__(self) -> None:
        self.offset_ms = 0

    def now(self) -> int:
        """Return the present moment in milliseconds since 1970."""
        return time.time_ns() // 1_000_000 + self.offset_ms


def to_text(moment: int) -> str:
    """Write a moment; whole seconds come without a fraction, as HubSpot sometimes does."""
    seconds, milliseconds = divmod(moment, 1000)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{milliseconds:03d}Z" if milliseconds else f"{text}Z"


def from_text(text: str) -> int:
    """Read ISO 8601 or milliseconds.

    Raises:
        ValueError: it is neither.
    """
    if text.lstrip("-").isdigit():
        return int(text)
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


def date_from_text(text: str) -> str:
    """Read a calendar date given as YYYY-MM-DD or as milliseconds at midnight UTC.

    Raises:
        ValueError: it is neither.
    """
    if text.lstrip("-").isdigit():
        return datetime.fromtimestamp(int(text) / 1000, UTC).strftime("%Y-%m-%d")
    return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).strftime("%Y-%m-%d")
