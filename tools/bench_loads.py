"""What ``make bench ARGS="--loads 100000"`` runs: a first load shared by one, two and four workers.

Real Celery workers carry contacts of a sandbox without limits into a database, HubConnect's own
being PostgreSQL. CPU and memory are those of the workers alone; the sandbox, which answers from one
process of its own, PostgreSQL and the broker stand beside them on the same machine.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg

from tools.bench_house import surroundings
from tools.demo import ROOT
from tools.localservices import postgres
from tools.processes import spawn, stop, wait_until

WORKERS = (1, 2, 4)
# Searches instead of the list, which takes no ranges of ids: see docs/adr.
MOST_CALLS = 20.0
MOST_CPU_MS = 1.5
MOST_MEMORY_MB = 200.0
LONGEST_S = 1800
CLOCK_HZ = os.sysconf("SC_CLK_TCK")
_LOAD = "from integrations_run where reason = 'load'"


@dataclass(frozen=True, slots=True)
class Load:
    """One load as it was measured."""

    workers: int
    records: int
    seconds: float
    cpu_s: float  # of all workers
    memory_mb: float  # of the largest
    calls: int

    def line(self) -> str:
        """Return the row of the printed table."""
        verdict = "miss" if self.faults() else "pass"
        return (
            f"{self.workers:>7} {self.records:>8,} {self.seconds:>8.1f} "
            f"{self.records / self.seconds:>10,.0f} {self.cpu_ms:>10.2f} "
            f"{self.memory_mb:>10.0f} {self.calls_per_1000:>12.1f}  {verdict}"
        )

    @property
    def cpu_ms(self) -> float:
        """Return the workers' CPU time for one record."""
        return self.cpu_s * 1000 / self.records

    @property
    def calls_per_1000(self) -> float:
        """Return API calls for a thousand records."""
        return self.calls * 1000 / self.records

    def faults(self) -> list[str]:
        """Return what exceeds its target."""
        found = []
        if self.calls_per_1000 > MOST_CALLS:
            found.append(f"{self.workers} workers: more than {MOST_CALLS:g} calls a 1,000 records")
        if self.cpu_ms > MOST_CPU_MS:
            found.append(f"{self.workers} workers: more than {MOST_CPU_MS:g} ms CPU a record")
        if self.memory_mb > MOST_MEMORY_MB:
            found.append(f"{self.workers} workers: more than {MOST_MEMORY_MB:g} MB")
        return found


def measure_all(records: int, numbers: Sequence[int] = WORKERS) -> int:
    """Measure each number of workers and print what they did."""
    print(
        f"{'workers':>7} {'records':>8} {'seconds':>8} {'records/s':>10} {'CPU ms/rec':>10} "
        f"{'MB/worker':>10} {'calls/1,000':>12}"
    )
    measured = []
    for workers in numbers:
        measured.append(_measure(records, workers))
        print(measured[-1].line(), flush=True)
    faults = [fault for one in measured for fault in one.faults()]
    print("\n".join(faults) or "bench ok: every target is met")
    return 1 if faults else 0


def _measure(records: int, workers: int) -> Load:
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hubconnect-bench-")))
        env = stack.enter_context(surroundings(home, records, 0))
        database = stack.enter_context(postgres())
        env |= {"DATABASE_URL": database.url, "TICK_S": "1"}
        set_up = [sys.executable, "-m", "tools.bench_loads"]
        subprocess.run(set_up, env=env, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        own = stack.enter_context(psycopg.connect(database.url, autocommit=True))
        own.execute("update integrations_flow set next_run_at = now() + interval '1 day'")
        pids = stack.enter_context(_running(workers, home, env))
        _until_quiet(pids)
        before = sum(map(_cpu_s, pids))
        own.execute(
            "update integrations_flow set next_run_at = now(), nudged_at = null "
            "where id = (select min(id) from integrations_flow where start = 'everything')"
        )
        wait_until(lambda: _is_over(own), timeout_s=LONGEST_S, what="the load ends", every_s=0.5)
        cpu_s = sum(map(_cpu_s, pids)) - before
        memory_mb = max(map(_memory_mb, pids))
        row = own.execute(f"select started_at, finished_at, created, api_calls, state {_LOAD}")
        began, ended, created, calls, state = row.fetchone() or _nothing()
    if (state, created) != ("done", records):
        msg = f"the load ended {state} with {created} instead of {records} records"
        raise RuntimeError(msg)
    return Load(workers, records, _between(began, ended), cpu_s, memory_mb, calls)


def _is_over(own: "psycopg.Connection[tuple[Any, ...]]") -> bool:
    found = own.execute(f"select 1 {_LOAD} and finished_at is not null").fetchone()
    return found is not None


def _nothing() -> tuple[Any, ...]:
    msg = "there was no load"
    raise RuntimeError(msg)


def _between(began: datetime, ended: datetime) -> float:
    return (ended - began).total_seconds()


@contextmanager
def _running(workers: int, home: Path, env: Mapping[str, str]) -> Iterator[list[int]]:
    """Run Celery workers and a beat beside them; give the workers' process numbers."""
    celery = [sys.executable, "-m", "celery", "-A", "hubconnect"]
    running = []
    with ExitStack() as logs:
        try:
            for number in range(workers):
                log = logs.enter_context((home / f"worker{number}.log").open("wb"))
                name = ["--hostname", f"bench{number}@%h", "--pidfile", ""]
                running.append(
                    spawn([*celery, "worker", "--pool", "solo", *name], log=log, env=env)
                )
            log = logs.enter_context((home / "beat.log").open("wb"))
            beat = ["beat", "--schedule", str(home / "beat"), "--pidfile", ""]
            running.append(spawn([*celery, *beat], log=log, env=env))
            yield [process.pid for process in running[:workers]]
        finally:
            for process in running:
                stop(process, grace_s=10)


def _until_quiet(pids: list[int]) -> None:
    """Wait until the workers have started: they have used CPU and use hardly any now."""
    used = [0.0]

    def is_quiet() -> bool:
        used.append(sum(map(_cpu_s, pids)))
        return used[-1] > len(pids) and used[-1] - used[-2] < 0.05 * len(pids)

    wait_until(is_quiet, timeout_s=120, what="the workers have started", every_s=1)


def _cpu_s(pid: int) -> float:
    """Return the CPU time of a process, in seconds."""
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / CLOCK_HZ


def _memory_mb(pid: int) -> float:
    """Return the most memory a process has had so far."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def set_up() -> None:
    """Make the systems and flows, in a process with the settings of the benchmark."""
    from tools.bench_scenario import prepare  # noqa: PLC0415 - sets Django up

    prepare()


if __name__ == "__main__":
    set_up()
