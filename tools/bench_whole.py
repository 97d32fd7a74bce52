"""Deals and orders with all that hangs on them: lookup, link, one comment in ten, a few files."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from hubconnect.integrations.models import Flow, Integration, Pair
from hubconnect.mappings.models import AssociationMapping, Carried, FieldMapping, Mapping

CHILDREN = {"comment_tables": "order_comments: format=html", "file_tables": "order_files"}
ONE_IN = 10  # records with a comment
FILES = 5
BATCH = 100
NOTE_TO_DEAL = 214
Call = Callable[..., Any]


def add_orders(integration: Integration) -> tuple[Flow, Flow]:
    """Add deals ↔ orders to an integration; give both flows."""
    mapping = Mapping.objects.create(
        name="bench, whole",
        left_system=integration.left_system,
        left_type="deals",
        right_system=integration.right_system,
        right_type="orders",
        comments=Carried.BOTH,
        comment_author_to_right=True,
        files=Carried.BOTH,
    )
    for left, right in (("dealname", "title"), ("amount", "total"), ("dealstage", "status")):
        FieldMapping.objects.create(mapping=mapping, left_field=left, right_field=right)
    AssociationMapping.objects.create(
        mapping=mapping,
        left_association="HUBSPOT_DEFINED:3",
        left_to_type="contacts",
        right_association="column:customer_id",
        right_to_type="customers",
    )
    pair = Pair.objects.create(
        integration=integration,
        mapping=mapping,
        position=1,
        right_id_field="hub_id",
        right_link_field="hub_url",
    )
    by_name = [{"condition": "EQUALS", "field": "dealname", "value": "@title@"}]
    by_title = [{"condition": "EQUALS", "field": "title", "value": "@dealname@"}]
    return (
        Flow.objects.create(pair=pair, direction="to_right", start="everything", lookup=by_title),
        Flow.objects.create(pair=pair, direction="to_left", start="now", lookup=by_name),
    )


class Hub:
    """Somebody who works in the sandbox through its API."""

    def __init__(self, call: Call) -> None:
        """Keep what sends."""
        self._call = call

    def name_deals(self, number: int, text: str) -> None:
        """Give deals names of their own: seeded ones share theirs."""
        for ids in self._pages(number):
            inputs = [{"id": one, "properties": {"dealname": f"{text} {one}"}} for one in ids]
            self._call("POST", "/crm/v3/objects/deals/batch/update", {"inputs": inputs})

    def talk(self, number: int, text: str) -> None:
        """Write a note on one deal in ten, and hang files on the first ones."""
        chosen = [one for ids in self._pages(number) for one in ids[::ONE_IN]]
        for start in range(0, len(chosen), BATCH):
            inputs = [self._note(one, text) for one in chosen[start : start + BATCH]]
            self._call("POST", "/crm/v3/objects/notes/batch/create", {"inputs": inputs})
        for place, one in enumerate(chosen[:FILES]):
            content = f"{text} {place}".encode()
            path = f"/sandbox/api/files?name=file{place}.txt"
            file = self._call("POST", path, content)
            carried = {"hs_attachment_ids": str(file["id"]), "hs_note_body": ""}
            note = {"body": text, "to": [["deals", one]], "properties": carried}
            self._call("POST", "/sandbox/api/notes", note)
        # Deals count their notes with the next call, which moves their modified date.
        self._call("GET", "/crm/v3/objects/deals?limit=1")

    def _pages(self, number: int) -> Iterator[list[str]]:
        after = ""
        for _ in range(0, number, BATCH):
            page = self._call("GET", f"/crm/v3/objects/deals?limit={BATCH}{after}")
            yield [str(one["id"]) for one in page["results"]]
            after = f"&after={page['paging']['next']['after']}" if "paging" in page else ""

    @staticmethod
    def _note(deal: str, text: str) -> dict[str, Any]:
        kind = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": NOTE_TO_DEAL}
        return {
            "properties": {"hs_note_body": text, "hs_timestamp": "2026-01-01T00:00:00Z"},
            "associations": [{"to": {"id": deal}, "types": [kind]}],
        }


class Desk:
    """Somebody who works at the order desk."""

    def __init__(self, file: Path) -> None:
        """Keep where the database is."""
        self._file = file

    def order(self, number: int) -> None:
        """Add orders of customers that are there, with comments and files."""
        self._run(
            "insert into orders (title, customer_id)"
            " select 'New order ' || id, id from customers order by id limit ?",
            number,
        )
        self._talk("Ordered")

    def change(self) -> None:
        """Edit the orders added before, with a further comment and further files."""
        self._run(
            "update orders set total = 99, updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now')"
            " where title like 'New order %'"
        )
        self._talk("Changed")

    def _talk(self, text: str) -> None:
        """Write a comment on one new order in ten, and hang files on the first ones."""
        self._run(
            "insert into order_comments (order_id, body, author)"
            " select id, ?, 'rae.poe@example.com' from orders"
            " where title like 'New order %' and id % ? = 0",
            text,
            ONE_IN,
        )
        self._run(
            "insert into order_files (order_id, name, content)"
            " select id, 'file.txt', cast(? || id as blob) from orders"
            " where title like 'New order %' order by id limit ?",
            text,
            FILES,
        )

    def _run(self, statement: str, *values: object) -> None:
        with closing(sqlite3.connect(self._file)) as desk, desk:
            desk.execute(statement, values)
