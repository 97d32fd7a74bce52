"""Calls on up to a hundred records (guide of each object, section on batches).

A create, update or upsert in which one input is wrong fails as a whole, unless every input carries
an ``objectWriteTraceId`` of its own: then the others are carried out and the answer is 207.
"""

from collections.abc import Callable
from typing import Any

from werkzeug.wrappers import Response

from hubconnect.sandbox import links
from hubconnect.sandbox.call import Call, answer, nothing
from hubconnect.sandbox.errors import ApiError, Json, refuse
from hubconnect.sandbox.objects import create_with_links, properties_of, resolve_ids
from hubconnect.sandbox.records import Record, Records, id_of
from hubconnect.sandbox.shapes import (
    batch,
    history,
    read_names,
    shape,
    shape_full,
    shape_written,
)
from hubconnect.sandbox.store import savepoint
from hubconnect.sandbox.writing import create_record, update_record

MAX_INPUTS = 100
MAX_INPUTS_WITH_HISTORY = 50
Write = Callable[[Json], Json]


def batch_read(call: Call, kind: str) -> Response:
    """Read records by id or by a unique property; what is missing makes the answer a 207."""
    records = call.readable(kind)
    body = call.body()
    with_history = body.get("propertiesWithHistory") or []
    largest = MAX_INPUTS_WITH_HISTORY if with_history else MAX_INPUTS
    asked = [str(one.get("id", "")) for one in inputs_of(body, largest)]
    found = resolve_ids(
        records,
        asked,
        body.get("idProperty") or "",
        archived=call.flag("archived"),
        merged=True,
    )
    names = read_names(records, body.get("properties") or [])
    results = []
    for record in found.values():
        members = shape(records, record, names)
        if with_history:
            members["propertiesWithHistory"] = history(records, record, with_history)
        results.append(members)
    missing = [one for one in asked if one not in found]
    return _answer(call, results, [_missing(records, missing, {})] if missing else [])


def batch_create(call: Call, kind: str) -> Response:
    """Create records."""
    records = call.writable(kind)
    inputs = inputs_of(call.body())

    def write(one: Json) -> Json:
        return shape_full(records, create_with_links(call, records, one))

    return _answer(call, *_carry_out(call, inputs, write), status=201)


def batch_update(call: Call, kind: str) -> Response:
    """Update records by id or by a unique property."""
    records = call.writable(kind)
    inputs = inputs_of(call.body())
    refuse_duplicates([str(one.get("id", "")) for one in inputs])
    found = _resolve_inputs(records, inputs)
    missing = [one for one in inputs if str(one.get("id", "")) not in found]
    # An id that was merged away is in neither list of the answer.
    numbers = {str(one.get("id", "")): id_of(str(one.get("id", ""))) or 0 for one in missing}
    gone = records.merged_into(numbers.values())
    missing = [one for one in missing if numbers[str(one.get("id", ""))] not in gone]

    def write(one: Json) -> Json:
        return _update(call, records, found[str(one["id"])], one)

    present = [one for one in inputs if str(one.get("id", "")) in found]
    results, errors = _carry_out(call, present, write, traced=_are_traced(inputs))
    for one in missing:
        errors.append(_missing(records, [str(one.get("id", ""))], one))
    return _answer(call, results, errors)


def batch_upsert(call: Call, kind: str) -> Response:
    """Update records found by a unique property and create the others."""
    records = call.writable(kind)
    inputs = inputs_of(call.body())
    refuse_duplicates([str(one.get("id", "")) for one in inputs])
    found = _resolve_inputs(records, inputs)

    def write(one: Json) -> Json:
        given = str(one.get("id", ""))
        if given in found:
            return {**_update(call, records, found[given], one), "new": False}
        properties = {**properties_of(one)}
        id_property = one.get("idProperty") or "hs_object_id"
        if id_property != "hs_object_id":
            properties.setdefault(id_property, given)
        record = create_record(records, properties, call.source)
        return {**shape_full(records, record), "new": True}

    return _answer(call, *_carry_out(call, inputs, write))


def batch_archive(call: Call, kind: str) -> Response:
    """Archive records; unknown ids are passed over."""
    records = call.writable(kind)
    numbers = [id_of(str(one.get("id", ""))) for one in inputs_of(call.body())]
    links.archive(call.account, call.db, records, [one for one in numbers if one is not None])
    return nothing()


def inputs_of(body: Json, largest: int = MAX_INPUTS) -> list[Json]:
    """Return the inputs of a batch.

    Raises:
        ApiError: there are none, too many, or they are no objects (400).
    """
    inputs = body.get("inputs")
    if not isinstance(inputs, list) or not all(isinstance(one, dict) for one in inputs):
        message = (
            "Invalid input JSON on line 1, column 2. Some required fields were not set: [inputs]"
        )
        refuse(message)
    if not inputs:
        refuse("Batch input may not be empty.")
    if len(inputs) > largest:
        message = f"Batch input has {len(inputs)} entries. The maximum is {largest}."
        refuse(message)
    return inputs


def refuse_duplicates(ids: list[str]) -> None:
    """Refuse a batch that names a record twice (400)."""
    twice = sorted({one for one in ids if ids.count(one) > 1})
    if twice:
        message = f"Duplicate IDs found in batch input: [{', '.join(twice)}]. IDs must be unique"
        refuse(message)


def _are_traced(inputs: list[Json]) -> bool:
    traces = [one.get("objectWriteTraceId") for one in inputs]
    return all(traces) and len(set(traces)) == len(traces)


def _carry_out(
    call: Call, inputs: list[Json], write: Write, *, traced: bool | None = None
) -> tuple[list[Json], list[Json]]:
    """Write each input, alone where inputs are traced, else all or nothing."""
    results: list[Json] = []
    errors: list[Json] = []
    alone = _are_traced(inputs) if traced is None else traced
    for position, one in enumerate(inputs):
        trace = {key: one[key] for key in ("objectWriteTraceId",) if key in one}
        try:
            call.refuse_third(position)
            with savepoint(call.db):
                results.append({**write(one), **trace})
        except ApiError as error:
            if not alone:
                raise
            errors.append(error.standard_error({key: [str(of)] for key, of in trace.items()}))
    return results, errors


def _resolve_inputs(records: Records, inputs: list[Json]) -> dict[str, Record]:
    """Find the records the inputs name, each by its own ``idProperty``."""
    by_property: dict[str, list[str]] = {}
    for one in inputs:
        by_property.setdefault(one.get("idProperty") or "", []).append(str(one.get("id", "")))
    found: dict[str, Record] = {}
    for id_property, ids in by_property.items():
        found |= resolve_ids(records, ids, id_property)
    return found


def _update(call: Call, records: Records, before: Record, one: Json) -> Json:
    incoming = properties_of(one)
    after = update_record(records, before, incoming, call.source)
    return shape_written(records, before, after, incoming)


def _missing(records: Records, ids: list[str], one: dict[str, Any]) -> Json:
    context = {"ids": ids}
    if "objectWriteTraceId" in one:
        context["objectWriteTraceId"] = [str(one["objectWriteTraceId"])]
    return {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "message": (
            f"Could not get some {records.kind.upper} objects, they may be deleted or not exist. "
            "Check that ids are valid."
        ),
        "context": context,
    }


def _answer(call: Call, results: list[Json], errors: list[Json], status: int = 200) -> Response:
    """Build the answer; its order is nobody's business, so it is shuffled."""
    call.account.random.shuffle(results)
    now = call.account.clock.now()
    return answer(batch(now, now, results, errors), 207 if errors else status)
