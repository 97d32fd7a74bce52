"""Runs that end in the middle, as those of a process that is killed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.utils import timezone
from hypothesis import note

from hubconnect.integrations.models import Flow
from hubconnect.integrations.services.execute import run_flow


class Killed(BaseException):
    """The process ended here."""


@contextmanager
def killed_at(step: int, listen: Callable[[Callable[[], None]], None]) -> Iterator[None]:
    """End what the block does at a step, counted in statements to HubConnect's own database.

    ``listen`` gets what is to be called at each other step, and in the end what does nothing.
    """
    left = [step]

    def tick() -> None:
        left[0] -= 1
        if left[0] == 0:
            raise Killed

    def statement(execute: Callable[..., Any], *arguments: Any) -> Any:  # noqa: ANN401 - as it gets
        tick()
        return execute(*arguments)

    listen(tick)
    try:
        with connection.execute_wrapper(statement):
            yield
    except Killed:
        note("killed")
    finally:
        listen(lambda: None)


def run_once(flow: Flow) -> None:
    """Run a flow now, if nothing keeps it from running.

    Raises:
        AssertionError: the run ended by an error of ours.
    """
    Flow.objects.filter(pk=flow.pk).update(next_run_at=timezone.now())
    run = run_flow(flow.pk)
    if run is not None:
        run.refresh_from_db()
        note(f"{run} {flow.direction}: {run.state} {run.message}")
        assert run.state != run.State.CRASHED, run.message
