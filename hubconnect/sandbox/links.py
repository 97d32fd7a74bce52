"""Associations between records: storing both directions, and the properties that count them."""

import itertools
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from hubconnect.sandbox.account import CALCULATED, Account
from hubconnect.sandbox.catalog.associations import BETWEEN, TYPES, AssociationType
from hubconnect.sandbox.catalog.kinds import KINDS, Kind
from hubconnect.sandbox.errors import Json, invalid, refuse
from hubconnect.sandbox.moments import to_text
from hubconnect.sandbox.records import Record, Records, id_of

ACTIVITIES = frozenset({"notes", "emails", "calls", "meetings", "tasks"})
_COUNTS = {
    ("contacts", "deals"): "num_associated_deals",
    ("companies", "contacts"): "num_associated_contacts",
    ("companies", "deals"): "num_associated_deals",
    ("deals", "contacts"): "num_associated_contacts",
    ("tickets", "companies"): "hs_num_associated_companies",
}
_CONTACT_TO_PRIMARY_COMPANY = 1
_TICKET_TO_PRIMARY_COMPANY = 26


def find_type(db: sqlite3.Connection, type_id: int) -> AssociationType | None:
    """Find an association type: HubSpot's own, a custom object's, or a label a user has made."""
    if type_id in TYPES:
        return TYPES[type_id]
    row = db.execute(
        "SELECT kind, to_kind, inverse_id, label, name FROM association_label WHERE type_id = ?",
        (type_id,),
    ).fetchone()
    if row is None:
        return None
    source, target, inverse_id, label, name = row
    return AssociationType(source, target, type_id, inverse_id, label or None, "USER_DEFINED", name)


def types_between(db: sqlite3.Connection, source: Kind, target: Kind) -> list[AssociationType]:
    """List the types that lead from one object type to another."""
    own = BETWEEN.get((source.name, target.name), [])
    rows = db.execute(
        "SELECT type_id FROM association_label WHERE kind = ? AND to_kind = ?",
        (source.name, target.name),
    )
    made = [find_type(db, row[0]) for row in rows]
    return own + [one for one in made if one is not None]


def types_of(db: sqlite3.Connection, name: str) -> list[AssociationType]:
    """List the types an account has made that lead from or to an object type."""
    rows = db.execute(
        "SELECT type_id FROM association_label WHERE kind = ? OR to_kind = ? ORDER BY type_id",
        (name, name),
    )
    made = [find_type(db, row[0]) for row in rows]
    return [one for one in made if one is not None]


def make_types(
    db: sqlite3.Connection, ends: tuple[Kind, Kind], names: tuple[str, str], labels: tuple[str, str]
) -> list[AssociationType]:
    """Make a type of the account with its inverse.

    Args:
        db: connection in a writing transaction.
        ends: where the type leads from and to.
        names: v3 names of both directions.
        labels: of both directions; empty for the plain type of a custom object.
    """
    (source, target), (label, inverse_label) = ends, labels
    is_mirror = source == target and label == inverse_label
    type_id, inverse_id = _free_ids(db)
    rows = [
        (
            type_id,
            source.name,
            target.name,
            type_id if is_mirror else inverse_id,
            names[0],
            label,
        ),
        (inverse_id, target.name, source.name, type_id, names[1], inverse_label),
    ]
    made = rows[:1] if is_mirror else rows
    db.executemany("INSERT INTO association_label VALUES (?, ?, ?, ?, ?, ?)", made)
    return [one for row in made if (one := find_type(db, row[0])) is not None]


def _free_ids(db: sqlite3.Connection) -> tuple[int, int]:
    """Return two ids that no type has, neither of the account nor of HubSpot."""
    row = db.execute("SELECT ifnull(max(type_id), 100) FROM association_label").fetchone()
    free = (number for number in itertools.count(row[0] + 1) if number not in TYPES)
    return next(free), next(free)


def default_type(db: sqlite3.Connection, source: Kind, target: Kind) -> AssociationType:
    """Return the plain type between two object types.

    Raises:
        ApiError: HubSpot has none (400).
    """
    for one in types_between(db, source, target):
        if one.is_default:
            return one
    message = f"No association type exists from {source.type_id} to {target.type_id}."
    raise invalid(message)


def has_default_type(db: sqlite3.Connection, source: Kind, target: Kind) -> bool:
    """Return whether records of two object types can be linked."""
    return any(one.is_default for one in types_between(db, source, target))


