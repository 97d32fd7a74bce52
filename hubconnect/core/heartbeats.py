"""Signs of life of worker and beat: a row each, and a file that a container's health check reads.

They come from the process that does the work, between its other work: one that hangs gives none.
"""

from datetime import timedelta
from pathlib import Path
from time import monotonic

import structlog
from django.conf import settings
from django.db import Error
from django.db.models.functions import Now

from hubconnect.core.models import Heartbeat

log = structlog.get_logger(__name__)

EVERY_S = 10
# Without a sign for this long a process is taken for gone.
SILENCE = timedelta(seconds=60)


class Pulse:
    """The heartbeat of this process; call it as often as there is life."""

    def __init__(self, part: Heartbeat.Part, name: str) -> None:
        """Say what this process is and where it runs."""
        self._part, self._name = part, name[:255]
        self._last_s = float("-inf")

    def __call__(self) -> bool:
        """Give a sign, unless there was one a moment ago; tell whether one was due."""
        if monotonic() - self._last_s < EVERY_S:
            return False
        self._last_s = monotonic()
        if settings.HEARTBEAT_FILE:
            Path(settings.HEARTBEAT_FILE).touch()
        try:
            note(self._part, self._name)
        except Error:  # the process itself lives; that the database does not is told elsewhere
            log.warning("heartbeat.not_stored", part=self._part)
        return True


def note(part: Heartbeat.Part, name: str) -> None:
    """Store a sign of life, by the database's clock."""
    rows = Heartbeat.objects.filter(part=part, name=name)
    if not rows.update(at=Now()):
        Heartbeat.objects.bulk_create([Heartbeat(part=part, name=name)], ignore_conflicts=True)
