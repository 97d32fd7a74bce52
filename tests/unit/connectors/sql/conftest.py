"""Scratch databases: tests say their tables in SQL that both SQLite and PostgreSQL understand."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine, NullPool, create_engine, make_url, text

from hubconnect.connectors.addresses import NetworkPolicy
from hubconnect.connectors.base import Context
from hubconnect.connectors.limits import MemoryRateLimiter
from hubconnect.connectors.parameters import Secret
from hubconnect.connectors.sql.connector import SQLConnector


def context_of(
    folder: Path, *, forbidden: tuple[str, ...] = (), allowed: tuple[str, ...] = ("127.0.0.0/8",)
) -> Context:
    return Context(
        limiter=MemoryRateLimiter(),
        addresses=NetworkPolicy(allowed),
        sqlite_dir=str(folder),
        forbidden_databases=forbidden,
        request_timeout=timedelta(seconds=15),
    )


class Bench:
    """An empty database, its owner's connection, and connectors to it."""

    def __init__(self, engine: Engine, settings: dict[str, str], folder: Path) -> None:
        self.engine, self.settings, self.folder = engine, settings, folder
        self.opened: list[SQLConnector] = []

    @property
    def is_postgresql(self) -> bool:
        return self.engine.dialect.name == "postgresql"

    def run(self, *statements: str, **values: object) -> list[tuple[object, ...]]:
        """Run statements as the database's owner; return the rows of the last one."""
        rows: list[tuple[object, ...]] = []
        with self.engine.begin() as connection:
            for statement in statements:
                result = connection.execute(text(statement), values)
                rows = [tuple(row) for row in result] if result.returns_rows else []
        return rows

    def open(self, **settings: str) -> SQLConnector:
        merged = {**self.settings, **settings}
        connector = SQLConnector(
            {name: Secret(one) if name == "password" else one for name, one in merged.items()},
            context_of(self.folder),
        )
        self.opened.append(connector)
        return connector

    def open_prepared(self, **settings: str) -> SQLConnector:
        connector = self.open(**settings)
        connector.prepare("ledger")
        return connector


@pytest.fixture
def sqlite_bench(tmp_path: Path) -> Iterator[Bench]:
    engine = create_engine(f"sqlite:///{tmp_path / 'orders.sqlite3'}", poolclass=NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")
    bench = Bench(engine, {"database_url": "sqlite:///orders.sqlite3"}, tmp_path)
    yield bench
    for connector in bench.opened:
        connector.close()
    engine.dispose()


@pytest.fixture
def postgresql_bench(postgres_url: str, tmp_path: Path) -> Iterator[Bench]:
    url = make_url(postgres_url).set(drivername="postgresql+psycopg")
    name = f"unit_{uuid4().hex[:12]}"
    server = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine = create_engine(url.set(database=name), poolclass=NullPool)
    settings = {
        "database_url": f"postgresql://{url.username}@{url.host}:{url.port}/{name}",
        "password": str(url.password),
    }
    bench = Bench(engine, settings, tmp_path)
    yield bench
    for connector in bench.opened:
        connector.close()
    with server.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite_bench", "postgresql_bench"])
def bench(request: pytest.FixtureRequest) -> Bench:
    found: Bench = request.getfixturevalue(request.param)
    return found
