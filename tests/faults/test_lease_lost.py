"""A worker that slept past its lease and wakes up: its work is done by the other one, once."""

import os
import signal
import sqlite3
import threading
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from hubconnect.integrations.models import Failure, Flow, Intent, Link, Run, Slice, TypePair
from tests.faults.test_slices_killed import RECORDS, insert_rows, made_in, worker
from tests.faults.test_worker_killed import has_ended, house_of, wait_until
from tests.sandbox_process import sandbox

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("slices", [1, 6])
def test_a_worker_that_slept_past_its_lease_is_refused(tmp_path: Path, slices: int) -> None:
    with sandbox() as hub:
        house = house_of(hub, tmp_path, "to_left")
        insert_rows(house)
        house.activate()
        with worker(tmp_path, "sleeps", LOAD_SLICES=str(slices), LOAD_TURN_S="60") as sleeper:
            wait_until(lambda: made_in(hub) > 0, "it is at work")
            put_to_sleep(sleeper.pid)
            held = fences(slices)
            with worker(tmp_path, "takes over", LOAD_SLICES=str(slices)):
                wait_until(lambda: is_taken_over(held, slices), "the other one took over")
                taken = run_taken_over(held, slices)
                os.killpg(sleeper.pid, signal.SIGCONT)
                # It may have fallen asleep within a transaction, which was ended for it, or
                # within a request whose answer it missed, which ends its turn before any commit.
                words = ("took over", "run.database", "run.finished", "slice.setback")
                wait_until(
                    lambda: any(one in log_of(tmp_path, "sleeps") for one in words), "it is refused"
                )
                wait_until(lambda: has_ended() and made_in(hub) >= RECORDS, "the load ends")
                wait_until(lambda: not Intent.objects.exists(), "all writes are settled")
                # A run ends a moment after what it carries.
                wait_until(
                    lambda: Run.objects.get(pk=taken).state != Run.State.RUNNING, "the run ends"
                )
        names = Counter(one["properties"]["lastname"] for one in hub.list("contacts", "lastname"))
    assert names == Counter(f"Number {number}" for number in range(1, RECORDS + 1))
    assert Link.objects.count() == RECORDS
    assert Run.objects.get(pk=taken).state == Run.State.DONE
    assert not Failure.objects.exclude(state=Failure.State.HEALED).exists()
    assert Flow.objects.get().phase == Flow.Phase.RUNNING


def put_to_sleep(group: int) -> None:
    """Stop a worker outside a transaction of SQLite, whose one lock it would keep from all."""
    while True:
        os.killpg(group, signal.SIGSTOP)
        if connection.vendor != "sqlite" or is_writable(str(connection.settings_dict["NAME"])):
            return
        os.killpg(group, signal.SIGCONT)
        threading.Event().wait(0.02)  # else it would be stopped anew before it could go on


def is_writable(file: str) -> bool:
    with closing(sqlite3.connect(file, timeout=0.2, isolation_level=None)) as database:
        try:
            database.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        database.execute("ROLLBACK")
        return True


def fences(slices: int) -> dict[int, int]:
    """Return the fences of what is being worked on: the type pair, or slices of it."""
    model = TypePair if slices == 1 else Slice
    held = model.objects.filter(leased_until__gt=timezone.now())
    found = dict(held.values_list("pk", "fence"))
    assert found
    return found


def is_taken_over(held: dict[int, int], slices: int) -> bool:
    model = TypePair if slices == 1 else Slice
    now = dict(model.objects.filter(pk__in=held).values_list("pk", "fence"))
    return all(now[key] > fence for key, fence in held.items())


def run_taken_over(held: dict[int, int], slices: int) -> int:
    """Return the successor's run: the load's own where it is cut, else one under a newer fence."""
    running = Run.objects.filter(state=Run.State.RUNNING)
    if slices == 1:
        # The lease is taken a moment before its run is there; the sleeper's stands until then.
        running = running.filter(fence__gt=max(held.values()))
        wait_until(running.exists, "the other one's run is there")
    return running.get().pk


def log_of(folder: Path, name: str) -> str:
    return (folder / f"worker-{name}.log").read_text()
