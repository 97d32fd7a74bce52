"""SQL databases under the contract suite: one table of customers."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, NullPool, create_engine, insert, make_url
from sqlalchemy.schema import CreateSchema, DropSchema

from hubconnect.connectors.addresses import NetworkPolicy
from hubconnect.connectors.base import Connector, Context, Value, Values
from hubconnect.connectors.limits import MemoryRateLimiter
from hubconnect.connectors.parameters import Secret
from hubconnect.connectors.sql.connector import SQLConnector
from tests.contract.sql_players import SQLComments, SQLFiles, SQLLinks
from tests.contract.tables import build_tables

SECRETS = frozenset({"password"})


class SQLSubject:
    """One scratch database or schema."""

    unique_field = "email"
    text_field = "name"

    def __init__(
        self,
        engine: Engine,
        settings: Mapping[str, str],
        context: Context,
        wrong_settings: tuple[tuple[str, Mapping[str, str]], ...],
        away_settings: Mapping[str, str],
    ) -> None:
        self.engine, self.context = engine, context
        self.settings = {
            "modified_column": "updated_at",
            "time_zone": "Europe/Berlin",
            "comment_tables": "customer_comments",
            "file_tables": "customer_files",
            **settings,
        }
        self.wrong_settings, self.away_settings = wrong_settings, away_settings
        self.schema = settings.get("schema")
        self.object_type = self.qualified("customers")
        self.tables = build_tables(self.schema)
        self._opened: list[Connector] = []
        self.connector = self.open({})
        player = (engine, self.tables, self.time_now)
        self.links = SQLLinks(self.qualified("orders"), *player)
        self.comments = SQLComments(self.object_type, *player)
        self.files = SQLFiles(self.object_type, *player)

    def qualified(self, table: str) -> str:
        return f"{self.schema}.{table}" if self.schema else table

    def values(self, number: int) -> dict[str, Value]:
        return {
            "email": f"Person{number}@example.com",
            "name": f"Person {number}",
            "credit": Decimal(number) / 4,
            "born": date(1990, 1, 1) + timedelta(days=number),
            "is_active": number % 2 == 0,
        }

    def refused_values(self) -> Values:
        return {"name": "Nobody"}

    def make_records(self, count: int) -> list[str]:
        table = self.tables["customers"]
        stamp = self.time_now()
        rows = [{**self.values(number), "updated_at": stamp} for number in range(count)]
        with self.engine.begin() as connection:
            connection.execute(insert(table), rows)
            found = connection.execute(table.select().order_by(table.c.id)).all()
        return [str(row.id) for row in found]

    def time_now(self) -> datetime:
        return (
            self.connector.now()
            .astimezone(ZoneInfo(self.settings["time_zone"]))
            .replace(tzinfo=None)
        )

    def edit_record(self, record_id: str, text: str) -> None:
        table = self.tables["customers"]
        with self.engine.begin() as connection:
            connection.execute(
                table.update()
                .where(table.c.id == int(record_id))
                .values(name=text, updated_at=self.time_now())
            )

    def delete_record(self, record_id: str) -> None:
        table = self.tables["customers"]
        with self.engine.begin() as connection:
            connection.execute(table.delete().where(table.c.id == int(record_id)))

    def settle_down(self) -> None:
        """A committed row is seen at once."""

    def open(self, settings: Mapping[str, str]) -> Connector:
        merged: dict[str, str] = {**self.settings, **settings}
        opened = SQLConnector(
            {name: Secret(one) if name in SECRETS else one for name, one in merged.items()},
            self.context,
        )
        self._opened.append(opened)
        return opened

    def close(self) -> None:
        for each in self._opened:
            each.close()


@contextmanager
def sqlite_subject(folder: Path) -> Iterator[SQLSubject]:
    """Play a SQLite file."""
    path = folder / "orders.sqlite3"
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    build_tables(None)["customers"].metadata.create_all(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")
    locked = folder / "text.sqlite3"
    locked.write_text(
        "this is no database, only a text that is long enough to be read as one\n" * 9
    )
    subject = SQLSubject(
        engine,
        {"database_url": "sqlite:///orders.sqlite3"},
        _context(folder),
        (
            ("database_url", {"database_url": "sqlite:///missing.sqlite3"}),
            ("database_url", {"database_url": "sqlite:///../outside.sqlite3"}),
            ("database_url", {"database_url": "sqlite:///text.sqlite3"}),
        ),
        {},
    )
    subject.connector.prepare("ledger")
    try:
        yield subject
    finally:
        subject.close()
        engine.dispose()


@contextmanager
def postgresql_subject(folder: Path, server: str) -> Iterator[SQLSubject]:
    """Play a schema of a PostgreSQL server."""
    url = make_url(server).set(drivername="postgresql+psycopg")
    engine = create_engine(url, poolclass=NullPool)
    schema = f"contract_{uuid4().hex[:12]}"
    with engine.begin() as connection:
        connection.execute(CreateSchema(schema))
    build_tables(schema)["customers"].metadata.create_all(engine)
    bare = f"postgresql://{url.username}@{url.host}:{url.port}"
    subject = SQLSubject(
        engine,
        {
            "database_url": f"{bare}/{url.database}",
            "password": str(url.password),
            "schema": schema,
        },
        _context(folder),
        (
            ("password", {"password": "wrong"}),
            ("database_url", {"database_url": f"{bare}/no_such_database"}),
            ("database_url", {"database_url": "postgresql://hub@10.1.2.3/hub"}),
        ),
        {"database_url": f"postgresql://{url.username}@{url.host}:1/{url.database}"},
    )
    subject.connector.prepare("ledger")
    try:
        yield subject
    finally:
        subject.close()
        with engine.begin() as connection:
            connection.execute(DropSchema(schema, cascade=True))
        engine.dispose()


def _context(folder: Path) -> Context:
    return Context(
        limiter=MemoryRateLimiter(),
        addresses=NetworkPolicy(["127.0.0.0/8", "::1"]),
        sqlite_dir=str(folder),
        request_timeout=timedelta(seconds=10),
    )
