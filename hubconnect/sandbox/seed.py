"""Filling a new account: its schema, its owners, and the records people would have entered."""

import json
import sqlite3
from typing import Any

from hubconnect.sandbox.account import Account
from hubconnect.sandbox.catalog.kinds import KINDS
from hubconnect.sandbox.catalog.people import OWNERS
from hubconnect.sandbox.catalog.pipelines import build_pipelines
from hubconnect.sandbox.catalog.tables import build_definitions
from hubconnect.sandbox.moments import DAY_MS, to_text
from hubconnect.sandbox.search_index import index_everything
from hubconnect.sandbox.seed_records import seed_records
from hubconnect.sandbox.store import find_setting, save_setting

_ACCOUNT_AGE_MS = 700 * DAY_MS


def seed_account(db: sqlite3.Connection, account: Account) -> None:
    """Fill an account unless its database was filled before."""
    if find_setting(db, "seeded_at") is not None:
        return
    now = account.clock.now()
    opened = to_text(now - _ACCOUNT_AGE_MS)
    for name in KINDS:
        _seed_schema(db, name, opened)
    for owner in OWNERS:
        _seed_owner(db, account, owner, opened)
    seed_records(db, account, now)
    index_everything(db)
    save_setting(db, "seeded_at", now)


def _seed_schema(db: sqlite3.Connection, name: str, opened: str) -> None:
    dates = {"createdAt": opened, "updatedAt": opened}
    db.executemany(
        "INSERT INTO property VALUES (?, ?, ?)",
        [(name, one["name"], json.dumps({**one, **dates})) for one in build_definitions(name)],
    )
    group = KINDS[name].group
    label = f"{KINDS[name].singular.title()} information"
    definition = {"name": group, "label": label, "displayOrder": -1, "archived": False}
    db.execute("INSERT INTO property_group VALUES (?, ?, ?)", (name, group, json.dumps(definition)))
    db.executemany(
        "INSERT INTO pipeline VALUES (?, ?, ?)",
        [(name, one["id"], json.dumps(one)) for one in build_pipelines(name, opened)],
    )


def _seed_owner(
    db: sqlite3.Connection,
    account: Account,
    owner: tuple[str, int, str, str, str, bool],
    opened: str,
) -> None:
    owner_id, user_id, first, last, email, is_active = owner
    if user_id == account.options.user_id:
        email = account.options.user_email
    definition: dict[str, Any] = {
        "id": owner_id,
        "email": email,
        "type": "PERSON",
        "firstName": first,
        "lastName": last,
        "userId": user_id if is_active else None,
        "userIdIncludingInactive": user_id,
        "createdAt": opened,
        "updatedAt": opened,
        "archived": not is_active,
        "teams": [{"id": "368", "name": "Sales", "primary": True}],
    }
    row = (int(owner_id), email, not is_active, json.dumps(definition))
    db.execute("INSERT INTO owner VALUES (?, ?, ?, ?)", row)
