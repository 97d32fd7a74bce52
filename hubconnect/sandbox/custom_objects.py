"""The schemas API: object types that the account made itself (page "Custom objects").

A schema's definition is kept as a setting; its properties, pipelines and association types stand
where those of the other object types do.
"""

import json
import re
import sqlite3
from collections.abc import Iterable
from typing import Any

from werkzeug.wrappers import Response

from hubconnect.sandbox import links, properties
from hubconnect.sandbox.call import Call, answer, nothing
from hubconnect.sandbox.catalog.common import COMMON, build_table
from hubconnect.sandbox.catalog.kinds import CUSTOM_READ, CUSTOM_WRITE, Kind, add_kind, drop_kind
from hubconnect.sandbox.errors import ApiError, Json, not_found, refuse
from hubconnect.sandbox.moments import to_text
from hubconnect.sandbox.store import find_setting, save_setting

_SETTING = "custom_objects"
_FIRST_ID = 3_444_025
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
# HubSpot links every custom object with these without being asked.
_ALWAYS_LINKED = ("notes", "emails", "calls", "meetings", "tasks")
_REQUIRED = ("name", "labels", "properties", "requiredProperties", "associatedObjects")
_CHANGEABLE = (
    "labels",
    "description",
    "primaryDisplayProperty",
    "requiredProperties",
    "searchableProperties",
    "secondaryDisplayProperties",
)
_READ_SCOPES = ("crm.schemas.custom.read", CUSTOM_READ)
_OWN_PROPERTIES = """
hs_createdate | Object create date/time | datetime/date | ro
hs_lastmodifieddate | Object last modified date/time | datetime/date | ro
hs_pipeline | Pipeline | enumeration/select | ext
hs_pipeline_stage | Pipeline stage | enumeration/select | ext
"""


def register(db: sqlite3.Connection) -> None:
    """Make the account's own object types known to the process that serves it."""
    for definition in _load(db):
        add_kind(_kind(definition), _short_name(definition))


def list_schemas(call: Call) -> Response:
    """List the account's own object types."""
    _require_reading(call)
    return answer({"results": [_shape(call, one) for one in _load(call.db)]})


def get_schema(call: Call, kind: str) -> Response:
    """Get one by type id, fully qualified name or ``p_`` and its name."""
    _require_reading(call)
    return answer(_shape(call, _get(call, kind)))


def post_schema(call: Call) -> Response:
    """Create an object type with its properties and associations."""
    call.require("crm.schemas.custom.write")
    body = call.body()
    missing = [name for name in _REQUIRED if name not in body]
    if missing:
        refuse(
            "Invalid input JSON on line 1, column 2. "
            f"Some required fields were not set: [{', '.join(missing)}]"
        )
    definition = _new_definition(call, body)
    kind = _kind(definition)
    targets = [call.kind(str(name)) for name in body["associatedObjects"]]
    add_kind(kind, _short_name(definition))
    try:
        _save(call.db, [*_load(call.db), definition])
        _make_properties(call, kind, definition, body["properties"])
        _make_association_types(call, kind, targets)
        return answer(_shape(call, definition), 201)
    except ApiError:
        drop_kind(kind.name)
        call.account.forget_schemas()
        raise


def patch_schema(call: Call, kind: str) -> Response:
    """Change labels, required and searchable properties."""
    call.require("crm.schemas.custom.write")
    definition, body = _get(call, kind), call.body()
    definition |= {name: body[name] for name in _CHANGEABLE if name in body}
    definition["updatedAt"] = to_text(call.account.clock.now())
    others = [one for one in _load(call.db) if one["id"] != definition["id"]]
    _save(call.db, [*others, definition])
    add_kind(_kind(definition), _short_name(definition))
    return answer(_shape(call, definition))


def delete_schema(call: Call, kind: str) -> Response:
    """Delete an object type that has no records."""
    call.require("crm.schemas.custom.write")
    definition = _get(call, kind)
    name = definition["fullyQualifiedName"]
    used = call.db.execute(
        "SELECT 1 FROM record WHERE kind = ? AND archived IS NULL LIMIT 1", (name,)
    ).fetchone()
    if used is not None:
        refuse(f"Object type {definition['objectTypeId']} still has records.")
    _save(call.db, [one for one in _load(call.db) if one["id"] != definition["id"]])
    for table in ("property", "property_group", "pipeline"):
        call.db.execute(f"DELETE FROM {table} WHERE kind = ?", (name,))  # noqa: S608
    call.db.execute("DELETE FROM association_label WHERE kind = ? OR to_kind = ?", (name, name))
    drop_kind(name)
    return nothing()


