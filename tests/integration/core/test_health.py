"""What is told about database, broker, worker and beat, and to whom."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import OperationalError, connection
from django.db.models import F
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from hubconnect.core import heartbeats
from hubconnect.core.heartbeats import Pulse, note
from hubconnect.core.models import Heartbeat
from tests.factories.integrations import PairFactory
from tools.processes import wait_until

ROOT = Path(__file__).parents[3]
ADDRESS = reverse("core:readiness")
NOBODY = "redis://127.0.0.1:1/0"


def parts(client: Client, query: str = "") -> tuple[int, dict[str, Any]]:
    answer = client.get(f"{ADDRESS}{query}")
    return answer.status_code, answer.json()["parts"]


def all_alive() -> None:
    note(Heartbeat.Part.WORKER, "celery@one")
    note(Heartbeat.Part.BEAT, "two")


def grow_old() -> None:
    Heartbeat.objects.update(at=F("at") - timedelta(minutes=5))


@pytest.mark.django_db
def test_all_parts_at_work_are_well(client: Client) -> None:
    all_alive()
    status, told = parts(client)
    assert status == 200
    assert {name: part["state"] for name, part in told.items()} == {
        "database": "ok",
        "broker": "ok",
        "worker": "ok",
        "beat": "ok",
    }
    assert 0 <= told["worker"]["age_s"] < 30


@pytest.mark.django_db
def test_a_worker_that_is_silent_is_missed(client: Client) -> None:
    all_alive()
    grow_old()
    note(Heartbeat.Part.BEAT, "two")
    status, told = parts(client)
    assert status == 503
    assert (told["worker"]["state"], told["beat"]["state"]) == ("silent", "ok")
    assert told["worker"]["age_s"] >= 300
    assert parts(client, "?part=beat&part=database")[0] == 200


@pytest.mark.django_db
def test_a_broker_that_is_away_is_told_at_once(client: Client, settings: Settings) -> None:
    settings.REDIS_URL = NOBODY
    status, told = parts(client, "?part=broker")
    assert (status, told) == (503, {"broker": {"state": "down"}})


@pytest.mark.django_db
def test_strangers_learn_no_names(client: Client, monitor_client: Client) -> None:
    all_alive()
    assert "celery@one" not in client.get(ADDRESS).content.decode()
    assert parts(monitor_client)[1]["worker"]["alive"] == ["celery@one"]


@pytest.mark.django_db
def test_an_unknown_part_is_refused(client: Client) -> None:
    answer = client.get(f"{ADDRESS}?part=secrets")
    assert answer.status_code == 400
    assert "worker" in answer.json()["error"]


@contextmanager
def lost_database() -> Iterator[None]:
    """Have every statement fail as it does when the database is gone."""

    def fail(*_: object) -> None:
        raise OperationalError

    with connection.execute_wrapper(fail):
        yield


@pytest.mark.django_db
def test_a_database_that_is_away_is_told_without_asking_it(client: Client) -> None:
    with lost_database():
        status, told = parts(client)
    assert status == 503
    assert told["database"]["state"] == "down"
    assert told["worker"]["state"] == "unknown"


@pytest.mark.django_db
def test_the_overview_says_that_no_worker_runs(monitor_client: Client) -> None:
    pair = PairFactory.create()
    assert "No worker is running." not in monitor_client.get("/").content.decode()
    type(pair.integration).objects.update(is_active=True)
    assert "No worker is running." in monitor_client.get("/").content.decode()
    all_alive()
    page = monitor_client.get("/").content.decode()
    assert "No worker is running." not in page
    assert "The scheduler (beat) is not running." not in page


@pytest.mark.django_db
def test_a_pulse_is_given_now_and_then_and_seen_in_a_file(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.HEARTBEAT_FILE = str(tmp_path / "alive")
    pulse = Pulse(Heartbeat.Part.WORKER, "celery@one")
    assert pulse()
    assert Path(settings.HEARTBEAT_FILE).exists()
    grow_old()
    old = Heartbeat.objects.get().at
    assert not pulse()
    monkeypatch.setattr(heartbeats, "EVERY_S", 0)
    assert pulse()
    assert Heartbeat.objects.get().at > old
    with lost_database():
        assert pulse()  # the process lives, and says so in the file


@pytest.mark.django_db(transaction=True)
def test_worker_and_beat_give_signs_of_life(client: Client, tmp_path: Path) -> None:
    own = connection.settings_dict
    url = f"sqlite:///{own['NAME']}"
    if connection.vendor == "postgresql":
        where = f"{own['USER']}:{own['PASSWORD']}@{own['HOST']}:{own['PORT']}"
        url = f"postgresql://{where}/{own['NAME']}"
    env = {**os.environ, "DATABASE_URL": url, "REDIS_URL": django_settings.REDIS_URL}
    env["HEARTBEAT_FILE"] = str(tmp_path / "alive")
    options = ["--pool", "solo", "-B", "--schedule", str(tmp_path / "beat"), "--pidfile", ""]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own
            [sys.executable, "-m", "celery", "-A", "hubconnect", "worker", *options],
            env=env,
            cwd=ROOT,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        wait_until(lambda: parts(client)[0] == 200, timeout_s=60, what="worker and beat are seen")
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # the beat is a child of the worker
        process.wait()
    assert Path(env["HEARTBEAT_FILE"]).exists()
