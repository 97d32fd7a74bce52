"""Merging two records into a third with an id of its own (guide of each object, "Merge").

Both old ids go on leading to the survivor where a call names one record; lists, search and batches
know only the new id.
"""

from collections.abc import Mapping
from typing import Any

from werkzeug.wrappers import Response

from hubconnect.sandbox import links
from hubconnect.sandbox.account import Source
from hubconnect.sandbox.call import Call, answer, no_such_path
from hubconnect.sandbox.errors import ApiError, record_not_found, refuse
from hubconnect.sandbox.records import Record, Records, id_of
from hubconnect.sandbox.shapes import shape_full

MAX_IDENTITIES = 250
_ORDERS_VERSION = "2026-03"
_ADDITIONAL = {
    "contacts": ("email", "hs_additional_emails"),
    "companies": ("domain", "hs_additional_domains"),
}
_NEVER_TAKEN = ("hs_object_source", "hs_created_by_user_id", "hs_merged_object_ids")


def post_merge(call: Call, kind: str) -> Response:
    """Merge two records; activities and, but for one version, orders have no such call."""
    records = call.writable(kind)
    name = records.kind.name
    if name in links.ACTIVITIES or (name == "orders" and call.version != _ORDERS_VERSION):
        return no_such_path()
    body = call.body()
    missing = [key for key in ("objectIdToMerge", "primaryObjectId") if not body.get(key)]
    if missing:
        refuse(
            "Invalid input JSON on line 1, column 2. "
            f"Some required fields were not set: [{', '.join(missing)}]"
        )
    survivor = merge(records, body["primaryObjectId"], body["objectIdToMerge"], call.source)
    return answer(shape_full(records, survivor))


def merge(records: Records, primary_id: object, other_id: object, source: Source) -> Record:
    """Merge two records and return the survivor.

    Raises:
        ApiError: one does not exist (404), both are the same (400), or too many were merged (414).
    """
    primary, other = (_present(records, str(given)) for given in (primary_id, other_id))
    if primary.id == other.id:
        refuse(f"Record {primary.id} cannot be merged with itself.")
    family = [*_family(primary), *_family(other)]
    if len(family) > MAX_IDENTITIES:
        message = f"Cannot have more than {MAX_IDENTITIES} identities on a profile"
        raise ApiError(414, message, "VALIDATION_ERROR")
    stored = {**_unite(records, primary, other), "hs_merged_object_ids": ";".join(family)}
    survivor = records.merge(primary, other, stored, source)
    _move_links(records, survivor, (primary, other))
    return records.find(survivor.id) or survivor


def _present(records: Records, given: str) -> Record:
    number = id_of(given)
    found = None if number is None else records.find_surviving([number]).get(number)
    if found is None:
        raise record_not_found(given)
    return found


def _family(record: Record) -> list[str]:
    """Return the ids a record had before, and its own."""
    before = record.stored.get("hs_merged_object_ids", "")
    return [one for one in before.split(";") if one] + [str(record.id)]


def _unite(records: Records, primary: Record, other: Record) -> dict[str, str]:
    """Unite the values: those of the primary win where both have one."""
    taken = {
        name: value for name, value in other.stored.items() if not name.startswith(_NEVER_TAKEN)
    }
    stored = {**taken, **primary.stored}
    if records.kind.name in _ADDITIONAL:
        _keep_second(stored, other.stored, *_ADDITIONAL[records.kind.name])
    stages = records.schema.find("lifecyclestage")
    if stages is not None:
        both = [one.stored.get("lifecyclestage", "") for one in (primary, other)]
        known = [stage for stage in both if stage in stages.options]
        if known:
            stored["lifecyclestage"] = max(known, key=stages.options.index)
    if records.kind.name == "contacts":
        ids = primary.stored.get("hs_calculated_merged_vids", "")
        now = records.account.clock.now()
        merged = [one for one in ids.split(";") if one]
        merged += [f"{one.id}:{now}" for one in (primary, other)]
        stored["hs_calculated_merged_vids"] = ";".join(merged)
    return stored


def _keep_second(
    stored: dict[str, str], other: Mapping[str, str], name: str, additional: str
) -> None:
    """Keep the address of the other record beside the one of the primary."""
    kept = [*stored.get(additional, "").split(";"), *other.get(additional, "").split(";")]
    kept.append(other.get(name, ""))
    told = [one for one in dict.fromkeys(kept) if one and one != stored.get(name)]
    if told:
        stored[additional] = ";".join(told)


def _move_links(records: Records, survivor: Record, old: tuple[Record, Record]) -> None:
    """Give the survivor the links of both; the primary company of the primary stays primary."""
    db, kind = records.db, records.kind.name
    before: list[Any] = []
    for record in old:
        before += db.execute(
            "SELECT id, to_kind, to_id, type_id FROM association WHERE kind = ? AND id = ?",
            (kind, record.id),
        ).fetchall()
        db.execute("DELETE FROM association WHERE kind = ? AND id = ?", (kind, record.id))
        db.execute("DELETE FROM association WHERE to_kind = ? AND to_id = ?", (kind, record.id))
    ids = {record.id for record in old}
    has_primary: set[int] = set()
    others: dict[tuple[str, int], None] = {}
    for from_id, to_kind, to_id, type_id in before:
        found = links.find_type(db, type_id)
        if found is None or (to_kind == kind and to_id in ids):
            continue
        if found.is_primary and from_id == old[1].id and type_id in has_primary:
            continue
        if found.is_primary:
            has_primary.add(type_id)
        links.link(db, survivor.id, to_id, found)
        others[to_kind, to_id] = None
    for end in others:
        links.recount(records.account, db, (kind, survivor.id), end)
