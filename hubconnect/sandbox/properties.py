"""The properties API: definitions and groups (page "Properties")."""

import json
import re
from collections.abc import Mapping
from typing import Any

from werkzeug.wrappers import Response

from hubconnect.sandbox.batch import inputs_of
from hubconnect.sandbox.call import Call, answer, nothing
from hubconnect.sandbox.catalog.common import BOOLEAN, build_options
from hubconnect.sandbox.catalog.kinds import Kind
from hubconnect.sandbox.errors import ApiError, Json, not_found, refuse
from hubconnect.sandbox.moments import to_text
from hubconnect.sandbox.shapes import batch

PAIRS = {
    "bool": {"booleancheckbox", "calculation_equation"},
    "enumeration": {"select", "radio", "checkbox", "booleancheckbox", "calculation_equation"},
    "date": {"date"},
    "datetime": {"date"},
    "string": {"text", "textarea", "html", "file", "phonenumber", "calculation_equation"},
    "number": {"number", "calculation_equation"},
    "phone_number": {"phonenumber"},
}
MAX_UNIQUE = 10
_REQUIRED = ("name", "label", "type", "fieldType", "groupName")
_CHANGEABLE = (
    "label",
    "type",
    "fieldType",
    "groupName",
    "description",
    "options",
    "displayOrder",
    "hidden",
    "formField",
    "referencedObjectType",
)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")


def list_properties(call: Call, kind: str) -> Response:
    """List the properties of an object type, all at once."""
    named = _open(call, kind)
    archived = call.flag("archived")
    schema = call.account.schema(call.db, named.name)
    return answer(
        {
            "results": [
                one.definition for one in schema.properties.values() if one.is_archived == archived
            ]
        }
    )


def get_property(call: Call, kind: str, name: str) -> Response:
    """Get one property."""
    return answer(_get(call, _open(call, kind), name, archived=call.flag("archived")))


def post_property(call: Call, kind: str) -> Response:
    """Create a property."""
    return answer(create(call, _writable(call, kind), call.body()), 201)


def patch_property(call: Call, kind: str, name: str) -> Response:
    """Change a property; its name and its uniqueness stay."""
    named = _writable(call, kind)
    definition = {**_get(call, named, name)}
    if definition["modificationMetadata"]["readOnlyDefinition"]:
        refuse(f'Property "{name}" is read only and cannot be changed.')
    body = call.body()
    definition |= {key: body[key] for key in _CHANGEABLE if key in body}
    definition["options"] = _options(definition)
    definition["updatedAt"] = to_text(call.account.clock.now())
    _require_pair(definition)
    _save(call, named, definition)
    return answer(definition)


def delete_property(call: Call, kind: str, name: str) -> Response:
    """Archive a property."""
    _archive(call, _writable(call, kind), name)
    return nothing()


def batch_read_properties(call: Call, kind: str) -> Response:
    """Read properties by name."""
    named = _open(call, kind)
    body = call.body()
    names = [str(one.get("name", "")) for one in inputs_of(body)]
    archived = bool(body.get("archived"))
    properties = call.account.schema(call.db, named.name).properties
    found = [name for name in names if name in properties]
    found = [name for name in found if properties[name].is_archived == archived]
    missing = [name for name in names if name not in found]
    errors = [_missing(name).standard_error({"name": [name]}) for name in missing]
    return _batch(call, [properties[name].definition for name in found], errors)


def batch_create_properties(call: Call, kind: str) -> Response:
    """Create properties."""
    named = _writable(call, kind)
    return _batch(call, [create(call, named, one) for one in inputs_of(call.body())], [], 201)


def batch_archive_properties(call: Call, kind: str) -> Response:
    """Archive properties."""
    named = _writable(call, kind)
    for one in inputs_of(call.body()):
        _archive(call, named, str(one.get("name", "")))
    return nothing()


def list_groups(call: Call, kind: str) -> Response:
    """List the property groups of an object type."""
    named = _open(call, kind)
    rows = call.db.execute(
        "SELECT definition FROM property_group WHERE kind = ? ORDER BY rowid", (named.name,)
    )
    return answer({"results": [json.loads(row[0]) for row in rows]})


def get_group(call: Call, kind: str, name: str) -> Response:
    """Get one property group."""
    return answer(_get_group(call, _open(call, kind), name))


def post_group(call: Call, kind: str) -> Response:
    """Create a property group."""
    named, body = _writable(call, kind), call.body()
    _require(body, ("name", "label"))
    group = {
        "name": str(body["name"]),
        "label": str(body["label"]),
        "displayOrder": body.get("displayOrder", -1),
        "archived": False,
    }
    row = (named.name, group["name"], json.dumps(group))
    call.db.execute("INSERT OR REPLACE INTO property_group VALUES (?, ?, ?)", row)
    return answer(group, 201)


def patch_group(call: Call, kind: str, name: str) -> Response:
    """Rename a property group."""
    named = _writable(call, kind)
    group, body = _get_group(call, named, name), call.body()
    group |= {key: body[key] for key in ("label", "displayOrder") if key in body}
    row = (named.name, name, json.dumps(group))
    call.db.execute("INSERT OR REPLACE INTO property_group VALUES (?, ?, ?)", row)
    return answer(group)


