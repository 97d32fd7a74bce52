"""The JSON shapes of records, pages and batches."""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from hubconnect.sandbox.account import Source
from hubconnect.sandbox.errors import Json
from hubconnect.sandbox.moments import to_text
from hubconnect.sandbox.records import Record, Records, origin_of

MAX_HISTORY = 20


def system_names(records: Records) -> tuple[str, str, str]:
    """Return the three properties every answer carries."""
    return ("hs_object_id", records.kind.created_property, records.kind.modified_property)


def read_names(records: Records, wanted: Sequence[str]) -> list[str]:
    """Return the properties a read answers with: unknown names are dropped without a word."""
    asked = wanted or records.kind.default_properties
    known = [name for name in asked if records.schema.find(name) is not None]
    return sorted({*known, *system_names(records)})


def shape(records: Records, record: Record, names: Iterable[str]) -> Json:
    """Build one record with the given properties; empty ones are null."""
    values = record.properties(records.schema)
    options = records.account.options
    members: Json = {
        "id": str(record.id),
        "properties": {name: values.get(name) for name in names},
        "createdAt": to_text(record.created),
        "updatedAt": to_text(record.modified),
        "archived": record.archived is not None,
        "url": (
            f"https://{options.ui_domain}/contacts/{options.portal_id}"
            f"/record/{records.kind.type_id}/{record.id}"
        ),
    }
    if record.archived is not None:
        members["archivedAt"] = to_text(record.archived)
    return members


def shape_full(records: Records, record: Record) -> Json:
    """Build one record with every property that has a value, as a create answers."""
    return shape(records, record, sorted(record.properties(records.schema)))


def shape_written(records: Records, before: Record, after: Record, sent: Iterable[str]) -> Json:
    """Build the answer to an update: what was sent, what followed from it, and the system three."""
    followed = {
        name
        for name in before.stored.keys() | after.stored.keys()
        if before.stored.get(name) != after.stored.get(name)
    }
    return shape(records, after, sorted({*sent, *followed, *system_names(records)}))


def history(records: Records, record: Record, names: Iterable[str]) -> Json:
    """Build the history of properties, newest entry first."""
    values = record.properties(records.schema)
    origin = origin_of(record)
    told: Json = {}
    for name in names:
        if records.schema.find(name) is None:
            continue
        entries = _entries(records.db, records.kind.name, record.id, name)
        if not entries and name in values:
            entries = [_entry(values[name], record.created, origin)]
        told[name] = entries
    return told


def _entries(db: sqlite3.Connection, kind: str, record_id: int, name: str) -> list[Json]:
    rows = db.execute(
        "SELECT value, at, source_type, source_id, user_id FROM history"
        " WHERE kind = ? AND id = ? AND property = ? ORDER BY at DESC, rowid DESC LIMIT ?",
        (kind, record_id, name, MAX_HISTORY),
    )
    return [_entry(row[0], row[1], Source(row[2], row[3], row[4])) for row in rows]


def _entry(value: str, at: int, source: Source) -> Json:
    entry: Json = {"value": value, "timestamp": to_text(at), "sourceType": source.type}
    if source.id is not None:
        entry["sourceId"] = source.id
    if source.user_id is not None:
        entry["updatedByUserId"] = source.user_id
    return entry


def batch(started: int, completed: int, results: list[Any], errors: list[Json]) -> Json:
    """Build the envelope of a batch answer."""
    members: Json = {
        "status": "COMPLETE",
        "results": results,
        "startedAt": to_text(started),
        "completedAt": to_text(completed),
    }
    if errors:
        members["numErrors"] = len(errors)
        members["errors"] = errors
    return members


def paging(link: str, after: str) -> Json:
    """Build the ``paging`` member that leads to the next page."""
    separator = "&" if "?" in link else "?"
    return {"next": {"after": after, "link": f"{link}{separator}after={after}"}}
