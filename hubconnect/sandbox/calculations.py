"""Properties that tell of links, brought up to date a moment after a link has changed.

How long a moment is can be set; without one they never change, and then no date of a record moves
when something is associated with it.
"""

import sqlite3

from hubconnect.sandbox import links
from hubconnect.sandbox.account import Account


def catch_up(account: Account) -> None:
    """Work out what is due; cheap when nothing is."""
    now = account.clock.now()
    with account.store.reading() as db:
        due = db.execute("SELECT 1 FROM pending_count WHERE due_at <= ? LIMIT 1", (now,))
        if due.fetchone() is None:
            return
    with account.store.writing() as db:
        _work_out(account, db, now)


def _work_out(account: Account, db: sqlite3.Connection, now: int) -> None:
    rows = db.execute(
        "SELECT kind, id, about FROM pending_count WHERE due_at <= ? ORDER BY due_at", (now,)
    ).fetchall()
    db.execute("DELETE FROM pending_count WHERE due_at <= ?", (now,))
    for kind, record_id, about in rows:
        links.count(account, db, kind, record_id, about)
