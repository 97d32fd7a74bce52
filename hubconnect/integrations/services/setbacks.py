"""What an error means for a run, or for a turn of a slice, that it ended."""

from dataclasses import dataclass
from datetime import timedelta

import structlog
from django.db import InterfaceError, OperationalError, connection

from hubconnect.connectors.budgets import DAILY
from hubconnect.connectors.errors import (
    AttentionError,
    Category,
    ConnectorError,
    OutcomeUnknownError,
    RateLimitedError,
    TemporaryError,
)
from hubconnect.engine.criteria import CriteriaInvalidError
from hubconnect.engine.mapping import MappingBrokenError
from hubconnect.integrations.models import Flow, Run
from hubconnect.integrations.services import flow_failures
from hubconnect.integrations.services.page import SafetyBrakeError
from hubconnect.mappings.models import Direction
from hubconnect.systems.services import schema

log = structlog.get_logger()

FIRST_SETBACK = timedelta(seconds=10)
LONGEST_SETBACK = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Setback:
    """Why work ended before its time.

    Attributes:
        error: its message and hint, and how long the system asks to wait.
        state: how the run ends.
        is_failure: people see it as a failure of the flow; else it is expected to pass.
        pauses: the flow waits for a person.
    """

    error: ConnectorError
    state: Run.State
    is_failure: bool = True
    pauses: bool = False

    def record(self, flow: Flow, run: Run) -> None:
        """Store what people are to see of it."""
        if self.pauses:
            Flow.objects.filter(pk=flow.pk).update(is_paused=True)
        if self.is_failure:
            error = self.error
            flow_failures.record(flow, run, error.category, error.message, error.hint)

    def wait(self, setbacks: int) -> timedelta:
        """Return how long to wait: longer with each setback in a row, this one counted."""
        factor: int = 2 ** min(setbacks - 1, 10)
        wait = min(FIRST_SETBACK * factor, LONGEST_SETBACK)
        if isinstance(self.error, TemporaryError) and self.error.retry_after is not None:
            return max(wait, self.error.retry_after)
        return wait


def setback_of(flow: Flow, error: Exception) -> Setback:
    """Return what an error means; called where it was caught."""
    if isinstance(error, SafetyBrakeError):
        return Setback(error, Run.State.FAILED, pauses=True)
    if isinstance(error, OutcomeUnknownError | RateLimitedError):
        # Both are expected to pass: the next run settles, or has its calls back. A day without
        # calls is long, and people are to know.
        is_day_over = isinstance(error, RateLimitedError) and error.policy == DAILY
        return Setback(error, Run.State.STOPPED, is_failure=is_day_over)
    if isinstance(error, TemporaryError):
        return Setback(error, Run.State.STOPPED)
    if isinstance(error, ConnectorError):
        return Setback(error, Run.State.FAILED)
    if isinstance(error, MappingBrokenError | CriteriaInvalidError):
        return Setback(_configuration_error(flow, error), Run.State.FAILED)
    return _own_error(error)


def _own_error(error: Exception) -> Setback:
    if isinstance(error, OperationalError | InterfaceError):
        log.warning("run.database", error=str(error))
        connection.close_if_unusable_or_obsolete()  # what follows is stored by another one
        lost = TemporaryError(
            "HubConnect's own database did not answer, so the run ended. Nothing was lost.",
            hint="It goes on by itself. If this comes often, see how the database fares.",
        )
        return Setback(lost, Run.State.STOPPED, is_failure=False)
    log.error("run.crashed", exc_info=error)
    own = TemporaryError(
        "An error in HubConnect itself ended the run. Nothing was lost.",
        hint="The log has the details under this run's number. The run is repeated by itself.",
        category=Category.INTERNAL,
    )
    return Setback(own, Run.State.CRASHED)


def _configuration_error(
    flow: Flow, error: MappingBrokenError | CriteriaInvalidError
) -> AttentionError:
    if isinstance(error, CriteriaInvalidError):
        return AttentionError(
            f"The criteria or the lookup do not fit any more: {error}",
            hint="Deactivate the integration and correct them.",
        )
    on_right = error.side.value == Direction.TO_RIGHT.value
    mapping = flow.pair.mapping
    system = mapping.right_system if on_right else mapping.left_system
    kind = mapping.right_type if on_right else mapping.left_type
    schema.forget(system)
    return AttentionError(
        f"Mapping {mapping}: {kind} in {system} has no field {error.field} any more.",
        hint=f"Deactivate the integration and remove or change that row, or bring {error.field} "
        "back; the flow then goes on by itself.",
    )
