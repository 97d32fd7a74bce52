"""Two systems in memory that are kept the same: troubles at will, and no waiting for a clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count

import pytest
from django.utils import timezone

from hubconnect.connectors.registry import connectors
from hubconnect.integrations.models import Link, QueuedRead
from tests.children import PairHouse, furnish_pair
from tests.fakes.memory import THINGS, MemoryConnector, MemoryHub
from tests.fakes.memory_desk import FIELDS, MemoryDesk
from tests.house import make_system

BY_CODE = [{"condition": "EQUALS", "field": "code", "value": "@code@"}]
_numbers = count(1)


@dataclass(kw_only=True)
class MemoryHouse(PairHouse):
    """Things of a desk on the left ↔ things of a desk on the right."""

    left: MemoryDesk
    right: MemoryDesk

    def link(self, code: str) -> Link:
        """Return the link of the left record with this code."""
        return Link.objects.get(left_id=self.left.ids_of(code)[0])

    def edit_long_ago(self, record_id: str, **values: str) -> None:
        """Change a left record as if it were long ago; only a queued read leads to it."""
        row = self.left.rows[record_id]
        row.values |= values
        row.modified_at = datetime(2000, 1, 1, tzinfo=UTC)
        QueuedRead.objects.create(
            flow=self.flows["to_right"], record_id=record_id, reason="test", due_at=timezone.now()
        )


def register(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the systems in memory known for the length of a test."""
    for connector in (MemoryConnector, MemoryHub):
        monkeypatch.setitem(connectors(), connector.slug, connector)
    monkeypatch.setattr(MemoryConnector, "desks", {})


def furnish_memories(
    *, slug: str = "memory", lookup: Sequence[dict[str, str]] = (), comments: str = "no"
) -> MemoryHouse:
    """Set two empty desks, a mapping of all fields and an active integration up.

    ``slug`` says of which kind the left one is: "memory" or "memory-hub".
    """
    number = next(_numbers)
    left = MemoryDesk(f"left{number}", is_hub=slug == "memory-hub")
    right = MemoryDesk(f"right{number}", is_hub=False)
    systems = []
    for kind, desk in ((slug, left), ("memory", right)):
        MemoryConnector.desks[desk.number] = desk
        systems.append(make_system(desk.number, kind, {"address": desk.number}, {}))
    pair = furnish_pair(
        (systems[0], THINGS),
        (systems[1], THINGS),
        [(name, name) for name in FIELDS],
        lookup=list(lookup),
        **({"comments": comments} if comments != "no" else {}),
    )
    house = MemoryHouse(integration=pair.integration, flows=pair.flows, left=left, right=right)
    house.activate()
    return house
