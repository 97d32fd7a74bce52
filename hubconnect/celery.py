"""The Celery application: ``celery -A hubconnect worker`` and ``celery -A hubconnect beat``.

A message is only a wake-up call that carries ids; the database is the truth. Its settings are those
of :mod:`hubconnect.settings` that begin with ``CELERY_``.
"""

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hubconnect.settings")

app = Celery("hubconnect")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_django_logging(**_kwargs: Any) -> None:
    """Leave logging as Django configured it: with a receiver, Celery does not install its own."""
