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
from tools.bench_figures import WHOLE, Measured  # noqa: E402
from tools.bench_whole import CHILDREN, FILES, ONE_IN, Desk, Hub, add_orders  # noqa: E402

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


def scenario(contacts: int, deals: int) -> list[Measured]:
    """Load, change, create and update; called in a process of its own."""
    house = prepare()
    measured = [house.measure("first load", contacts, house.to_desk, expect="created")]
    house.change_contacts(1000)
    measured.append(house.measure("changes", 1000, house.to_desk, expect="updated"))
    house.run(house.to_hubspot)  # what the desk holds is in sync: its window moves on
    house.insert_rows(1000)
    measured.append(house.measure("creates", 1000, house.to_hubspot, expect="created"))
    house.change_rows(1000)
    measured.append(house.measure("updates", 1000, house.to_hubspot, expect="updated"))
    return measured + (whole(house, deals) if deals else [])


def prepare() -> "House":
    """Make tables, systems and active flows."""
    call_command("migrate", verbosity=0)
    return House(Path(os.environ["BENCH_HOME"]))


def whole(house: "House", deals: int) -> list[Measured]:
    """Do the same to deals and orders with all that hangs on them."""
    hub, desk = Hub(house.call), Desk(house.desk_file)
    hub.name_deals(deals, "Deal")
    hub.talk(deals, "Seeded")
    to_desk, to_hub = house.to_orders, house.to_deals
    found = [house.measure(f"{WHOLE}load", deals, to_desk, expect="created", talk=deals // ONE_IN)]
    house.run(to_hub)
    number = min(1000, deals)
    hub.name_deals(number, "Changed deal")
    hub.talk(number, "Changed")
    talk = number // ONE_IN
    found.append(house.measure(f"{WHOLE}changes", number, to_desk, expect="updated", talk=talk))
    house.run(to_hub)
    desk.order(number)
    found.append(house.measure(f"{WHOLE}creates", number, to_hub, expect="created", talk=talk))
    desk.change()
    found.append(house.measure(f"{WHOLE}updates", number, to_hub, expect="updated", talk=talk))
    return found


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
                **CHILDREN,
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
        self.to_orders, self.to_deals = add_orders(integration)
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

    def measure(
        self, name: str, records: int, flow: Flow, *, expect: str, talk: int | None = None
    ) -> Measured:
        """Run a flow and measure it; what it carried must be what was asked for.

        ``talk``: comments that must come with the records, and the usual number of files.
        """
        time.sleep(CLOCK_STEP_S)
        began, cpu = time.monotonic(), time.process_time()
        run = self.run(flow)
        cpu, seconds = time.process_time() - cpu, time.monotonic() - began
        carried = getattr(run, expect)
        if carried != records:
            msg = f"{name}: {carried} {expect} instead of {records}, {run.read} read"
            raise RuntimeError(msg)
        if talk is not None and (run.comments, run.files) != (talk, FILES):
            msg = f"{name}: {run.comments} comments and {run.files} files, not {talk} and {FILES}"
            raise RuntimeError(msg)
        side = "source" if flow.direction == "to_right" else "target"
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        calls = sum(run.calls[side].values())
        return Measured(name, records, seconds, calls, cpu * 1000 / records, memory, run.files)

    def change_contacts(self, number: int) -> None:
        """Edit contacts as another app would, a hundred in a call."""
        page = self.call("GET", "/crm/v3/objects/contacts?limit=100")
        for start in range(0, number, 100):
            ids = [one["id"] for one in page["results"]]
            inputs = [{"id": one, "properties": {"city": f"Town {start}"}} for one in ids]
            self.call("POST", "/crm/v3/objects/contacts/batch/update", {"inputs": inputs})
            after = page["paging"]["next"]["after"]
            page = self.call("GET", f"/crm/v3/objects/contacts?limit=100&after={after}")

    def call(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401  JSON
        """Send a request to the sandbox."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode() if body else None
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=data,
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
    sys.stdout.write(json.dumps([asdict(one) for one in scenario(*map(int, sys.argv[1:3]))]) + "\n")
