"""The structure of conditions as people write them: list, operator, field; values still as JSON.

Criteria and target lookups are written alike; what may stand in a value is their own matter.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from hubconnect.connectors.base import Field, Operator, ValueType
from hubconnect.engine.criteria_values import CriteriaInvalidError
from hubconnect.engine.values import TEXTS

EXAMPLE = '[{"condition": "EQUALS", "field": "dealname", "value": "new"}]'
_KEYS = frozenset({"condition", "field", "value", "values", "highValue"})
_GROUP_WORDS = frozenset({"and", "or", "&&", "||"})
_GROUP_KEYS = frozenset({"and", "or", "not", "criterias", "criteria", "filters", "filtergroups"})
NO_VALUE = frozenset({Operator.HAS_PROPERTY, Operator.NOT_HAS_PROPERTY})
MANY = frozenset({Operator.IN, Operator.NOT_IN})
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


@dataclass(frozen=True, slots=True)
class RawCondition:
    """One condition with its field and operator checked; values as they stand in the JSON.

    ``value`` serves the one-valued operators and the low end of BETWEEN, ``values`` IN and NOT_IN.
    """

    index: int
    field: Field
    operator: Operator
    value: object = None
    values: tuple[object, ...] = ()
    high: object = None


def read_conditions(
    conditions: object, fields: Mapping[str, Field], max_conditions: int | None, why: str
) -> Iterator[RawCondition]:
    """Yield the conditions of decoded JSON; ``why`` says where the limit comes from.

    Raises:
        CriteriaInvalidError: naming the condition at fault.
    """
    listed = as_list(conditions)
    if max_conditions is not None and len(listed) > max_conditions:
        msg = f"{len(listed)} conditions are too many: at most {max_conditions} may be given."
        raise CriteriaInvalidError(msg, why, max_conditions)
    for index, one in enumerate(listed):
        yield _read(one, fields, index)


def _read(one: object, fields: Mapping[str, Field], index: int) -> RawCondition:
    plain = as_condition(one, index)
    operator = _operator(plain.get("condition"), index)
    field = find_field(plain.get("field"), fields, index)
    if not field.searchable:
        msg = f"Records cannot be searched by {field.label} ({field.name})."
        raise CriteriaInvalidError(msg, "Use another field.", index)
    _check_type(operator, field, index)
    value, values, high = (plain.get(key) for key in ("value", "values", "highValue"))
    if operator in NO_VALUE:
        if any(one not in (None, "", []) for one in (value, values, high)):
            msg = f"{operator} takes no value."
            raise CriteriaInvalidError(msg, "Leave the value out.", index)
        return RawCondition(index, field, operator)
    if operator in MANY:
        return RawCondition(index, field, operator, values=_many(plain, operator, index))
    if operator is not Operator.BETWEEN and (values or high is not None):
        msg = f"{operator} takes one “value”."
        raise CriteriaInvalidError(msg, "For several values use IN, for a span BETWEEN.", index)
    return RawCondition(index, field, operator, value, high=high)


def _many(plain: Mapping[str, Any], operator: Operator, index: int) -> tuple[object, ...]:
    values = plain.get("values")
    if not isinstance(values, list) or not values:
        msg = f"{operator} takes a list of “values”."
        raise CriteriaInvalidError(msg, 'Write "values": ["one", "two"].', index)
    if plain.get("value") is not None or plain.get("highValue") is not None:
        msg = f"{operator} takes “values” and nothing beside them."
        raise CriteriaInvalidError(msg, "Take “value” out.", index)
    return tuple(values)


def operators_for(field: Field) -> list[Operator]:
    """Return the conditions that make sense for a field, as a form offers them."""
    return [
        one
        for one in Operator
        if not (one in _ORDER and field.type not in _ORDERED_TYPES)
        and not (one in _TOKENS and field.type not in TEXTS)
    ]


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
