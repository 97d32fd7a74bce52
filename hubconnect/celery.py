"""The Celery application: ``celery -A hubconnect worker`` and ``celery -A hubconnect beat``.

A message is only a wake-up call that carries ids; the database is the truth. Its settings are those
of :mod:`hubconnect.settings` that begin with ``CELERY_``.
"""

import ctypes
import os
import signal
import sys
from typing import Any, Final

from billiard import current_process
from celery import Celery
from celery.signals import setup_logging, worker_process_init

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