def _require_reading(call: Call) -> None:
    if not any(scope in call.token.scopes for scope in _READ_SCOPES):
        call.require(_READ_SCOPES[0])


def _load(db: sqlite3.Connection) -> list[Json]:
    found: list[Json] = find_setting(db, _SETTING) or []
    return found


def _save(db: sqlite3.Connection, definitions: list[Json]) -> None:
    save_setting(db, _SETTING, sorted(definitions, key=lambda one: int(one["id"])))


def _get(call: Call, name: str) -> Json:
    for one in _load(call.db):
        if name in {one["objectTypeId"], one["fullyQualifiedName"], _short_name(one)}:
            return one
    message = f"Unable to infer object type from: {name}"
    raise not_found(message)


def _short_name(definition: Json) -> str:
    return f"p_{definition['name']}"


def _new_definition(call: Call, body: Json) -> Json:
    name, labels = str(body["name"]), body["labels"]
    if not _NAME.fullmatch(name):
        refuse(f'Object name "{name}" may hold letters, digits and _ only.')
    if not isinstance(labels, dict) or not labels.get("singular") or not labels.get("plural"):
        refuse("An object type needs a singular and a plural label.")
    known = _load(call.db)
    if any(one["name"] == name for one in known):
        refuse(f'An object type named "{name}" already exists.')
    number = max((int(one["id"]) for one in known), default=_FIRST_ID - 1) + 1
    now = to_text(call.account.clock.now())
    return {
        "requiredProperties": [],
        "searchableProperties": [],
        "secondaryDisplayProperties": [],
        **{key: body[key] for key in _CHANGEABLE if key in body},
        "allowsSensitiveProperties": bool(body.get("allowsSensitiveProperties")),
        "id": str(number),
        "objectTypeId": f"2-{number}",
        "fullyQualifiedName": f"p{call.account.options.portal_id}_{name}",
        "name": name,
        "archived": False,
        "createdAt": now,
        "updatedAt": now,
    }


def _kind(definition: Json) -> Kind:
    primary = definition.get("primaryDisplayProperty")
    return Kind(
        definition["fullyQualifiedName"],
        definition["name"],
        definition["objectTypeId"],
        f"{definition['name']}_information",
        read_scopes=(CUSTOM_READ,),
        write_scopes=(CUSTOM_WRITE,),
        schema_scope="crm.schemas.custom.write",
        required=tuple(definition["requiredProperties"]),
        searchable=tuple(definition["searchableProperties"]),
        pipeline_property="hs_pipeline",
        stage_property="hs_pipeline_stage",
        label_properties=(primary,) if primary else (),
    )


def _make_properties(call: Call, kind: Kind, definition: Json, wanted: list[Json]) -> None:
    now = definition["createdAt"]
    label = f"{definition['labels']['singular']} information"
    group = {"name": kind.group, "label": label, "displayOrder": -1, "archived": False}
    call.db.execute(
        "INSERT INTO property_group VALUES (?, ?, ?)", (kind.name, kind.group, json.dumps(group))
    )
    table = _OWN_PROPERTIES.rstrip() + COMMON
    call.db.executemany(
        "INSERT INTO property VALUES (?, ?, ?)",
        [
            (kind.name, one["name"], json.dumps({**one, "createdAt": now, "updatedAt": now}))
            for one in build_table(table, {}, kind.group)
        ],
    )
    for one in wanted:
        given = {"groupName": kind.group, "type": "string", "fieldType": "text", **one}
        properties.create(call, kind, given)


def _make_association_types(call: Call, kind: Kind, targets: Iterable[Kind]) -> None:
    always = [call.kind(name) for name in _ALWAYS_LINKED]
    for target in dict.fromkeys([*targets, *always]):
        names = (f"{kind.singular}_to_{target.v3_name}", f"{target.v3_name}_to_{kind.singular}")
        links.make_types(call.db, (kind, target), names, ("", ""))


def _shape(call: Call, definition: Json) -> Json:
    name = definition["fullyQualifiedName"]
    rows = call.db.execute("SELECT definition FROM property WHERE kind = ? ORDER BY rowid", (name,))
    found: list[dict[str, Any]] = [json.loads(row[0]) for row in rows]
    return {
        **definition,
        "properties": [one for one in found if not one["archived"]],
        "associations": [
            {
                "id": str(one.type_id),
                "fromObjectTypeId": call.kind(one.source).type_id,
                "toObjectTypeId": call.kind(one.target).type_id,
                "name": one.name,
            }
            for one in links.types_of(call.db, name)
        ],
    }
