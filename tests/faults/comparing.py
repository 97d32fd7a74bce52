"""Holds both sides against what people did: nothing lost, nothing doubled, nothing bounced."""

import time

from hubconnect.integrations.models import Failure, Run, Side
from tests.faults.processes import Processes, pause, unrest, until, wake
from tests.faults.world import Facts, World

SHOWN = 25


def differences(world: World) -> list[str]:
    """Return every difference that no open failure tells of, one sentence each."""
    failing = _failing(world)
    said = []
    for name, facts in (("HubSpot", world.hub_facts()), ("the desk", world.desk.facts())):
        said += [f"{name} lost {one}" for one in _more(world.owed, facts, failing)]
        for one in _more(facts, world.owed, failing):
            word = "doubled" if one in world.owed else "holds what nobody made:"
            said.append(f"{name} {word} {one} × {facts[one]}")
    return said


def _more(these: Facts, those: Facts, failing: set[str]) -> list[tuple[str, ...]]:
    return sorted(one for one in these - those if not failing & set(one[1:]))


def _failing(world: World) -> set[str]:
    """Return the first names and titles of records with an open failure."""
    names = {Side.LEFT: world.hub_names(), Side.RIGHT: world.desk.names()}
    opened = Failure.objects.filter(state=Failure.State.OPEN, level=Failure.Level.RECORD)
    found = {one.title for one in opened}
    for one in opened:
        side = Side(one.side) if one.side else Side.LEFT
        found.add(names[side].get(one.record_id, one.record_id))
    return found - {""}


def settle(world: World, processes: Processes, within_s: float) -> None:
    """Wait until all that is owed is there, and nothing is left to do.

    Raises:
        AssertionError: with every difference, and what is left to do.
    """
    deadline = time.monotonic() + within_s
    turn = 0
    while True:
        told = unrest() or differences(world)
        if not told:
            return
        if time.monotonic() > deadline:
            break
        if turn % 4 == 3:  # what waits by HubSpot's clock for a request that is long over
            world.let_minutes_pass()
        turn += 1
        wake()
        pause(1.5)
    told = [*differences(world), *unrest(), *_failures()]
    shown = "\n".join(told[:SHOWN])
    message = f"After {within_s:g} s, {len(told)} things are not right:\n{shown}\n"
    raise AssertionError(message + processes.last_words())


def _failures() -> list[str]:
    opened = Failure.objects.filter(state=Failure.State.OPEN)[:SHOWN]
    return [f"failure: {one.title} {one.child} {one.category}: {one.message}" for one in opened]


def sync_twice(world: World) -> None:
    """Wait until every flow has run twice from now on, whatever it finds."""
    world.let_minutes_pass(1)
    flows = [flow.pk for flow in world.house.flows.values()]
    last = Run.objects.order_by("-pk").values_list("pk", flat=True).first() or 0

    def all_ran() -> bool:
        ended = Run.objects.filter(pk__gt=last, finished_at__isnull=False)
        return all(ended.filter(flow=flow).count() >= 2 for flow in flows)

    until(all_ran, "every flow runs twice", 60, every_s=0.3)


def check_at_rest(world: World) -> None:
    """Two more syncs write nothing, on either side, and all is as it was.

    Raises:
        AssertionError: with what was written.
    """
    before = set(world.hub_stamps()) | set(world.desk.stamps())
    sync_twice(world)
    after = set(world.hub_stamps()) | set(world.desk.stamps())
    assert after == before, f"It bounced: {sorted(map(str, after ^ before))[:SHOWN]}"
    assert differences(world) == []
