"""Measures the steps of a run and stores how it ended."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from django.db import transaction
from django.utils import timezone

from hubconnect.integrations.models import Flow, Run
from hubconnect.integrations.services import rollup

log = structlog.get_logger()


@contextmanager
def timed(run: Run, name: str) -> Iterator[None]:
    """Show that a run is at this step, and note how long it takes."""
    run.phase = name
    Run.objects.filter(pk=run.pk).update(phase=name)
    began = time.monotonic()
    try:
        yield
    finally:
        run.timings[name] = round(time.monotonic() - began, 3)


def end(run: Run, state: Run.State, message: str = "", hint: str = "") -> None:
    """Store a run's end with all that it measured."""
    _close(run, state, message, hint, "calls", "api_calls", "timings", "expected")
    log.info("run.finished", state=state, created=run.created, updated=run.updated)


def close_vanished(flow: Flow) -> None:
    """Mark runs whose worker never came back: we hold the lease, so they are over."""
    for run in Run.objects.filter(flow=flow, state=Run.State.RUNNING):  # one, if any
        message = "Its worker ended without a word. The next run went on from its last page."
        _close(run, Run.State.CRASHED, message)


def _close(run: Run, state: Run.State, message: str, hint: str = "", *fields: str) -> None:
    """Store a run's end, with the named fields, and add it to the figures of the hour."""
    run.state, run.message, run.hint = state, message, hint
    run.finished_at = timezone.now()
    run.is_idle = state == Run.State.DONE and not run.has_moved_something
    ended = ("state", "message", "hint", "finished_at", "is_idle")
    with transaction.atomic():
        run.save(update_fields=[*ended, *fields])
        rollup.add_ended(run)
