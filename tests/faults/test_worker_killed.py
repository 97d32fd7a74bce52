"""A worker that is killed outright loses nothing and doubles nothing."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection

from hubconnect.integrations.models import Failure, Flow, Intent, Link, Run
from tests.house import Desk, House, furnish
from tests.sandbox_process import sandbox

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

KILLS = 3
RECORDS = 2000  # below what is cut into slices
PATIENCE_S = 120
# Nothing here is unique: what is doubled would show.
TABLE = """
create table customers (
    id integer primary key,
    email varchar(200),
    first_name varchar(100),
    last_name varchar(100),
    updated_at datetime not null default (strftime('%Y-%m-%d %H:%M:%f', 'now')));
"""
ROWS = (
    {"left_field": "firstname", "right_field": "first_name"},
    {"left_field": "lastname", "right_field": "last_name"},
)


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline, f"{what}: not within {PATIENCE_S} s"
        threading.Event().wait(0.05)


def database_url() -> str:
    own: dict[str, Any] = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{own['NAME']}"
    return f"postgresql://{own['USER']}:{own['PASSWORD']}@{own['HOST']}:{own['PORT']}/{own['NAME']}"


@contextmanager
def worker(
    folder: Path, name: str = "carries", **settings: str
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a Celery worker with a beat of its own until the block ends; kill it outright then."""
    env = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "DATABASE_URL": database_url(),
        "REDIS_URL": django_settings.REDIS_URL,
        "SQLITE_DIR": str(folder),
        "REQUEST_TIMEOUT_S": "1",
        "LEASE_S": "4",
        "TICK_S": "1",
        "LOAD_SLICES": "1",  # one run does it all, and another one goes on with it
        **settings,
    }
    options = ["--pool", "solo", "-B", "--schedule", str(folder / f"beat-{name}"), "--pidfile", ""]
    options += ["--hostname", f"{name.replace(' ', '-')}@%h"]
    with (folder / f"worker-{name}.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "hubconnect", "worker", *options],
            env=env,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def load_with_kills(
    folder: Path, count: Callable[[], int], seed: int, *, total: int = RECORDS, kills: int = KILLS
) -> None:
    """Have the load done by workers of which some are killed at different points."""
    # Somewhere in each part of the load, whatever the worker is at just then.
    draw = random.Random(seed)  # noqa: S311 - chooses test points
    step = total // (kills + 1)
    for kill in range(kills):
        point = kill * step + draw.randrange(1, step)
        with worker(folder):
            wait_until(lambda point=point: count() >= point, f"{point} records")  # type: ignore[misc]
            threading.Event().wait(draw.random() / 10)
    with worker(folder):
        wait_until(lambda: has_ended() and count() >= total, "the load ends")


def has_ended() -> bool:
    return not Flow.objects.exclude(phase=Flow.Phase.RUNNING).exists()


def house_of(hub: Any, folder: Path, direction: str) -> House:  # noqa: ANN401 - a running sandbox
    django_settings.SQLITE_DIR = folder
    file = folder / "desk.sqlite3"
    Desk(file).script(TABLE + "pragma journal_mode = wal;")
    return furnish(hub, file, rows=ROWS, directions=[direction], lookup=[])


def assert_nothing_is_left_open(kills_seen: int) -> None:
    assert Intent.objects.count() == 0
    assert not Failure.objects.exclude(state=Failure.State.HEALED).exists()
    assert Link.objects.count() == RECORDS
    assert kills_seen > 0, "no run was cut off: the test has shown nothing"


def test_every_contact_reaches_the_database_exactly_once(tmp_path: Path) -> None:
    seed = int(os.environ.get("HUBCONNECT_TEST_SEED") or time.time())
    print(f"HUBCONNECT_TEST_SEED={seed}")  # noqa: T201 - to repeat a failure
    with sandbox(contacts=RECORDS) as hub:
        house = house_of(hub, tmp_path, "to_right")
        house.activate()
        load_with_kills(
            tmp_path, lambda: house.desk.run("select count(*) from customers")[0][0], seed
        )
        rows = house.desk.run("select first_name, last_name from customers")
        assert Counter(rows) == Counter(
            (one["properties"]["firstname"], one["properties"]["lastname"])
            for one in hub.list("contacts", "firstname,lastname")
        )
        linked = set(Link.objects.values_list("right_id", flat=True))
        assert linked == {str(one[0]) for one in house.desk.run("select id from customers")}
    assert_nothing_is_left_open(Run.objects.filter(state=Run.State.CRASHED).count())


def test_every_row_reaches_hubspot_exactly_once(tmp_path: Path) -> None:
    seed = int(os.environ.get("HUBCONNECT_TEST_SEED") or time.time())
    print(f"HUBCONNECT_TEST_SEED={seed}")  # noqa: T201 - to repeat a failure
    with sandbox() as hub:
        house = house_of(hub, tmp_path, "to_left")
        house.desk.script(
            "with recursive n(i) as "
            f"(select 1 union all select i + 1 from n where i < {RECORDS}) "
            "insert into customers (first_name, last_name) select 'Row', 'Number ' || i from n;"
        )
        house.activate()
        load_with_kills(tmp_path, lambda: hub.statistics()["records"].get("contacts", 0), seed)
        names = Counter(one["properties"]["lastname"] for one in hub.list("contacts", "lastname"))
        assert names == Counter(f"Number {number}" for number in range(1, RECORDS + 1))
    assert_nothing_is_left_open(Run.objects.filter(state=Run.State.CRASHED).count())
