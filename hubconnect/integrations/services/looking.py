"""Looks at flows without touching anything: connectors that only read, and tables that only give.

Previews, forecasts, the story of a record and comparisons work with what a run works with (its
session, its plans), opened so that nothing can be written: the connectors refuse, and so does our
own database for every table of this application.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from django.db import connection
from django.utils import timezone

from hubconnect.connectors.base import Connector
from hubconnect.connectors.errors import AttentionError, Category, ConnectorError
from hubconnect.engine.criteria import CriteriaInvalidError
from hubconnect.engine.mapping import MappingBrokenError
from hubconnect.integrations.models import Flow, Run
from hubconnect.integrations.services import type_pairs
from hubconnect.integrations.services.flowspec import build_spec
from hubconnect.integrations.services.lease import Lease
from hubconnect.integrations.services.opening import opposite_of, verify_identity
from hubconnect.integrations.services.session import Session
from hubconnect.systems.models import System
from hubconnect.systems.services.connections import open_connector

# A statement that changes rows of this application. Other tables may: a sign-in that is renewed
# while we look is stored with its system.
_CHANGES = re.compile(
    r'\s*(insert|update|delete|replace|truncate)\b[^"`]*["`]?integrations_', re.IGNORECASE
)


class LookWroteError(RuntimeError):
    """Something that only looks tried to store a row: an error in HubConnect itself."""


@contextmanager
def nothing_stored() -> Iterator[None]:
    """Refuse every statement that would change a row of this application.

    Raises:
        LookWroteError: at that statement, before it is carried out.
    """
    with connection.execute_wrapper(_refuse_changes):
        yield


def _refuse_changes(
    execute: Callable[[str, Any, bool, Any], Any],
    sql: str,
    params: Any,  # noqa: ANN401 - passed on as it comes
    many: bool,  # noqa: FBT001 - Django's wrapper
    context: Any,  # noqa: ANN401
) -> Any:  # noqa: ANN401
    if _CHANGES.match(sql):
        msg = f"A look would have changed something: {sql[:80]}"
        raise LookWroteError(msg)
    return execute(sql, params, many, context)


class Looking:
    """What one look opens: each system once, to read only."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._opened: dict[int, tuple[System, Connector]] = {}

    def open(self, system: System) -> Connector:
        """Return the system's connector, which raises instead of writing.

        Raises:
            AttentionError: its connector is not installed.
        """
        if system.pk not in self._opened:
            connector = self._stack.enter_context(open_connector(system, is_read_only=True))
            self._opened[system.pk] = (system, connector)
        return self._opened[system.pk][1]

    def session(self, flow: Flow) -> Session:
        """Return what a run of this flow would work with, its type pair known without a row.

        Raises:
            AttentionError: an account is not known or is another one, or the mapping, criteria or
                lookup do not fit any more.
            ConnectorError: a system cannot be read.
        """
        if flow.pair.type_pair_id is None:
            type_pairs.recall(flow.pair)
        source, target = self.open(flow.source_system), self.open(flow.target_system)
        for system, connector in ((flow.source_system, source), (flow.target_system, target)):
            if not system.identity:
                raise _unchecked(system)
            verify_identity(system, connector)
        try:
            spec = build_spec(flow, source, target)
        except CriteriaInvalidError as error:
            msg = f"The criteria or the lookup do not fit: {error.message}"
            raise AttentionError(msg, hint=error.hint) from error
        except MappingBrokenError as error:
            msg = f"Mapping {flow.pair.mapping}: {error}"
            raise AttentionError(msg, hint="Remove or change that row.") from error
        run = Run(flow=flow, reason=Run.Reason.MANUAL, started_at=timezone.now())
        lease = Lease(flow.pair.type_pair_id or 0, 0)
        opposite = opposite_of(flow)
        return Session(flow, run, lease, spec, source, target, opposite, is_preview=True)

    @property
    def calls(self) -> Mapping[str, int]:
        """Return the requests sent so far by the name of the system."""
        opened = self._opened.values()
        return {one.name: sum(connector.calls.values()) for one, connector in opened}


@contextmanager
def looking() -> Iterator[Looking]:
    """Look at the systems and at our tables; close what was opened at the end."""
    with nothing_stored(), reading_only() as look:
        yield look


@contextmanager
def reading_only() -> Iterator[Looking]:
    """Look at the systems as ``looking`` does, where what was found is stored in between."""
    with ExitStack() as stack:
        yield Looking(stack)


def _unchecked(system: System) -> ConnectorError:
    return AttentionError(
        f"{system} was never checked, so its account is not known.",
        hint=f"Open {system} and check it first.",
        category=Category.IDENTITY,
    )
