"""Comments and files in the house of tests: what somebody does at the desk or in HubSpot."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hubconnect.connectors import rich_text
from hubconnect.integrations.models import Flow, Integration, Pair
from hubconnect.mappings.models import Direction, FieldMapping, Mapping as MappingRow
from hubconnect.systems.models import System
from tests.house import BY_EMAIL, CUSTOMERS, Desk, Running, make_system
from tests.sandbox_process import Sandbox

COMMENTS = """
create table customer_comments (
    id integer primary key,
    customer_id integer not null references customers (id),
    body text not null,
    author varchar(200),
    written_at datetime not null default (strftime('%Y-%m-%d %H:%M:%f', 'now')),
    edited_at datetime);
create trigger customer_comments_touch after update of body on customer_comments
begin
    update customer_comments set edited_at = strftime('%Y-%m-%d %H:%M:%f', 'now')
    where id = new.id;
end;
"""

FILES = """
create table customer_files (
    id integer primary key,
    customer_id integer not null references customers (id),
    name varchar(255) not null,
    content blob not null,
    added_at datetime not null default (strftime('%Y-%m-%d %H:%M:%f', 'now')));
"""


@dataclass(frozen=True)
class ChattyDesk(Desk):
    """An order desk whose customers have comments and files."""

    def build(self) -> "ChattyDesk":
        """Make the tables."""
        self.script(CUSTOMERS + COMMENTS + FILES)
        return self

    def add_customer(self, email: str) -> int:
        """Add a customer; returns the id."""
        self.run("insert into customers (email, first_name) values (?, ?)", email, email[:3])
        return self.customer_id(email)

    def customer_id(self, email: str) -> int:
        """Return the id of the customer of this address."""
        ((number,),) = self.run("select id from customers where email = ?", email)
        return int(number)

    def say(self, email: str, text: str, author: str = "") -> int:
        """Write a comment on a customer; returns its id."""
        self.run(
            "insert into customer_comments (customer_id, body, author) values (?, ?, ?)",
            self.customer_id(email),
            text,
            author or None,
        )
        ((number,),) = self.run("select max(id) from customer_comments")
        return int(number)

    def edit(self, old: str, new: str) -> None:
        """Replace the text of a comment."""
        self.run("update customer_comments set body = ? where body = ?", new, old)

    def said(self, email: str) -> list[str]:
        """Return the comments of a customer, the oldest first."""
        rows = self.run(
            "select body from customer_comments c join customers p on p.id = c.customer_id "
            "where p.email = ? order by c.id",
            email,
        )
        return [row[0] for row in rows]

    def attach(self, email: str, name: str, content: bytes) -> None:
        """Add a file to a customer."""
        self.run(
            "insert into customer_files (customer_id, name, content) values (?, ?, ?)",
            self.customer_id(email),
            name,
            content,
        )

    def files(self, email: str) -> dict[str, bytes]:
        """Return a customer's files by name; none may be there twice."""
        rows = self.run(
            "select name, content from customer_files f join customers p on p.id = f.customer_id "
            "where p.email = ? order by f.id",
            email,
        )
        assert len({name for name, _ in rows}) == len(rows), rows
        return dict(rows)


def make_chatty_desk(file: Path, name: str = "Order desk") -> System:
    """Make the system that leads to a SQLite file with comments and files."""
    parameters = {
        "database_url": f"sqlite:///{file}",
        "modified_column": "updated_at",
        "time_zone": "UTC",
        "comment_tables": "customer_comments: body=body, author=author, time=written_at, "
        "edited=edited_at",
        "file_tables": "customer_files",
    }
    return make_system(name, "sql", parameters, {})


@dataclass
class PairHouse(Running):
    """Two systems that are kept the same, whatever they are."""

    integration: Integration
    flows: dict[str, Flow] = field(default_factory=dict)


def furnish_pair(
    left: tuple[System, str],
    right: tuple[System, str],
    rows: Sequence[tuple[str, str]],
    **chosen: Any,
) -> PairHouse:
    """Set a mapping and an integration of both directions up, inactive."""
    integration = Integration.objects.create(
        name=f"{left[0]} and {right[0]}",
        left_system=left[0],
        right_system=right[0],
        interval_count=5,
        interval_unit=Integration.Unit.SECONDS,
    )
    return PairHouse(integration, add_pair(integration, left[1], right[1], rows, **chosen))


def add_pair(
    integration: Integration,
    left_type: str,
    right_type: str,
    rows: Sequence[tuple[str, str]],
    **chosen: Any,
) -> dict[str, Flow]:
    """Add a mapping to an integration and put it to work both ways."""
    lookup = chosen.pop("lookup", BY_EMAIL)
    directions = chosen.pop("directions", (Direction.TO_RIGHT, Direction.TO_LEFT))
    mapping = MappingRow.objects.create(
        name=f"{left_type} and {right_type}",
        left_system=integration.left_system,
        left_type=left_type,
        right_system=integration.right_system,
        right_type=right_type,
        **chosen,
    )
    for position, (ours, theirs) in enumerate(rows):
        FieldMapping.objects.create(
            mapping=mapping, position=position, left_field=ours, right_field=theirs
        )
    pair = Pair.objects.create(integration=integration, mapping=mapping)
    return {
        direction.value: Flow.objects.create(
            pair=pair, direction=direction, start="everything", lookup=lookup
        )
        for direction in directions
    }


def notes_of(hub: Sandbox, kind: str, record_id: str) -> list[str]:
    """Return the plain texts of a record's notes in HubSpot, the oldest first."""
    ids = sorted(hub.associations(kind, record_id, "notes"), key=int)
    notes = [hub.get("notes", one)["properties"] for one in ids]
    return [rich_text.to_plain(one.get("hs_note_body") or "") for one in notes]


def files_of(hub: Sandbox, kind: str, record_id: str) -> list[bytes]:
    """Return what is in the files of a record's notes in HubSpot, the oldest note first."""
    ids = sorted(hub.associations(kind, record_id, "notes"), key=int)
    notes = [hub.get("notes", one)["properties"] for one in ids]
    joined = [one.get("hs_attachment_ids") or "" for one in notes]
    return [hub.content(one) for ids in joined for one in ids.split(";") if one]