def delete_group(call: Call, kind: str, name: str) -> Response:
    """Delete a property group."""
    named = _writable(call, kind)
    call.db.execute("DELETE FROM property_group WHERE kind = ? AND name = ?", (named.name, name))
    return nothing()


def _open(call: Call, kind: str) -> Kind:
    call.require_any("crm.objects.", "crm.schemas.", "tickets")
    return call.kind(kind)


def _writable(call: Call, kind: str) -> Kind:
    named = call.kind(kind)
    call.require(named.schema_scope)
    return named


def _missing(name: str) -> ApiError:
    return not_found(f'Property "{name}" does not exist.', context={"name": [name]})


def _get(call: Call, kind: Kind, name: str, *, archived: bool = False) -> Json:
    found = call.account.schema(call.db, kind.name).properties.get(name)
    if found is None or found.is_archived != archived:
        raise _missing(name)
    return found.definition


def _get_group(call: Call, kind: Kind, name: str) -> Json:
    row = call.db.execute(
        "SELECT definition FROM property_group WHERE kind = ? AND name = ?", (kind.name, name)
    ).fetchone()
    if row is None:
        message = f'Property group "{name}" does not exist.'
        raise not_found(message)
    group: Json = json.loads(row[0])
    return group


def _require(body: Mapping[str, Any], names: tuple[str, ...]) -> None:
    missing = [name for name in names if not body.get(name)]
    if missing:
        refuse(
            "Invalid input JSON on line 1, column 2. "
            f"Some required fields were not set: [{', '.join(missing)}]"
        )


def create(call: Call, kind: Kind, body: Mapping[str, Any]) -> Json:
    """Create a property as a client asks for it.

    Raises:
        ApiError: something is missing or does not fit (400), or it exists (409).
    """
    _require(body, _REQUIRED)
    schema = call.account.schema(call.db, kind.name)
    name = str(body["name"])
    if not _NAME.fullmatch(name):
        refuse(f'Property name "{name}" may hold lower-case letters, digits and _ only.')
    existing = schema.properties.get(name)
    if existing is not None and not existing.is_archived:
        message = f'A property named "{name}" already exists.'
        raise ApiError(409, message, "OBJECT_ALREADY_EXISTS")
    _get_group(call, kind, str(body["groupName"]))
    own = [one for one in schema.unique_names if not schema.properties[one].is_read_only]
    if body.get("hasUniqueValue") and len(own) >= MAX_UNIQUE:
        refuse(f"An object type may have at most {MAX_UNIQUE} unique properties.")
    now = to_text(call.account.clock.now())
    definition: Json = {
        "description": "",
        "displayOrder": -1,
        "hidden": False,
        "formField": False,
        "hasUniqueValue": bool(body.get("hasUniqueValue")),
        **{key: body[key] for key in (*_CHANGEABLE, "name") if key in body},
        "calculated": body["fieldType"] == "calculation_equation",
        "externalOptions": bool(body.get("externalOptions")),
        "hubspotDefined": False,
        "archived": False,
        "createdAt": now,
        "updatedAt": now,
        "createdUserId": str(call.token.user_id),
        "updatedUserId": str(call.token.user_id),
        "dataSensitivity": "non_sensitive",
        "modificationMetadata": {
            "archivable": True,
            "readOnlyDefinition": False,
            "readOnlyValue": body["fieldType"] == "calculation_equation",
        },
    }
    _require_pair(definition)
    definition["options"] = _options(definition)
    _save(call, kind, definition)
    return definition


def _require_pair(definition: Json) -> None:
    allowed = PAIRS.get(definition["type"])
    if allowed is None or definition["fieldType"] not in allowed:
        refuse(f"fieldType {definition['fieldType']} does not fit type {definition['type']}.")


def _options(definition: Json) -> list[Json]:
    """Complete the options a client gave."""
    if definition["type"] == "bool":
        return build_options(BOOLEAN)
    if definition["type"] != "enumeration" or definition["externalOptions"]:
        return []
    given = definition.get("options") or []
    if not given:
        refuse("A property of type enumeration needs options.")
    values = [(str(one.get("value", "")), str(one.get("label", ""))) for one in given]
    if len({value for value, _ in values}) < len(values) or not all(value for value, _ in values):
        refuse("Options need values, each of its own.")
    return [{**built, **one} for built, one in zip(build_options(values), given, strict=True)]


def _save(call: Call, kind: Kind, definition: Json) -> None:
    call.db.execute(
        "INSERT OR REPLACE INTO property VALUES (?, ?, ?)",
        (kind.name, definition["name"], json.dumps(definition)),
    )


def _archive(call: Call, kind: Kind, name: str) -> None:
    definition = {**_get(call, kind, name)}
    if not definition["modificationMetadata"]["archivable"]:
        refuse(f'Property "{name}" cannot be archived.')
    definition |= {"archived": True, "archivedAt": to_text(call.account.clock.now())}
    _save(call, kind, definition)


def _batch(call: Call, results: list[Json], errors: list[Json], status: int = 200) -> Response:
    now = call.account.clock.now()
    return answer(batch(now, now, results, errors), 207 if errors else status)
