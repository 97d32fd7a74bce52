"""Whose the call limits are, and when a day ends."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from hubconnect.connectors.budgets import Budget, DayBudget
from hubconnect.connectors.http import Answer
from hubconnect.connectors.hubspot.days import until_allowed, until_midnight
from hubconnect.connectors.hubspot.quota import Quota

REAL = {"api_url": "https://api.hubapi.com", "app_id": "9001", "auth_type": "token"}
NOON = datetime(2026, 11, 12, 12, 0, tzinfo=UTC)
SLACK = timedelta(seconds=3)


def quota(**settings: str) -> Quota:
    made = Quota.of({**REAL, **settings}, account="4242")
    made.introduce("4242", "Europe/Berlin")
    return made


def keys(budgets: tuple[Budget | DayBudget, ...]) -> list[str]:
    return [one.key.removeprefix("hubspot:hubapi.com:4242/") for one in budgets]


def test_burst_belongs_to_the_app_and_all_else_to_the_account() -> None:
    assert keys(quota().of_call(NOON)) == ["burst:9001", "day"]
    assert keys(quota().of_search(NOON)) == ["burst:9001", "search", "day"]


def test_with_oauth_searches_are_no_part_of_the_burst_and_the_day_is_the_app_s_own() -> None:
    signed_in = quota(auth_type="oauth")
    assert keys(signed_in.of_call(NOON)) == ["burst:9001", "day:oauth:9001"]
    assert keys(signed_in.of_search(NOON)) == ["search", "day:oauth:9001"]


def test_every_address_of_hubspot_is_the_same_place_and_a_stand_in_is_another() -> None:
    assert quota(api_url="https://api-eu1.hubapi.com").day_key == quota().day_key
    assert quota(api_url="http://127.0.0.1:8111").day_key != quota().day_key


def test_no_day_is_counted_before_the_account_and_its_time_zone_are_known() -> None:
    assert len(Quota.of(REAL, account="print").of_call(NOON)) == 1


def test_shares_are_taken_from_the_settings() -> None:
    burst, search, day = quota(
        kept_percent="20", slow_percent="0", kept_burst_percent="30"
    ).of_search(NOON)
    assert (burst.kept_percent, search.kept_percent, day.kept_percent) == (30, 20, 20)
    assert isinstance(day, DayBudget)
    assert day.slow_percent == 0
    assert day.ends_at == "midnight in Europe/Berlin"


def test_what_answers_of_associations_and_searches_tell_is_not_the_burst_s() -> None:
    told = [one.is_told for one in quota().of_search(NOON) if isinstance(one, Budget)]
    told += [one.is_told for one in quota().of_associations(NOON) if isinstance(one, Budget)]
    assert told == [False, False, False]


def test_an_answer_tells_burst_and_day() -> None:
    headers = {
        "X-HubSpot-RateLimit-Max": "190",
        "X-HubSpot-RateLimit-Remaining": "188",
        "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
        "X-HubSpot-RateLimit-Daily": "625000",
        "X-HubSpot-RateLimit-Daily-Remaining": "600000",
    }
    told = quota().read(Answer(200, headers, {}))
    assert (told.most, told.left, told.per) == (190, 188, timedelta(seconds=10))
    assert (told.day_most, told.day_left) == (625000, 600000)


@pytest.mark.parametrize("text", ["", "many", "-3", "9" * 40])
def test_headers_that_make_no_sense_tell_nothing(text: str) -> None:
    told = quota().read(Answer(200, {"X-HubSpot-RateLimit-Max": text}, {}))
    assert told.most is None


@pytest.mark.parametrize(
    ("zone", "now", "hours"),
    [
        ("Europe/Berlin", NOON, 11),
        ("UTC", NOON, 12),
        ("nowhere", NOON, 12),
        ("Europe/Berlin", datetime(2026, 3, 28, 23, 0, tzinfo=UTC), 23),  # clocks go forward
        ("Europe/Berlin", datetime(2026, 10, 24, 22, 0, tzinfo=UTC), 25),  # and back
    ],
)
def test_a_day_ends_at_midnight_of_the_account(zone: str, now: datetime, hours: int) -> None:
    assert until_midnight(zone, now) == timedelta(hours=hours) + SLACK


def test_a_refusal_right_after_midnight_is_about_the_day_before() -> None:
    def wait(now: datetime) -> timedelta:
        headers = {"Date": format_datetime(now, usegmt=True)}
        return until_allowed("UTC", Answer(429, headers, {}))

    midnight = NOON.replace(hour=0)
    assert wait(midnight + timedelta(seconds=5)) == timedelta(minutes=1)
    assert wait(midnight - timedelta(seconds=5)) == timedelta(seconds=8)
    assert wait(NOON) == timedelta(hours=12) + SLACK
