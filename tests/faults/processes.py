"""HubConnect as it is deployed: workers and a beat as processes, on a PostgreSQL of its own."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import environ
from django.core.management import call_command
from django.db import connections
from django.utils import timezone

from hubconnect.integrations.models import (
    ChildIntent,
    Failure,
    Flow,
    FollowUp,
    Intent,
    QueuedRead,
    Run,
    Slice,
    TypePair,
)
from hubconnect.settings import with_options
from tools.localservices import Service

SOLO = ("--pool", "solo", "--without-gossip", "--without-mingle", "--pidfile", "")
LEASE_S, REQUEST_S = 9, 3
LATER = timedelta(seconds=2)


def pause(seconds: float) -> None:
    """Do nothing for a while."""
    threading.Event().wait(seconds)


@dataclass
class Processes:
    """The programs of one installation. What is started in a block ends with it."""

    folder: Path
    database_url: str
    broker_url: str
    workers: list[int] = field(default_factory=list)
    stable: "subprocess.Popen[str] | None" = None

    def _begin(self) -> "subprocess.Popen[str]":
        env = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.broker_url,
            "SQLITE_DIR": str(self.folder),
            "REQUEST_TIMEOUT_S": str(REQUEST_S),
            "LEASE_S": str(LEASE_S),
            "TICK_S": "1",
            "LOG_LEVEL": "INFO",
            "LOAD_SLICES": "4",
            "LOAD_SLICE_LEAST": "30",
            "LOAD_TURN_S": "5",
        }
        with (self.folder / "stable.log").open("ab") as log:
            stable = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.stable"],
                env=env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert _answer(stable) == "ready", (self.folder / "stable.log").read_text()
        return stable

    def start(self, *words: str, log: str) -> int:
        """Start a Celery program; returns its process id."""
        self.stable = self.stable or self._begin()
        assert self.stable.stdin is not None
        order = {"words": words, "log": str(self.folder / log)}
        self.stable.stdin.write(json.dumps(order) + "\n")
        self.stable.stdin.flush()
        return int(_answer(self.stable))

    def start_worker(self) -> int:
        """Start a worker that does one thing at a time."""
        name = f"w{len(self.workers)}-{time.monotonic_ns()}@here"
        self.workers.append(self.start("worker", *SOLO, "-n", name, log="worker.log"))
        return self.workers[-1]

    def start_beat(self, number: int = 0) -> int:
        """Start a beat."""
        schedule = str(self.folder / f"beat{number}")
        return self.start("beat", "--schedule", schedule, "--pidfile", "", log="beat.log")

    def kill(self, worker: int) -> None:
        """End a worker at once; return when it is gone."""
        os.killpg(worker, signal.SIGKILL)
        while is_there(worker):
            pause(0.005)
        self.workers.remove(worker)

    def stop(self) -> None:
        """End everything; the children end with their parent."""
        if self.stable is None:
            return
        self.stable.kill()
        self.stable.wait()
        for stream in (self.stable.stdin, self.stable.stdout):
            if stream is not None:
                stream.close()

    def last_words(self) -> str:
        """Return the end of what the workers wrote."""
        log = self.folder / "worker.log"
        return "\n".join(log.read_text(errors="replace").splitlines()[-12:])[-4000:]


def _answer(stable: "subprocess.Popen[str]") -> str:
    return stable.stdout.readline().strip() if stable.stdout else ""


def is_there(pid: int) -> bool:
    """Tell whether a process exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def bury() -> None:
    """Have the lease of a worker that surely is dead end soon, as it would after a while."""
    soon = timezone.now() + timedelta(seconds=0.3)
    for model in (TypePair, Slice):
        model.objects.filter(settle_after__gt=soon).update(leased_until=soon, settle_after=soon)
    wake()


def wake() -> None:
    """Make due what waits for its time, as a while would, or a person who presses Retry."""
    now = timezone.now()
    Flow.objects.filter(next_run_at__gt=now + LATER).update(next_run_at=now, setbacks=0)
    Flow.objects.update(nudged_at=None)
    Slice.objects.update(nudged_at=None, next_turn_at=now)
    QueuedRead.objects.filter(due_at__gt=now).update(due_at=now)
    FollowUp.objects.filter(due_at__gt=now).update(due_at=now)
    Failure.objects.filter(state=Failure.State.OPEN, level=Failure.Level.RECORD).update(
        next_try_at=now
    )


def unrest() -> list[str]:
    """Return what keeps the installation from being at rest."""
    found = {
        "writes to settle": Intent.objects.count(),
        "comments and files to settle": ChildIntent.objects.count(),
        "queued reads": QueuedRead.objects.count(),
        "follow-ups": FollowUp.objects.filter(due_at__isnull=False).count(),
        "flows that load": Flow.objects.exclude(phase=Flow.Phase.RUNNING).count(),
    }
    return [f"{number} {name}" for name, number in found.items() if number]


def crashes() -> int:
    """Return how many runs were cut off."""
    return Run.objects.filter(state=Run.State.CRASHED).count()


@contextlib.contextmanager
def own_database(url: str) -> Iterator[None]:
    """Have this process use another database as HubConnect's own."""
    former, known = connections["default"], connections.settings["default"]
    parsed = with_options(environ.Env.db_url_config(url))
    connections.settings["default"] = {**known, "OPTIONS": {}, **parsed, "CONN_MAX_AGE": 0}
    connections["default"] = connections.create_connection("default")
    try:
        yield
    finally:
        connections["default"].close()
        connections.settings["default"] = known
        connections["default"] = former


def migrate(server: Service) -> None:
    """Make HubConnect's tables."""
    with own_database(server.url):
        call_command("migrate", verbosity=0)


def until(is_so: Callable[[], bool], what: str, within_s: float, every_s: float = 0.1) -> None:
    """Wait for a condition.

    Raises:
        AssertionError: naming what was waited for.
    """
    deadline = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline, f"{what}: not within {within_s:g} s"
        pause(every_s)
