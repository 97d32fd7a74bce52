"""What ``make bench`` runs: large syncs on this machine, measured.

Each scenario runs in a process of its own, so that its peak memory is its own. Calls are counted
by the connectors, CPU is that of HubConnect's process alone; the sandbox and the database under
test (SQLite here, so the latter is part of the process) stand beside it.
"""

import argparse
import json
import os
import secrets
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tools.bench_figures import MEMORY_GROWTH, Measured
from tools.bench_tables import TABLES as ORDER_TABLES
from tools.demo import ROOT, answers
from tools.localservices import free_port, valkey
from tools.processes import wait_until

TABLE = """
create table customers (
    id integer primary key, email varchar(200) not null unique, first_name varchar(100),
    last_name varchar(100), phone varchar(40), company varchar(200), city varchar(100),
    updated_at datetime not null default (strftime('%Y-%m-%d %H:%M:%f', 'now')));
create index customers_updated_at on customers (updated_at);
"""


def main() -> int:
    """Run the scenarios in processes of their own and print what they measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", type=int, default=20_000, help="contacts of the first load")
    parser.add_argument("--large", type=int, default=100_000, help="contacts of the memory test")
    parser.add_argument(
        "--deals", type=int, default=5_000, help="deals with all that hangs on them"
    )
    given = parser.parse_args()
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
        _surroundings(Path(home), contacts, deals) as env,
    ):
        child = subprocess.run(
            [sys.executable, "-m", "tools.bench_scenario", str(contacts), str(deals)],
            env=env,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        )
    measured = [Measured(**one) for one in json.loads(child.stdout.splitlines()[-1])]
    for one in measured:
        print(one.line(), flush=True)
    return measured


@contextmanager
def _surroundings(home: Path, contacts: int, deals: int) -> Iterator[dict[str, str]]:
    """Start the sandbox and the broker; give the settings of HubConnect's process."""
    port, token = free_port(), secrets.token_hex(16)
    (home / "sqlite").mkdir()
    with closing(sqlite3.connect(home / "sqlite" / "desk.sqlite3")) as desk:
        desk.executescript(TABLE + ORDER_TABLES)
    options = (
        f"--port {port} --token {token} --database {home / 'sandbox.sqlite3'} "
        f"--contacts {contacts} --companies 0 --deals {deals} --tickets 0 "
        "--index-delay 0 --calculation-delay 0 "
        "--burst-limit 1000000 --search-limit 0 --daily-limit 0"
    )
    sandbox = subprocess.Popen(
        [sys.executable, "-m", "hubconnect.sandbox", *options.split()],
        stdout=subprocess.DEVNULL,
        cwd=ROOT,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: answers(url), timeout_s=120, what="the sandbox answers")
        with valkey() as broker:
            yield {
                **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
                "SECRET_KEY": "bench",
                "HUBCONNECT_KEYS": "dGVzdHMtb25seS1rZXktb2YtMzItYnl0ZXMtbG9uZyE=",
                "DATABASE_URL": f"sqlite:///{home / 'hubconnect.sqlite3'}",
                "REDIS_URL": broker.url,
                "SQLITE_DIR": str(home / "sqlite"),
                "ALLOWED_PRIVATE_ADDRESSES": "127.0.0.0/8",
                "LOG_LEVEL": "ERROR",
                "HUBSPOT_OVERLAP_S": "0",
                "SQL_OVERLAP_S": "0",
                "BENCH_URL": url,
                "BENCH_TOKEN": token,
                "BENCH_HOME": str(home),
                "DJANGO_SETTINGS_MODULE": "hubconnect.settings",
            }
    finally:
        sandbox.terminate()
        sandbox.wait(20)


if __name__ == "__main__":
    sys.exit(main())
