"""Fills a PostgreSQL with a long history, by statements that make many rows at once."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from django.db import connection

from hubconnect.integrations.models import Flow, Integration, Pair, TypePair
from hubconnect.integrations.services import rollup
from hubconnect.mappings.models import FieldMapping, Mapping
from hubconnect.systems.models import System

INTEGRATIONS = 5
RECORDS = 100_000
# Of ten runs nine found nothing to do; one of all was a first load with a tenth of all events.
BUSY = 10
DAYS = 90
OPEN_FAILURES = 500
CLOSED_FAILURES = 20_000

RUNS = """
INSERT INTO integrations_run (flow_id, reason, state, started_at, finished_at, fence, after_id,
    phase, read, created, updated, unchanged, skipped, held, associations, comments, files, failed,
    calls, api_calls, second_pass_calls, timings, message, hint, is_idle)
SELECT %(flow)s + n %% %(flows)s,
    CASE WHEN n %% 5000 = 0 THEN 'manual' ELSE 'schedule' END,
    CASE WHEN n %% 10 <> 0 THEN 'done' WHEN n %% 1000 = 0 THEN 'crashed'
        WHEN n %% 50 = 0 THEN 'with_failures' ELSE 'done' END,
    now() - (%(runs)s - n) * interval '%(days)s days' / %(runs)s,
    now() - (%(runs)s - n) * interval '%(days)s days' / %(runs)s + interval '3 seconds',
    n, '', 'sweep', 100, 0, CASE WHEN n %% 10 = 0 THEN 90 ELSE 0 END, 0, 0, 0, 0, 0, 0,
    CASE WHEN n %% 50 = 0 THEN 1 ELSE 0 END,
    '{"source": {"search": 4}, "target": {"update": 1}}', 5, 0, '{"pages": 2.5}', '', '',
    n %% 10 <> 0
FROM generate_series(1, %(runs)s) n
"""
EVENTS = """
INSERT INTO integrations_recordevent (run_id, kind, source_id, target_id, title, detail, at)
SELECT CASE WHEN n <= %(events)s / 10 THEN 10
        ELSE 10 * (1 + (n - %(events)s / 10) * (%(runs)s / 10 - 1) / %(events)s * 10 / 9) END,
    CASE WHEN n %% 900 = 0 THEN 'failed' WHEN n %% 7 = 0 THEN 'created' ELSE 'updated' END,
    (n %% %(records)s)::text, 'h' || n %% %(records)s, 'Deal ' || n %% %(records)s,
    '{"fields": [{"field": "amount", "label": "Amount", "old": "120.00", "new": "125.50"}]}',
    now() - (%(events)s - n) * interval '%(days)s days' / %(events)s
FROM generate_series(1::bigint, %(events)s) n
"""
LINKS = """
INSERT INTO integrations_link (type_pair_id, left_id, right_id, left_base, right_base,
    left_version, right_version, title, created_at, updated_at)
SELECT %(pair)s, n::text, 'h' || n, '{}', '{}', '', '', 'Deal ' || n, now(), now()
FROM generate_series(1, %(records)s) n
"""
FIGURES = """
INSERT INTO integrations_hourlyfigures (flow_id, hour, runs, idle_runs, updated, api_calls)
SELECT %(flow)s + f, date_trunc('hour', now()) - n * interval '1 hour', 5, 4, 90, 25
FROM generate_series(0, %(days)s * 24 - 1) n, generate_series(0, %(flows)s - 1) f
"""
FAILURES = """
INSERT INTO integrations_failure (flow_id, type_pair_id, run_id, level, state, side, record_id,
    child, target_id, title, record_url, category, message, hint, field, faults, source_values,
    sent_values, answer, source_version, attempts, waits_to_right, waits_to_left, first_at, last_at,
    closed_at)
