"""What ``make bench ARGS="--limit 40"`` runs: how much of a call limit workers use together.

A first load is carried by one, two and four Celery workers on PostgreSQL against an account with
that limit. Once its first window is over, the account's own count says how many calls it served
and refused.
"""

import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.bench_house import surroundings
from tools.demo import ROOT
from tools.localservices import postgres
from tools.processes import spawn, stop, wait_until

WORKERS = (1, 2, 4)
WINDOW_S = 10.0
MEASURED_S = 60.0
LEAST_SHARE = 0.9
# Of a whole measurement: what may happen while the limit is not known yet.
MOST_REFUSED = 5
# Records a call carries, and calls before and after what is measured.
PAGE, SPARE_WINDOWS = 100, 6


@dataclass(frozen=True, slots=True)
class Used:
    """What workers made of a limit."""

    workers: int
    share: float
    refused: int

    def line(self) -> str:
        """Return the row of the printed table."""
        verdict = "miss" if self.faults() else "pass"
        return f"{self.workers:>7} {self.share:>10.1%} {self.refused:>8}  {verdict}"

    def faults(self) -> list[str]:
        """Return what misses its target."""
        found = []
        if self.share < LEAST_SHARE:
            found.append(f"{self.workers} workers: less than {LEAST_SHARE:.0%} of the limit used")
        if self.refused > MOST_REFUSED:
            found.append(f"{self.workers} workers: {self.refused} calls refused")
        return found


def measure_all(limit: int) -> int:
    """Measure each number of workers and print how much of the limit they used."""
    print(f"{'workers':>7} {'used':>10} {'refused':>8}  of {limit} calls in {WINDOW_S:.0f} s")
    measured = []
    for workers in WORKERS:
        measured.append(_measure(limit, workers))
        print(measured[-1].line(), flush=True)
    faults = [fault for one in measured for fault in one.faults()]
    print("\n".join(faults) or "bench ok: every target is met")
    return 1 if faults else 0


def _measure(limit: int, workers: int) -> Used:
    windows = MEASURED_S / WINDOW_S + SPARE_WINDOWS
    contacts = round(limit * windows) * PAGE
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hubconnect-bench-")))
        env = stack.enter_context(surroundings(home, contacts, 0, burst_limit=limit))
        database = stack.enter_context(postgres())
        env |= {"DATABASE_URL": database.url, "TICK_S": "1"}
        set_up = [sys.executable, "-m", "tools.bench_limits"]
        subprocess.run(set_up, env=env, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        stack.enter_context(_running(workers, home, env))
        begun = _calls(env)["total"]
        wait_until(
            lambda: _calls(env)["total"] >= begun + limit,
            timeout_s=120,
            what="the first window is full",
            every_s=0.5,
        )
        before, began = _calls(env), time.monotonic()
        time.sleep(MEASURED_S)
        after, seconds = _calls(env), time.monotonic() - began
    share = (after["total"] - before["total"]) / (limit * seconds / WINDOW_S)
    return Used(workers, share, after["refused"])


@contextmanager
def _running(workers: int, home: Path, env: Mapping[str, str]) -> Iterator[None]:
    """Run Celery workers, the first of which ticks."""
    celery = [sys.executable, "-m", "celery", "-A", "hubconnect", "worker", "--pool", "solo"]
    running = []
    with ExitStack() as logs:
        try:
            for number in range(workers):
                name = ["--hostname", f"bench{number}@%h", "--pidfile", ""]
                beat = [] if number else ["-B", "--schedule", str(home / "beat")]
                log = logs.enter_context((home / f"worker{number}.log").open("wb"))
                running.append(spawn([*celery, *name, *beat], log=log, env=env))
            yield
        finally:
            for process in running:
                stop(process, grace_s=10)


def _calls(env: Mapping[str, str]) -> dict[str, Any]:
    """Return how many calls the account served and refused so far."""
    request = urllib.request.Request(env["BENCH_URL"] + "/sandbox/api/statistics")
    with urllib.request.urlopen(request, timeout=30) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def set_up() -> None:
    """Make the systems and flows, in a process with the settings of the benchmark."""
    from tools.bench_scenario import prepare  # noqa: PLC0415 - sets Django up

    prepare()


if __name__ == "__main__":
    set_up()
