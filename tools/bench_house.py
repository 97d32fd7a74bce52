"""What stands around the process that a benchmark measures: the sandbox, the broker, a desk."""

import os
import secrets
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tools.bench_tables import TABLES as ORDER_TABLES
from tools.demo import ROOT, answers
from tools.localservices import free_port, valkey
from tools.processes import wait_until

# As good as none; the connector learns it from the answers.
NO_LIMIT = 1_000_000
TABLE = """
create table customers (
    id integer primary key, email varchar(200) not null unique, first_name varchar(100),
    last_name varchar(100), phone varchar(40), company varchar(200), city varchar(100),
    updated_at datetime not null default (strftime('%Y-%m-%d %H:%M:%f', 'now')));
create index customers_updated_at on customers (updated_at);
"""


@contextmanager
def surroundings(
    home: Path, contacts: int, deals: int, *, burst_limit: int = NO_LIMIT
) -> Iterator[dict[str, str]]:
    """Start the sandbox and the broker; give the settings of HubConnect's process."""
    port, token = free_port(), secrets.token_hex(16)
    (home / "sqlite").mkdir()
    with closing(sqlite3.connect(home / "sqlite" / "desk.sqlite3")) as desk:
        desk.executescript(TABLE + ORDER_TABLES)
    options = (
        f"--port {port} --token {token} --database {home / 'sandbox.sqlite3'} "
        f"--contacts {contacts} --companies 0 --deals {deals} --tickets 0 "
        "--index-delay 0 --calculation-delay 0 "
        f"--burst-limit {burst_limit} --search-limit 0 --daily-limit 0"
    )
    sandbox = subprocess.Popen(
        [sys.executable, "-m", "hubconnect.sandbox", *options.split()],
        stdout=subprocess.DEVNULL,
        cwd=ROOT,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: answers(url), timeout_s=120, what="the sandbox answers")
        with valkey() as broker:
            yield {
                **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
                "SECRET_KEY": "bench",
                "HUBCONNECT_KEYS": "dGVzdHMtb25seS1rZXktb2YtMzItYnl0ZXMtbG9uZyE=",
                "DATABASE_URL": f"sqlite:///{home / 'hubconnect.sqlite3'}",
                "REDIS_URL": broker.url,
                "SQLITE_DIR": str(home / "sqlite"),
                "ALLOWED_PRIVATE_ADDRESSES": "127.0.0.0/8",
                "LOG_LEVEL": "ERROR",
                "HUBSPOT_OVERLAP_S": "0",
                "SQL_OVERLAP_S": "0",
                "BENCH_URL": url,
                "BENCH_TOKEN": token,
                "BENCH_HOME": str(home),
                "DJANGO_SETTINGS_MODULE": "hubconnect.settings",
            }
    finally:
        sandbox.terminate()
        sandbox.wait(20)
