"""The calls of a day: what a system's page shows, and what a flow does near their end."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import redis
from django.conf import settings as django_settings
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from hubconnect.integrations.models import Failure, Run
from hubconnect.integrations.services import standing
from hubconnect.systems.models import CallDay
from hubconnect.systems.services import budget
from hubconnect.systems.services.connections import open_connector
from tests.house import House, furnish
from tests.sandbox_process import Sandbox, sandbox

pytestmark = pytest.mark.django_db(transaction=True)
NOBODY = "redis://127.0.0.1:9/0"
DAY = 1000


@pytest.fixture(scope="module")
def hub() -> Iterator[Sandbox]:
    with sandbox() as account:
        yield account


@pytest.fixture
def house(hub: Sandbox, tmp_path: Path, settings: Settings) -> Iterator[House]:
    settings.SQLITE_DIR = tmp_path
    hub.reset_statistics()
    hub.settings(daily_limit=DAY)
    forget_day()
    made = furnish(hub, tmp_path / "desk.sqlite3", directions=("to_right",))
    made.activate()
    yield made
    hub.settings(daily_limit=0)


def forget_day() -> None:
    """Have another day begin for the limiter, and let processes store at once."""
    with redis.Redis.from_url(django_settings.REDIS_URL) as connection:
        for key in connection.scan_iter("hubconnect:limits:*"):
            connection.delete(key)
    budget._kept_at_s.clear()


def used_today(house: House) -> int:
    """Return the calls of the account's day, this one counted."""
    path = "/account-info/v3/api-usage/daily/private-apps"
    found: int = house.hub.api("GET", path)[1]["results"][0]["currentUsage"]
    return found


def spend_until_left(house: House, left: int) -> None:
    """Have another app use the account until so many calls of the day are left."""
    house.hub.settings(daily_limit=used_today(house) + left)
    ask(house)


def ask(house: House) -> None:
    """Make a call, whose answer tells how the day stands."""
    with open_connector(house.hubspot) as connector:
        connector.count("contacts")


def health() -> standing.Health:
    return standing.lines(standing.integrations())[0].health


def test_the_page_shows_how_the_day_stands(house: House, monitor_client: Client) -> None:
    house.run("to_right")
    for _ in range(7):
        house.hub.api("GET", "/crm/v3/objects/contacts")
    ask(house)
    stands = budget.budget_of(house.hubspot)
    assert stands is not None
    assert (stands.most, stands.used, stands.kept) == (DAY, used_today(house) - 1, DAY // 10)
    assert stands.others >= 7
    assert stands.ours == stands.used - stands.others
    text = monitor_client.get(f"/systems/{house.hubspot.pk}/").content.decode()
    for words in ("API budget today", f"Of {DAY:,} calls today", "Reserve of other apps", ">100<"):
        assert words in text
    assert "API budget today" in monitor_client.get("/").content.decode()
    desk = monitor_client.get(f"/systems/{house.order_desk.pk}/").content.decode()
    assert "API budget" not in desk


def test_what_was_known_survives_the_loss_of_redis(house: House, settings: Settings) -> None:
    house.run("to_right")
    budget._kept_at_s.clear()
    house.run("to_right")
    known = budget.budget_of(house.hubspot)
    settings.REDIS_URL = NOBODY
    stored = budget.budget_of(house.hubspot)
    assert known is not None
    assert stored is not None
    assert (stored.ours, stored.most, stored.left) == (known.ours, DAY, known.left)


def test_calls_before_redis_began_anew_are_still_ours(house: House) -> None:
    house.run("to_right")
    budget._kept_at_s.clear()
    house.run("to_right")
    before = budget.budget_of(house.hubspot)
    forget_day()
    house.run("to_right")
    after = budget.budget_of(house.hubspot)
    assert before is not None
    assert after is not None
    assert after.ours > before.ours
    budget._kept_at_s.clear()
    house.run("to_right")
    budget._kept_at_s.clear()
    house.run("to_right")
    again = budget.budget_of(house.hubspot)
    assert again is not None
    assert again.ours - after.ours < before.ours


def test_the_row_of_yesterday_is_not_shown(house: House) -> None:
    house.run("to_right")
    forget_day()
    CallDay.objects.update(ends_at=timezone.now() - timedelta(seconds=1))
    assert budget.budget_of(house.hubspot) is None


def test_it_is_stored_once_in_a_while(house: House) -> None:
    house.run("to_right")
    stored = CallDay.objects.get().at
    house.run("to_right")
    assert CallDay.objects.get().at == stored


def test_near_the_end_a_first_load_waits_and_the_pages_say_so(
    house: House, monitor_client: Client
) -> None:
    house.hubspot.parameters["slow_percent"] = "100"
    house.hubspot.save()
    spend_until_left(house, 300)
    run = house.run("to_right")
    assert run.state == Run.State.STOPPED
    assert "First loads wait" in run.message
    assert not house.open_failures()
    assert house.to_desk.next_run_at is not None
    assert house.to_desk.next_run_at > timezone.now() + timedelta(minutes=1)
    assert health().word == "Slower"
    assert "near its end" in health().reason
    assert "near its end" in monitor_client.get(f"/systems/{house.hubspot.pk}/").content.decode()


def test_a_spent_day_is_one_failure_that_heals_with_the_next(house: House) -> None:
    house.run("to_right")
    spend_until_left(house, 1)
    for _ in range(2):
        run = house.run("to_right")
        assert run.state == Run.State.STOPPED
    failure = house.open_failures()[0]
    assert failure.level == Failure.Level.FLOW
    assert "daily limit" in failure.message
    assert "midnight in " in failure.hint
    stands = budget.budget_of(house.hubspot)
    assert stands is not None
    assert house.to_desk.next_run_at is not None
    # Early in a day its counter may still be yesterday's, and is asked again soon.
    soon = timezone.now() + timedelta(minutes=6)
    assert abs(house.to_desk.next_run_at - stands.ends_at) < timedelta(minutes=1) or (
        house.to_desk.next_run_at < soon
    )
    assert health().word == "Waiting"
    forget_day()
    house.hub.settings(daily_limit=0)
    house.run("to_right")
    assert not house.open_failures()


def test_a_refusal_of_the_day_is_asked_for_once_only(house: House) -> None:
    house.run("to_right")
    house.hub.settings(daily_limit=used_today(house))
    forget_day()
    house.run("to_right")
    refused = house.hub.statistics()["total"]
    for _ in range(3):
        house.run("to_right")
    assert house.hub.statistics()["total"] == refused
    assert [one.attempts for one in house.open_failures()] == [4]
