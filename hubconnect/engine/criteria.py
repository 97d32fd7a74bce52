"""Which records of the source a flow takes: conditions as JSON, checked, put into words, applied.

The JSON is a list of conditions that must all hold::

    [
        {"condition": "EQUALS", "field": "dealstage", "value": "appointmentscheduled"},
        {"condition": "IN", "field": "dealtype", "values": ["newbusiness", "existingbusiness"]},
        {"condition": "BETWEEN", "field": "amount", "value": 10, "highValue": 20},
        {"condition": "HAS_PROPERTY", "field": "closedate"},
    ]

Times are ISO 8601 with a zone (2025-06-15T03:00:29.864Z), options their internal values.
"""

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from json import JSONDecodeError, JSONDecoder
from typing import Any

from hubconnect.connectors.base import Condition, Criteria, Field, Operator, Value
from hubconnect.engine.conditions import (
    EXAMPLE,
    MANY,
    NO_VALUE,
    RawCondition,
    operators_for,
    read_conditions,
)
from hubconnect.engine.criteria_values import CriteriaInvalidError, read_value
from hubconnect.engine.matching import is_below, matches
from hubconnect.engine.values import as_text, show

__all__ = [
    "CriteriaInvalidError",
    "decode",
    "describe",
    "encode",
    "line_of",
    "matches",
    "operators_for",
    "parse",
    "parse_text",
    "to_json",
    "words_for",
]

# --- Reading -----------------------------------------------------------------------------------


def parse_text(text: str, fields: Mapping[str, Field], max_conditions: int | None) -> Criteria:
    """Return the criteria a person typed; an empty text is none.

    Raises:
        CriteriaInvalidError: with line and column in the text.
    """
    if not text.strip():
        return ()
    conditions = decode(text)
    try:
        return parse(conditions, fields, max_conditions)
    except CriteriaInvalidError as error:
        error.line = line_of(text, conditions, error)
        raise


def decode(text: str) -> object:
    """Return what a JSON text holds, numbers as Decimal.

    Raises:
        CriteriaInvalidError: it is no JSON; with line and column.
    """
    try:
        return _decoder().decode(text.strip())
    except JSONDecodeError as error:
        invalid = CriteriaInvalidError(
            f"This is not valid JSON: {error.msg[:1].lower()}{error.msg[1:]}.",
            f"Criteria look like {EXAMPLE}.",
        )
        lead = text[: len(text) - len(text.lstrip())]
        breaks = lead.count("\n")
        invalid.line = error.lineno + breaks
        invalid.column = error.colno + (len(lead) - lead.rfind("\n") - 1) * (error.lineno == 1)
        raise invalid from None
    except (RecursionError, ValueError):
        msg = "This is not JSON that HubConnect can read."
        raise CriteriaInvalidError(msg, f"Criteria look like {EXAMPLE}.") from None


