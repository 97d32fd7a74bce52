"""Rows of records: reading them, and writing them with history, unique values and search lag."""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from hubconnect.sandbox.account import CALCULATED, Account, Source
from hubconnect.sandbox.calculated import derive
from hubconnect.sandbox.moments import from_text, to_text
from hubconnect.sandbox.schema import Schema
from hubconnect.sandbox.store import find_setting, save_setting

Changes = Mapping[str, str | None]
_COLUMNS = "id, created, modified, archived, properties"
_CHUNK = 500
_ID_DIGITS = 18
_FIRST_ID = 1001


@dataclass(frozen=True, slots=True)
class Record:
    """One record; ``stored`` holds its properties without the empty and the system ones."""

    id: int
    created: int
    modified: int
    archived: int | None
    stored: dict[str, str]

    def properties(self, schema: Schema) -> dict[str, str]:
        """Return its properties with id, created and modified among them."""
        return {
            **self.stored,
            "hs_object_id": str(self.id),
            schema.kind.created_property: to_text(self.created),
            schema.kind.modified_property: to_text(self.modified),
        }


def _record(row: tuple[int, int, int, int | None, str]) -> Record:
    return Record(row[0], row[1], row[2], row[3], json.loads(row[4]))


class Records:
    """The records of one object type inside one transaction."""

    def __init__(self, db: sqlite3.Connection, account: Account, kind_name: str) -> None:
        self.db = db
        self.account = account
        self.schema = account.schema(db, kind_name)
        self.kind = self.schema.kind

    # Reading

    def find_many(self, ids: Iterable[int], *, archived: bool = False) -> dict[int, Record]:
        """Find records by id; missing ones are absent from the result."""
        wanted = list(dict.fromkeys(ids))
        found: dict[int, Record] = {}
        state = "NOT NULL" if archived else "NULL"
        for start in range(0, len(wanted), _CHUNK):
            part = wanted[start : start + _CHUNK]
            rows = self.db.execute(
                f"SELECT {_COLUMNS} FROM record WHERE kind = ? AND archived IS {state}"  # noqa: S608
                f" AND id IN ({','.join('?' * len(part))})",
                (self.kind.name, *part),
            )
            found |= {row[0]: _record(row) for row in rows}
        return found

    def find(self, record_id: int, *, archived: bool = False) -> Record | None:
        """Find one record by id."""
        return self.find_many([record_id], archived=archived).get(record_id)

    def find_surviving(self, ids: Iterable[int]) -> dict[int, Record]:
        """Find records by id, also by ids they had before a merge; keyed as asked for."""
        wanted = list(dict.fromkeys(ids))
        became = self.merged_into(wanted)
        found = self.find_many([became.get(one, one) for one in wanted])
        return {one: found[new] for one in wanted if (new := became.get(one, one)) in found}

    def merged_into(self, ids: Iterable[int]) -> dict[int, int]:
        """Return what became of those ids that were merged away."""
        became: dict[int, int] = {}
        for one in ids:
            row = self.db.execute(
                "SELECT id FROM merged WHERE kind = ? AND old_id = ?", (self.kind.name, one)
            ).fetchone()
            if row is not None:
                became[one] = row[0]
        return became

    def page(self, after: int, limit: int, *, archived: bool = False) -> list[Record]:
        """Return records with an id beyond ``after``, in the order of their ids."""
        state = "NOT NULL" if archived else "NULL"
        rows = self.db.execute(
            f"SELECT {_COLUMNS} FROM record WHERE kind = ? AND archived IS {state}"  # noqa: S608
            " AND id > ? ORDER BY id LIMIT ?",
            (self.kind.name, after, limit),
        )
        return [_record(row) for row in rows]

    def find_by_value(self, name: str, values: Iterable[str]) -> dict[str, int]:
        """Find the ids of the records that hold the given values of a unique property."""
        wanted = list(dict.fromkeys(values))
        found: dict[str, int] = {}
        for start in range(0, len(wanted), _CHUNK):
            part = wanted[start : start + _CHUNK]
            rows = self.db.execute(
                "SELECT value, id FROM unique_value WHERE kind = ? AND property = ?"  # noqa: S608
                f" AND value IN ({','.join('?' * len(part))})",
                (self.kind.name, name, *part),
            )
            found |= dict(rows.fetchall())
        return found

    def holder(self, name: str, value: str) -> int | None:
        """Find who holds a value of a unique property."""
        return self.find_by_value(name, [value]).get(value)

    # Writing

    def create(self, values: Mapping[str, str], source: Source) -> Record:
        """Store a new record with values that were found valid."""
        now = self.account.clock.now()
        record_id = self._next_id()
        stored = {**values, **self._origin(record_id, source)}
        created = self._created(stored, now)
        stored |= _filled(derive(self.schema, self._with_created(stored, created), {}, now))
        record = Record(record_id, created, now, None, stored)
        self._insert(record)
        return record

    def merge(
        self, primary: Record, other: Record, stored: dict[str, str], source: Source
    ) -> Record:
        """Put one new record in the place of two; the history of the primary goes on."""
        now = max(self.account.clock.now(), primary.modified + 1, other.modified + 1)
        record = Record(self._next_id(), min(primary.created, other.created), now, None, {**stored})
        if self.kind.name == "contacts":
            record.stored["hs_all_contact_vids"] = ";".join(
                [str(record.id), *stored["hs_merged_object_ids"].split(";")]
            )
        kind = self.kind.name
        before = self._with_created(primary.stored, primary.created)
        taken = {name: text for name, text in record.stored.items() if before.get(name) != text}
        self._remember(primary, before, taken, Source("MERGE_OBJECTS", source.id), now)
        self.db.execute(
            "UPDATE history SET id = ? WHERE kind = ? AND id = ?", (record.id, kind, primary.id)
        )
        for old in (primary, other):
            self.forget(old)
            self.db.execute(
                "UPDATE merged SET id = ? WHERE kind = ? AND id = ?", (record.id, kind, old.id)
            )
            self.db.execute("INSERT INTO merged VALUES (?, ?, ?)", (kind, old.id, record.id))
        self._insert(record)
        return record

    def forget(self, record: Record) -> None:
        """Remove a record for good; search goes on showing it until the index has caught up."""
        for table in ("record", "unique_value", "history"):
            self.db.execute(
                f"DELETE FROM {table} WHERE kind = ? AND id = ?",  # noqa: S608
                (self.kind.name, record.id),
            )
        self._announce([record.id], self.account.clock.now())
        highest: int = find_setting(self.db, self._highest_forgotten) or 0
        save_setting(self.db, self._highest_forgotten, max(highest, record.id))

    def _next_id(self) -> int:
        row = self.db.execute(
            "SELECT max(id) FROM record WHERE kind = ?", (self.kind.name,)
        ).fetchone()
        highest: int = find_setting(self.db, self._highest_forgotten) or _FIRST_ID - 1
        return max(row[0] or 0, highest) + 1

    @property
    def _highest_forgotten(self) -> str:
        """Return the setting that keeps the ids of forgotten records from being given again."""
        return f"highest_forgotten.{self.kind.name}"

    def _insert(self, record: Record) -> None:
        self.db.execute(
            "INSERT INTO record VALUES (?, ?, ?, ?, NULL, ?)",
            (
                self.kind.name,
                record.id,
                record.created,
                record.modified,
                json.dumps(record.stored),
            ),
        )
        self._claim_unique(record, record.stored)
        self._announce([record.id], record.modified)

    def update(self, record: Record, changes: Changes, source: Source) -> Record:
        """Write changed values, and what follows from them; without a change nothing happens."""
        before = self._with_created(record.stored, record.created)
        real = {name: value for name, value in changes.items() if before.get(name) != value}
        if not real:
            return record
        now = max(self.account.clock.now(), record.modified + 1)
        values = _filled({**before, **real})
        derived = derive(self.schema, values, before, now)
        if source.user_id is not None:
            derived["hs_updated_by_user_id"] = str(source.user_id)
        self._remember(record, before, real, source, now)
        self._remember(record, before, derived, CALCULATED, now)
        stored = _filled({**values, **derived})
        written = replace(
            record, created=self._created(stored, record.created), modified=now, stored=stored
        )
        self.db.execute(
            "UPDATE record SET created = ?, modified = ?, properties = ? WHERE kind = ? AND id = ?",
            (written.created, now, json.dumps(written.stored), self.kind.name, record.id),
        )
        self._claim_unique(written, real)
        self._announce([record.id], now)
        return written

    def archive(self, ids: Iterable[int]) -> None:
        """Archive records; ids that do not exist or are archived already change nothing."""
        now = self.account.clock.now()
        for record_id in self.find_many(ids):
            self.db.execute(
                "UPDATE record SET archived = ? WHERE kind = ? AND id = ?",
                (now, self.kind.name, record_id),
            )
            self.db.execute(
                "DELETE FROM unique_value WHERE kind = ? AND id = ?", (self.kind.name, record_id)
            )
            self._announce([record_id], now)

    def restore(self, record_id: int) -> Record | None:
        """Bring an archived record back under its id."""
        record = self.find(record_id, archived=True)
        if record is None or self.kind.name == "emails":  # "Emails": they cannot be restored
            return None
        self.db.execute(
            "UPDATE record SET archived = NULL WHERE kind = ? AND id = ?",
            (self.kind.name, record_id),
        )
        self._claim_unique(record, record.stored)
        self._announce([record_id], self.account.clock.now())
        return replace(record, archived=None)

    def _origin(self, record_id: int, source: Source) -> dict[str, str]:
        values = {
            "hs_object_source": source.type,
            "hs_object_source_label": source.type,
        }
        if source.id is not None:
            values["hs_object_source_id"] = source.id
        if source.user_id is not None:
            values["hs_object_source_user_id"] = str(source.user_id)
            values["hs_created_by_user_id"] = str(source.user_id)
            values["hs_updated_by_user_id"] = str(source.user_id)
        if self.kind.name == "contacts":
            values |= {
                "hs_is_contact": "true",
                "hs_all_contact_vids": str(record_id),
                "hs_pipeline": "contacts-lifecycle-pipeline",
                "hs_marketable_status": "false",
                "hs_marketable_until_renewal": "false",
            }
        elif self.kind.name == "tickets":
            values["hs_ticket_id"] = str(record_id)
        return values

    def _created(self, stored: dict[str, str], otherwise: int) -> int:
        """Move a created date a client has set to where it is kept."""
        given = stored.pop(self.kind.created_property, None)
        return otherwise if given is None else from_text(given)

    def _with_created(self, stored: Mapping[str, str], created: int) -> dict[str, str]:
        return {**stored, self.kind.created_property: to_text(created)}

    def _remember(
        self, record: Record, before: Mapping[str, str], changes: Changes, source: Source, now: int
    ) -> None:
        """Add to the history of properties.

        A value a record was created with has no row of its own until it changes: then it gets one,
        with the origin of the record. That keeps a hundred thousand new records cheap.
        """
        if not changes:
            return
        known = {
            row[0]
            for row in self.db.execute(
                "SELECT DISTINCT property FROM history WHERE kind = ? AND id = ?",
                (self.kind.name, record.id),
            )
        }
        origin = origin_of(record)
        rows = []
        for name, value in changes.items():
            if name not in known and name in before:
                rows.append(self._entry(record.id, name, record.created, before[name], origin))
            rows.append(self._entry(record.id, name, now, value or "", source))
        self.db.executemany("INSERT INTO history VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def _entry(
        self, record_id: int, name: str, at: int, value: str, source: Source
    ) -> tuple[str, int, str, int, str, str, str | None, int | None]:
        kind = self.kind.name
        return (kind, record_id, name, at, value, source.type, source.id, source.user_id)

    def _claim_unique(self, record: Record, changes: Changes) -> None:
        for name in self.schema.unique_names:
            if name not in changes:
                continue
            self.db.execute(
                "DELETE FROM unique_value WHERE kind = ? AND id = ? AND property = ?",
                (self.kind.name, record.id, name),
            )
            values = [changes[name] or ""]
            if name == "email":  # the addresses a contact kept from a merge lead to it as well
                values += record.stored.get("hs_additional_emails", "").split(";")
            self.db.executemany(
                "INSERT OR REPLACE INTO unique_value VALUES (?, ?, ?, ?)",
                [(self.kind.name, name, value, record.id) for value in values if value],
            )

    def _announce(self, ids: Iterable[int], now: int) -> None:
        """Let search see the change once the index has caught up."""
        visible_at = self.account.visible_at(now)
        self.db.executemany(
            "INSERT INTO pending_document VALUES (?, ?, ?)",
            [(self.kind.name, record_id, visible_at) for record_id in ids],
        )


def _filled(values: Changes) -> dict[str, str]:
    return {name: value for name, value in values.items() if value is not None}


def origin_of(record: Record) -> Source:
    """Return who created a record."""
    user = record.stored.get("hs_object_source_user_id")
    return Source(
        record.stored.get("hs_object_source", "CRM_UI"),
        record.stored.get("hs_object_source_id"),
        None if user is None else int(user),
    )


def id_of(text: str) -> int | None:
    """Read a record id; None when the text cannot be one."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _ID_DIGITS else None
