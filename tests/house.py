"""A whole house for tests: the sandbox, a SQLite order desk, two systems, a mapping, flows."""

import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.utils import timezone

from hubconnect.core.models import Role, User
from hubconnect.integrations.models import Failure, Flow, Integration, Link, Pair, Run
from hubconnect.integrations.services import activation
from hubconnect.integrations.services.execute import run_flow
from hubconnect.mappings.models import Direction, FieldMapping, Mapping as MappingRow
from hubconnect.systems.models import System
from hubconnect.systems.services import checking
from tests.sandbox_process import Sandbox

CUSTOMERS = """
create table customers (
    id integer primary key,
    email varchar(200) not null unique,
    first_name varchar(30),
    last_name varchar(100),
    updated_at datetime not null default (strftime('%Y-%m-%d %H:%M:%f', 'now')));
create trigger customers_touch after update on customers when new.updated_at is old.updated_at
begin
    update customers set updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now') where id = new.id;
end;
"""
NAMES: Sequence[Mapping[str, Any]] = (
    {"left_field": "email", "right_field": "email"},
    {"left_field": "firstname", "right_field": "first_name"},
    {"left_field": "lastname", "right_field": "last_name"},
)
PATIENCE_S = 10.0
BY_EMAIL = [{"condition": "EQUALS", "field": "email", "value": "@email@"}]


