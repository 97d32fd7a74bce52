"""Starts workers and beats quickly: they are forked from this process, which knows the code.

Each line on standard input is JSON: the words behind ``celery -A hubconnect``, and a log file. The
answer is a line with the process id. All of them end with this process.
"""

import json
import os
import signal
import sys

import django

from tools.processes import end_with_parent

django.setup()

from hubconnect.celery import app  # noqa: E402 - needs the settings
from hubconnect.integrations import tasks  # noqa: E402
from hubconnect.integrations.services import execute, slicing  # noqa: E402

KNOWN = (tasks, execute, slicing)  # imported here, so that no child has to


def run(words: list[str], log: str) -> None:
    """Become a Celery program; never returns."""
    os.setsid()
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(out, stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    end_with_parent(signal.SIGKILL, MAIN)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    app.start(words)
    os._exit(0)


MAIN = os.getpid()
signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # whoever was killed is gone at once
print("ready", flush=True)  # noqa: T201 - the answer
for line in sys.stdin:
    order = json.loads(line)
    child = os.fork()
    if not child:
        run(order["words"], order["log"])
    print(child, flush=True)  # noqa: T201 - the answer
