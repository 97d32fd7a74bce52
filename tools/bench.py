"""What ``make bench`` runs: large syncs on this machine, measured.

Each scenario runs in a process of its own, so that its peak memory is its own. Calls are counted
by the connectors, CPU is that of HubConnect's process alone; the sandbox and the database under
test (SQLite here, so the latter is part of the process) stand beside it.
"""

import argparse
import json
import os
import resource
import secrets
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tools.demo import ROOT, answers
from tools.localservices import free_port, valkey
from tools.processes import wait_until

# Calls for 1,000 records, CPU per record and memory that a change must not exceed.
MOST_CALLS = {"first load": 11.0, "changes": 16.0, "creates": 11.0, "updates": 22.0}
MOST_CPU_MS = 1.0
MOST_MEMORY_MB = 200.0
MEMORY_GROWTH = 1.25
# HubSpot tells its time in whole seconds: what is newer belongs to the next window.
CLOCK_STEP_S = 1.1

TABLE = """
create table customers (
    id integer primary key, email varchar(200) not null unique, first_name varchar(100),
    last_name varchar(100), phone varchar(40), company varchar(200), city varchar(100),
    updated_at datetime not null default (strftime('%Y-%m-%d %H:%M:%f', 'now')));
create index customers_updated_at on customers (updated_at);
"""
COLUMNS = {
    "email": "email",
    "firstname": "first_name",
    "lastname": "last_name",
    "phone": "phone",
    "company": "company",
    "city": "city",
}


@dataclass(frozen=True, slots=True)
class Measured:
    """One scenario's figures."""

    name: str
    records: int
    seconds: float
    calls: int
    cpu_ms: float  # per record
    memory_mb: float

    @property
    def calls_per_1000(self) -> float:
        """Return API calls to HubSpot for a thousand records."""
        return self.calls * 1000 / self.records

    def line(self) -> str:
        """Return the row of the printed table."""
        return (
            f"{self.name:<12} {self.records:>8,} {self.records / self.seconds:>10,.0f} "
            f"{self.calls_per_1000:>12.1f} {self.cpu_ms:>10.2f} {self.memory_mb:>8.0f}"
        )

    def faults(self) -> list[str]:
        """Return what exceeds its target."""
        found = []
        if self.calls_per_1000 > MOST_CALLS[self.name]:
            found.append(
                f"{self.name}: more than {MOST_CALLS[self.name]:g} calls for 1,000 records"
            )
        if self.cpu_ms > MOST_CPU_MS:
            found.append(f"{self.name}: more than {MOST_CPU_MS:g} ms CPU a record")
        if self.memory_mb > MOST_MEMORY_MB:
            found.append(f"{self.name}: more than {MOST_MEMORY_MB:g} MB")
        return found


def main() -> int:
    """Run the scenarios in processes of their own and print what they measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", type=int, default=20_000, help="contacts of the first load")
    parser.add_argument("--large", type=int, default=100_000, help="contacts of the memory test")
    parser.add_argument("--scenario", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.scenario is not None:
        print(json.dumps([asdict(one) for one in scenario(given.scenario)]))
        return 0
    print(
        f"{'scenario':<12} {'records':>8} {'records/s':>10} {'calls/1,000':>12} "
        f"{'CPU ms/rec':>10} {'peak MB':>8}"
    )
    small = _in_child(given.small)
    large = _in_child(given.large)[:1] if given.large else []
    faults = [fault for one in [*small, *large] for fault in one.faults()]
    if large and large[0].memory_mb > small[0].memory_mb * MEMORY_GROWTH:
        faults.append("memory grows with the number of records")
    print("\n".join(faults) or "bench ok: every target is met")
    return 1 if faults else 0


def _in_child(contacts: int) -> list[Measured]:
    with (
        tempfile.TemporaryDirectory(prefix="hubconnect-bench-") as home,
        _surroundings(Path(home), contacts) as env,
    ):
        child = subprocess.run(
            [sys.executable, "-m", "tools.bench", "--scenario", str(contacts)],
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
def _surroundings(home: Path, contacts: int) -> Iterator[dict[str, str]]:
    """Start the sandbox and the broker; give the settings of HubConnect's process."""
    port, token = free_port(), secrets.token_hex(16)
    (home / "sqlite").mkdir()
    with closing(sqlite3.connect(home / "sqlite" / "desk.sqlite3")) as desk:
        desk.executescript(TABLE)
    sandbox = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "hubconnect.sandbox",
            "--port",
            str(port),
            "--token",
            token,
            "--database",
            str(home / "sandbox.sqlite3"),
            "--contacts",
            str(contacts),
            "--companies",
            "0",
            "--deals",
            "0",
            "--tickets",
            "0",
            "--index-delay",
            "0",
            "--burst-limit",
            "1000000",
            "--search-limit",
            "0",
            "--daily-limit",
            "0",
        ],
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


