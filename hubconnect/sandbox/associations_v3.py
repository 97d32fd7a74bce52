"""The associations API of v3: one type a link, named as ``note_to_contact`` or by number."""

from werkzeug.wrappers import Response

from hubconnect.sandbox import associations, links
from hubconnect.sandbox.batch import inputs_of
from hubconnect.sandbox.call import Call, answer, nothing
from hubconnect.sandbox.catalog.associations import AssociationType
from hubconnect.sandbox.catalog.kinds import Kind
from hubconnect.sandbox.errors import ApiError, Json, invalid
from hubconnect.sandbox.records import id_of

MAX_READ = 100
MAX_WRITE = 100


def list_v3(call: Call, kind: str, record_id: str, to_kind: str) -> Response:
    """List what a record is associated with, in the older form."""
    records, target = call.readable(kind), call.kind(to_kind)
    number = associations.present(records, record_id)
    found = links.inline(call.db, records.kind, number, [target])
    return answer(found.get(target.name, {"results": []}))


def put_v3(
    call: Call, kind: str, record_id: str, to_kind: str, to_id: str, type_name: str
) -> Response:
    """Link two records by a v3 type name or id."""
    records, other = call.writable(kind), call.readable(to_kind)
    one, two = associations.present(records, record_id), associations.present(other, to_id)
    associations.link_all(call, one, two, [_named_type(call, records.kind, other.kind, type_name)])
    return answer(
        {"id": str(one), "associations": links.inline(call.db, records.kind, one, [other.kind])}
    )


def delete_v3(
    call: Call, kind: str, record_id: str, to_kind: str, to_id: str, type_name: str
) -> Response:
    """Remove one type of link by a v3 type name or id."""
    records, other = call.writable(kind), call.kind(to_kind)
    one, two = id_of(record_id), id_of(to_id)
    if one is not None and two is not None:
        links.unlink(call.db, one, two, _named_type(call, records.kind, other, type_name))
        associations.recount(call, records.kind, other, one, two)
    return nothing()


def list_types(call: Call, kind: str, to_kind: str) -> Response:
    """List the types that lead from one object type to another."""
    found = links.types_between(call.db, call.kind(kind), call.kind(to_kind))
    return answer({"results": [{"id": str(one.type_id), "name": one.name} for one in found]})


def batch_read_v3(call: Call, kind: str, to_kind: str) -> Response:
    """Read the links of records; a record without any is an error entry."""
    records, target = call.readable(kind), call.kind(to_kind)
    results: list[Json] = []
    errors: list[Json] = []
    for one in inputs_of(call.body(), MAX_READ):
        given = str(one.get("id", ""))
        found = links.inline(call.db, records.kind, id_of(given) or 0, [target])
        if found:
            results.append({"from": {"id": given}, "to": found[target.name]["results"]})
        else:
            errors.append(associations.no_links(records.kind, target, given))
    return associations.batch_answer(call, results, errors)


def batch_create_v3(call: Call, kind: str, to_kind: str) -> Response:
    """Create links; a record that does not exist is an error entry."""
    records, other = call.writable(kind), call.readable(to_kind)
    results: list[Json] = []
    errors: list[Json] = []
    for one in inputs_of(call.body(), MAX_WRITE):
        given = [str((one.get(end) or {}).get("id", "")) for end in ("from", "to")]
        named = _named_type(call, records.kind, other.kind, str(one.get("type", "")))
        try:
            ids = (associations.present(records, given[0]), associations.present(other, given[1]))
        except ApiError as error:
            context = {"fromObjectId": given[:1], "toObjectId": given[1:]}
            errors.append(error.standard_error(context))
            continue
        associations.link_all(call, *ids, [named])
        ends = {"from": {"id": given[0]}, "to": {"id": given[1]}}
        results.append({**ends, "type": named.name})
    return associations.batch_answer(call, results, errors, 201)


def batch_archive_v3(call: Call, kind: str, to_kind: str) -> Response:
    """Remove links of one type each."""
    records, other = call.writable(kind), call.kind(to_kind)
    for one in inputs_of(call.body(), MAX_WRITE):
        ids = [id_of(str((one.get(end) or {}).get("id", ""))) or 0 for end in ("from", "to")]
        named = _named_type(call, records.kind, other, str(one.get("type", "")))
        links.unlink(call.db, ids[0], ids[1], named)
        associations.recount(call, records.kind, other, ids[0], ids[1])
    return nothing()


def _named_type(call: Call, source: Kind, target: Kind, name: str) -> AssociationType:
    for one in links.types_between(call.db, source, target):
        if name in {one.name, str(one.type_id)}:
            return one
    message = f"Association type {name} does not exist."
    raise invalid(message)
