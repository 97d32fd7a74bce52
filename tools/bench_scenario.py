"""The syncs that ``make bench`` measures; run in a process of their own, which prints figures."""

import json
import os
import resource
import sqlite3
import sys
import time
import urllib.request
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import django

django.setup()

from django.core.management import call_command  # noqa: E402  after setup
from django.utils import timezone  # noqa: E402

from hubconnect.core.models import User  # noqa: E402
from hubconnect.integrations.models import Flow, Integration, Pair, Run  # noqa: E402
from hubconnect.integrations.services import activation  # noqa: E402
from hubconnect.integrations.services.execute import run_flow  # noqa: E402
from hubconnect.mappings.models import FieldMapping, Mapping  # noqa: E402
from hubconnect.systems.models import System  # noqa: E402
from hubconnect.systems.services import checking  # noqa: E402
from tools.bench_figures import Measured  # noqa: E402

# HubSpot tells its time in whole seconds: what is newer belongs to the next window.
CLOCK_STEP_S = 1.1
COLUMNS = {
    "email": "email",
    "firstname": "first_name",
    "lastname": "last_name",
    "phone": "phone",
    "company": "company",
    "city": "city",
}


def scenario(contacts: int) -> list[Measured]:
    """Load, change, create and update; called in a process of its own."""
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
        activation.activate(integration, User.objects.create_user("bench"), confirmed={})

    @staticmethod
    def _system(slug: str, parameters: dict[str, str], secret: dict[str, str]) -> System:

        system = System(name=slug, connector=slug, parameters=parameters, secrets=secret)
        system.save()
        offered = checking.check_system(system).report.preparations
        checking.prepare(system, *(one.name for one in offered if not one.is_done))
        return system

    def run(self, flow: Flow) -> Run:
        """Run a flow now."""
        Flow.objects.filter(pk=flow.pk).update(next_run_at=timezone.now())
        run = run_flow(flow.pk)
        if run is None or run.state != "done":
            msg = f"the run ended {run and run.state}: {run and run.message}"
            raise RuntimeError(msg)
        return run

    def measure(self, name: str, records: int, flow: Flow, *, expect: str) -> Measured:
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

    def _call(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401  JSON
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
    sys.stdout.write(json.dumps([asdict(one) for one in scenario(int(sys.argv[1]))]) + "\n")
