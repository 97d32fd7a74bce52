"""The search call (page "Search the CRM"): its limits, its order, and its late view of things."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from werkzeug.wrappers import Response

from hubconnect.sandbox import search_sql
from hubconnect.sandbox.call import Call, answer
from hubconnect.sandbox.errors import Json, refuse
from hubconnect.sandbox.filters import Filter, comparable, matches, read_groups
from hubconnect.sandbox.records import Record, Records, id_of
from hubconnect.sandbox.search_sql import Row
from hubconnect.sandbox.shapes import paging, read_names, shape

MAX_BODY = 3000
MAX_PAGE = 200
MAX_RESULTS = 10_000


def search(call: Call, kind: str) -> Response:
    """Search records of one object type."""
    records = call.readable(kind)
    size = len(call.request.get_data(as_text=True))
    if size > MAX_BODY:
        refuse(f"The request body has {size} characters. The maximum is {MAX_BODY}.")
    body = call.body()
    limit, after = _window(body)
    groups = read_groups(records.schema, body)
    name, direction = _order(records, body)
    query = str(body.get("query") or "").lower()
    total, rows = _find(records, groups, query, (name, direction), (after, limit))
    names = read_names(records, body.get("properties") or [])
    members: Json = {
        "total": total,
        "results": [shape(records, _record(row), names) for row in rows],
    }
    if after + limit < total:
        members["paging"] = paging(call.request.base_url, str(after + limit))
    return answer(members)


def _window(body: Json) -> tuple[int, int]:
    limit = body.get("limit", 10)
    if not isinstance(limit, int) or not 0 <= limit <= MAX_PAGE:
        refuse(f"Invalid limit: {limit}. It must lie between 0 and {MAX_PAGE}.")
    after = id_of(str(body.get("after") or "0"))
    if after is None:
        refuse(f"Invalid after: {body['after']}. It must be a number.")
    if after + limit > MAX_RESULTS:
        message = f"Paging beyond {MAX_RESULTS} results is not supported. Narrow the search."
        refuse(message)
    return limit or 10, after


def _order(records: Records, body: Json) -> tuple[str, str]:
    """Return property and direction to sort by; oldest first where nothing is said."""
    sorts = body.get("sorts") or []
    if len(sorts) > 1:
        refuse("Only one sort is supported.")
    if not sorts:
        return records.kind.created_property, "ASC"
    sort = sorts[0]
    if isinstance(sort, str):
        name, direction = sort.removeprefix("-"), "DESC" if sort.startswith("-") else "ASC"
    else:
        name = str(sort.get("propertyName", ""))
        direction = "DESC" if sort.get("direction") == "DESCENDING" else "ASC"
    if records.schema.find(name) is None:
        refuse(f'Property "{name}" does not exist on {records.kind.name}.')
    return name, direction


def _find(
    records: Records,
    groups: list[list[Filter]],
    query: str,
    order: tuple[str, str],
    window: tuple[int, int],
) -> tuple[int, list[Row]]:
    """Return the number of matches and the rows of one page."""
    kind = records.kind
    where = search_sql.build_where(records.db, kind, groups)
    name, direction = order
    columns = {
        "hs_object_id": "hs_object_id",
        kind.created_property: "created",
        kind.modified_property: "modified",
    }
    if where.is_exact and not query and name in columns:
        total = search_sql.count(records.db, where)
        rows = search_sql.fetch(records.db, where, columns[name], direction, window, total)
        return total, rows
    found: dict[int, Row] = {}
    for group in groups or [[]]:
        narrowed = search_sql.build_where(records.db, kind, [group])
        test = _test(records, group, query)
        found |= {row[0]: row for row in search_sql.scan(records.db, narrowed) if test(row)}
    rows = list(found.values())
    _sort(records, rows, name, descending=direction == "DESC")
    offset, limit = window
    return len(rows), rows[offset : offset + limit]


def _test(records: Records, group: list[Filter], query: str) -> Callable[[Row], bool]:
    """Build the test for one group; conditions on associations were exact in SQL."""
    words = query.split()
    conditions = [one for one in group if one.target is None]

    def test(row: Row) -> bool:
        values = _record(row).properties(records.schema)
        if words and not _mentions(values, records.kind.searchable, words):
            return False
        return all(matches(one, values) for one in conditions)

    return test


def _mentions(values: Mapping[str, str], names: tuple[str, ...], words: list[str]) -> bool:
    text = " ".join(values[name].lower() for name in names if name in values)
    return all(word in text for word in words)


def _sort(records: Records, rows: list[Row], name: str, *, descending: bool) -> None:
    """Sort by a property; records without a value come last."""
    found = records.schema.properties[name]

    def key(row: Row) -> Any:  # noqa: ANN401 - a number or a text, the same for all rows
        return comparable(found, _record(row).properties(records.schema)[name])

    filled = [row for row in rows if name in _record(row).properties(records.schema)]
    empty = [row for row in rows if name not in _record(row).properties(records.schema)]
    filled.sort(key=key, reverse=descending)
    rows[:] = filled + empty


def _record(row: Row) -> Record:
    return Record(row[0], row[1], row[2], None, json.loads(row[3]))
