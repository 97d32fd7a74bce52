"""Numbers, spans and times in words, the same on every page."""

from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_LONG_AGO: Final = 30 * _DAY
_NOW: Final = 1

NOTHING: Final = "–"


def count(number: float | None) -> str:
    """Write a number with thousands separators, whole ones without a point."""
    if number is None:
        return NOTHING
    return f"{int(number):,}" if number == int(number) else f"{number:,.1f}"


def counted(number: int, one: str, many: str = "") -> str:
    """Write a number with its noun: ``1 record``, ``2,000 records``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def span(length: timedelta | float | None) -> str:
    """Write how long something took: ``0.4 s``, ``2 min 10 s``, ``3 h 5 min``, ``2 d``."""
    if length is None:
        return NOTHING
    seconds = length.total_seconds() if isinstance(length, timedelta) else length
    if seconds < 10:  # noqa: PLR2004  below it a tenth tells something
        return f"{seconds:.1f} s" if seconds % 1 else f"{seconds:.0f} s"
    whole = round(seconds)
    for size, name, smaller_size, smaller_name in (
        (_DAY, "d", _HOUR, "h"),
        (_HOUR, "h", _MINUTE, "min"),
        (_MINUTE, "min", 1, "s"),
    ):
        if whole >= size:
            rest = whole % size // smaller_size
            return f"{whole // size} {name}" + (f" {rest} {smaller_name}" if rest else "")
    return f"{whole} s"


def relative(moment: datetime, now: datetime | None = None) -> str:
    """Write a moment seen from now: ``8 s ago``, ``in 5 min``; a date when it is long ago."""
    seconds = ((now or timezone.now()) - moment).total_seconds()
    distance = abs(seconds)
    if distance < _NOW:
        return "now"
    if distance >= _LONG_AGO:
        return day(moment)
    for size, name in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min"), (1, "s")):
        if distance >= size:
            words = f"{int(distance // size)} {name}"
            return f"{words} ago" if seconds > 0 else f"in {words}"
    return "now"


def day(moment: datetime) -> str:
    """Write the date of a moment in the reader's zone: ``12 Nov 2026``."""
    local = timezone.localtime(moment)
    return f"{local.day} {local:%b %Y}"


def exact(moment: datetime) -> str:
    """Write a moment to the second in the reader's zone: ``Thu 12 Nov 2026, 14:32:08 CET``."""
    local = timezone.localtime(moment)
    return f"{local:%a} {day(moment)}, {local:%H:%M:%S %Z}"