@dataclass(frozen=True)
class Desk:
    """The order desk's database, as somebody who works in it."""

    file: Path

    def run(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Run one statement and commit it; return its rows."""
        with closing(sqlite3.connect(self.file, timeout=20)) as desk, desk:
            return desk.execute(statement, values).fetchall()

    def script(self, text: str) -> None:
        """Run several statements."""
        with closing(sqlite3.connect(self.file, timeout=20)) as desk, desk:
            desk.executescript(text)

    def customers(self) -> dict[str, tuple[Any, ...]]:
        """Return (first name, last name) by e-mail address."""
        rows = self.run("select email, first_name, last_name from customers")
        return {row[0]: row[1:] for row in rows}


class Running:
    """An integration at work, and what its tests do with it."""

    integration: Integration
    flows: dict[str, Flow]

    def activate(self, **confirmed: int) -> None:
        """Activate the integration, as an admin who types the asked numbers."""
        actor = User.objects.filter(role=Role.ADMIN).first() or User.objects.create_user(
            "house-admin", password="secret-of-tests", role=Role.ADMIN
        )
        numbers = {self.flows[name].pk: number for name, number in confirmed.items()}
        activation.activate(self.integration, actor, confirmed=numbers)

    def run(self, direction: str) -> Run:
        """Run a flow now, in this process."""
        flow = self.flows[direction]
        Flow.objects.filter(pk=flow.pk).update(next_run_at=timezone.now())
        run = run_flow(flow.pk)
        assert run is not None, f"{direction} did not run"
        run.refresh_from_db()
        return run

    def run_until_seen(self, direction: str) -> Run:
        """Run a flow until a run did something: a system's clock may be a second behind."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            run = self.run(direction)
            if not run.is_idle:
                return run
        message = f"{direction} found nothing to do in {PATIENCE_S} s"
        raise AssertionError(message)

    def sync_until(self, is_so: Callable[[], object]) -> None:
        """Run both directions until a condition holds."""
        deadline = time.monotonic() + PATIENCE_S
        while not is_so():
            assert time.monotonic() < deadline, f"not so within {PATIENCE_S} s"
            self.sync()

    def sync(self) -> tuple[Run, Run]:
        """Run both directions once."""
        return self.run("to_right"), self.run("to_left")

    def open_failures(self) -> list[Failure]:
        """Return what waits, the oldest first."""
        return list(Failure.objects.filter(state=Failure.State.OPEN).order_by("pk"))


@dataclass
class House(Running):
    """Contacts of a sandbox ↔ customers of the order desk."""

    hub: Sandbox
    desk: Desk
    hubspot: System
    order_desk: System
    mapping: MappingRow
    integration: Integration
    flows: dict[str, Flow] = field(default_factory=dict)

    @property
    def to_desk(self) -> Flow:
        return Flow.objects.get(pk=self.flows["to_right"].pk)

    @property
    def to_hub(self) -> Flow:
        return Flow.objects.get(pk=self.flows["to_left"].pk)

    def contacts(self) -> dict[str, tuple[Any, ...]]:
        """Return (first name, last name) by e-mail address, as HubSpot has them."""
        found = self.hub.list("contacts", "email,firstname,lastname")
        return {
            one["properties"]["email"]: (
                one["properties"]["firstname"],
                one["properties"]["lastname"],
            )
            for one in found
        }

    def contact_id(self, email: str) -> str:
        """Return the id of the contact of this address."""
        found = self.hub.list("contacts", "email")
        return next(str(one["id"]) for one in found if one["properties"]["email"] == email)

    def links(self) -> int:
        """Return how many records are in sync."""
        return Link.objects.count()


def let_second_pass() -> None:
    """Wait until HubSpot's clock, which shows whole seconds, shows another one."""
    begun = int(time.time())
    while int(time.time()) == begun:
        threading.Event().wait(0.02)


def make_system(
    name: str,
    slug: str,
    parameters: dict[str, str],
    secrets: dict[str, str],
    *,
    is_prepared: bool = True,
) -> System:
    """Make a system, check it live and let it prepare its account."""
    system = System(name=name, connector=slug, parameters=parameters, secrets=secrets)
    system.save()
    offered = checking.check_system(system).report.preparations
    if is_prepared:
        checking.prepare(system, *(one.name for one in offered if not one.is_done))
    return system


def make_hubspot(hub: Sandbox, name: str = "HubSpot", *, is_prepared: bool = True) -> System:
    """Make the system that leads to a sandbox."""
    parameters = {
        "api_url": hub.url,
        "user_email": "rae.poe@example.com",
        "auth_type": "token",
        "app_id": "9001",
    }
    secrets = {"access_token": hub.token}
    return make_system(name, "hubspot", parameters, secrets, is_prepared=is_prepared)


def make_desk(file: Path, name: str = "Order desk") -> System:
    """Make the system that leads to a SQLite file."""
    parameters = {
        "database_url": f"sqlite:///{file}",
        "modified_column": "updated_at",
        "time_zone": "UTC",
    }
    return make_system(name, "sql", parameters, {})


def furnish(  # noqa: PLR0913 - what differs between houses
    hub: Sandbox,
    desk_file: Path,
    *,
    rows: Sequence[Mapping[str, Any]] = NAMES,
    directions: Sequence[str] = ("to_right", "to_left"),
    start: str = "everything",
    lookup: object = None,
    is_prepared: bool = True,
) -> House:
    """Set systems, mapping and integration up, inactive.

    Without preparation HubSpot has no property that would enforce our key.
    """
    desk = Desk(desk_file)
    if not desk_file.exists():
        desk.script(CUSTOMERS)
    hubspot, order_desk = make_hubspot(hub, is_prepared=is_prepared), make_desk(desk_file)
    mapping = MappingRow.objects.create(
        name="Contacts and customers",
        left_system=hubspot,
        left_type="contacts",
        right_system=order_desk,
        right_type="customers",
    )
    for position, row in enumerate(rows):
        FieldMapping.objects.create(mapping=mapping, position=position, **row)
    integration = Integration.objects.create(
        name="HubSpot and desk",
        left_system=hubspot,
        right_system=order_desk,
        interval_count=5,
        interval_unit=Integration.Unit.SECONDS,
    )
    pair = Pair.objects.create(integration=integration, mapping=mapping)
    house = House(hub, desk, hubspot, order_desk, mapping, integration)
    for direction in (Direction.TO_RIGHT, Direction.TO_LEFT):
        if direction in directions:
            house.flows[direction.value] = Flow.objects.create(
                pair=pair,
                direction=direction,
                start=start,
                lookup=BY_EMAIL if lookup is None else lookup,
            )
    return house
