"""The associations API, v4 and date versions (pages "Associate records", "Associations schema")."""

from collections.abc import Callable

from werkzeug.wrappers import Response

from hubconnect.sandbox import links
from hubconnect.sandbox.batch import inputs_of
from hubconnect.sandbox.call import Call, answer, nothing
from hubconnect.sandbox.catalog.associations import AssociationType
from hubconnect.sandbox.catalog.kinds import Kind
from hubconnect.sandbox.errors import ApiError, Json, record_not_found, refuse
from hubconnect.sandbox.objects import page_size
from hubconnect.sandbox.records import Records, id_of
from hubconnect.sandbox.shapes import batch, paging

MAX_PAGE = 500
MAX_READ = 1000
MAX_CREATE = 2000
MAX_ARCHIVE = 100


def list_associations(call: Call, kind: str, record_id: str, to_kind: str) -> Response:
    """List what a record is associated with, with all types of each link."""
    records, target = call.readable(kind), call.kind(to_kind)
    number = present(records, record_id)
    limit = page_size(call, MAX_PAGE, MAX_PAGE)
    after = id_of(call.request.args.get("after", "")) or 0
    return answer(_page(call, records.kind, number, target, (after, limit)))


def put_association(call: Call, kind: str, record_id: str, to_kind: str, to_id: str) -> Response:
    """Link two records with the given types; labels that are not sent again are dropped."""
    records, other = call.writable(kind), call.readable(to_kind)
    one, two = present(records, record_id), present(other, to_id)
    wanted = call.json()
    if not isinstance(wanted, list) or not wanted:
        refuse("Invalid input JSON on line 1, column 1: expected a list of types.")
    kinds = links.require_types(call.db, records.kind, other.kind, wanted)
    _relink(call, (records.kind, other.kind), (one, two), kinds)
    return answer(
        {
            "fromObjectTypeId": records.kind.type_id,
            "fromObjectId": call.id_of_link(one),
            "toObjectTypeId": other.kind.type_id,
            "toObjectId": call.id_of_link(two),
            "labels": [kind.label for kind in kinds if kind.label],
        },
        200 if call.is_newest_version else 201,
    )


def put_default(call: Call, kind: str, record_id: str, to_kind: str, to_id: str) -> Response:
    """Link two records with the plain type."""
    records, other = call.writable(kind), call.readable(to_kind)
    one, two = present(records, record_id), present(other, to_id)
    return batch_answer(call, _link_plainly(call, records.kind, other.kind, one, two), [])


def delete_association(call: Call, kind: str, record_id: str, to_kind: str, to_id: str) -> Response:
    """Remove every link between two records."""
    records, other = call.writable(kind), call.kind(to_kind)
    one, two = id_of(record_id), id_of(to_id)
    if one is not None and two is not None:
        unlink_all(call, records.kind, other, one, two)
    return nothing()


def batch_read(call: Call, kind: str, to_kind: str) -> Response:
    """Read the links of up to a thousand records; a record without any is an error entry."""
    records, target = call.readable(kind), call.kind(to_kind)
    results, errors = [], []
    for one in inputs_of(call.body(), MAX_READ):
        number, after = id_of(str(one.get("id", ""))), id_of(str(one.get("after") or "0"))
        page = _page(call, records.kind, number or 0, target, (after or 0, MAX_PAGE))
        if not page["results"]:
            errors.append(no_links(records.kind, target, str(one.get("id", ""))))
            continue
        page["to"] = page.pop("results")
        results.append({"from": {"id": str(number)}, **page})
    return batch_answer(call, results, errors)


def batch_create(call: Call, kind: str, to_kind: str) -> Response:
    """Create links; labels that are not sent again go. A missing record is an error entry."""
    records, other = call.writable(kind), call.readable(to_kind)

    def create(one: Json, ids: tuple[int, int]) -> list[Json]:
        kinds = links.require_types(call.db, records.kind, other.kind, one.get("types") or [])
        if kinds:
            _relink(call, (records.kind, other.kind), ids, kinds)
        return [_created(call, (records.kind, other.kind), ids, kinds)]

    results, errors = _each(call, records, other, create)
    return batch_answer(call, results, errors, 200 if call.is_newest_version else 201)


