"""Sets the demo up: an order desk database, two systems, two mappings, one active integration.

Everything here could have been made by hand in the browser; a second call changes nothing.
"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction
from typing_extensions import override

from hubconnect.core.models import Role, User
from hubconnect.integrations.management.order_desk import (
    PARAMETERS,
    add_customers,
    make_order_desk,
)
from hubconnect.integrations.models import Flow, Integration, Pair
from hubconnect.integrations.services import activation
from hubconnect.mappings.models import (
    AssociationMapping,
    Carried,
    Direction,
    FieldMapping,
    Mapping,
    ValueMapEntry,
)
from hubconnect.systems.models import System
from hubconnect.systems.services import checking
from hubconnect.systems.services.connections import open_connector

NAME = "HubSpot ↔ Order desk"
SHARED_CUSTOMERS = 20  # known to both sides, found by their e-mail address

# Deal stage of HubSpot = status of an order.
STATUSES = {
    "appointmentscheduled": "inquiry",
    "qualifiedtobuy": "inquiry",
    "presentationscheduled": "quoted",
    "decisionmakerboughtin": "quoted",
    "contractsent": "confirmed",
    "closedwon": "invoiced",
    "closedlost": "cancelled",
}
# Of several stages with one status, the one that the status becomes in HubSpot.
GOING_BACK = frozenset(
    {"appointmentscheduled", "presentationscheduled", "contractsent", "closedwon", "closedlost"}
)


class Command(BaseCommand):
    """``manage.py seed_demo``."""

    help = "Set up the demo's systems, mappings and integration, once."

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--sandbox-url", required=True)
        parser.add_argument("--sandbox-token", required=True)
        parser.add_argument("--order-desk", required=True, type=Path)

    @override
    def handle(self, **options: Any) -> None:
        desk_file: Path = options["order_desk"]
        if Integration.objects.filter(name=NAME).exists():
            # The sandbox may listen on another port than last time.
            hubspot = System.objects.get(name="HubSpot sandbox")
            hubspot.parameters["api_url"] = options["sandbox_url"]
            hubspot.save(update_fields=["parameters", "updated_at"])
            self.stdout.write("The demo is set up already.")
            return
        if not desk_file.exists():
            make_order_desk(desk_file)
        hubspot = _hubspot(options["sandbox_url"], options["sandbox_token"])
        desk = _order_desk(desk_file)
        _share_customers(hubspot, desk_file)
        with transaction.atomic():
            integration = _integration(hubspot, desk)
        actor = User.objects.filter(role=Role.ADMIN).earliest("pk")
        activation.activate(integration, actor, confirmed={})
        self.stdout.write(f"Set up {integration}.")


def _share_customers(hubspot: System, file: Path) -> None:
    """Give the order desk some of HubSpot's contacts, with less known about them there."""
    with open_connector(hubspot) as connector:
        page = next(connector.everything("contacts", (), ["email", "firstname", "lastname"]))
    known = [record.values for record in page.records if record.values.get("email")]
    rows = [
        (str(one["email"]), str(one["firstname"] or ""), str(one["lastname"] or ""), None, None)
        for one in known[:SHARED_CUSTOMERS]
    ]
    add_customers(file, rows)


def _hubspot(url: str, token: str) -> System:
    system = System(
        name="HubSpot sandbox",
        connector="hubspot",
        parameters={
            "api_url": url,
            "user_email": "rae.poe@example.com",
            "auth_type": "token",
            "app_id": "9001",
            "remote_link_base": url,
        },
        secrets={"access_token": token},
    )
    return _checked(system)


def _order_desk(file: Path) -> System:
    system = System(
        name="Order desk",
        connector="sql",
        parameters={"database_url": f"sqlite:///{file}", **PARAMETERS},
        secrets={},
    )
    return _checked(system)


def _checked(system: System) -> System:
    """Prepare the account and keep whose it is, as saving the form does."""
    system.save()
    offered = checking.check_system(system).report.preparations
    checking.prepare(system, *(one.name for one in offered if not one.is_done))
    return system


def _integration(hubspot: System, desk: System) -> Integration:
    integration = Integration.objects.create(
        name=NAME,
        left_system=hubspot,
        right_system=desk,
        interval_count=5,
        interval_unit=Integration.Unit.SECONDS,
    )
    mapping = _customers(hubspot, desk)
    pair = Pair.objects.create(integration=integration, mapping=mapping, position=0)
    lookup = [{"condition": "EQUALS", "field": "email", "value": "@email@"}]
    for direction in (Direction.TO_RIGHT, Direction.TO_LEFT):
        Flow.objects.create(
            pair=pair, direction=direction, start=Flow.Start.EVERYTHING, lookup=lookup
        )
    pair = Pair.objects.create(
        integration=integration,
        mapping=_orders(hubspot, desk),
        position=1,
        right_id_field="hub_id",
        right_link_field="hub_url",
    )
    Flow.objects.create(pair=pair, direction=Direction.TO_RIGHT, start=Flow.Start.EVERYTHING)
    Flow.objects.create(pair=pair, direction=Direction.TO_LEFT, start=Flow.Start.NOW)
    return integration


def _customers(hubspot: System, desk: System) -> Mapping:
    mapping = _mapping(hubspot, desk, "Contacts and customers", "contacts", "customers")
    for left, right in (
        ("email", "email"),
        ("firstname", "first_name"),
        ("lastname", "last_name"),
        ("phone", "phone"),
        ("company", "company"),
    ):
        _row(mapping, left, right)
    return mapping


def _orders(hubspot: System, desk: System) -> Mapping:
    mapping = _mapping(hubspot, desk, "Deals and orders", "deals", "orders")
    _row(mapping, "dealname", "title")
    _row(mapping, "amount", "total")
    _row(mapping, "closedate", "due_on", direction=Direction.TO_RIGHT)
    status = _row(mapping, "dealstage", "status", default_right="inquiry")
    ValueMapEntry.objects.bulk_create(
        ValueMapEntry(
            row=status,
            position=n,
            left_value=stage,
            right_value=word,
            direction=Direction.BOTH if stage in GOING_BACK else Direction.TO_RIGHT,
        )
        for n, (stage, word) in enumerate(STATUSES.items())
    )
    AssociationMapping.objects.create(
        mapping=mapping,
        left_association="HUBSPOT_DEFINED:3",  # a deal's contact
        left_to_type="contacts",
        right_association="column:customer_id",
        right_to_type="customers",
    )
    return mapping


def _mapping(left: System, right: System, name: str, left_type: str, right_type: str) -> Mapping:
    """Make a mapping that carries comments and files both ways."""
    return Mapping.objects.create(
        name=name,
        left_system=left,
        left_type=left_type,
        right_system=right,
        right_type=right_type,
        comments=Carried.BOTH,
        comment_author_to_right=True,
        files=Carried.BOTH,
    )


def _row(mapping: Mapping, left: str, right: str, **values: Any) -> FieldMapping:
    return FieldMapping.objects.create(
        mapping=mapping, position=mapping.rows.count(), left_field=left, right_field=right, **values
    )
