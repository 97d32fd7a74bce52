"""Whatever is killed, and when: nothing is lost, doubled or bounced."""

import random
from pathlib import Path

import pytest

from hubconnect.integrations.models import Run
from tests.faults.comparing import check_at_rest, settle
from tests.faults.desk import FaultDesk
from tests.faults.processes import Processes, bury, crashes, pause, until
from tests.faults.world import World
from tests.sandbox_process import sandbox

pytestmark = pytest.mark.faults

KILLS = 50  # in each of the two tests
SETTLE_S = 90


def sync_twice(world: World) -> None:
    """Have every flow run twice from now on, whatever it finds."""
    world.let_minutes_pass(1)
    flows = [flow.pk for flow in world.house.flows.values()]
    last = Run.objects.order_by("-pk").values_list("pk", flat=True).first() or 0

    def all_ran() -> bool:
        ended = Run.objects.filter(pk__gt=last, finished_at__isnull=False)
        return all(ended.filter(flow=flow).count() >= 2 for flow in flows)

    until(all_ran, "every flow runs twice", 60, every_s=0.3)


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
            calls = hub.statistics()["total"] + chance.randrange(1, 25)
            until(lambda calls=calls: hub.statistics()["total"] >= calls, "work", 60, 0.02)  # type: ignore[misc]
            pause(chance.random() / 20)
            house.kill(worker)
            bury()
            world.stir(3)
            if number % 10 == 9:
                world.let_minutes_pass()
        house.start_worker()
        settle(world, house, SETTLE_S)
        check_at_rest(world, lambda: sync_twice(world))
        assert crashes() >= KILLS // 3, "too few runs were cut off: the test has shown little"