def batch_default(call: Call, kind: str, to_kind: str) -> Response:
    """Create links of the plain type."""
    records, other = call.writable(kind), call.readable(to_kind)

    def create(_: Json, ids: tuple[int, int]) -> list[Json]:
        return _link_plainly(call, records.kind, other.kind, *ids)

    return batch_answer(call, *_each(call, records, other, create))


def batch_archive(call: Call, kind: str, to_kind: str) -> Response:
    """Remove all links of pairs of records."""
    records, other = call.writable(kind), call.kind(to_kind)
    inputs = inputs_of(call.body(), MAX_CREATE)
    if len({str((one.get("from") or {}).get("id")) for one in inputs}) > MAX_ARCHIVE:
        refuse(f"At most {MAX_ARCHIVE} different records may stand in from.")
    for one in inputs:
        number = id_of(str((one.get("from") or {}).get("id", "")))
        ends = one.get("to") or []
        for end in ends if isinstance(ends, list) else [ends]:
            to_number = id_of(str(end.get("id", "")))
            if number is not None and to_number is not None:
                unlink_all(call, records.kind, other, number, to_number)
    return batch_answer(call, [], []) if call.is_newest_version else nothing()


def batch_archive_labels(call: Call, kind: str, to_kind: str) -> Response:
    """Remove given types of links."""
    records, other = call.writable(kind), call.kind(to_kind)
    for one in inputs_of(call.body(), MAX_CREATE):
        number = id_of(str((one.get("from") or {}).get("id", "")))
        to_number = id_of(str((one.get("to") or {}).get("id", "")))
        if number is None or to_number is None:
            continue
        wanted = one.get("types") or []
        for found in links.require_types(call.db, records.kind, other, wanted):
            links.unlink(call.db, number, to_number, found)
        recount(call, records.kind, other, number, to_number)
    return batch_answer(call, [], []) if call.is_newest_version else nothing()


def list_labels(call: Call, kind: str, to_kind: str) -> Response:
    """List the types that lead from one object type to another."""
    call.require_any("crm.objects.", "crm.schemas.", "tickets")
    found = links.types_between(call.db, call.kind(kind), call.kind(to_kind))
    return answer(
        {
            "results": [
                {"category": one.category, "typeId": one.type_id, "label": one.label}
                for one in found
            ]
        }
    )


def post_label(call: Call, kind: str, to_kind: str) -> Response:
    """Create a label with its inverse."""
    source, target = call.kind(kind), call.kind(to_kind)
    call.require(source.schema_scope)
    body = call.body()
    if not body.get("name") or not body.get("label"):
        refuse(
            "Invalid input JSON on line 1, column 2. "
            "Some required fields were not set: [label, name]"
        )
    labels = (str(body["label"]), str(body.get("inverseLabel") or body["label"]))
    names = (str(body["name"]), str(body["name"]))
    made = links.make_types(call.db, (source, target), names, labels)
    return answer(
        {
            "results": [
                {"category": one.category, "typeId": one.type_id, "label": one.label}
                for one in made
            ]
        }
    )


def put_label(call: Call, kind: str, to_kind: str) -> Response:
    """Rename a label and its inverse."""
    source, body = call.kind(kind), call.body()
    call.kind(to_kind)
    call.require(source.schema_scope)
    found = links.find_type(call.db, id_of(str(body.get("associationTypeId", ""))) or 0)
    if found is None or found.category != "USER_DEFINED" or not body.get("label"):
        refuse("associationTypeId must name a label of the account, and label must be set.")
    given = [(found.type_id, body["label"])]
    if found.inverse_id != found.type_id:
        given.append((found.inverse_id, body.get("inverseLabel") or body["label"]))
    call.db.executemany(
        "UPDATE association_label SET label = ?2 WHERE type_id = ?1",
        [(type_id, str(label)) for type_id, label in given],
    )
    return nothing()


def delete_label(call: Call, kind: str, to_kind: str, type_id: str) -> Response:
    """Delete a label, its inverse, and the links that carry them."""
    source = call.kind(kind)
    call.kind(to_kind)
    call.require(source.schema_scope)
    number = id_of(type_id) or 0
    found = links.find_type(call.db, number)
    if found is not None and found.category == "USER_DEFINED" and not found.is_default:
        for one in (found.type_id, found.inverse_id):
            call.db.execute("DELETE FROM association_label WHERE type_id = ?", (one,))
            call.db.execute("DELETE FROM association WHERE type_id = ?", (one,))
    return nothing()


