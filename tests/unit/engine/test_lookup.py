"""Looking for the counterpart before creating one."""

from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from hubconnect.connectors.base import Condition, Field, Operator, ValueType
from hubconnect.connectors.errors import Category, RecordError
from hubconnect.engine import lookup
from hubconnect.engine.criteria_values import CriteriaInvalidError
from hubconnect.engine.lookup import LookupEmptyError

TARGET = {
    "email": Field(name="email", label="Email", type=ValueType.TEXT, unique=True),
    "legacy_id": Field(name="legacy_id", label="Legacy id", type=ValueType.TEXT, unique=True),
    "number": Field(name="number", label="Number", type=ValueType.NUMBER, unique=True),
    "name": Field(name="name", label="Name", type=ValueType.TEXT),
    "shadow": Field(name="shadow", label="Shadow", type=ValueType.TEXT),
}
SOURCE = {
    "email": Field(name="email", label="E-mail", type=ValueType.TEXT),
    "number": Field(name="number", label="Number", type=ValueType.TEXT),
    "born": Field(name="born", label="Born", type=ValueType.DATE),
}


def parsed(field: str, value: object) -> lookup.Lookup:
    condition = {"condition": "EQUALS", "field": field, "value": value}
    found = lookup.parse([condition], TARGET, SOURCE, 3)
    assert found is not None
    return found


def test_none_is_a_choice() -> None:
    assert lookup.parse([], TARGET, SOURCE, 3) is None


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ([{"condition": "EQUALS", "field": "name", "value": "@email@"}], "not unique"),
        ([{"condition": "EQUALS", "field": "nme", "value": "@email@"}], "no field “nme”"),
        ([{"condition": "EQUALS", "field": "email", "value": "@mail@"}], "no field “mail”"),
        ([{"condition": "EQUALS", "field": "email", "value": "x"}], "between @ signs"),
        ([{"condition": "EQUALS", "field": "email", "value": None}], "between @ signs"),
        ([{"condition": "IN", "field": "email", "values": ["@email@"]}], "EQUALS"),
        ([{"condition": "EQUALS", "field": "number", "value": "@born@"}], "cannot become"),
        ([{"condition": "EQUALS", "field": "email", "value": "@email@"}] * 2, "one condition"),
        ([[{"condition": "EQUALS"}]], "cannot be grouped"),
        ("x", "list"),
    ],
)
def test_anything_else_is_refused_with_a_sentence(conditions: object, message: str) -> None:
    with pytest.raises(CriteriaInvalidError, match=message):
        lookup.parse(conditions, TARGET, SOURCE, 3)


def test_the_placeholder_takes_the_sources_value() -> None:
    found = lookup.resolve(parsed("email", "@email@"), {"email": " a@b.c "}, {"email": "x"}, "7")
    assert found == (Condition("email", Operator.EQUALS, "a@b.c"),)


def test_a_value_is_converted_to_the_type_of_the_target() -> None:
    found = lookup.resolve(parsed("number", "@number@"), {"number": "012"}, {}, "7")
    assert found[0].value == Decimal(12)


def test_a_field_only_the_target_has_takes_the_mapped_value() -> None:
    found = lookup.resolve(parsed("email", "@shadow@"), {}, {"shadow": "mapped"}, "7")
    assert found[0].value == "mapped"


def test_the_id_of_the_source_record_can_be_looked_up() -> None:
    found = lookup.resolve(parsed("legacy_id", "@oh_internal_id@"), {}, {}, "4711")
    assert found == (Condition("legacy_id", Operator.EQUALS, "4711"),)


@pytest.mark.parametrize("value", [None, "", "  "])
def test_an_empty_placeholder_never_finds_nobody(value: str | None) -> None:
    with pytest.raises(LookupEmptyError) as caught:
        lookup.resolve(parsed("email", "@email@"), {"email": value}, {}, "7")
    assert caught.value.field == "email"
    assert caught.value.category is Category.LOOKUP
    assert "E-mail is empty" in caught.value.message


def test_a_value_the_target_cannot_hold_fails_the_record() -> None:
    with pytest.raises(RecordError, match="is not a number") as caught:
        lookup.resolve(parsed("number", "@number@"), {"number": "many"}, {}, "7")
    assert caught.value.category is Category.LOOKUP


@given(st.text(min_size=1).filter(str.strip))
def test_the_key_does_not_depend_on_capitals(value: str) -> None:
    one = lookup.resolve(parsed("email", "@email@"), {"email": value}, {}, "7")
    folded = lookup.resolve(parsed("email", "@email@"), {"email": value.casefold()}, {}, "7")
    assert lookup.key(one) == lookup.key(folded)


def test_a_lookup_is_named_in_few_words() -> None:
    assert lookup.describe(parsed("email", "@email@")) == "email"
    assert lookup.describe(parsed("legacy_id", "@oh_internal_id@")) == "legacy_id = id"