SELECT %(flow)s, %(pair)s, 50 * (1 + n %% (%(runs)s / 50)), 'record',
    CASE WHEN n <= %(open)s THEN 'open' ELSE 'healed' END, 'left', n::text, '', 'h' || n,
    'Deal ' || n, '', 'VALIDATION_ERROR', 'Stage is not an option.', '', 'stage_' || n %% 7, '[]',
    '{}', '{}', '', '', 3, false, false, now() - interval '2 days', now() - n * interval '1 s',
    CASE WHEN n <= %(open)s THEN NULL ELSE now() END
FROM generate_series(1, %(open)s + %(closed)s) n
"""


def fill(runs: int, events: int, home: Path) -> dict[str, int]:
    """Make the history; return keys that pages need: ``flow``, ``integration``, ``pair``, ``run``.

    ``run`` is the one with most events.
    """
    flow = _flows(home)
    values = {
        "runs": runs,
        "events": events,
        "records": RECORDS,
        "days": DAYS,
        "flow": flow.pk,
        "flows": INTEGRATIONS * 2,
        "pair": flow.pair.type_pair_id,
        "open": OPEN_FAILURES,
        "closed": CLOSED_FAILURES,
    }
    with connection.cursor() as cursor:
        # References hold by construction; checking each of them takes longer than making them.
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SET maintenance_work_mem = '512MB'")
        cursor.execute(RUNS, values)
        with without_indexes("integrations_recordevent"):
            cursor.execute(EVENTS, values)
        for statement in (LINKS, FIGURES, FAILURES):
            cursor.execute(statement, values)
        cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("VACUUM ANALYZE")
    rollup.count_links()  # as beat asks for every ten minutes
    return {
        "flow": flow.pk,
        "integration": flow.pair.integration_id,
        "pair": flow.pair_id,
        "run": 10,
    }


@contextmanager
def without_indexes(table: str) -> Iterator[None]:
    """Take a table's indexes away while it is filled, and make them anew."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s"
            " AND indexname NOT LIKE '%%_pkey'",
            [table],
        )
        indexes = cursor.fetchall()
        for name, _ in indexes:
            cursor.execute(f'DROP INDEX "{name}"')
        yield
        for _, definition in indexes:
            cursor.execute(definition)


def _flows(home: Path) -> Flow:
    """Make integrations between two tables of one SQLite file; return the first flow."""
    file = home / "desk.sqlite3"
    with closing(sqlite3.connect(file)) as desk, desk:
        desk.execute("create table deals (id integer primary key, title text, updated_at datetime)")
        desk.execute("create table orders (id text primary key, title text, updated_at datetime)")
        desk.execute("insert into deals values (77, 'Deal 77', '2026-01-01 00:00:00')")
        desk.execute("insert into orders values ('h77', 'Deal 77', '2026-01-01 00:00:00')")
    parameters = {
        "database_url": f"sqlite:///{file}",
        "modified_column": "updated_at",
        "time_zone": "UTC",
    }
    left, right = (
        System.objects.create(name=name, connector="sql", parameters=parameters, identity=name)
        for name in ("Deals", "Orders")
    )
    for number in range(INTEGRATIONS):
        mapping = Mapping.objects.create(
            name=f"Deals {number}",
            left_system=left,
            left_type="deals",
            right_system=right,
            right_type="orders",
        )
        FieldMapping.objects.create(mapping=mapping, left_field="title", right_field="title")
        integration = Integration.objects.create(
            name=f"Integration {number}", left_system=left, right_system=right, is_active=True
        )
        types = TypePair.objects.create(
            left_identity=f"{number}", left_type="deals", right_identity="r", right_type="orders"
        )
        pair = Pair.objects.create(integration=integration, mapping=mapping, type_pair=types)
        for direction in ("to_right", "to_left"):
            Flow.objects.create(pair=pair, direction=direction)
    flow = Flow.objects.order_by("pk").first()
    if flow is None:
        raise LookupError
    return flow
