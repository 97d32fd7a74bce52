"""Criteria as the search request HubSpot gets, for a person to read, and the way back."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from hubconnect.connectors.base import Condition, Criteria, Operator, QueryLine, Value, ValueType
from hubconnect.connectors.errors import AttentionError
from hubconnect.connectors.hubspot.api import OBJECTS, Json
from hubconnect.connectors.hubspot.schema import Schema
from hubconnect.connectors.hubspot.search import (
    OPERATORS,
    WITH_VALUES,
    WITHOUT_VALUE,
    build_body,
    build_filters,
)
from hubconnect.connectors.hubspot.values import EPOCH

# Stand for what only a run knows; no value that HubSpot compares looks like it.
FROM, TO, LAST = "<start of the window>", "<end of the window>", "<last id read>"
FIELDS = "<fields of the mapping>"
HINT = 'A search request looks like {"filterGroups": [{"filters": [{"propertyName": …}]}]}.'
_TIMES = {ValueType.DATE, ValueType.DATETIME}


def explain(schema: Schema, criteria: Criteria) -> tuple[QueryLine, ...]:
    """Return the search that reads a window of changes, one filter to a line."""
    return tuple(_lines(schema, build_filters(criteria, schema)))


def _lines(schema: Schema, asked: list[Json]) -> Iterator[QueryLine]:
    window = {
        "propertyName": schema.kind.modified,
        "operator": "BETWEEN",
        "value": FROM,
        "highValue": TO,
    }
    body = build_body([[window, *asked]], [FIELDS], after_id=LAST)
    (group,) = body.pop("filterGroups")
    yield QueryLine(f"POST {OBJECTS}/{schema.kind.name}/search")
    yield QueryLine('{"filterGroups": [{"filters": [')
    for place, each in enumerate(group["filters"], 1):
        comma = "," if place < len(group["filters"]) else ""
        yield QueryLine(f"  {_text(each)}{comma}", is_ours=each not in asked)
    yield QueryLine(" ]}],")
    rest = [f"{_text(name)}: {_text(value)}" for name, value in body.items()]
    for place, each in enumerate(rest, 1):
        yield QueryLine(f" {each}{',' if place < len(rest) else '}'}", is_ours=True)


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def understand(schema: Schema, query: str) -> Criteria:
    """Return the criteria that a search request stands for; our own two filters are left out.

    Raises:
        AttentionError: it is no search request, or asks what criteria cannot.
    """
    filters = [each for each in _filters(query) if not _is_ours(each)]
    return tuple(_condition(schema, each) for each in filters)


def _filters(query: str) -> list[Mapping[str, Any]]:
    try:
        found = json.loads(query[query.index("{") :])
    except (ValueError, RecursionError):
        msg = "This is not JSON."
        raise AttentionError(msg, hint=HINT) from None
    groups = found.get("filterGroups") or [found]
    if isinstance(groups, list) and len(groups) > 1:
        msg = f"The request has {len(groups)} filter groups, of which one must hold."
        hint = (
            "Criteria are not grouped: all conditions hold. For several values of a field use IN."
        )
        raise AttentionError(msg, hint=hint)
    group = groups[0] if isinstance(groups, list) else None
    filters = group.get("filters") if isinstance(group, dict) else None
    if not isinstance(filters, list) or not all(isinstance(each, dict) for each in filters):
        msg = "There is no list of filters in it."
        raise AttentionError(msg, hint=HINT)
    return filters


def _is_ours(each: Mapping[str, Any]) -> bool:
    return each.get("value") in (FROM, LAST)


def _condition(schema: Schema, each: Mapping[str, Any]) -> Condition:
    field = schema.get_searchable(str(each.get("propertyName")))
    by_word = {word: operator for operator, word in OPERATORS.items()}
    operator = by_word.get(str(each.get("operator")))
    if operator is None:
        msg = f"“{each.get('operator')}” on {field.name} is no operator of a search."
        raise AttentionError(msg, hint=f"Known are {', '.join(by_word)}.")
    if operator in WITHOUT_VALUE:
        return Condition(field.name, operator)
    if operator in WITH_VALUES:
        values = each.get("values")
        if not isinstance(values, list) or not values:
            msg = f"{each['operator']} on {field.name} has no values."
            raise AttentionError(msg, hint=HINT)
        listed = tuple(_value(schema, field.name, value) for value in values)
        return Condition(field.name, operator, values=listed)
    value = _value(schema, field.name, each.get("value"))
    if operator is not Operator.BETWEEN:
        return Condition(field.name, operator, value)
    return Condition(
        field.name, operator, value, high=_value(schema, field.name, each.get("highValue"))
    )


def _value(schema: Schema, name: str, raw: object) -> Value:
    text = _plain(raw)
    if text and schema.fields[name].type in _TIMES and text.lstrip("-").isdecimal():
        text = _moment(text)
    value = schema.parse(name, text) if text else None
    if value is None:
        msg = f"The filter on {name} has no value that {schema.fields[name].label} could hold."
        hint = "For records without a value HubSpot has NOT_HAS_PROPERTY."
        raise AttentionError(msg, hint=hint)
    return value


def _plain(raw: object) -> str:
    if isinstance(raw, bool):
        return "true" if raw else "false"
    return "" if raw is None else str(raw)


def _moment(milliseconds: str) -> str:
    try:
        moment = EPOCH + timedelta(milliseconds=int(milliseconds))
    except (OverflowError, ValueError):  # beyond what a date can be, or no number after all
        return ""
    return datetime.isoformat(moment.astimezone(UTC), timespec="milliseconds")
