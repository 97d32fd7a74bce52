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

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from json import JSONDecodeError, JSONDecoder
from typing import Any

from hubconnect.connectors.base import Condition, Criteria, Field, Operator, Value, ValueType
from hubconnect.engine.criteria_values import CriteriaInvalidError, read_value
from hubconnect.engine.matching import is_below, matches
from hubconnect.engine.values import TEXTS, show

__all__ = ["CriteriaInvalidError", "decode", "describe", "matches", "parse", "parse_text"]

EXAMPLE = '[{"condition": "EQUALS", "field": "dealname", "value": "new"}]'
_KEYS = frozenset({"condition", "field", "value", "values", "highValue"})
_GROUP_WORDS = frozenset({"and", "or", "&&", "||"})
_GROUP_KEYS = frozenset({"and", "or", "not", "criterias", "criteria", "filters", "filtergroups"})
_NO_VALUE = frozenset({Operator.HAS_PROPERTY, Operator.NOT_HAS_PROPERTY})
_MANY = frozenset({Operator.IN, Operator.NOT_IN})
_ORDER = frozenset(
    {
        Operator.GREATER_THAN,
        Operator.GREATER_THAN_OR_EQUALS,
        Operator.LESS_THAN,
        Operator.LESS_THAN_OR_EQUALS,
        Operator.BETWEEN,
    }
)
_TOKENS = frozenset({Operator.CONTAINS_TOKEN, Operator.NOT_CONTAINS_TOKEN})
_ORDERED_TYPES = frozenset({ValueType.NUMBER, ValueType.DATE, ValueType.DATETIME})
# Words people bring along from the Search API and from SQL.
_OTHER_WORDS = {
    "EQ": Operator.EQUALS,
    "=": Operator.EQUALS,
    "NEQ": Operator.NOT_EQUALS,
    "!=": Operator.NOT_EQUALS,
    "GT": Operator.GREATER_THAN,
    "GTE": Operator.GREATER_THAN_OR_EQUALS,
    "LT": Operator.LESS_THAN,
    "LTE": Operator.LESS_THAN_OR_EQUALS,
    "CONTAINS": Operator.CONTAINS_TOKEN,
    "LIKE": Operator.CONTAINS_TOKEN,
    "IS_NULL": Operator.NOT_HAS_PROPERTY,
}
_MOST_CONDITIONS = 100


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
        if error.index is not None and isinstance(conditions, list):
            error.line = _line_of(text, error.index)
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


def _line_of(text: str, index: int) -> int | None:
    """Return the line on which an element of the outermost list begins."""
    decoder, position = _decoder(), text.index("[") + 1
    for place in range(index + 1):
        while text[position] in " \t\r\n,":
            position += 1
        if place == index:
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
    listed = as_list(conditions)
    if max_conditions is not None and len(listed) > max_conditions:
        msg = f"{len(listed)} conditions are too many: at most {max_conditions} may be given."
        raise CriteriaInvalidError(
            msg,
            f"HubSpot's search takes five; HubConnect needs two of them for itself, so "
            f"{max_conditions} are yours. Several values of one field fit into one IN.",
            max_conditions,
        )
    return tuple(_condition(one, fields, index) for index, one in enumerate(listed))


def as_list(conditions: object) -> list[object]:
    """Return the conditions as a list, unless they are something else.

    Raises:
        CriteriaInvalidError: no list, or far too long.
    """
    if isinstance(conditions, Mapping) and _is_group(conditions):
        raise _grouped(None)
    if not isinstance(conditions, list):
        msg = "Criteria are a list of conditions between [ and ]."
        raise CriteriaInvalidError(msg, f"Write {EXAMPLE}.")
    if len(conditions) > _MOST_CONDITIONS:
        msg = f"{len(conditions)} conditions are too many."
        raise CriteriaInvalidError(msg, index=_MOST_CONDITIONS)
    return conditions


def _condition(one: object, fields: Mapping[str, Field], index: int) -> Condition:
    plain = as_condition(one, index)
    operator = _operator(plain.get("condition"), index)
    field = find_field(plain.get("field"), fields, index)
    _check_type(operator, field, index)
    if operator in _NO_VALUE:
        if any(plain.get(key) not in (None, "", []) for key in ("value", "values", "highValue")):
            msg = f"{operator} takes no value."
            raise CriteriaInvalidError(msg, "Leave the value out.", index)
        return Condition(field.name, operator)
    if operator in _MANY:
        return Condition(field.name, operator, values=_many(plain, operator, field, index))
    value = read_value(plain.get("value"), field, index)
    if operator is Operator.BETWEEN:
        high = read_value(plain.get("highValue"), field, index, key="highValue")
        if is_below(high, value):
            msg = f"BETWEEN on {field.label}: “highValue” is below “value”, so nothing can match."
            raise CriteriaInvalidError(msg, "Exchange the two.", index)
        return Condition(field.name, operator, value, high=high)
    if plain.get("values") or plain.get("highValue") is not None:
        msg = f"{operator} takes one “value”."
        raise CriteriaInvalidError(msg, "For several values use IN, for a span BETWEEN.", index)
    return Condition(field.name, operator, value)


