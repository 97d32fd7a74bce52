"""Whatever people edit, in whatever order flows run and wherever they end: the promises hold.

Chance is fixed, so that a run can be repeated; ``HUBCONNECT_TEST_SEED`` gives another, and
``HUBCONNECT_TEST_EXAMPLES`` more of it. With ``HUBCONNECT_TEST_SHRINK`` what fails is made shorter.
"""

import os

import pytest
from hypothesis import HealthCheck, Phase, seed, settings as profile
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test
from pytest_django.fixtures import Settings

from hubconnect.connectors.registry import connectors
from tests.fakes.memory import MemoryConnector, MemoryHub
from tests.promises import ByCode, Promises
from tests.promises_in_sandbox import InSandbox

pytestmark = pytest.mark.django_db(transaction=True)

SEED = int(os.environ.get("HUBCONNECT_TEST_SEED", "20261125"))
EXAMPLES = int(os.environ.get("HUBCONNECT_TEST_EXAMPLES", "20"))
PHASES = (Phase.generate, *([Phase.shrink] if os.environ.get("HUBCONNECT_TEST_SHRINK") else []))


@pytest.fixture(autouse=True)
def _desks(monkeypatch: pytest.MonkeyPatch) -> None:
    for connector in (MemoryConnector, MemoryHub):
        monkeypatch.setitem(connectors(), connector.slug, connector)
    monkeypatch.setattr(MemoryConnector, "desks", {})


@pytest.mark.parametrize("machine", [Promises, ByCode], ids=["without lookup", "with lookup"])
def test_nothing_is_lost_doubled_or_bounced(machine: type[Promises]) -> None:
    hold(machine, EXAMPLES, steps=25)


def test_nor_is_anything_in_the_sandbox(settings: Settings) -> None:
    settings.SQLITE_DIR = settings.SQLITE_DIR  # the machine sets it; it is put back
    hold(InSandbox, max(2, EXAMPLES // 8), steps=12)


def hold(machine: type[RuleBasedStateMachine], examples: int, *, steps: int) -> None:
    print(f"HUBCONNECT_TEST_SEED={SEED}")  # noqa: T201 - to repeat a failure
    seed(SEED)(machine)
    run_state_machine_as_test(
        machine,
        settings=profile(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            phases=PHASES,
            suppress_health_check=list(HealthCheck),
        ),
    )
