"""Asks for each page of a long history and tells how long it took; run in a process of its own."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles

import django

django.setup()

from django.core.management import call_command  # noqa: E402  after setup
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext, override_settings  # noqa: E402

from hubconnect.core.models import Role, User  # noqa: E402
from hubconnect.integrations.models import RecordEvent  # noqa: E402
from hubconnect.integrations.services import purging  # noqa: E402
from tools.bench_history_fill import fill  # noqa: E402

REPEATS = 20
TARGET_MS = 100
GROWING = ("integrations_run", "integrations_recordevent")
PAGES = {
    "history": "/history/",
    "history, far back": "/history/?older={middle}",
    "history, all runs": "/history/?state=all",
    "history, all, far back": "/history/?state=all&older={middle}",
    "with changes only": "/history/?state=changed",
    "crashed": "/history/?state=crashed",
    "failed (none)": "/history/?state=failed",
    "one integration": "/history/?integration={integration}",
    "one flow": "/history/?flow={flow}",
    "by hand": "/history/?reason=manual",
    "last hour": "/history/?time=hour",
    "last 7 days, with failures": "/history/?time=week&state=with_failures",
    "flow, by hand, 30 days": "/history/?flow={flow}&reason=manual&time=month",
    "run": "/history/{small}/",
    "run of most events": "/history/{run}/",
    "its events, far back": "/history/{run}/?older={event}",
    "its failed events": "/history/{run}/?kind=failed",
    "its progress": "/history/{run}/progress/",
    "overview": "/",
    "overview, 7 days": "/?span=week",
    "integrations": "/integrations/",
    "failures": "/failures/",
    "record's story": "/records/{pair}/left/?id=77",
}


def main(runs: int, events: int, home: Path) -> int:
    """Fill, ask, tell; the status is 1 when a page is slower than the target or reads a table."""
    call_command("migrate", verbosity=0)
    began = time.monotonic()
    keys = fill(runs, events, home)
    size = _one("SELECT pg_size_pretty(pg_database_size(current_database()))")
    print(f"{runs:,} runs and {events:,} events in {time.monotonic() - began:.0f} s, {size}")
    middle = RecordEvent.objects.filter(run=keys["run"]).order_by("pk")[events // 20 - 1].pk
    keys |= {"middle": runs // 2, "small": runs - runs % 10 - 10, "event": middle}
    client = Client()
    client.force_login(User.objects.create_user("bench", role=Role.MONITOR))
    # SQL is the time between asking and being answered; CPU is that of this process alone.
    print(f"{'page':<28} {'p50 ms':>8} {'p95 ms':>8} {'CPU ms':>8} {'SQL ms':>8} {'queries':>8}")
    storage = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    with override_settings(
        ALLOWED_HOSTS=["testserver"], SECURE_SSL_REDIRECT=False, STORAGES={"staticfiles": storage}
    ):
        faults = [
            fault
            for name, address in PAGES.items()
            for fault in _measure(client, name, address.format(**keys))
        ]
    _purge()
    print("\n".join(faults) or f"every page within {TARGET_MS} ms, none reads a whole table")
    return 1 if faults else 0


def _measure(client: Client, name: str, address: str) -> Iterator[str]:
    answer = client.get(address)
    if answer.status_code != 200:  # noqa: PLR2004 - fine
        yield f"{name}: {address} answered {answer.status_code}"
        return
    times, cpu, in_sql, count = [], [], [], 0
    for _ in range(REPEATS):
        with counted() as spent:
            began, worked = time.perf_counter(), time.process_time()
            client.get(address)
            times.append((time.perf_counter() - began) * 1000)
            cpu.append((time.process_time() - worked) * 1000)
        in_sql.append(sum(spent))
        count = len(spent)
    p50, p95 = median(times), quantiles(times, n=20)[-1]
    print(
        f"{name:<28} {p50:>8.1f} {p95:>8.1f} {median(cpu):>8.1f} {median(in_sql):>8.1f} {count:>8}",
        flush=True,
    )
    if p50 > TARGET_MS:
        yield f"{name}: {p50:.0f} ms, the target is {TARGET_MS}"
    with CaptureQueriesContext(connection) as caught:
        client.get(address)
    for query in caught.captured_queries:
        for table in _read_whole(query["sql"]):
            yield f"{name}: reads all of {table}: {query['sql'][:300]}"


@contextmanager
def counted() -> Iterator[list[float]]:
    """Note how many milliseconds each statement takes."""
    spent: list[float] = []

    def note(execute: Callable[..., object], *args: object) -> object:
        began = time.perf_counter()
        try:
            return execute(*args)
        finally:
            spent.append((time.perf_counter() - began) * 1000)

    with connection.execute_wrapper(note):
        yield spent


def _read_whole(statement: str) -> list[str]:
    """Return the growing tables that PostgreSQL would read from end to end for a statement."""
    if not statement.startswith("SELECT"):
        return []
    (plan,) = json.loads(_one(f"EXPLAIN (FORMAT JSON) {statement}"))
    nodes, found = [plan["Plan"]], []
    while nodes:
        node = nodes.pop()
        nodes += node.get("Plans", [])
        if node["Node Type"] == "Seq Scan" and node["Relation Name"] in GROWING:
            found.append(node["Relation Name"])
    return found


def _purge() -> None:
    """Tell how fast old events go."""
    with override_settings(KEEP_EVENTS_DAYS=60):
        began = time.monotonic()
        gone = sum(purging.purge_all(20).rows.values())
        print(f"purge: {gone / (time.monotonic() - began):,.0f} rows a second, 1,000 at once")


def _one(statement: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        value = cursor.fetchone()[0]
    return value if isinstance(value, str) else json.dumps(value)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])))
