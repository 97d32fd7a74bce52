"""Two systems with people at work in both, and what HubConnect owes them.

Whatever a person does is noted as a *fact* that both sides must show in the end, once each: a
record with its newest values, a comment, a file, an order and whose it is.
"""

import random
from collections import Counter
from dataclasses import dataclass, field, replace

from hubconnect.connectors import rich_text
from hubconnect.integrations.models import Flow, Pair
from hubconnect.mappings.models import AssociationMapping, FieldMapping, Mapping
from tests.children import PairHouse, furnish_pair
from tests.faults.desk import FaultDesk, digest
from tests.house import BY_EMAIL, make_hubspot
from tests.sandbox_process import Sandbox

DEAL_TO_CONTACT = "HUBSPOT_DEFINED:3"
STAGE = {"pipeline": "default", "dealstage": "appointmentscheduled"}
Facts = Counter[tuple[str, ...]]


@dataclass
class World:
    """A sandbox and a desk. ``owed`` are the facts that both must show."""

    hub: Sandbox
    desk: FaultDesk
    chance: random.Random
    has_lookup: bool = True
    owed: Facts = field(default_factory=Counter)
    names: dict[str, str] = field(default_factory=dict)  # last name by first name
    contacts: dict[str, str] = field(default_factory=dict)  # ids of those made in HubSpot
    house: PairHouse = field(init=False)
    offset_s: float = 0
    _contents: dict[str, str] = field(default_factory=dict)
    _made: int = 0

    # --- Setting up ----------------------------------------------------------------------------

    def furnish(self, *, hub_port: int = 0, desk_port: int = 0) -> None:
        """Set systems, mappings and flows up; through proxies at these ports if given."""
        hub = replace(self.hub, url=f"http://127.0.0.1:{hub_port}") if hub_port else self.hub
        rows = [("firstname", "first_name"), ("lastname", "last_name")]
        if self.has_lookup:
            rows.append(("email", "email"))
        left = make_hubspot(hub)
        right = self.desk.make_system(port=desk_port)
        self.house = furnish_pair(
            (left, "contacts"),
            (right, "customers"),
            rows,
            comments="both",
            files="both",
            lookup=BY_EMAIL if self.has_lookup else [],
        )
        self._add_orders()
        integration = self.house.integration
        integration.interval_count, integration.create_limit = 1, 100_000
        integration.save()

    def _add_orders(self) -> None:
        integration = self.house.integration
        mapping = Mapping.objects.create(
            name="deals and orders",
            left_system=integration.left_system,
            left_type="deals",
            right_system=integration.right_system,
            right_type="orders",
        )
        FieldMapping.objects.create(mapping=mapping, left_field="dealname", right_field="title")
        FieldMapping.objects.create(
            mapping=mapping,
            position=1,
            left_field="dealstage",
            direction="to_left",
            when="create",
            default_left=STAGE["dealstage"],
        )
        AssociationMapping.objects.create(
            mapping=mapping,
            left_association=DEAL_TO_CONTACT,
            left_to_type="contacts",
            right_association="column:customer_id",
            right_to_type="customers",
        )
        pair = Pair.objects.create(integration=integration, mapping=mapping, position=1)
        for direction in ("to_right", "to_left"):
            self.house.flows[f"orders {direction}"] = Flow.objects.create(
                pair=pair, direction=direction, start=Flow.Start.EVERYTHING
            )

    def activate(self) -> None:
        """Activate, confirming what would be created."""
        from hubconnect.integrations.services import activation  # noqa: PLC0415 - needs Django

        seen = activation.preview(self.house.integration)
        numbers = {one.flow.pk: one.creates for one in seen.to_confirm}
        names = {flow.pk: name for name, flow in self.house.flows.items()}
        self.house.activate(**{names[pk]: number for pk, number in numbers.items()})

    # --- What people do ------------------------------------------------------------------------

    def fill(self, customers: int, files: int) -> None:
        """Have people work on both sides for a while, before anything is synced."""
        for _ in range(customers):
            self.meet(self.chance.choice(("hub", "desk")))
        if self.has_lookup:
            for _ in range(customers // 5):
                self.meet_on_both()
        for _ in range(customers):
            self.say()
        for _ in range(files):
            self.attach()
        for _ in range(customers // 3):
            self.order()

    def stir(self, times: int) -> None:
        """Do some of what people do all day."""
        acts = (self.meet, self.say, self.say, self.attach, self.order, self.rename, self.rename)
        for _ in range(times):
            self.chance.choice(acts)()

    def meet(self, where: str = "") -> None:
        """Add a customer on one side."""
        where = where or self.chance.choice(("hub", "desk"))
        first, last = self._number("H" if where == "hub" else "D"), self._number("name")
        self._note_customer(first, last)
        self._add(where, first, last)

    def meet_on_both(self) -> None:
        """Add a customer that both sides know already, the same."""
        first, last = self._number("B"), self._number("name")
        self._note_customer(first, last)
        self._add("hub", first, last)
        self._add("desk", first, last)

    def _add(self, where: str, first: str, last: str) -> None:
        email = f"{first.lower()}@x.example" if self.has_lookup else None
        if where == "desk":
            self.desk.add(first, last, email)
            return
        values = {"firstname": first, "lastname": last} | ({"email": email} if email else {})
        self.contacts[first] = self.hub.create("contacts", values)

    def _note_customer(self, first: str, last: str) -> None:
        if first in self.names:
            del self.owed["customer", first, self.names[first]]
        self.names[first] = last
        self.owed["customer", first, last] += 1

    def rename(self) -> None:
        """Change the last name of a customer on the side that made it."""
        first, last = self.chance.choice(list(self.names)), self._number("name")
        if first in self.contacts:
            self.hub.update("contacts", self.contacts[first], {"lastname": last})
        else:
            self.desk.rename(first, last)
        self._note_customer(first, last)

    def say(self) -> None:
        """Write a comment."""
        first, words = self.chance.choice(list(self.names)), self._number("Comment ")
        self.owed["comment", first, words] += 1
        if first in self.contacts:
            self.hub.add_note(words, ("contacts", self.contacts[first]))
        else:
            self.desk.say(first, words)

    def attach(self) -> None:
        """Attach a file."""
        first, name = self.chance.choice(list(self.names)), self._number("file")
        content = f"Content of {name}".encode() * self.chance.randrange(1, 50)
        self.owed["file", first, digest(content)] += 1
        if first in self.contacts:
            file = self.hub.add_file(content, f"{name}.txt")
            self.hub.add_note("", ("contacts", self.contacts[first]), files=[str(file["id"])])
        else:
            self.desk.attach(first, f"{name}.txt", content)

    def order(self) -> None:
        """Add an order of a customer, on the customer's side."""
        first, title = self.chance.choice(list(self.names)), self._number("Order ")
        self.owed["order", title] += 1
        self.owed["order of", title, first] += 1
        if first in self.contacts:
            deal = self.hub.create("deals", {"dealname": title, **STAGE})
            self.hub.associate("deals", deal, "contacts", self.contacts[first])
        else:
            self.desk.order(title, first)

    def _number(self, word: str) -> str:
        self._made += 1
        return f"{word}{self._made}"

    def let_minutes_pass(self, minutes: float = 4) -> None:
        """Put HubSpot's clock forward, so that what must wait by it need not be waited for."""
        self.offset_s += minutes * 60
        self.hub.settings(clock_offset_s=self.offset_s)

    # --- What HubSpot shows --------------------------------------------------------------------

    def hub_names(self) -> dict[str, str]:
        """Return each contact's first name by id."""
        return {
            one["id"]: str(one["properties"]["firstname"])
            for one in self.hub.list("contacts", "firstname")
        }

    def hub_facts(self) -> Facts:
        """Return what HubSpot shows, one entry each."""
        contacts = {
            one["id"]: one["properties"] for one in self.hub.list("contacts", "firstname,lastname")
        }
        first = {one: str(values["firstname"]) for one, values in contacts.items()}
        found: Facts = Counter(
            ("customer", str(one["firstname"]), str(one["lastname"])) for one in contacts.values()
        )
        notes = {
            one["id"]: one["properties"]
            for one in self.hub.list("notes", "hs_note_body,hs_attachment_ids")
        }
        for contact, ids in self._linked("contacts", list(contacts), "notes").items():
            for one in ids:
                found.update(self._of_note(first[contact], notes[one]))
        deals = {
            one["id"]: one["properties"]["dealname"] for one in self.hub.list("deals", "dealname")
        }
        found.update(("order", title) for title in deals.values())
        for deal, ids in self._linked("deals", list(deals), "contacts").items():
            found.update(("order of", deals[deal], first[one]) for one in ids)
        return found

    def _of_note(self, first: str, note: dict[str, str | None]) -> Facts:
        words = rich_text.to_plain(note.get("hs_note_body") or "").strip()
        found: Facts = Counter([("comment", first, words)] if words else [])
        for one in filter(None, (note.get("hs_attachment_ids") or "").split(";")):
            if one not in self._contents:
                self._contents[one] = digest(self.hub.content(one))
            found["file", first, self._contents[one]] += 1
        return found

    def _linked(self, kind: str, ids: list[str], to_kind: str) -> dict[str, list[str]]:
        found = {}
        for start in range(0, len(ids), 1000):
            inputs = [{"id": one} for one in ids[start : start + 1000]]
            path = f"/crm/v4/associations/{kind}/{to_kind}/batch/read"
            status, answer, _ = self.hub.api("POST", path, {"inputs": inputs})
            assert status in {200, 207}, answer
            for one in answer["results"]:
                found[one["from"]["id"]] = [str(end["toObjectId"]) for end in one["to"]]
        return found

    def hub_stamps(self) -> list[tuple[str, str, str]]:
        """Return what tells that something was written: every record's last change."""
        return [
            (kind, one["id"], one["updatedAt"])
            for kind in ("contacts", "deals", "notes")
            for one in self.hub.list(kind)
        ]
