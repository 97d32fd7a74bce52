"""When an integration runs next, and its schedule in words."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal, Protocol
from zoneinfo import ZoneInfo

from dateutil.rrule import DAILY, MONTHLY, WEEKLY, rrule, weekday

INTERVAL = "interval"
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
WEEKS = {1: "first", 2: "second", 3: "third", 4: "fourth", -1: "last"}
MOST_TIMES = 5
_FREQUENCIES: Final[dict[str, Literal[1, 2, 3]]] = {
    "daily": DAILY,
    "weekly": WEEKLY,
    "monthly": MONTHLY,
}
# A rule is laid out from this long ago on, which is more than the longest step between two days
# that a rule names; a 29 February may be eight years away, so looking ahead has no such limit.
_LEAD = timedelta(days=62)


class Schedule(Protocol):
    """The columns of an integration that say when it runs."""

    @property
    def schedule_kind(self) -> str:
        """``interval`` or ``fixed``."""

    @property
    def interval_count(self) -> int:
        """How many units lie between two runs."""

    @property
    def interval_unit(self) -> str:
        """A keyword of timedelta: ``seconds`` … ``weeks``."""

    @property
    def frequency(self) -> str:
        """``daily``, ``weekly`` or ``monthly``."""

    @property
    def times(self) -> Sequence[str]:
        """Times of day, ``HH:MM``."""

    @property
    def weekdays(self) -> Sequence[int]:
        """Days of the week, 0 is Monday."""

    @property
    def month_day(self) -> int | None:
        """Day of the month, or None to go by a weekday."""

    @property
    def month_week(self) -> int | None:
        """Which of the weekdays of a month: 1 … 4, -1 is the last."""

    @property
    def starts_on(self) -> date | None:
        """First day, or None."""

    @property
    def ends_on(self) -> date | None:
        """Last day, or None."""

    @property
    def time_zone(self) -> str:
        """Zone of the times and days."""


def next_time(schedule: Schedule, after: datetime) -> datetime | None:
    """Return the first time of the schedule behind ``after``, in UTC, or None when it has ended.

    Where clocks go forward a time that is left out happens an hour later; where they go back a
    time that comes twice counts once.
    """
    zone = ZoneInfo(schedule.time_zone)
    if schedule.schedule_kind == INTERVAL:
        found: datetime | None = _after_interval(schedule, after, zone)
    else:
        times = [_next_at(schedule, _clock(text), after, zone) for text in schedule.times]
        found = min((one for one in times if one is not None), default=None)
    last = schedule.ends_on
    if found is None or (last is not None and found.astimezone(zone).date() > last):
        return None
    return found


def _after_interval(schedule: Schedule, after: datetime, zone: ZoneInfo) -> datetime:
    found = after.astimezone(UTC) + interval(schedule)
    first = schedule.starts_on
    if first is None:
        return found
    return max(found, datetime.combine(first, time(), zone).astimezone(UTC))


def interval(schedule: Schedule) -> timedelta:
    """Return the span between two runs of an interval schedule."""
    return timedelta(**{schedule.interval_unit: max(schedule.interval_count, 1)})


def _clock(text: str) -> time:
    return time.fromisoformat(text)


def _next_at(schedule: Schedule, clock: time, after: datetime, zone: ZoneInfo) -> datetime | None:
    # One day earlier by the wall clock, as the offset may have changed in between.
    wall = after.astimezone(zone).replace(tzinfo=None) - timedelta(days=1)
    for day in _days(schedule, clock, wall):
        moment = day.replace(tzinfo=zone).astimezone(UTC)
        if moment > after:
            return moment
    return None


def _days(schedule: Schedule, clock: time, wall: datetime) -> Iterator[datetime]:
    first = (wall - _LEAD).date()
    if schedule.starts_on is not None:
        first = max(first, schedule.starts_on)
    until = schedule.ends_on and datetime.combine(schedule.ends_on, time.max)
    rule = rrule(
        _FREQUENCIES[schedule.frequency],
        dtstart=datetime.combine(first, clock),
        until=until,
        byweekday=_weekdays(schedule),
        bymonthday=_month_day(schedule),
    )
    yield from rule.xafter(wall, inc=True)


def _weekdays(schedule: Schedule) -> list[weekday] | None:
    if schedule.frequency == "weekly":
        return [weekday(day) for day in schedule.weekdays] or None
    if schedule.frequency == "monthly" and schedule.month_week is not None:
        return [weekday(day, schedule.month_week) for day in schedule.weekdays] or None
    return None


def _month_day(schedule: Schedule) -> int | None:
    by_day = schedule.frequency == "monthly" and schedule.month_week is None
    return (schedule.month_day or 1) if by_day else None


def describe(schedule: Schedule) -> str:
    """Return the schedule in words: ``every 5 minutes``, ``weekly on Monday at 06:00, UTC``."""
    if schedule.schedule_kind == INTERVAL:
        words = _every(schedule)
    else:
        words = f"{_days_in_words(schedule)} at {_joined(sorted(schedule.times))}"
        words += f", {schedule.time_zone}"
    if schedule.starts_on:
        words += f", from {_day(schedule.starts_on)}"
    if schedule.ends_on:
        words += f", until {_day(schedule.ends_on)}"
    return words


def _every(schedule: Schedule) -> str:
    count, unit = schedule.interval_count, schedule.interval_unit
    return f"every {unit.removesuffix('s')}" if count == 1 else f"every {count} {unit}"


def _days_in_words(schedule: Schedule) -> str:
    names = [WEEKDAYS[day] for day in sorted(schedule.weekdays)]
    if schedule.frequency == "weekly":
        return f"weekly on {_joined(names)}"
    if schedule.frequency == "monthly" and schedule.month_week is not None:
        return f"monthly on the {WEEKS[schedule.month_week]} {_joined(names)}"
    if schedule.frequency == "monthly":
        return f"monthly on day {schedule.month_day or 1}"
    return "daily"


def _joined(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"