def _decoder() -> JSONDecoder:
    return JSONDecoder(parse_float=Decimal, parse_int=Decimal, parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> None:
    msg = f"{name} is no JSON"
    raise ValueError(msg)


def line_of(text: str, conditions: object, error: CriteriaInvalidError) -> int | None:
    """Return the line on which the condition at fault begins, from 1, if it can be told."""
    if error.index is None or not isinstance(conditions, list):
        return None
    decoder, position = _decoder(), text.index("[") + 1
    for place in range(min(error.index, len(conditions) - 1) + 1):
        while text[position] in " \t\r\n,":
            position += 1
        if place == error.index:
            return text.count("\n", 0, position) + 1
        position = decoder.raw_decode(text, position)[1]
    return None


def parse(conditions: object, fields: Mapping[str, Field], max_conditions: int | None) -> Criteria:
    """Return checked criteria from decoded JSON.

    Raises:
        CriteriaInvalidError: naming the condition at fault.
    """
    if conditions is None:
        return ()
    why = (
        f"HubSpot's search takes five; HubConnect needs two of them for itself, so "
        f"{max_conditions} are yours. Several values of one field fit into one IN."
    )
    return tuple(
        _condition(one) for one in read_conditions(conditions, fields, max_conditions, why)
    )


def _condition(raw: RawCondition) -> Condition:
    field, operator, index = raw.field, raw.operator, raw.index
    if operator in NO_VALUE:
        return Condition(field.name, operator)
    if operator in MANY:
        values = tuple(read_value(one, field, index) for one in raw.values)
        return Condition(field.name, operator, values=values)
    value = read_value(raw.value, field, index)
    if operator is not Operator.BETWEEN:
        return Condition(field.name, operator, value)
    high = read_value(raw.high, field, index, key="highValue")
    if is_below(high, value):
        msg = f"BETWEEN on {field.label}: “highValue” is below “value”, so nothing can match."
        raise CriteriaInvalidError(msg, "Exchange the two.", index)
    return Condition(field.name, operator, value, high=high)


# --- Writing -----------------------------------------------------------------------------------


def to_json(criteria: Criteria) -> list[dict[str, Any]]:
    """Return criteria as the JSON that ``parse`` reads."""
    return [_plain(one) for one in criteria]


def _plain(one: Condition) -> dict[str, Any]:
    plain: dict[str, Any] = {"condition": one.operator.value, "field": one.field}
    if one.operator in MANY:
        plain["values"] = [_plain_value(value) for value in one.values]
    elif one.operator not in NO_VALUE:
        plain["value"] = _plain_value(one.value)
    if one.operator is Operator.BETWEEN:
        plain["highValue"] = _plain_value(one.high)
    return plain


def _plain_value(value: Value) -> bool | Decimal | str:
    return value if isinstance(value, bool | Decimal) else as_text(value)


def encode(conditions: object) -> str:
    """Return conditions as the text of the form; numbers keep their digits."""
    return (
        json.dumps(conditions, indent=2, ensure_ascii=False, default=_number) if conditions else ""
    )


def _number(value: object) -> int | float:
    if not isinstance(value, Decimal):
        msg = f"{value!r} is not JSON"
        raise TypeError(msg)
    return int(value) if value == value.to_integral_value() else float(value)


# --- In words ----------------------------------------------------------------------------------

_WORDS: dict[Operator, str] = {
    Operator.EQUALS: "is",
    Operator.NOT_EQUALS: "is not",
    Operator.GREATER_THAN: "is above",
    Operator.GREATER_THAN_OR_EQUALS: "is at least",
    Operator.LESS_THAN: "is below",
    Operator.LESS_THAN_OR_EQUALS: "is at most",
    Operator.BETWEEN: "is between",
    Operator.IN: "is one of",
    Operator.NOT_IN: "is none of",
    Operator.HAS_PROPERTY: "has a value",
    Operator.NOT_HAS_PROPERTY: "is empty",
    Operator.CONTAINS_TOKEN: "contains",
    Operator.NOT_CONTAINS_TOKEN: "does not contain",
}
_TIME_WORDS = _WORDS | {
    Operator.GREATER_THAN: "is after",
    Operator.GREATER_THAN_OR_EQUALS: "is not before",
    Operator.LESS_THAN: "is before",
    Operator.LESS_THAN_OR_EQUALS: "is not after",
}


def describe(criteria: Criteria, fields: Mapping[str, Field]) -> str:
    """Return the criteria as a sentence part; labels where they are known; "" for none."""
    return " and ".join(_describe(one, fields.get(one.field)) for one in criteria)


def words_for(operator: Operator, *, is_time: bool) -> str:
    """Return an operator as a verb: ``is above``, or ``is after`` for times."""
    return (_TIME_WORDS if is_time else _WORDS)[operator]


def _describe(one: Condition, field: Field | None) -> str:
    is_time = isinstance(one.value, date)
    words = [field.label if field else one.field, words_for(one.operator, is_time=is_time)]
    if one.operator in MANY:
        words.append(", ".join(show(value, field) for value in one.values))
    elif one.operator not in NO_VALUE:
        words.append(show(one.value, field))
    if one.operator is Operator.BETWEEN:
        words += ["and", show(one.high, field)]
    return " ".join(words)
