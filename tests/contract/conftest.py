"""Every registered connector runs the suite; add a connector's subjects to SUBJECTS."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.contract.sql_subject import postgresql_server, postgresql_subject, sqlite_subject
from tests.contract.subject import Subject

Open = Callable[[Path, pytest.FixtureRequest], AbstractContextManager[Subject]]


def _postgresql(folder: Path, request: pytest.FixtureRequest) -> AbstractContextManager[Subject]:
    return postgresql_subject(folder, request.getfixturevalue("postgresql_url"))


# Name of the subject, starting with its connector's slug: how to open it.
SUBJECTS: dict[str, Open] = {
    "sql on SQLite": lambda folder, _request: sqlite_subject(folder),
    "sql on PostgreSQL": _postgresql,
}


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    with postgresql_server() as address:
        yield address


@pytest.fixture(params=SUBJECTS)
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    with SUBJECTS[request.param](tmp_path, request) as opened:
        yield opened
