"""The demo's sample database: an order desk with customers, orders, their comments and files."""

import hashlib
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

NOW: Final = "(strftime('%Y-%m-%d %H:%M:%f', 'now'))"
TOUCH: Final = """
create index {table}_updated_at on {table} (updated_at);
create trigger {table}_touch after update on {table} when new.updated_at is old.updated_at
begin
    update {table} set updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now') where id = new.id;
end;
"""
CUSTOMERS: Final = f"""
create table customers (
    id integer primary key,
    email varchar(200) not null unique,
    first_name varchar(100),
    last_name varchar(100),
    phone varchar(40),
    company varchar(200),
    updated_by varchar(200),
    updated_at datetime not null default {NOW}
);
"""
ORDERS: Final = f"""
create table orders (
    id integer primary key,
    title varchar(255) not null,
    total numeric(12, 2),
    status varchar(40) not null default 'inquiry',
    due_on date,
    customer_id integer references customers (id) on delete set null,
    hub_id varchar(40),
    hub_url varchar(500),
    updated_by varchar(200),
    updated_at datetime not null default {NOW}
);
create index orders_customer on orders (customer_id);
"""
# Of customers and of orders alike.
COMMENTS: Final = f"""
create table {{one}}_comments (
    id integer primary key,
    {{one}}_id integer not null references {{one}}s (id) on delete cascade,
    body text not null,
    author varchar(200),
    created_at datetime not null default {NOW},
    updated_at datetime not null default {NOW}
);
create index {{one}}_comments_{{one}} on {{one}}_comments ({{one}}_id);
"""
FILES: Final = f"""
create table {{one}}_files (
    id integer primary key,
    {{one}}_id integer not null references {{one}}s (id) on delete cascade,
    name varchar(255) not null,
    media_type varchar(100),
    size integer,
    md5 varchar(32),
    created_at datetime not null default {NOW},
    content blob not null
);
create index {{one}}_files_{{one}} on {{one}}_files ({{one}}_id);
-- A new file counts as a change of its record; without this the next sweep would find it.
create trigger {{one}}_files_touch after insert on {{one}}_files
begin
    update {{one}}s set updated_at = {NOW} where id = new.{{one}}_id;
end;
"""  # noqa: S608 - our own names
# How the tables are named in the settings of the system.
PARAMETERS: Final = {
    "modified_column": "updated_at",
    "author_column": "updated_by",
    "time_zone": "UTC",
    "comment_tables": "order_comments: format=html\ncustomer_comments: format=html",
    "file_tables": "order_files\ncustomer_files",
}
FIRST_NAMES = ("Alma", "Bruno", "Celia", "Dario", "Edda", "Farid", "Greta", "Hugo", "Ines", "Jonas")
LAST_NAMES = ("Aalto", "Bergmann", "Castro", "Dufour", "Eriksen", "Fontana")
WALK_IN_CUSTOMERS = 40  # known to the order desk alone
WALK_IN_COMMENTS = (
    "<p>Asked for a quote by <strong>Friday</strong>.</p>",
    "<p>Prefers deliveries</p><ul><li>before ten</li><li>at the back door</li></ul>",
    "<p>Pays on account, net 30 days.</p>",
)
WALK_IN_FILE = ("Delivery note.txt", "text/plain", b"2 boxes of tea, back door, before ten.\n")


def make_order_desk(file: Path) -> None:
    """Create the sample database with customers that HubSpot does not know."""
    with closing(sqlite3.connect(file)) as desk, desk:
        desk.execute("pragma journal_mode = wal")
        desk.executescript(_schema())
        rows = []
        for number in range(WALK_IN_CUSTOMERS):
            first = FIRST_NAMES[number % len(FIRST_NAMES)]
            last = LAST_NAMES[number % len(LAST_NAMES)]
            email = f"{first}.{last}{number}@walk-in.example".lower()
            rows.append((email, first, last, f"+49 30 5550{number:03}", f"{last} & Co"))
        _insert_customers(desk, rows)
        _comment(desk)


def add_customers(file: Path, rows: Sequence[tuple[str | None, ...]]) -> None:
    """Add customers: e-mail, first and last name, phone, company."""
    with closing(sqlite3.connect(file)) as desk, desk:
        _insert_customers(desk, rows)


def _schema() -> str:
    parts = [CUSTOMERS, TOUCH.format(table="customers"), ORDERS, TOUCH.format(table="orders")]
    for one in ("customer", "order"):
        parts += [COMMENTS.format(one=one), TOUCH.format(table=f"{one}_comments")]
        parts.append(FILES.format(one=one))
    return "".join(parts)


def _insert_customers(desk: sqlite3.Connection, rows: Sequence[tuple[str | None, ...]]) -> None:
    desk.executemany(
        "insert into customers (email, first_name, last_name, phone, company)"
        " values (?, ?, ?, ?, ?)",
        rows,
    )


def _comment(desk: sqlite3.Connection) -> None:
    """Let the desk have written a few comments and kept a file."""
    desk.executemany(
        "insert into customer_comments (customer_id, body, author) values (?, ?, ?)",
        [
            (number, text, "rae.poe@example.com")
            for number, text in enumerate(WALK_IN_COMMENTS, start=1)
        ],
    )
    name, media_type, content = WALK_IN_FILE
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
    desk.execute(
        "insert into customer_files (customer_id, name, media_type, size, md5, content)"
        " values (?, ?, ?, ?, ?, ?)",
        (2, name, media_type, len(content), digest, content),
    )