def require_types(
    db: sqlite3.Connection, source: Kind, target: Kind, wanted: Iterable[Mapping[str, Any]]
) -> list[AssociationType]:
    """Return the types a request names, which must lead from source to target.

    Raises:
        ApiError: a type does not exist or leads elsewhere (400).
    """
    found = []
    for one in wanted:
        type_id = id_of(str(one.get("associationTypeId", "")))
        kind = None if type_id is None else find_type(db, type_id)
        if kind is None or one.get("associationCategory", kind.category) != kind.category:
            message = f"Association type {one.get('associationTypeId')} does not exist."
            refuse(message)
        if (kind.source, kind.target) != (source.name, target.name):
            message = (
                f"invalid from object type {source.type_id} for associations to be created. "
                f"expected: {KINDS[kind.source].type_id}"
            )
            refuse(message)
        found.append(kind)
    return found


def link(db: sqlite3.Connection, from_id: int, to_id: int, kind: AssociationType) -> None:
    """Store one link with its inverse; a primary one takes the place of the one before."""
    inverse = find_type(db, kind.inverse_id)
    for one, other, this in ((from_id, to_id, kind), (to_id, from_id, inverse)):
        if this is None:  # a few types have no inverse
            continue
        if this.is_primary:
            _demote(db, one, this)
        db.execute(
            "INSERT OR IGNORE INTO association VALUES (?, ?, ?, ?, ?)",
            (this.source, one, this.target, other, this.type_id),
        )
    if not kind.is_default:
        plain = default_type(db, KINDS[kind.source], KINDS[kind.target])
        link(db, from_id, to_id, plain)


def _demote(db: sqlite3.Connection, record_id: int, kind: AssociationType) -> None:
    rows = db.execute(
        "SELECT to_id FROM association WHERE kind = ? AND id = ? AND to_kind = ? AND type_id = ?",
        (kind.source, record_id, kind.target, kind.type_id),
    ).fetchall()
    for (other_id,) in rows:
        unlink(db, record_id, other_id, kind)


def unlink(db: sqlite3.Connection, from_id: int, to_id: int, kind: AssociationType) -> None:
    """Remove one type of link with its inverse; without the plain type no other stays."""
    if kind.is_default:
        for one, other, source, target in (
            (from_id, to_id, kind.source, kind.target),
            (to_id, from_id, kind.target, kind.source),
        ):
            db.execute(
                "DELETE FROM association WHERE kind = ? AND id = ? AND to_kind = ? AND to_id = ?",
                (source, one, target, other),
            )
        return
    for one, other, source, target, type_id in (
        (from_id, to_id, kind.source, kind.target, kind.type_id),
        (to_id, from_id, kind.target, kind.source, kind.inverse_id),
    ):
        db.execute(
            "DELETE FROM association WHERE kind = ? AND id = ? AND to_kind = ? AND to_id = ?"
            " AND type_id = ?",
            (source, one, target, other, type_id),
        )


def targets(
    db: sqlite3.Connection, source: Kind, record_id: int, target: Kind, after: int, limit: int
) -> dict[int, list[AssociationType]]:
    """Return linked records that are not archived, by id, with the types of each link."""
    rows = db.execute(
        "SELECT a.to_id, a.type_id FROM association a"
        " JOIN record r ON r.kind = a.to_kind AND r.id = a.to_id AND r.archived IS NULL"
        " WHERE a.kind = ? AND a.id = ? AND a.to_kind = ? AND a.to_id IN ("
        "  SELECT DISTINCT to_id FROM association WHERE kind = ? AND id = ? AND to_kind = ?"
        "  AND to_id > ? ORDER BY to_id LIMIT ?)"
        " ORDER BY a.to_id, a.type_id",
        (source.name, record_id, target.name, source.name, record_id, target.name, after, limit),
    )
    found: dict[int, list[AssociationType]] = {}
    for to_id, type_id in rows:
        kind = find_type(db, type_id)
        if kind is not None:
            found.setdefault(to_id, []).append(kind)
    return found


def inline(db: sqlite3.Connection, source: Kind, record_id: int, wanted: Iterable[Kind]) -> Json:
    """Build ``associations`` of a read: plural keys, v3 names, one entry per type of link."""
    members: Json = {}
    for target in wanted:
        found = targets(db, source, record_id, target, 0, 500)
        results = [
            {"id": str(to_id), "type": kind.name}
            for to_id, kinds in found.items()
            for kind in kinds
        ]
        if results:
            members[target.name] = {"results": results}
    return members


