"""When an integration runs next."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, strategies as st

from hubconnect.integrations.schedules import describe, next_time

BERLIN = ZoneInfo("Europe/Berlin")


@dataclass(frozen=True)
class Plan:
    schedule_kind: str = "fixed"
    interval_count: int = 1
    interval_unit: str = "minutes"
    frequency: str = "daily"
    times: list[str] = field(default_factory=lambda: ["06:00"])
    weekdays: list[int] = field(default_factory=list)
    month_day: int | None = None
    month_week: int | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    time_zone: str = "Europe/Berlin"


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


@pytest.mark.requirement("S51")
@pytest.mark.parametrize(
    ("plan", "after", "wanted"),
    [
        (Plan("interval", 5, "seconds"), "2026-03-01T10:00", "2026-03-01T10:00:05"),
        (Plan("interval", 2, "weeks"), "2026-03-01T10:00", "2026-03-15T10:00"),
        (Plan(times=["18:00", "06:00"]), "2026-03-01T05:59", "2026-03-01T06:00"),
        (Plan(times=["18:00", "06:00"]), "2026-03-01T06:00", "2026-03-01T18:00"),
        (Plan(times=["18:00", "06:00"]), "2026-03-01T18:00", "2026-03-02T06:00"),
        (Plan(frequency="weekly", weekdays=[0, 4]), "2026-03-02T06:00", "2026-03-06T06:00"),
        (Plan(frequency="weekly", weekdays=[0, 4]), "2026-03-06T06:00", "2026-03-09T06:00"),
        (Plan(frequency="monthly", month_day=15), "2026-03-15T06:00", "2026-04-15T06:00"),
        (Plan(frequency="monthly", month_day=31), "2026-03-31T06:00", "2026-05-31T06:00"),
        (
            Plan(frequency="monthly", month_week=2, weekdays=[1]),
            "2026-03-01T00:00",
            "2026-03-10T06:00",
        ),
        (
            Plan(frequency="monthly", month_week=-1, weekdays=[4]),
            "2026-03-01T00:00",
            "2026-03-27T06:00",
        ),
        (Plan(starts_on=date(2026, 5, 1)), "2026-03-01T00:00", "2026-05-01T06:00"),
        (
            Plan("interval", 1, "hours", starts_on=date(2026, 5, 1)),
            "2026-03-01T00:00",
            "2026-05-01T00:00",
        ),
        (Plan(ends_on=date(2026, 3, 1)), "2026-03-01T05:00", "2026-03-01T06:00"),
        # Clocks go forward at 2:00 on 29 March and back at 3:00 on 25 October.
        (Plan(times=["02:30"]), "2026-03-28T12:00", "2026-03-29T03:30"),
        (Plan(times=["06:00"]), "2026-03-28T12:00", "2026-03-29T06:00"),
        (Plan(times=["02:30"]), "2026-10-24T12:00", "2026-10-25T02:30"),
        (Plan(times=["02:30"]), "2026-10-25T02:30", "2026-10-26T02:30"),
    ],
)
def test_the_next_time(plan: Plan, after: str, wanted: str) -> None:
    found = next_time(plan, local(after))
    assert found is not None
    assert found.tzinfo is UTC
    assert found.astimezone(BERLIN).replace(tzinfo=None) == datetime.fromisoformat(wanted)


@pytest.mark.parametrize(
    "plan",
    [
        Plan(ends_on=date(2026, 3, 1)),
        Plan("interval", 1, "minutes", ends_on=date(2026, 2, 28)),
        Plan(times=[]),
    ],
)
def test_a_schedule_ends(plan: Plan) -> None:
    assert next_time(plan, local("2026-03-01T06:00")) is None


PLANS = st.builds(
    Plan,
    st.sampled_from(["interval", "fixed"]),
    st.integers(1, 90),
    st.sampled_from(["seconds", "minutes", "hours", "days", "weeks"]),
    st.sampled_from(["daily", "weekly", "monthly"]),
    st.lists(st.sampled_from(["00:00", "02:30", "13:05", "23:59"]), min_size=1, max_size=5),
    st.lists(st.integers(0, 6), min_size=1, max_size=3, unique=True),
    st.integers(1, 31),
    st.none() | st.sampled_from([1, 2, 3, 4, -1]),
    time_zone=st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Apia"]),
)


SPAN = (datetime.fromisoformat("2020-01-01"), datetime.fromisoformat("2030-01-01"))


@given(PLANS, st.datetimes(*SPAN, timezones=st.just(UTC)))
def test_times_go_on_and_never_back(plan: Plan, after: datetime) -> None:
    first = next_time(plan, after)
    assert first is not None
    assert first > after
    second = next_time(plan, first)
    assert second is not None
    assert second > first
    assert next_time(plan, second - timedelta(microseconds=1)) == second or (
        plan.schedule_kind == "interval"
    )
    assert describe(plan)


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (Plan("interval"), "every minute"),
        (Plan("interval", 5), "every 5 minutes"),
        (Plan(times=["18:00", "06:00"]), "daily at 06:00 and 18:00, Europe/Berlin"),
        (
            Plan(frequency="weekly", weekdays=[4, 0]),
            "weekly on Monday and Friday at 06:00, Europe/Berlin",
        ),
        (Plan(frequency="monthly", month_day=3), "monthly on day 3 at 06:00, Europe/Berlin"),
        (
            Plan(frequency="monthly", month_week=-1, weekdays=[4], ends_on=date(2026, 5, 1)),
            "monthly on the last Friday at 06:00, Europe/Berlin, until 1 May 2026",
        ),
    ],
)
def test_a_schedule_in_words(plan: Plan, words: str) -> None:
    assert describe(plan) == words
