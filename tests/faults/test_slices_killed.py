"""Two workers share a load in slices and one is killed time and again: each record comes once."""

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from django.conf import settings as django_settings

from hubconnect.connectors.errors import Category
from hubconnect.integrations.models import Failure, Intent, Link, Run, Slice
from tests.faults.test_worker_killed import (
    ROWS,
    TABLE,
    has_ended,
    house_of,
    wait_until,
    worker as one_worker,
)
from tests.house import Desk, House, furnish
from tests.sandbox_process import Sandbox, sandbox

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

RECORDS = 4000
KILLS = 5
SLICES = 6
TWINS = 300
LAST = 2 * TWINS - 1


worker = partial(one_worker, LOAD_SLICES=str(SLICES), LOAD_SLICE_LEAST="100", LOAD_TURN_S="2")


def load_with_kills(folder: Path, count: Callable[[], int]) -> None:
    """Have one worker stay and the other one killed at points all over the load."""
    seed = int(os.environ.get("HUBCONNECT_TEST_SEED") or time.time())
    print(f"HUBCONNECT_TEST_SEED={seed}")  # noqa: T201 - to repeat a failure
    draw = random.Random(seed)  # noqa: S311 - chooses test points
    step = RECORDS // (KILLS + 1)
    with worker(folder, "stays"):
        for kill in range(KILLS):
            point = kill * step + draw.randrange(1, step)
            with worker(folder, "dies"):
                wait_until(lambda point=point: count() >= point, f"{point} records")  # type: ignore[misc]
                threading.Event().wait(draw.random() / 10)
                assert not has_ended(), "nothing was cut off: take more records"
        wait_until(lambda: has_ended() and count() >= RECORDS, "the load ends")


def assert_one_load(house: House, direction: str) -> None:
    load = Run.objects.filter(reason=Run.Reason.LOAD, slices__isnull=False).distinct().get()
    assert load.flow_id == house.flows[direction].pk
    assert (load.state, load.expected) == (Run.State.DONE, RECORDS)
    assert list(load.slices.values_list("state", flat=True)) == [Slice.State.DONE] * SLICES
    wait_until(lambda: Intent.objects.count() == 0, "all writes are settled")
    assert not Failure.objects.exclude(state=Failure.State.HEALED).exists()
    assert Link.objects.count() == RECORDS


def test_contacts_reach_the_database_once_from_two_workers(tmp_path: Path) -> None:
    with sandbox(contacts=RECORDS) as hub:
        house = house_of(hub, tmp_path, "to_right")
        house.activate()
        load_with_kills(
            tmp_path, lambda: int(house.desk.run("select count(*) from customers")[0][0])
        )
        rows = house.desk.run("select first_name, last_name from customers")
        assert Counter(rows) == Counter(
            (one["properties"]["firstname"], one["properties"]["lastname"])
            for one in hub.list("contacts", "firstname,lastname")
        )
    assert_one_load(house, "to_right")


def test_rows_reach_hubspot_once_from_two_workers(tmp_path: Path) -> None:
    with sandbox() as hub:
        house = house_of(hub, tmp_path, "to_left")
        insert_rows(house)
        house.activate()
        load_with_kills(tmp_path, lambda: made_in(hub))
        names = Counter(one["properties"]["lastname"] for one in hub.list("contacts", "lastname"))
        assert names == Counter(f"Number {number}" for number in range(1, RECORDS + 1))
    assert_one_load(house, "to_left")


def insert_rows(house: House) -> None:
    house.desk.script(
        f"with recursive n(i) as (select 1 union all select i + 1 from n where i < {RECORDS}) "
        "insert into customers (first_name, last_name) select 'Row', 'Number ' || i from n;"
    )


def made_in(hub: Sandbox) -> int:
    return int(hub.statistics()["records"].get("contacts", 0))


def test_records_of_one_key_in_two_slices_make_one_record(tmp_path: Path) -> None:
    django_settings.SQLITE_DIR = tmp_path
    desk = Desk(tmp_path / "desk.sqlite3")
    desk.script(TABLE + "pragma journal_mode = wal;")
    # The same names in the same order in both halves, so that slices meet them side by side.
    desk.script(
        f"with recursive n(i) as (select 0 union all select i + 1 from n where i < {LAST}) "
        f"insert into customers (last_name) select 'Twin ' || (i % {TWINS}) from n;"
    )
    by_name = [{"condition": "EQUALS", "field": "lastname", "value": "@last_name@"}]
    with sandbox() as hub:
        house = furnish(hub, desk.file, rows=ROWS, directions=["to_left"], lookup=by_name)
        house.activate()
        with (
            worker(tmp_path, "one", LOAD_SLICES="2"),
            worker(tmp_path, "two", LOAD_SLICES="2"),
        ):
            wait_until(
                lambda: has_ended() and len(house.open_failures()) >= TWINS, "all is decided"
            )
        names = Counter(one["properties"]["lastname"] for one in hub.list("contacts", "lastname"))
    assert names == Counter(f"Twin {number}" for number in range(TWINS))
    assert Link.objects.count() == TWINS
    assert {one.category for one in house.open_failures()} == {Category.ALREADY_LINKED}
