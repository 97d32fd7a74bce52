"""Property definitions, pipelines and owners in memory: what every write is checked against."""

import json
import sqlite3
from dataclasses import dataclass
from typing import Any

from hubconnect.sandbox.catalog.kinds import KINDS, Kind


@dataclass(frozen=True, slots=True)
class Property:
    """One property of an object type.

    Attributes:
        definition: as the properties API returns it.
        options: allowed values in their order; empty when they stand elsewhere.
    """

    name: str
    type: str
    field_type: str
    definition: dict[str, Any]
    options: tuple[str, ...]

    @property
    def is_archived(self) -> bool:
        """Return whether the property was deleted."""
        return bool(self.definition["archived"])

    @property
    def is_calculated(self) -> bool:
        """Return whether HubSpot computes its value."""
        return bool(self.definition["calculated"])

    @property
    def is_read_only(self) -> bool:
        """Return whether a client may not set its value."""
        return bool(self.definition["modificationMetadata"]["readOnlyValue"])

    @property
    def is_unique(self) -> bool:
        """Return whether no two records may hold the same value."""
        return bool(self.definition["hasUniqueValue"])

    @property
    def is_multiple(self) -> bool:
        """Return whether it holds several options, joined with a semicolon."""
        return self.type == "enumeration" and self.field_type == "checkbox"

    @property
    def is_owner(self) -> bool:
        """Return whether it takes an owner id."""
        return self.definition.get("referencedObjectType") == "OWNER"


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage, with what its metadata says."""

    id: str
    label: str
    is_closed: bool
    probability: str


@dataclass(frozen=True, slots=True)
class Owner:
    """One owner, active or not."""

    user_id: int
    name: str


@dataclass(frozen=True, slots=True)
class Schema:
    """What one object type of the account looks like now.

    Attributes:
        pipelines: stages by id, by pipeline id, both in the order they are shown in.
        pipeline_labels: how each pipeline is called.
        owners: by owner id.
    """

    kind: Kind
    properties: dict[str, Property]
    pipelines: dict[str, dict[str, Stage]]
    pipeline_labels: dict[str, str]
    owners: dict[str, Owner]

    def find(self, name: str) -> Property | None:
        """Find a property that is not archived."""
        found = self.properties.get(name)
        return None if found is None or found.is_archived else found

    @property
    def unique_names(self) -> list[str]:
        """List the properties whose values are unique."""
        return [one.name for one in self.properties.values() if one.is_unique]


def _stage(definition: dict[str, Any]) -> Stage:
    metadata = definition["metadata"]
    closed = metadata.get("isClosed") == "true" or metadata.get("state") == "CLOSED"
    return Stage(definition["id"], definition["label"], closed, metadata.get("probability", ""))


def _property(definition: dict[str, Any]) -> Property:
    return Property(
        definition["name"],
        definition["type"],
        definition["fieldType"],
        definition,
        tuple(option["value"] for option in definition["options"]),
    )


def load_schema(db: sqlite3.Connection, kind_name: str) -> Schema:
    """Load the schema of one object type, archived properties included."""
    rows = db.execute("SELECT definition FROM property WHERE kind = ? ORDER BY rowid", (kind_name,))
    properties = [_property(json.loads(row[0])) for row in rows]
    rows = db.execute("SELECT definition FROM pipeline WHERE kind = ?", (kind_name,))
    pipelines = sorted(
        (json.loads(row[0]) for row in rows), key=lambda pipeline: int(pipeline["displayOrder"])
    )
    owners = [json.loads(row[0]) for row in db.execute("SELECT definition FROM owner ORDER BY id")]
    return Schema(
        KINDS[kind_name],
        {one.name: one for one in properties},
        {
            pipeline["id"]: {stage["id"]: _stage(stage) for stage in pipeline["stages"]}
            for pipeline in pipelines
        },
        {pipeline["id"]: pipeline["label"] for pipeline in pipelines},
        {
            owner["id"]: Owner(
                owner["userIdIncludingInactive"], f"{owner['firstName']} {owner['lastName']}"
            )
            for owner in owners
        },
    )
