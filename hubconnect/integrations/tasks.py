"""Celery entry points: look up, call a service, nothing else."""

from celery.schedules import crontab
from django.conf import settings

from hubconnect.celery import app
from hubconnect.integrations import scheduler
from hubconnect.integrations.services import (
    acts,
    delivering,
    execute,
    notifying,
    purging,
    reconciling,
    rollup,
    slicing,
    wide_windows,
)

NOTIFY_EVERY_S = 30
# By the clock and not by an interval, which would begin anew whenever beat is started.
COUNT_AT = crontab(minute="*/10")
# What is over goes every hour, for some minutes at most; the rest of it goes in the next hour.
PURGE_AT = crontab(minute="23")
PURGE_FOR_S = 240


@app.task(name="hubconnect.integrations.tick")
def tick() -> int:
    """Send a message for all that is due: flows, slices of loads, looks back, what people ask."""
    due = (
        (run_flow, scheduler.mark_nudged(list(scheduler.due_flows()))),
        (run_slice, scheduler.mark_nudged(list(scheduler.due_slices()))),
        (look_back, scheduler.mark_nudged(list(scheduler.due_looks_back()))),
        (reconcile, scheduler.mark_nudged(list(scheduler.due_reconciliations()))),
        (act_on_failures, acts.unfinished()),
    )
    for task, keys in due:
        for key in keys:
            task.delay(key)
    return sum(len(keys) for _, keys in due)


@app.task(name="hubconnect.integrations.run_flow")
def run_flow(flow_id: int) -> int | None:
    """Run one flow, if it is still due and nobody else does."""
    run = execute.run_flow(flow_id)
    return run.pk if run is not None else None


@app.task(name="hubconnect.integrations.run_slice")
def run_slice(slice_id: int) -> None:
    """Work one slice of a load for a while, if it is due and nobody else does."""
    slicing.run_slice(slice_id)


@app.task(name="hubconnect.integrations.look_back")
def look_back(wide_id: int) -> None:
    """Read a flow's last hours or days once more, if it is time and nothing else is due."""
    wide_windows.look_back(wide_id)


@app.task(name="hubconnect.integrations.act_on_failures")
def act_on_failures(act_id: int) -> None:
    """Go on with an act of a person on many failures; what is left of it has another message."""
    if acts.work(act_id):
        act_on_failures.delay(act_id)


@app.task(name="hubconnect.integrations.reconcile")
def reconcile(pk: int) -> None:
    """Go on with a comparison for a while: apply what was asked for, then compare."""
    reconciling.take_turn(pk)


@app.task(name="hubconnect.integrations.notify")
def notify() -> int:
    """Tell people about flows that stand still or go on, and send what waits."""
    notifying.notify()
    return delivering.deliver_due()


@app.task(name="hubconnect.integrations.purge")
def purge() -> dict[str, int]:
    """Delete old history and whatever else is over."""
    return purging.purge_all(PURGE_FOR_S).rows


@app.task(name="hubconnect.integrations.count_links")
def count_links() -> None:
    """Count the links anew, so that pages need not."""
    rollup.count_links()


@app.on_after_finalize.connect
def schedule_housekeeping(sender: object, **kwargs: object) -> None:  # noqa: ARG001 - a signal's
    """Have beat ask for what keeps tables small and pages fast."""
    app.add_periodic_task(PURGE_AT, purge.s(), expires=PURGE_FOR_S, name="purge")
    app.add_periodic_task(COUNT_AT, count_links.s(), expires=PURGE_FOR_S, name="count links")


@app.on_after_finalize.connect
def schedule_notices(sender: object, **kwargs: object) -> None:  # noqa: ARG001 - a signal's
    """Have beat look every half minute for what people are to be told."""
    app.add_periodic_task(NOTIFY_EVERY_S, notify.s(), expires=NOTIFY_EVERY_S, name="notify")


@app.on_after_finalize.connect
def schedule_ticks(sender: object, **kwargs: object) -> None:  # noqa: ARG001 - a signal's
    """Have beat tick every few seconds."""
    app.add_periodic_task(settings.TICK_S, tick.s(), expires=settings.TICK_S * 2, name="tick")
