"""Migrations run on live data: the release before goes on reading and writing meanwhile."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, models
from django.db.migrations import AddField, AddIndex, CreateModel, Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import StateApps
from django.utils import timezone

from hubconnect.core.operations import AddIndexOnline

OURS = ("core", "systems", "mappings", "integrations")
# The state of the release before: what came after it has to be safe on its data.
BEFORE = [
    ("core", "0001_users"),
    ("systems", "0003_sign_in"),
    ("mappings", "0002_comments_files_associations"),
    ("integrations", "0009_intent_lookup_key"),
]
GROWING = {"run", "recordevent", "link", "failure", "hourlyfigures"}
# Added before there was a rule, or to a table that the same release made.
EXEMPT = {"0010_failures_by_cause_and_acts"}


def later() -> Iterator[Migration]:
    """Give the migrations since the release before."""
    loader = MigrationLoader(None)
    known = {key for target in BEFORE for key in loader.graph.forwards_plan(target)}
    for key, migration in sorted(loader.disk_migrations.items()):
        if key[0] in OURS and key not in known and not migration.initial:
            yield migration


def test_columns_can_be_left_out_by_the_release_before() -> None:
    for migration in later():
        for step in migration.operations:
            if isinstance(step, AddField) and not isinstance(step.field, models.ManyToManyField):
                is_safe = step.field.null or step.field.db_default is not models.NOT_PROVIDED
                made = [one for one in migration.operations if isinstance(one, CreateModel)]
                made_here = {one.name.lower() for one in made}
                assert is_safe or step.model_name.lower() in made_here, (migration.name, step.name)


def test_indexes_on_tables_that_grow_keep_nobody_waiting() -> None:
    for migration in later():
        for step in migration.operations:
            if isinstance(step, AddIndexOnline):
                assert not migration.atomic, migration.name
            elif isinstance(step, AddIndex) and step.model_name.lower() in GROWING:
                assert migration.name in EXEMPT, (migration.name, step.index.name)


@pytest.mark.django_db(transaction=True)
def test_data_of_the_release_before_is_carried_over() -> None:
    executor = MigrationExecutor(connection)
    newest = [key for key in executor.loader.graph.leaf_nodes() if key[0] in OURS]
    try:
        executor.migrate(BEFORE)
        fill(MigrationExecutor(connection).loader.project_state(BEFORE).apps)
        executor = MigrationExecutor(connection)
        executor.migrate(newest)
        run = apps.get_model("integrations", "Run")
        assert [one.is_idle for one in run.objects.order_by("pk")] == [True, False, False]
        figures = apps.get_model("integrations", "HourlyFigures").objects.values_list
        told = figures("runs", "idle_runs", "updated", "api_calls")
        assert sorted(told) == [(1, 0, 7, 4), (1, 1, 0, 4)]
        assert apps.get_model("integrations", "RecordEvent").objects.count() == 1
        failure = apps.get_model("integrations", "Failure").objects.get()
        assert failure.cause
    finally:
        MigrationExecutor(connection).migrate(newest)


def fill(old: StateApps) -> None:
    """Store a row of each kind as the release before did."""
    get: Any = old.get_model
    now = timezone.now()
    systems = [
        get("systems", "System").objects.create(name=name, connector="sql") for name in ("A", "B")
    ]
    sides = {"left_system": systems[0], "right_system": systems[1]}
    mapping = get("mappings", "Mapping").objects.create(
        name="M", left_type="deals", right_type="orders", **sides
    )
    types = get("integrations", "TypePair").objects.create(
        left_identity="a", left_type="deals", right_identity="b", right_type="orders"
    )
    pair = get("integrations", "Pair").objects.create(
        integration=get("integrations", "Integration").objects.create(name="I", **sides),
        mapping=mapping,
        type_pair=types,
    )
    flow = get("integrations", "Flow").objects.create(pair=pair, direction="to_right")
    runs = get("integrations", "Run").objects
    common = {"flow": flow, "reason": "schedule", "finished_at": now, "api_calls": 4}
    runs.create(state="done", started_at=now - timedelta(hours=3), **common)
    busy = runs.create(state="done", started_at=now, updated=7, **common)
    runs.create(flow=flow, reason="manual", state="running", started_at=now)
    get("integrations", "RecordEvent").objects.create(
        run=busy, kind="updated", source_id="1", at=now
    )
    get("integrations", "Link").objects.create(type_pair=types, left_id="1", right_id="2")
    get("integrations", "Failure").objects.create(
        flow=flow,
        type_pair=types,
        level="record",
        side="left",
        record_id="1",
        message="No.",
        category="CONVERSION",
        first_at=now,
        last_at=now,
    )
