"""What the fault tests share: PostgreSQL as HubConnect's own database, a broker, a seed."""

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from pytest_django import DjangoDbBlocker
from pytest_django.fixtures import Settings

from tests.faults.processes import Processes, migrate, own_database
from tools.localservices import Service, postgres, valkey

TEMPLATE = "migrated"


@pytest.fixture(scope="session")
def house_server(django_db_blocker: DjangoDbBlocker) -> Iterator[Service]:
    """A PostgreSQL that keeps what was committed when it is killed, with HubConnect's tables."""
    with postgres(TEMPLATE, survives_kill=True) as server, django_db_blocker.unblock():
        migrate(server)
        yield server


@pytest.fixture
def house_url(house_server: Service) -> str:
    """Address of a database with HubConnect's tables, for one test."""
    name = f"house_{time.monotonic_ns()}"
    base = house_server.url.rpartition("/")[0]
    with psycopg.connect(f"{base}/postgres", autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(TEMPLATE)
            )
        )
    return f"{base}/{name}"


@pytest.fixture
def broker() -> Iterator[Service]:
    """A broker for one test."""
    with valkey() as running:
        yield running


@pytest.fixture
def house(
    tmp_path: Path,
    house_url: str,
    broker: Service,
    settings: Settings,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[Processes]:
    """HubConnect's programs, none of them started; this process uses their database."""
    settings.SQLITE_DIR = tmp_path
    processes = Processes(tmp_path, house_url, broker.url)
    try:
        with django_db_blocker.unblock(), own_database(house_url):
            yield processes
    finally:
        processes.stop()


@pytest.fixture
def seed() -> int:
    """Where all chance of a test comes from; printed, and given by the environment."""
    number = int(os.environ.get("HUBCONNECT_TEST_SEED") or time.time())
    print(f"HUBCONNECT_TEST_SEED={number}")  # noqa: T201 - to repeat a failure
    return number


@pytest.fixture
def chance(seed: int) -> random.Random:
    """The chance of a test."""
    return random.Random(seed)  # noqa: S311 - chooses test points
