"""The Celery application: ``celery -A hubconnect worker`` and ``celery -A hubconnect beat``.

A message is only a wake-up call that carries ids; the database is the truth. Its settings are those
of :mod:`hubconnect.settings` that begin with ``CELERY_``.
"""

import ctypes
import os
import signal
import socket
import sys
from typing import Any, Final

from billiard import current_process
from celery import Celery
from celery.signals import (
    beat_embedded_init,
    beat_init,
    before_task_publish,
    heartbeat_sent,
    setup_logging,
    worker_process_init,
    worker_ready,
)

_PR_SET_PDEATHSIG: Final = 1  # <linux/prctl.h>

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hubconnect.settings")

app = Celery("hubconnect")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_django_logging(**_kwargs: Any) -> None:
    """Leave logging as Django configured it: with a receiver, Celery does not install its own."""


@worker_process_init.connect
def end_with_main_process(**_kwargs: Any) -> None:
    """Have the kernel end a pool process when its main process was killed.

    It would else go on with its run, unseen, while the broker hands the message to another worker.
    """
    is_pool_process = current_process().name != "MainProcess"  # the solo pool has none
    if is_pool_process and sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))


@worker_ready.connect
def begin_worker_pulse(sender: object, **_kwargs: Any) -> None:
    """Have a worker's main process give signs of life between its other work."""
    from hubconnect.core.heartbeats import Pulse  # noqa: PLC0415  Django is ready by now
    from hubconnect.core.models import Heartbeat  # noqa: PLC0415

    pulse = Pulse(Heartbeat.Part.WORKER, str(getattr(sender, "hostname", "")))

    def beat_once(**_given: Any) -> None:
        if pulse():
            _leave_no_connection()

    beat_once()
    heartbeat_sent.connect(beat_once, weak=False)


@beat_embedded_init.connect
@beat_init.connect
def begin_beat_pulse(**_kwargs: Any) -> None:
    """Have beat give a sign of life whenever it is about to send something."""
    from hubconnect.core.heartbeats import Pulse  # noqa: PLC0415
    from hubconnect.core.models import Heartbeat  # noqa: PLC0415

    pulse = Pulse(Heartbeat.Part.BEAT, socket.gethostname())

    def beat_once(**_given: Any) -> None:
        if pulse():
            _leave_no_connection()

    beat_once()
    before_task_publish.connect(beat_once, weak=False)


def _leave_no_connection() -> None:
    """Close the database: a pool process that is forked must not share a connection."""
    from django.db import connections  # noqa: PLC0415

    connections.close_all()
