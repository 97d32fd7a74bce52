"""Wakes workers up. The database is the truth: a message that is lost costs a few seconds."""

from collections.abc import Iterable
from dataclasses import dataclass

import structlog
from kombu.exceptions import OperationalError

from hubconnect.celery import app

log = structlog.get_logger()


@dataclass(slots=True)
class Nudge:
    """Messages for flows, slices of loads and comparisons that are due.

    ``is_lost`` tells that the broker did not take them.
    """

    flow_ids: tuple[int, ...] = ()
    slice_ids: tuple[int, ...] = ()
    reconciliation_ids: tuple[int, ...] = ()
    is_lost: bool = False

    @classmethod
    def of(cls, flow_ids: Iterable[int]) -> "Nudge":
        """Make a nudge of flows; its ``send`` is for ``transaction.on_commit``."""
        return cls(tuple(flow_ids))

    def send(self) -> None:
        """Send a message for each; without a broker the next tick finds them."""
        try:
            for flow_id in self.flow_ids:
                app.send_task("hubconnect.integrations.run_flow", [flow_id], retry=False)
            for slice_id in self.slice_ids:
                app.send_task("hubconnect.integrations.run_slice", [slice_id], retry=False)
            for pk in self.reconciliation_ids:
                app.send_task("hubconnect.integrations.reconcile", [pk], retry=False)
        except OperationalError as error:
            self.is_lost = True
            lost = len(self.flow_ids) + len(self.slice_ids) + len(self.reconciliation_ids)
            log.warning("nudge.lost", messages=lost, error=str(error))
