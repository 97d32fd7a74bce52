"""Every registered connector runs the suite; add a connector's subjects to SUBJECTS."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.contract.hubspot_subject import hubspot_subject
from tests.contract.sql_subject import postgresql_subject, sqlite_subject
from tests.contract.subject import Subject

Open = Callable[[Path, pytest.FixtureRequest], AbstractContextManager[Subject]]


def _postgresql(folder: Path, request: pytest.FixtureRequest) -> AbstractContextManager[Subject]:
    return postgresql_subject(folder, request.getfixturevalue("postgres_url"))


# Name of the subject, starting with its connector's slug: how to open it.
SUBJECTS: dict[str, Open] = {
    "hubspot": lambda _folder, _request: hubspot_subject(),
    "sql on SQLite": lambda folder, _request: sqlite_subject(folder),
    "sql on PostgreSQL": _postgresql,
}


@pytest.fixture(params=SUBJECTS)
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    with SUBJECTS[request.param](tmp_path, request) as opened:
        yield opened
