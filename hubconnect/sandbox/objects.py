"""Calls on single records and lists of them (page "Using object APIs")."""

from collections.abc import Mapping
from typing import Any

from werkzeug.wrappers import Response

from hubconnect.sandbox import links
from hubconnect.sandbox.call import Call, answer, no_such_path, nothing
from hubconnect.sandbox.errors import ApiError, Json, record_not_found, refuse
from hubconnect.sandbox.records import Record, Records, id_of
from hubconnect.sandbox.shapes import (
    history,
    paging,
    read_names,
    shape,
    shape_full,
    shape_written,
)
from hubconnect.sandbox.writing import create_record, update_record

MAX_PAGE = 100
MAX_PAGE_WITH_HISTORY = 50


def list_records(call: Call, kind: str) -> Response:
    """List records by id, archived ones on demand; sees every write at once."""
    records = call.readable(kind)
    limit = page_size(call, 10, MAX_PAGE)
    with_history = call.names("propertiesWithHistory")
    if with_history:
        limit = min(limit, MAX_PAGE_WITH_HISTORY)
    after = call.request.args.get("after", "0")
    if not after.isdigit():
        refuse(f"Invalid cursor: {after}")
    page = records.page(int(after), limit + 1, archived=call.flag("archived"))
    names = read_names(records, call.names("properties"))
    shapes = [shape(records, record, names) for record in page[:limit]]
    for record, members in zip(page, shapes, strict=False):
        add_details(call, records, record, members)
    listing: Json = {"results": shapes}
    if len(page) > limit:
        listing["paging"] = paging(call.link(), str(page[limit - 1].id))
    return answer(listing)


def get_record(call: Call, kind: str, record_id: str) -> Response:
    """Get one record by id or by a unique property."""
    records = call.readable(kind)
    record = _resolve(call, records, record_id, archived=call.flag("archived"))
    members = shape(records, record, read_names(records, call.names("properties")))
    add_details(call, records, record, members)
    return answer(members)


def post_record(call: Call, kind: str) -> Response:
    """Create one record."""
    records = call.writable(kind)
    record = create_with_links(call, records, call.body())
    response = answer(shape_full(records, record), 201)
    response.headers["Location"] = f"{call.request.base_url.rstrip('/')}/{record.id}"
    return response


def patch_record(call: Call, kind: str, record_id: str) -> Response:
    """Update one record."""
    records = call.writable(kind)
    incoming = properties_of(call.body())
    if not incoming:
        refuse("No properties found to update, please provide at least one.")
    before = _resolve(call, records, record_id)
    after = update_record(records, before, incoming, call.source)
    return answer(shape_written(records, before, after, incoming))


def delete_record(call: Call, kind: str, record_id: str) -> Response:
    """Archive one record; a second time changes nothing and is no error."""
    records = call.writable(kind)
    number = id_of(record_id)
    if number is not None:
        links.archive(call.account, call.db, records, [number])
    return nothing()


def gdpr_delete(call: Call, kind: str) -> Response:
    """Delete a contact for good; other object types have no such call."""
    records = call.writable(kind)
    if records.kind.name != "contacts":
        return no_such_path()
    body = call.body()
    given = str(body.get("objectId", ""))
    record = resolve_ids(records, [given], body.get("idProperty") or "", merged=True).get(given)
    if record is not None:
        links.archive(call.account, call.db, records, [record.id])
        records.forget(record)
    return nothing()


def create_with_links(call: Call, records: Records, given: Mapping[str, Any]) -> Record:
    """Create a record and the associations that came with it."""
    record = create_record(records, properties_of(given), call.source)
    wanted = given.get("associations") or []
    if not wanted:
        return record
    links.link_new(call.account, call.db, records, record, wanted)
    return records.find(record.id) or record


def properties_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the properties of an input.

    Raises:
        ApiError: they are missing or no object (400).
    """
    properties = given.get("properties")
    if not isinstance(properties, dict):
        message = (
            "Invalid input JSON on line 1, column 2. "
            "Some required fields were not set: [properties]"
        )
        refuse(message)
    return properties


def page_size(call: Call, default: int, largest: int) -> int:
    """Read ``limit``.

    Raises:
        ApiError: it is no number or too large (400).
    """
    given = call.request.args.get("limit", str(default))
    if not given.isdigit() or not 0 < int(given) <= largest:
        refuse(f"Invalid limit: {given}. It must lie between 1 and {largest}.")
    return int(given)


def resolve_ids(
    records: Records,
    given: list[str],
    id_property: str,
    *,
    archived: bool = False,
    merged: bool = False,
) -> dict[str, Record]:
    """Find records by ids or by values of a unique property, keyed as they were asked for.

    Args:
        records: where to look.
        given: ids or values.
        id_property: name of the unique property; empty for ids.
        archived: look among the archived ones.
        merged: let an id from before a merge lead to the survivor.

    Raises:
        ApiError: the property is not unique (400).
    """
    if id_property and id_property != "hs_object_id":
        found = records.schema.find(id_property)
        if found is None or not found.is_unique:
            refuse(f"idProperty {id_property} is not a unique property.")
        # E-mail addresses are stored in lower case and found in any.
        spelled = {one: one.strip().lower() if id_property == "email" else one for one in given}
        holders = records.find_by_value(id_property, spelled.values())
        by_id = records.find_many(holders.values(), archived=archived)
        return {
            one: by_id[holders[value]]
            for one, value in spelled.items()
            if value in holders and holders[value] in by_id
        }
    numbers = {one: number for one in given if (number := id_of(one)) is not None}
    if merged and not archived:
        by_id = records.find_surviving(numbers.values())
    else:
        by_id = records.find_many(numbers.values(), archived=archived)
    return {one: by_id[number] for one, number in numbers.items() if number in by_id}


def _resolve(call: Call, records: Records, record_id: str, *, archived: bool = False) -> Record:
    id_property = call.request.args.get("idProperty", "")
    found = resolve_ids(records, [record_id], id_property, archived=archived, merged=True)
    if record_id in found:
        return found[record_id]
    if id_property:
        raise ApiError(404, "resource not found", "OBJECT_NOT_FOUND")
    raise record_not_found(record_id)


def add_details(call: Call, records: Records, record: Record, members: Json) -> None:
    """Add history and associations to an answer, as the query asks."""
    with_history = call.names("propertiesWithHistory")
    if with_history:
        members["propertiesWithHistory"] = history(records, record, with_history)
    wanted = [call.kind(name) for name in call.names("associations")]
    if wanted:
        found = links.inline(call.db, records.kind, record.id, wanted)
        if found:
            members["associations"] = found
