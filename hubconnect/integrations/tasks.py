"""Celery entry points: look up, call a service, nothing else."""

from django.conf import settings

from hubconnect.celery import app
from hubconnect.integrations import scheduler
from hubconnect.integrations.services import delivering, execute, notifying

NOTIFY_EVERY_S = 30


@app.task(name="hubconnect.integrations.tick")
def tick() -> int:
    """Send a message for each flow that is due."""
    flow_ids = [flow.pk for flow in scheduler.due_flows()]
    scheduler.mark_nudged(flow_ids)
    for flow_id in flow_ids:
        run_flow.delay(flow_id)
    return len(flow_ids)


@app.task(name="hubconnect.integrations.run_flow")
def run_flow(flow_id: int) -> int | None:
    """Run one flow, if it is still due and nobody else does."""
    run = execute.run_flow(flow_id)
    return run.pk if run is not None else None


@app.task(name="hubconnect.integrations.notify")
def notify() -> int:
    """Tell people about flows that stand still or go on, and send what waits."""
    notifying.notify()
    return delivering.deliver_due()


@app.on_after_finalize.connect
def schedule_notices(sender: object, **kwargs: object) -> None:  # noqa: ARG001 - a signal's
    """Have beat look every half minute for what people are to be told."""
    app.add_periodic_task(NOTIFY_EVERY_S, notify.s(), expires=NOTIFY_EVERY_S, name="notify")


@app.on_after_finalize.connect
def schedule_ticks(sender: object, **kwargs: object) -> None:  # noqa: ARG001 - a signal's
    """Have beat tick every few seconds."""
    app.add_periodic_task(settings.TICK_S, tick.s(), expires=settings.TICK_S * 2, name="tick")
