"""The search documents: a copy of the records that catches up only after the index delay."""

import sqlite3

from hubconnect.sandbox.account import Account


def catch_up(account: Account) -> None:
    """Bring documents up to date whose delay is over; cheap when there is nothing to do."""
    if account.is_index_frozen:
        return
    now = account.clock.now()
    with account.store.reading() as db:
        due = db.execute(
            "SELECT 1 FROM pending_document WHERE visible_at <= ? LIMIT 1", (now,)
        ).fetchone()
    if due is None:
        return
    with account.store.writing() as db:
        _index(db, now)


def _index(db: sqlite3.Connection, now: int) -> None:
    """Copy what is due as it is now; archived records lose their document."""
    due = "(SELECT kind, id FROM pending_document WHERE visible_at <= ?)"
    db.execute(f"DELETE FROM search_document WHERE (kind, id) IN {due}", (now,))  # noqa: S608
    db.execute(
        "INSERT INTO search_document SELECT kind, id, created, modified, properties FROM record"  # noqa: S608
        f" WHERE archived IS NULL AND (kind, id) IN {due}",
        (now,),
    )
    db.execute("DELETE FROM pending_document WHERE visible_at <= ?", (now,))


def index_everything(db: sqlite3.Connection) -> None:
    """Make documents of all records at once, for a freshly seeded account."""
    db.execute("DELETE FROM search_document")
    db.execute(
        "INSERT INTO search_document SELECT kind, id, created, modified, properties FROM record"
        " WHERE archived IS NULL"
    )
