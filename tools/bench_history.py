"""``make bench ARGS="history"``: how long pages take once the history is long.

A PostgreSQL of its own is filled with runs and events by statements (the copy of a year, made in
minutes), then every page of the history is asked for through Django's test client, in one process
and with everything a request passes through but the network. A page that reads a whole table of
the history, or takes longer than the target, is a fault.
"""

import argparse
import os
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.demo import ROOT
from tools.localservices import postgres, valkey

RUNS = 100_000
EVENTS = 10_000_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say how long the history is to be."""
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--events", type=int, default=EVENTS, help="about 500 bytes of disk each")


def measure(given: argparse.Namespace) -> int:
    """Fill and measure in a process of its own; return its status."""
    with (
        tempfile.TemporaryDirectory(prefix="hubconnect-history-") as home,
        postgres() as database,
        valkey() as broker,
    ):
        Path(home, "static").mkdir()
        env = {
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            "SECRET_KEY": secrets.token_urlsafe(50),
            "HUBCONNECT_KEYS": "dGVzdHMtb25seS1rZXktb2YtMzItYnl0ZXMtbG9uZyE=",
            "DATABASE_URL": database.url,
            "REDIS_URL": broker.url,
            "SQLITE_DIR": home,
            "STATIC_ROOT": str(Path(home, "static")),
            "LOG_LEVEL": "ERROR",
            "DJANGO_SETTINGS_MODULE": "hubconnect.settings",
        }
        argv = [sys.executable, "-m", "tools.bench_history_pages"]
        sizes = [str(given.runs), str(given.events), home]
        return subprocess.run([*argv, *sizes], env=env, cwd=ROOT, check=False).returncode