def scenario(contacts: int) -> list[Measured]:
    """Load, change, create and update; called in a process of its own."""
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    house = House(Path(os.environ["BENCH_HOME"]))
    measured = [house.measure("first load", contacts, house.to_desk, expect="created")]
    house.change_contacts(1000)
    measured.append(house.measure("changes", 1000, house.to_desk, expect="updated"))
    house.run(house.to_hubspot)  # what the desk holds is in sync: its window moves on
    house.insert_rows(1000)
    measured.append(house.measure("creates", 1000, house.to_hubspot, expect="created"))
    house.change_rows(1000)
    measured.append(house.measure("updates", 1000, house.to_hubspot, expect="updated"))
    return measured


class House:
    """A sandbox account and a database, kept the same by two flows."""

    def __init__(self, home: Path) -> None:
        from hubconnect.integrations.models import Flow, Integration, Pair
        from hubconnect.integrations.services import activation
        from hubconnect.mappings.models import FieldMapping, Mapping

        self.desk_file = home / "sqlite" / "desk.sqlite3"
        self.url, token = os.environ["BENCH_URL"], os.environ["BENCH_TOKEN"]
        self.token = token
        hubspot = self._system(
            "hubspot",
            {
                "api_url": self.url,
                "user_email": "rae.poe@example.com",
                "auth_type": "token",
                "app_id": "9001",
            },
            {"access_token": token},
        )
        desk = self._system(
            "sql",
            {
                "database_url": f"sqlite:///{self.desk_file}",
                "modified_column": "updated_at",
                "time_zone": "UTC",
            },
            {},
        )
        mapping = Mapping.objects.create(
            name="bench",
            left_system=hubspot,
            left_type="contacts",
            right_system=desk,
            right_type="customers",
        )
        FieldMapping.objects.bulk_create(
            FieldMapping(mapping=mapping, left_field=left, right_field=right)
            for left, right in COLUMNS.items()
        )
        integration = Integration.objects.create(
            name="bench", left_system=hubspot, right_system=desk, create_limit=1_000_000
        )
        pair = Pair.objects.create(integration=integration, mapping=mapping)
        self.to_desk = Flow.objects.create(pair=pair, direction="to_right", start="everything")
        self.to_hubspot = Flow.objects.create(pair=pair, direction="to_left", start="now")
        activation.activate(integration, None, confirmed={})

    @staticmethod
    def _system(slug: str, parameters: dict[str, str], secret: dict[str, str]) -> Any:
        from hubconnect.systems.models import System
        from hubconnect.systems.services import checking

        system = System(name=slug, connector=slug, parameters=parameters, secrets=secret)
        system.save()
        for preparation in checking.check_system(system).report.preparations:
            if not preparation.is_done:
                checking.prepare(system, preparation.name)
        return system

    def run(self, flow: Any) -> Any:
        """Run a flow now."""
        from django.utils import timezone

        from hubconnect.integrations.models import Flow
        from hubconnect.integrations.services.execute import run_flow

        Flow.objects.filter(pk=flow.pk).update(next_run_at=timezone.now())
        run = run_flow(flow.pk)
        if run is None or run.state != "done":
            msg = f"the run ended {run and run.state}: {run and run.message}"
            raise RuntimeError(msg)
        return run

    def measure(self, name: str, records: int, flow: Any, *, expect: str) -> Measured:
        """Run a flow and measure it; what it carried must be what was asked for."""
        time.sleep(CLOCK_STEP_S)
        began, cpu = time.monotonic(), time.process_time()
        run = self.run(flow)
        cpu, seconds = time.process_time() - cpu, time.monotonic() - began
        carried = getattr(run, expect)
        if carried != records:
            msg = f"{name}: {carried} {expect} instead of {records}"
            raise RuntimeError(msg)
        side = "source" if flow.direction == "to_right" else "target"
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        calls = sum(run.calls[side].values())
        return Measured(name, records, seconds, calls, cpu * 1000 / records, memory)

    def change_contacts(self, number: int) -> None:
        """Edit contacts as another app would, a hundred in a call."""
        page = self._call("GET", "/crm/v3/objects/contacts?limit=100")
        for start in range(0, number, 100):
            ids = [one["id"] for one in page["results"]]
            inputs = [{"id": one, "properties": {"city": f"Town {start}"}} for one in ids]
            self._call("POST", "/crm/v3/objects/contacts/batch/update", {"inputs": inputs})
            after = page["paging"]["next"]["after"]
            page = self._call("GET", f"/crm/v3/objects/contacts?limit=100&after={after}")

    def _call(self, method: str, path: str, body: object = None) -> Any:
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=json.dumps(body).encode() if body else None,
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def insert_rows(self, number: int) -> None:
        """Add customers that HubSpot does not know."""
        rows = [(f"new{n}@bench.example", "New", f"Customer {n}") for n in range(number)]
        with closing(sqlite3.connect(self.desk_file)) as desk, desk:
            desk.executemany(
                "insert into customers (email, first_name, last_name) values (?, ?, ?)", rows
            )

    def change_rows(self, number: int) -> None:
        """Edit the customers added before."""
        with closing(sqlite3.connect(self.desk_file)) as desk, desk:
            changed = desk.execute(
                "update customers set city = 'Moved', "
                "updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now') where email like 'new%'"
            )
            if changed.rowcount != number:
                msg = f"{changed.rowcount} rows were changed instead of {number}"
                raise RuntimeError(msg)


if __name__ == "__main__":
    sys.exit(main())
