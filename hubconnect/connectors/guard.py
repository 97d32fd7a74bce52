"""What is asked right before each request that writes."""

from collections.abc import Callable
from datetime import timedelta
from time import monotonic

from hubconnect.connectors.errors import SeriesOverError


class WriteGuard:
    """Asked right before each request that writes, be it one of a series or a repeat.

    Nothing stands in the way of who works alone; a run has it renew its lease. A series that will
    be settled by the time at which it began ends in time: what is left of it is sent later.

    Attributes:
        check: called each time; whatever it raises keeps the request from being sent.
    """

    def __init__(self, now_s: Callable[[], float] = monotonic) -> None:
        """``now_s`` gives seconds that never go back."""
        self._now_s = now_s
        self._until_s: float | None = None
        self.check: Callable[[], None] = lambda: None

    def begin(self, longest: timedelta | None = None) -> None:
        """Begin a series of requests: one that ends in time, or one that takes what it takes."""
        self._until_s = None if longest is None else self._now_s() + longest.total_seconds()

    def __call__(self) -> None:
        """Let one request pass.

        Raises:
            SeriesOverError: it would begin too late; this one is not sent.
        """
        if self._until_s is not None and self._now_s() > self._until_s:
            msg = "Writing a batch took so long that the rest of it waits."
            raise SeriesOverError(msg, hint="The next run goes on with it.")
        self.check()
