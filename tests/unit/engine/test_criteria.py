"""Criteria as people write them: what is accepted, what is refused and how, what matches."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, strategies as st

from hubconnect.connectors.base import Condition, Field, Operator, Option, Value, ValueType
from hubconnect.engine.criteria import (
    CriteriaInvalidError,
    describe,
    matches,
    parse,
    parse_text,
)

STAGES = (Option("contractsent", "Contract sent"), Option("closedwon", "Closed won"))
FIELDS = {
    field.name: field
    for field in (
        Field(name="dealname", label="Deal name", type=ValueType.TEXT),
        Field(name="amount", label="Amount", type=ValueType.NUMBER),
        Field(name="dealstage", label="Deal stage", type=ValueType.OPTION, options=STAGES),
        Field(name="tags", label="Tags", type=ValueType.OPTIONS, options=STAGES),
        Field(name="createdate", label="Create date", type=ValueType.DATETIME),
        Field(name="closedate", label="Close date", type=ValueType.DATE),
        Field(name="is_won", label="Is won", type=ValueType.BOOLEAN),
    )
}


def refusal(conditions: object, most: int | None = 3) -> CriteriaInvalidError:
    with pytest.raises(CriteriaInvalidError) as caught:
        parse(conditions, FIELDS, most)
    return caught.value


def one(condition: str, field: str, **rest: object) -> list[dict[str, object]]:
    return [{"condition": condition, "field": field, **rest}]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            '[{"condition":"EQUALS","field":"dealstage","value":"contractsent"}]',
            Condition("dealstage", Operator.EQUALS, "contractsent"),
        ),
        (
            '[{"condition":"GREATER_THAN","field":"createdate","value":"2025-06-15T03:00:29.864Z"}]',
            Condition(
                "createdate",
                Operator.GREATER_THAN,
                datetime(2025, 6, 15, 3, 0, 29, 864000, tzinfo=UTC),
            ),
        ),
        (
            '[{"condition":"EQUALS","field":"dealname","value":"new","values":null}]',
            Condition("dealname", Operator.EQUALS, "new"),
        ),
        (
            '[{"condition":"BETWEEN","field":"amount","value":1.50,"highValue":"2"}]',
            Condition("amount", Operator.BETWEEN, Decimal("1.5"), high=Decimal(2)),
        ),
        (
            '[{"condition":"IN","field":"tags","values":["closedwon"]}]',
            Condition("tags", Operator.IN, values=(frozenset({"closedwon"}),)),
        ),
        (
            '[{"condition":"LESS_THAN","field":"closedate","value":"2026-01-31"}]',
            Condition("closedate", Operator.LESS_THAN, date(2026, 1, 31)),
        ),
        (
            '[{"condition":"EQUALS","field":"is_won","value":true}]',
            Condition("is_won", Operator.EQUALS, value=True),
        ),
        (
            '[{"condition":"HAS_PROPERTY","field":"amount"}]',
            Condition("amount", Operator.HAS_PROPERTY),
        ),
    ],
)
def test_every_kind_of_condition_is_read(text: str, wanted: Condition) -> None:
    assert parse_text(text, FIELDS, 3) == (wanted,)


def test_nothing_typed_is_no_criteria() -> None:
    assert parse_text(" \n", FIELDS, 3) == ()
    assert parse([], FIELDS, 3) == ()


@pytest.mark.parametrize(
    ("conditions", "message", "hint"),
    [
        ({"field": "amount"}, "list of conditions", "[{"),
        ("x", "list of conditions", ""),
        ([3], "is an object", ""),
        ([[{"field": "amount"}]], "cannot be grouped", "IN"),
        ({"condition": "OR", "criterias": []}, "cannot be grouped", ""),
        ([{"condition": "or", "criterias": []}], "cannot be grouped", ""),
        ([{"filters": []}], "cannot be grouped", ""),
        (one("EQUALS", "amount", vlaue=1), "“vlaue” is not part", "“value”"),
        (one("EQ", "amount", value=1), "“EQ” is not a condition", "“EQUALS”"),
        (one("EQUAL", "amount", value=1), "“EQUAL” is not a condition", "“EQUALS”"),
        (one("greater than", "amount", value=1), "not a condition", "“GREATER_THAN”"),
        ([{"field": "amount"}], "“condition” is missing", ""),
        (one("EQUALS", "", value=1), "“field” is missing", ""),
        (one("EQUALS", "amuont", value=1), "no field “amuont”", "“amount”"),
        (one("EQUALS", "Deal stage", value="closedwon"), "no field “Deal stage”", "“dealstage”"),
        (one("EQUALS", "qqq", value=1), "no field “qqq”", "internal name"),
        (one("EQUALS", "dealname", value=None), "has no “value”", "NOT_HAS_PROPERTY"),
        (one("EQUALS", "dealname"), "has no “value”", "NOT_HAS_PROPERTY"),
        (one("EQUALS", "dealname", value=" "), "has no “value”", "NOT_HAS_PROPERTY"),
        (one("IN", "dealname", values=[]), "takes a list", ""),
        (one("IN", "dealname", values=["a", None]), "has no", "NOT_HAS_PROPERTY"),
        (one("IN", "dealname", value="a"), "takes a list", ""),
        (one("IN", "dealname", values=["a"], value="b"), "nothing beside", ""),
        (one("EQUALS", "dealname", value="a", values=["b"]), "one “value”", "IN"),
        (one("HAS_PROPERTY", "dealname", value="a"), "takes no value", ""),
        (one("BETWEEN", "amount", value=1), "has no “highValue”", ""),
        (one("BETWEEN", "amount", value=3, highValue=1), "below “value”", "Exchange"),
        (one("EQUALS", "dealstage", value="Closed won"), "not an option", "“closedwon”"),
        (one("EQUALS", "dealstage", value="closed"), "not an option", ""),
        (one("EQUALS", "dealstage", value=3), "cannot be compared", "internal value"),
        (one("EQUALS", "amount", value="many"), "not a number", ""),
        (one("EQUALS", "amount", value=True), "cannot be compared with “true”", "number"),
        (one("EQUALS", "amount", value="1e999999"), "is not a number", ""),
        (one("EQUALS", "dealname", value=12), "cannot be compared with “12”", "quotes"),
        (one("EQUALS", "dealname", value="a\0b"), "cannot be compared", ""),
        (one("EQUALS", "dealname", value="\ud800"), "cannot be compared", ""),
        (one("EQUALS", "createdate", value="yesterday"), "not a time", ""),
        (one("EQUALS", "createdate", value="2026-01-31T10:00:00"), "cannot be compared", "zone"),
        (one("EQUALS", "closedate", value="31.1.2026"), "not a date", ""),
        (one("EQUALS", "is_won", value="perhaps"), "neither true nor false", ""),
        (one("GREATER_THAN", "dealname", value="a"), "compares numbers and dates", ""),
        (one("CONTAINS_TOKEN", "amount", value="1"), "looks for words", ""),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_way_out(
    conditions: object, message: str, hint: str
) -> None:
    error = refusal(conditions)
    assert message in error.message
    assert hint in error.hint


def test_more_than_three_conditions_are_refused_with_the_reason() -> None:
    error = refusal(one("HAS_PROPERTY", "amount") * 4)
    assert "4 conditions are too many" in error.message
    assert "takes five" in error.hint
    assert "3 are yours" in error.hint
    assert len(parse(one("HAS_PROPERTY", "amount") * 9, FIELDS, None)) == 9


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("[\n  {,\n]", 2, 4),
        ("\n [1", 2, 4),
        ("[1,]", 1, 4),
        ("[NaN]", None, None),
        ("[" * 100_000, None, None),
    ],
)
def test_broken_json_names_line_and_column(text: str, line: int | None, column: int | None) -> None:
    with pytest.raises(CriteriaInvalidError) as caught:
        parse_text(text, FIELDS, 3)
    assert "JSON" in caught.value.message
    assert (caught.value.line, caught.value.column) == (line, column)


def test_a_condition_at_fault_is_named_by_its_line() -> None:
    text = """
    [
      {"condition": "HAS_PROPERTY", "field": "amount"},
      {"condition": "EQUALS",
       "field": "no_such", "value": 1}
    ]"""
    with pytest.raises(CriteriaInvalidError) as caught:
        parse_text(text, FIELDS, 3)
    assert caught.value.place == "line 4"


def test_an_option_that_may_live_elsewhere_is_taken_as_it_is() -> None:
    field = Field(
        name="owner", label="Owner", type=ValueType.OPTION, options=STAGES, open_options=True
    )
    (condition,) = parse(one("EQUALS", "owner", value="77"), {"owner": field}, 3)
    assert condition.value == "77"


def test_criteria_are_described_with_labels() -> None:
    criteria = parse(
        [
            *one("IN", "dealstage", values=["contractsent", "closedwon"]),
            *one("GREATER_THAN", "createdate", value="2025-06-15T03:00:00Z"),
            *one("BETWEEN", "amount", value=1, highValue=2),
            *one("NOT_HAS_PROPERTY", "dealname"),
        ],
        FIELDS,
        None,
    )
    assert describe(criteria, FIELDS) == (
        "Deal stage is one of Contract sent, Closed won and Create date is after "
        "2025-06-15T03:00:00.000Z and Amount is between 1 and 2 and Deal name is empty"
    )


@pytest.mark.parametrize(
    ("condition", "value", "wanted"),
    [
        (one("EQUALS", "dealname", value="New"), "nEW", True),
        (one("EQUALS", "dealname", value="New"), "newer", False),
        (one("NOT_EQUALS", "dealname", value="New"), None, True),
        (one("NOT_EQUALS", "dealname", value="New"), "new", False),
        (one("IN", "dealname", values=["a", "b"]), "B", True),
        (one("NOT_IN", "dealname", values=["a", "b"]), None, True),
        (one("NOT_IN", "dealname", values=["a", "b"]), "A", False),
        (one("EQUALS", "amount", value=1), Decimal("1.00"), True),
        (one("GREATER_THAN", "amount", value=1), Decimal(1), False),
        (one("GREATER_THAN_OR_EQUALS", "amount", value=1), Decimal(1), True),
        (one("LESS_THAN", "amount", value=1), None, False),
        (one("LESS_THAN_OR_EQUALS", "amount", value=1), Decimal("0.5"), True),
        (one("BETWEEN", "amount", value=1, highValue=2), Decimal(2), True),
        (one("BETWEEN", "amount", value=1, highValue=2), Decimal("2.1"), False),
        (one("BETWEEN", "amount", value=1, highValue=2), None, False),
        (one("LESS_THAN", "closedate", value="2026-01-31"), date(2026, 1, 30), True),
        (one("HAS_PROPERTY", "dealname"), "", False),
        (one("NOT_HAS_PROPERTY", "tags"), frozenset(), True),
        (one("IN", "tags", values=["closedwon"]), frozenset({"closedwon", "x"}), True),
        (one("CONTAINS_TOKEN", "dealname", value="joinery"), "Hadley Joinery, stock", True),
        (one("CONTAINS_TOKEN", "dealname", value="join"), "Hadley Joinery", False),
        (one("CONTAINS_TOKEN", "dealname", value="join*"), "Hadley Joinery", True),
        (one("CONTAINS_TOKEN", "dealname", value="*@example.com"), "a.b@EXAMPLE.com", True),
        (one("CONTAINS_TOKEN", "dealname", value="[x]?"), "x", False),
        (one("NOT_CONTAINS_TOKEN", "dealname", value="joinery"), None, True),
    ],
)
def test_records_match_as_in_hubspots_search(
    condition: list[dict[str, object]], value: Value, wanted: object
) -> None:
    field = str(condition[0]["field"])
    assert matches(parse(condition, FIELDS, 3), {field: value}) is wanted


OPPOSITES = {
    Operator.EQUALS: Operator.NOT_EQUALS,
    Operator.IN: Operator.NOT_IN,
    Operator.HAS_PROPERTY: Operator.NOT_HAS_PROPERTY,
    Operator.CONTAINS_TOKEN: Operator.NOT_CONTAINS_TOKEN,
}
TEXTS = st.text(alphabet="aAbB* .@", max_size=6)


@given(st.sampled_from(sorted(OPPOSITES)), TEXTS.filter(str.strip), st.none() | TEXTS)
def test_a_condition_and_its_opposite_never_agree(
    operator: Operator, wanted: str, held: str | None
) -> None:
    values = (wanted,) if operator is Operator.IN else ()
    plain = Condition("f", operator, wanted, values)
    opposite = Condition("f", OPPOSITES[operator], wanted, values)
    assert matches((plain,), {"f": held}) is not matches((opposite,), {"f": held})


JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["condition", "field", "value", "values"]), inner)
    ),
    max_leaves=6,
)
WORDS = st.sampled_from([*Operator, "OR", "eq"])
CONDITIONS = st.fixed_dictionaries(
    {"condition": WORDS, "field": st.sampled_from([*FIELDS, "nope"]), "value": JSON_VALUES}
)


@given(st.lists(CONDITIONS, max_size=4) | JSON_VALUES)
def test_whatever_is_typed_is_either_usable_or_refused(conditions: object) -> None:
    text = json.dumps(conditions, indent=1)
    try:
        criteria = parse_text(text, FIELDS, 3)
    except CriteriaInvalidError as refused:
        sentence = refused.message
    else:
        sentence = f"{describe(criteria, FIELDS)}."
        assert matches(criteria, {}) in (True, False)
    assert sentence.endswith(".")