def link_new(
    account: Account,
    db: sqlite3.Connection,
    records: Records,
    record: Record,
    wanted: Iterable[Mapping[str, Any]],
) -> None:
    """Store the associations that came with a create.

    Raises:
        ApiError: a type or a target is wrong (400).
    """
    for one in wanted:
        named = one.get("types") or []
        given = str((one.get("to") or {}).get("id", ""))
        first = find_type(db, id_of(str(named[0].get("associationTypeId"))) or 0) if named else None
        target = KINDS[first.target] if first is not None else records.kind
        kinds = require_types(db, records.kind, target, named)
        to_id = id_of(given)
        if to_id is None or Records(db, account, target.name).find(to_id) is None:
            refuse(
                "One or more associations are invalid",
                context={"INVALID_OBJECT_IDS": [f"{target.upper}={given} is not valid"]},
            )
        for kind in kinds:
            link(db, record.id, to_id, kind)
        recount(account, db, (records.kind.name, record.id), (target.name, to_id))


def recount(
    account: Account, db: sqlite3.Connection, one: tuple[str, int], other: tuple[str, int]
) -> None:
    """Bring the properties that tell of links up to date on both ends of a changed link.

    HubSpot does so a moment later; the account says how long that is, or that it never does.
    """
    delay_ms = account.calculation_delay_ms
    if delay_ms is None:
        return
    for (kind, record_id), (about, _) in ((one, other), (other, one)):
        if delay_ms == 0:
            count(account, db, kind, record_id, about)
            continue
        db.execute(
            "INSERT OR REPLACE INTO pending_count VALUES (?, ?, ?, ?)",
            (kind, record_id, about, account.clock.now() + delay_ms),
        )


def count(account: Account, db: sqlite3.Connection, kind: str, record_id: int, about: str) -> None:
    """Bring the properties of one record that tell of its links to one type up to date."""
    changes = _counted(db, kind, record_id, about)
    if not changes:
        return
    records = Records(db, account, kind)
    record = records.find(record_id)
    if record is None:
        return
    if "num_notes" in changes and changes["num_notes"] != record.stored.get("num_notes", "0"):
        changes["notes_last_updated"] = to_text(account.clock.now())
    known = {name: value for name, value in changes.items() if records.schema.find(name)}
    records.update(record, known, CALCULATED)


def archive(account: Account, db: sqlite3.Connection, records: Records, ids: Iterable[int]) -> None:
    """Archive records and bring those linked to them up to date."""
    present = list(records.find_many(ids))
    records.archive(present)
    for record_id in present:
        rows = db.execute(
            "SELECT DISTINCT to_kind, to_id FROM association WHERE kind = ? AND id = ?",
            (records.kind.name, record_id),
        ).fetchall()
        for other in rows:
            recount(account, db, (records.kind.name, record_id), other)


def _counted(
    db: sqlite3.Connection, kind: str, record_id: int, about: str
) -> dict[str, str | None]:
    changes: dict[str, str | None] = {}
    counted = "num_notes" if about in ACTIVITIES else _COUNTS.get((kind, about))
    if counted and kind not in ACTIVITIES:
        abouts = sorted(ACTIVITIES) if about in ACTIVITIES else [about]
        changes[counted] = str(sum(_count(db, kind, record_id, one) for one in abouts))
    if (kind, about) == ("contacts", "companies"):
        changes["associatedcompanyid"] = _primary(db, kind, record_id, _CONTACT_TO_PRIMARY_COMPANY)
    elif (kind, about) == ("tickets", "companies"):
        company = _primary(db, kind, record_id, _TICKET_TO_PRIMARY_COMPANY)
        changes["hs_primary_company_id"] = company
    return changes


def _count(db: sqlite3.Connection, kind: str, record_id: int, about: str) -> int:
    row = db.execute(
        "SELECT count(DISTINCT a.to_id) FROM association a"
        " JOIN record r ON r.kind = a.to_kind AND r.id = a.to_id AND r.archived IS NULL"
        " WHERE a.kind = ? AND a.id = ? AND a.to_kind = ?",
        (kind, record_id, about),
    ).fetchone()
    return int(row[0])


def _primary(db: sqlite3.Connection, kind: str, record_id: int, type_id: int) -> str | None:
    row = db.execute(
        "SELECT a.to_id FROM association a"
        " JOIN record r ON r.kind = a.to_kind AND r.id = a.to_id AND r.archived IS NULL"
        " WHERE a.kind = ? AND a.id = ? AND a.to_kind = 'companies' AND a.type_id = ?",
        (kind, record_id, type_id),
    ).fetchone()
    return None if row is None else str(row[0])
