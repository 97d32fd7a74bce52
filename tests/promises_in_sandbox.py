"""The machine of random work and random ends again, with the sandbox and a SQLite desk."""

import random
import tempfile
from contextlib import ExitStack
from pathlib import Path

from django.conf import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from hubconnect.integrations.models import Integration, TypePair
from hubconnect.mappings.models import Mapping
from hubconnect.systems.models import System
from tests.crashing import killed_at, run_once
from tests.faults.comparing import differences
from tests.faults.desk import FaultDesk
from tests.faults.processes import bury, pause, unrest
from tests.faults.world import World
from tests.sandbox_process import sandbox

WAYS = st.sampled_from(["to_right", "to_left", "orders to_right", "orders to_left"])
ACTS = st.sampled_from(["meet", "meet_on_both", "say", "attach", "order", "rename"])
TROUBLES = st.sampled_from(
    ["dropped_after", "dropped_before", "bad_gateway", "locked", "truncated", "third_refused"]
)
ROUNDS = 10


class InSandbox(RuleBasedStateMachine):
    """Contacts and deals of HubSpot ↔ customers and orders, with comments and files."""

    def __init__(self) -> None:
        super().__init__()
        for model in (Integration, Mapping, System, TypePair):
            model.objects.all().delete()
        self.open = ExitStack()
        folder = Path(self.open.enter_context(tempfile.TemporaryDirectory()))
        settings.SQLITE_DIR = folder
        hub = self.open.enter_context(sandbox())
        desk = FaultDesk(f"sqlite:///{folder / 'desk.sqlite3'}").build()
        self.world = World(hub, desk, random.Random(1))  # noqa: S311 - of a test
        self.world.furnish()
        self.world.fill(customers=6, files=1)
        self.world.activate()

    @rule(act=ACTS)
    def work(self, act: str) -> None:
        getattr(self.world, act)()

    @rule(trouble=TROUBLES, skip=st.integers(0, 3))
    def trouble(self, trouble: str, skip: int) -> None:
        self.world.hub.fault(trouble, skip=skip)

    @rule(way=WAYS, step=st.integers(10, 250))
    def crash(self, way: str, step: int) -> None:
        with killed_at(step, lambda _: None):
            run_once(self.world.house.flows[way])
        bury()
        pause(0.31)  # as long as that takes

    @rule(way=WAYS)
    def run(self, way: str) -> None:
        run_once(self.world.house.flows[way])

    @rule()
    def wait(self) -> None:
        bury()
        self.world.let_minutes_pass()

    def sync(self) -> None:
        bury()
        self.world.let_minutes_pass(1)
        for flow in self.world.house.flows.values():
            run_once(flow)

    def teardown(self) -> None:
        with self.open:
            self.world.hub.clear_faults()
            told = ["Nothing was looked at."]
            for _ in range(ROUNDS):
                self.sync()
                told = unrest() or differences(self.world)
                if not told:
                    break
            assert not told, "\n".join(told)
            before = set(self.world.hub_stamps()) | set(self.world.desk.stamps())
            self.sync()
            self.sync()
            after = set(self.world.hub_stamps()) | set(self.world.desk.stamps())
            assert after == before, f"It bounced: {sorted(map(str, after ^ before))}"