def as_condition(one: object, index: int) -> Mapping[str, Any]:
    """Return one element of the list as an object with known keys only.

    Raises:
        CriteriaInvalidError: a group, no object, or a key that nothing is known of.
    """
    if isinstance(one, list) or (isinstance(one, Mapping) and _is_group(one)):
        raise _grouped(index)
    if not isinstance(one, Mapping):
        msg = "A condition is an object between { and }."
        raise CriteriaInvalidError(msg, f"Write {EXAMPLE}.", index)
    for key in one:
        if key not in _KEYS:
            near = get_close_matches(str(key), _KEYS, 1)
            msg = f"“{key}” is not part of a condition."
            raise CriteriaInvalidError(
                msg,
                f"Did you mean “{near[0]}”?"
                if near
                else "A condition has “condition”, “field” and “value”, “values” or “highValue”.",
                index,
            )
    return one


def _is_group(one: Mapping[str, Any]) -> bool:
    word = str(one.get("condition", "")).lower()
    return word in _GROUP_WORDS or any(str(key).lower() in _GROUP_KEYS for key in one)


def _grouped(index: int | None) -> CriteriaInvalidError:
    return CriteriaInvalidError(
        "Conditions cannot be grouped: no AND, OR or lists inside each other.",
        "All conditions of the list must hold. For one of several values of a field use IN; for "
        "other alternatives make a second integration.",
        index,
    )


def _operator(word: object, index: int) -> Operator:
    known = list(Operator)
    if isinstance(word, str) and word in known:
        return Operator(word)
    if not isinstance(word, str) or not word:
        msg = "“condition” is missing."
        raise CriteriaInvalidError(msg, "Give one such as “EQUALS”.", index)
    typed = word.upper().replace(" ", "_")
    near: list[str] = [typed] if typed in known else get_close_matches(typed, known, 1)
    meant = _OTHER_WORDS.get(typed) or (near[0] if near else None)
    msg = f"“{word}” is not a condition."
    raise CriteriaInvalidError(
        msg,
        f"Did you mean “{meant}”?" if meant else f"Known are {', '.join(known)}.",
        index,
    )


def find_field(name: object, fields: Mapping[str, Field], index: int | None) -> Field:
    """Return the field of this internal name.

    Raises:
        CriteriaInvalidError: there is none; with the one that may be meant.
    """
    if not isinstance(name, str) or not name:
        msg = "“field” is missing."
        raise CriteriaInvalidError(msg, "Give the internal name of a field.", index)
    if name in fields:
        return fields[name]
    meant = _meant_field(name, fields)
    msg = f"There is no field “{name}”."
    raise CriteriaInvalidError(
        msg,
        f"Did you mean “{meant.name}” ({meant.label})?"
        if meant
        else "Give the internal name of a field, which is not its label.",
        index,
    )


def _meant_field(name: str, fields: Mapping[str, Field]) -> Field | None:
    by_word = {field.label.casefold(): field for field in fields.values()}
    by_word |= {internal.casefold(): field for internal, field in fields.items()}
    word = name.casefold()
    near = [word] if word in by_word else get_close_matches(word, by_word, 1, 0.7)
    return by_word[near[0]] if near else None


def _check_type(operator: Operator, field: Field, index: int) -> None:
    if operator in _ORDER and field.type not in _ORDERED_TYPES:
        msg = f"{operator} compares numbers and dates; {field.label} is neither."
        raise CriteriaInvalidError(msg, "Use EQUALS, IN or CONTAINS_TOKEN.", index)
    if operator in _TOKENS and field.type not in TEXTS:
        msg = f"{operator} looks for words in a text; {field.label} is not one."
        raise CriteriaInvalidError(msg, "Use EQUALS or IN.", index)


def _many(
    plain: Mapping[str, Any], operator: Operator, field: Field, index: int
) -> tuple[Value, ...]:
    values = plain.get("values")
    if not isinstance(values, list) or not values:
        msg = f"{operator} takes a list of “values”."
        raise CriteriaInvalidError(msg, 'Write "values": ["one", "two"].', index)
    if plain.get("value") is not None or plain.get("highValue") is not None:
        msg = f"{operator} takes “values” and nothing beside them."
        raise CriteriaInvalidError(msg, "Take “value” out.", index)
    return tuple(read_value(one, field, index) for one in values)


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


def _describe(one: Condition, field: Field | None) -> str:
    is_time = isinstance(one.value, date)
    words = [
        field.label if field else one.field,
        (_TIME_WORDS if is_time else _WORDS)[one.operator],
    ]
    if one.operator in _MANY:
        words.append(", ".join(show(value, field) for value in one.values))
    elif one.operator not in _NO_VALUE:
        words.append(show(one.value, field))
    if one.operator is Operator.BETWEEN:
        words += ["and", show(one.high, field)]
    return " ".join(words)
