"""Whatever the network does, and whatever HubSpot answers: nothing is lost, doubled or bounced."""

import random
import re
import time
from collections.abc import Iterator

import pytest

from hubconnect.integrations.models import Failure
from tests.fault_proxy import NO_FAULTS, Fate, FaultProxy, Odds, fault_proxy
from tests.faults.comparing import check_at_rest, settle
from tests.faults.desk import FaultDesk
from tests.faults.processes import Processes, pause, until, wake
from tests.faults.world import World
from tests.sandbox_process import sandbox
from tools.localservices import postgres

pytestmark = pytest.mark.faults

BAD_S = 35.0
SETTLE_S = 90
FAULTS = (Fate.RESET, Fate.CUT, Fate.SWALLOWED)
# A database takes many turns for one piece of work: one fate for so many turns.
STATEMENTS = Odds(every=30)


def port_of(url: str) -> int:
    return int(re.findall(r":(\d+)", url)[-1])


def through(url: str, proxy: FaultProxy) -> str:
    return url.replace(f":{port_of(url)}", f":{proxy.port}")


@pytest.fixture
def desk() -> Iterator[FaultDesk]:
    """A desk in PostgreSQL."""
    with postgres("synced") as server:
        yield FaultDesk(server.url).build()


def work_badly(world: World, proxies: dict[FaultProxy, Odds], faults: int) -> None:
    """Have people work while the network is bad, until every kind of fault struck enough."""
    for proxy, odds in proxies.items():
        proxy.odds = odds
    began = time.monotonic()
    while time.monotonic() < began + BAD_S or not all(
        sum(proxy.fates[fate] for fate in FAULTS) >= faults for proxy in proxies
    ):
        assert time.monotonic() < began + 3 * BAD_S, [proxy.struck for proxy in proxies]
        world.stir(2)
        wake()
        pause(1)
    for proxy in proxies:
        print(proxy.struck)  # noqa: T201 - shown when the test fails
        proxy.calm_down()


def test_a_bad_network_in_front_of_hubspot_and_of_the_synced_database(
    house: Processes, desk: FaultDesk, seed: int, chance: random.Random
) -> None:
    with (
        sandbox() as hub,
        fault_proxy(port_of(hub.url), seed=seed, odds=NO_FAULTS) as to_hub,
        fault_proxy(port_of(desk.url), seed=seed + 1, odds=NO_FAULTS) as to_desk,
    ):
        world = World(hub, desk, chance)
        world.furnish(hub_port=to_hub.port, desk_port=to_desk.port)
        world.fill(customers=60, files=15)
        world.activate()
        house.start_beat()
        house.start_worker()
        work_badly(world, {to_hub: Odds(), to_desk: STATEMENTS}, faults=10)
        settle(world, house, SETTLE_S)
        check_at_rest(world)


def test_a_bad_network_in_front_of_the_own_database(
    house: Processes, desk: FaultDesk, seed: int, chance: random.Random
) -> None:
    with (
        sandbox() as hub,
        fault_proxy(port_of(house.database_url), seed=seed, odds=NO_FAULTS) as proxy,
    ):
        house.database_url = through(house.database_url, proxy)
        world = World(hub, desk, chance)
        world.furnish()
        world.fill(customers=60, files=15)
        world.activate()
        house.start_beat()
        house.start_worker()
        house.start_worker()
        work_badly(world, {proxy: STATEMENTS}, faults=10)
        settle(world, house, SETTLE_S)
        check_at_rest(world)


REFUSALS = (
    *("burst", "search", "locked", "server_error", "bad_gateway", "unavailable"),
    *("gateway_timeout", "truncated", "html", "dropped_before", "dropped_after"),
)


def test_bursts_of_refusals(house: Processes, desk: FaultDesk, chance: random.Random) -> None:
    with sandbox() as hub:
        world = World(hub, desk, chance)
        world.furnish()
        world.fill(customers=60, files=15)
        world.activate()
        for act in ("upsert", "create"):
            path = f"/crm/objects/2026-03/contacts/batch/{act}"
            hub.fault("third_refused", path=path, times=2)
        house.start_beat()
        house.start_worker()
        until(Failure.objects.exists, "a third is refused", 40)
        for position, name in enumerate(chance.sample(REFUSALS, len(REFUSALS))):
            hub.fault(name, skip=2 * position, times=chance.randrange(1, 4))

        def all_struck() -> bool:
            world.stir(1)
            wake()
            return not hub.faults() - {"third_refused"}

        until(all_struck, f"all of {REFUSALS} happen", 90, every_s=1)
        hub.clear_faults()
        settle(world, house, SETTLE_S)
        check_at_rest(world)
        assert Failure.objects.filter(state=Failure.State.HEALED).exists(), "nothing was healed"


def test_an_index_that_is_half_a_minute_behind(
    house: Processes, desk: FaultDesk, chance: random.Random
) -> None:
    with sandbox(index_delay=30) as hub:
        world = World(hub, desk, chance)
        world.furnish()
        world.fill(customers=60, files=15)
        world.activate()
        house.start_beat()
        house.start_worker()
        for _ in range(8):
            world.stir(4)
            pause(1)
            world.let_minutes_pass(chance.choice((0.1, 0.6)))
        settle(world, house, SETTLE_S)
        check_at_rest(world)
