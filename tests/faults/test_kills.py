"""Whatever is killed, and when: nothing is lost, doubled or bounced."""

import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from tests.faults.comparing import check_at_rest, settle
from tests.faults.desk import FaultDesk
from tests.faults.processes import Processes, bury, crashes, pause, until, wake
from tests.faults.world import World
from tests.sandbox_process import sandbox
from tools.localservices import Service

pytestmark = pytest.mark.faults

KILLS = 50  # in each of the two tests
SETTLE_S = 90


@pytest.mark.parametrize("has_lookup", [True, False], ids=["lookup", "no lookup"])
def test_a_worker_is_killed_fifty_times(
    house: Processes, tmp_path: Path, chance: random.Random, *, has_lookup: bool
) -> None:
    with sandbox() as hub:
        desk = FaultDesk(f"sqlite:///{tmp_path / 'desk.sqlite3'}").build()
        world = World(hub, desk, chance, has_lookup=has_lookup)
        world.furnish()
        world.fill(customers=120, files=40)
        world.activate()
        house.start_beat()
        for number in range(KILLS):
            worker = house.start_worker()
            work(world, chance.randrange(1, 25))
            pause(chance.random() / 20)
            house.kill(worker)
            bury()
            world.stir(3)
            if number % 10 == 9:
                world.let_minutes_pass()
        house.start_worker()
        settle(world, house, SETTLE_S)
        check_at_rest(world)
        assert crashes() >= KILLS // 3, "too few runs were cut off: the test has shown little"


def work(world: World, calls: int) -> None:
    """Wait until HubSpot was called so many times more."""
    enough = world.hub.statistics()["total"] + calls
    until(lambda: world.hub.statistics()["total"] >= enough, f"{calls} calls", 60, 0.02)


@pytest.fixture
def world(house: Processes, tmp_path: Path, chance: random.Random) -> Iterator[World]:
    """People at work in a sandbox and a SQLite desk; HubConnect is set up, not started."""
    with sandbox() as hub:
        desk = FaultDesk(f"sqlite:///{tmp_path / 'desk.sqlite3'}").build()
        made = World(hub, desk, chance)
        made.furnish()
        made.fill(customers=100, files=25)
        made.activate()
        house.start_beat()
        yield made


def test_the_broker_is_killed_and_comes_back_empty(
    house: Processes, world: World, broker: Service, chance: random.Random
) -> None:
    house.start_worker()
    for _ in range(4):
        work(world, chance.randrange(5, 40))
        broker.kill()
        world.stir(3)
        pause(chance.random())
        broker.restart()
        wake()
    settle(world, house, SETTLE_S)
    check_at_rest(world)


def test_the_database_is_killed_and_recovers(
    house: Processes, world: World, house_server: Service, chance: random.Random
) -> None:
    house.start_worker()
    for _ in range(4):
        work(world, chance.randrange(5, 40))
        house_server.kill()
        world.stir(3)
        house_server.restart()
        connection.close()
        wake()
    settle(world, house, SETTLE_S)
    check_at_rest(world)


def test_two_beats_and_three_workers_do_everything_once(house: Processes, world: World) -> None:
    house.start_beat(2)
    for _ in range(3):
        house.start_worker()
    for _ in range(5):
        work(world, 20)
        world.stir(5)
    settle(world, house, SETTLE_S)
    check_at_rest(world)


def test_a_worker_that_slept_past_its_lease_writes_nothing_more(
    house: Processes, world: World, chance: random.Random
) -> None:
    sleepers = []
    for _ in range(2):
        sleeper = house.start_worker()
        work(world, chance.randrange(10, 40))
        os.kill(sleeper, signal.SIGSTOP)
        sleepers.append(sleeper)
        successor = house.start_worker()
        world.stir(5)
        # The lease is really waited for: whoever sleeps holds it.
        work(world, 30)
        house.kill(successor)
        bury()
        os.kill(sleeper, signal.SIGCONT)
        world.stir(5)
    settle(world, house, SETTLE_S)
    check_at_rest(world)
