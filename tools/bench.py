"""What ``make bench`` runs: large syncs on this machine, measured.

Each scenario runs in a process of its own, so that its peak memory is its own. Calls are counted
by the connectors, CPU is that of HubConnect's process alone; the sandbox and the database under
test (SQLite here, so the latter is part of the process) stand beside it.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tools import bench_history, bench_limits, bench_loads
from tools.bench_figures import MEMORY_GROWTH, Measured
from tools.bench_house import surroundings
from tools.demo import ROOT


def main() -> int:
    """Run the scenarios in processes of their own and print what they measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", type=int, default=20_000, help="contacts of the first load")
    parser.add_argument("--large", type=int, default=100_000, help="contacts of the memory test")
    parser.add_argument(
        "--deals", type=int, default=5_000, help="deals with all that hangs on them"
    )
    parser.add_argument(
        "--limit", type=int, default=0, help="only this: share used of so many calls in 10 s"
    )
    parser.add_argument(
        "--loads", type=int, default=0, help="only this: so many contacts by 1, 2 and 4 workers"
    )
    parser.add_argument(
        "--workers", type=int, nargs="+", default=bench_loads.WORKERS, help="those of --loads"
    )
    commands = parser.add_subparsers(dest="command", metavar="history")
    bench_history.add_arguments(commands.add_parser("history", help="pages of a long history"))
    given = parser.parse_args()
    if given.command == "history":
        return bench_history.measure(given)
    if given.loads:
        return bench_loads.measure_all(given.loads, given.workers)
    if given.limit:
        return bench_limits.measure_all(given.limit)
    print(
        f"{'scenario':<16} {'records':>8} {'records/s':>10} {'calls/1,000':>12} "
        f"{'CPU ms/rec':>10} {'peak MB':>8} {'files':>6}"
    )
    small = _in_child(given.small, given.deals)
    large = _in_child(given.large, 0)[:1] if given.large else []
    faults = [fault for one in [*small, *large] for fault in one.faults()]
    if large and large[0].memory_mb > small[0].memory_mb * MEMORY_GROWTH:
        faults.append("memory grows with the number of records")
    print("\n".join(faults) or "bench ok: every target is met")
    return 1 if faults else 0


def _in_child(contacts: int, deals: int) -> list[Measured]:
    with (
        tempfile.TemporaryDirectory(prefix="hubconnect-bench-") as home,
        surroundings(Path(home), contacts, deals) as env,
    ):
        child = subprocess.run(
            [sys.executable, "-m", "tools.bench_scenario", str(contacts), str(deals)],
            env=env | {"LOAD_SLICES": "1"},  # one process does it all
            cwd=ROOT,
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        )
    measured = [Measured(**one) for one in json.loads(child.stdout.splitlines()[-1])]
    for one in measured:
        print(one.line(), flush=True)
    return measured


if __name__ == "__main__":
    sys.exit(main())