def _page(call: Call, source: Kind, record_id: int, target: Kind, window: tuple[int, int]) -> Json:
    after, limit = window
    found = links.targets(call.db, source, record_id, target, after, limit + 1)
    shown = list(found)[:limit]
    members: Json = {
        "results": [
            {
                "toObjectId": call.id_of_link(to_id),
                "associationTypes": [
                    {"category": one.category, "typeId": one.type_id, "label": one.label}
                    for one in found[to_id]
                ],
            }
            for to_id in shown
        ]
    }
    if len(found) > limit:
        members["paging"] = paging(call.link(), str(shown[-1]))
    return members


def present(records: Records, given: str) -> int:
    """Return the id of a record that exists (404 when it does not)."""
    number = id_of(given)
    if number is None or records.find(number) is None:
        raise record_not_found(given)
    return number


def _relink(
    call: Call, pair: tuple[Kind, Kind], ids: tuple[int, int], kinds: list[AssociationType]
) -> None:
    """Link two records; of the labels that users have made, those not sent again are lost."""
    (source, target), (one, two) = pair, ids
    for old in links.targets(call.db, source, one, target, two - 1, 1).get(two, []):
        if old.category == "USER_DEFINED" and not old.is_default:
            links.unlink(call.db, one, two, old)
    link_all(call, one, two, kinds)


def link_all(call: Call, one: int, two: int, kinds: list[AssociationType]) -> None:
    """Link two records with types, and count their links anew."""
    for kind in kinds:
        links.link(call.db, one, two, kind)
    if kinds:
        links.recount(call.account, call.db, (kinds[0].source, one), (kinds[0].target, two))


def _link_plainly(call: Call, source: Kind, target: Kind, one: int, two: int) -> list[Json]:
    plain = links.default_type(call.db, source, target)
    link_all(call, one, two, [plain])
    specs = ((one, two, plain.type_id), (two, one, plain.inverse_id))
    return [
        {
            "from": {"id": str(start)},
            "to": {"id": str(end)},
            "associationSpec": {
                "associationCategory": plain.category,
                "associationTypeId": type_id,
            },
        }
        for start, end, type_id in specs
    ]


def unlink_all(call: Call, source: Kind, target: Kind, one: int, two: int) -> None:
    """Remove every link between two records."""
    links.unlink(call.db, one, two, links.default_type(call.db, source, target))
    recount(call, source, target, one, two)


def recount(call: Call, source: Kind, target: Kind, one: int, two: int) -> None:
    """Bring what tells of links up to date on both ends."""
    links.recount(call.account, call.db, (source.name, one), (target.name, two))


def _each(
    call: Call,
    records: Records,
    other: Records,
    create: Callable[[Json, tuple[int, int]], list[Json]],
) -> tuple[list[Json], list[Json]]:
    results: list[Json] = []
    errors: list[Json] = []
    for position, one in enumerate(inputs_of(call.body(), MAX_CREATE)):
        given = [str((one.get(end) or {}).get("id", "")) for end in ("from", "to")]
        try:
            call.refuse_third(position)
            ids = (present(records, given[0]), present(other, given[1]))
        except ApiError as error:
            context = {"fromObjectId": given[:1], "toObjectId": given[1:]}
            errors.append(error.standard_error(context))
            continue
        results += create(one, ids)
    return results, errors


def _created(
    call: Call, ends: tuple[Kind, Kind], ids: tuple[int, int], kinds: list[AssociationType]
) -> Json:
    return {
        "fromObjectTypeId": ends[0].type_id,
        "fromObjectId": call.id_of_link(ids[0]),
        "toObjectTypeId": ends[1].type_id,
        "toObjectId": call.id_of_link(ids[1]),
        "labels": [kind.label for kind in kinds if kind.label],
    }


def no_links(source: Kind, target: Kind, given: str) -> Json:
    """Build the entry for a record without links."""
    return {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
        "message": f"No {target.singular} is associated with {source.singular} {given}.",
        "context": {
            "fromObjectId": [given],
            "fromObjectType": [source.singular],
            "toObjectType": [target.singular],
        },
    }


def batch_answer(
    call: Call, results: list[Json], errors: list[Json], status: int = 200
) -> Response:
    """Build the answer to a batch; its order is nobody's business."""
    call.account.random.shuffle(results)
    now = call.account.clock.now()
    return answer(batch(now, now, results, errors), 207 if errors else status)
