"""Looking for the counterpart before creating one."""

from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from hubconnect.connectors.base import Condition, Field, Operator, Option, ValueType
from hubconnect.connectors.errors import Category, RecordError
from hubconnect.engine import lookup
from hubconnect.engine.criteria_values import CriteriaInvalidError
from hubconnect.engine.lookup import LookupEmptyError

TARGET = {
    "email": Field(name="email", label="Email", type=ValueType.TEXT, unique=True),
    "legacy_id": Field(name="legacy_id", label="Legacy id", type=ValueType.TEXT, unique=True),
    "number": Field(name="number", label="Number", type=ValueType.NUMBER, unique=True),
    "name": Field(name="name", label="Name", type=ValueType.TEXT),
    "stage": Field(
        name="stage",
        label="Stage",
        type=ValueType.OPTION,
        options=(Option("won", "Closed won"), Option("lost", "Closed lost")),
    ),
    "shadow": Field(name="shadow", label="Shadow", type=ValueType.TEXT),
}
SOURCE = {
    "email": Field(name="email", label="E-mail", type=ValueType.TEXT),
    "number": Field(name="number", label="Number", type=ValueType.TEXT),
    "born": Field(name="born", label="Born", type=ValueType.DATE),
}


def one(field: str, value: object, condition: str = "EQUALS") -> dict[str, object]:
    return {"condition": condition, "field": field, "value": value}


def parsed(*conditions: dict[str, object], mapped: tuple[str, ...] | None = None) -> lookup.Lookup:
    found = lookup.parse(list(conditions), TARGET, SOURCE, mapped)
    assert found is not None
    return found


def test_none_is_a_choice() -> None:
    assert lookup.parse([], TARGET, SOURCE) is None


@pytest.mark.requirement("S67", "S72", "S76")
@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ([one("nme", "@email@")], "no field “nme”"),
        ([one("email", "@mail@")], "no field “mail”"),
        ([one("email", "x")], "No condition uses a value of the source"),
        ([one("stage", "Closed won")], "is not an option of Stage"),
        ([one("number", "@born@")], "cannot become"),
        ([one("email", "@email@")] * 4, "4 conditions are too many"),
        ([one("email", "@email@", "GREATER_THAN")], "compares numbers and dates"),
        ([{"condition": "IN", "field": "email", "values": []}], "takes a list"),
        ([[{"condition": "EQUALS"}]], "cannot be grouped"),
        ([{"condition": "OR", "criterias": []}], "cannot be grouped"),
        ("x", "list"),
    ],
)
def test_anything_else_is_refused_with_a_sentence(conditions: object, message: str) -> None:
    with pytest.raises(CriteriaInvalidError, match=message):
        lookup.parse(conditions, TARGET, SOURCE)


@pytest.mark.requirement("S68")
@pytest.mark.parametrize("value", [None, "", " "])
def test_a_condition_without_a_value_is_refused(value: object) -> None:
    with pytest.raises(CriteriaInvalidError, match="empty one finds nothing") as caught:
        lookup.parse([one("name", value)], TARGET, SOURCE)
    assert "NOT_HAS_PROPERTY" in caught.value.hint


def test_the_placeholder_takes_the_sources_value() -> None:
    found = lookup.resolve(
        parsed(one("email", "@email@")), {"email": " a@b.c "}, {"email": "x"}, "7"
    )
    assert found == (Condition("email", Operator.EQUALS, "a@b.c"),)


def test_a_value_is_converted_to_the_type_of_the_target() -> None:
    found = lookup.resolve(parsed(one("number", "@number@")), {"number": "012"}, {}, "7")
    assert found[0].value == Decimal(12)


@pytest.mark.requirement("S71")
def test_the_sources_field_goes_before_the_targets_and_the_mapped_value_fills_in() -> None:
    both = lookup.resolve(parsed(one("name", "@email@")), {"email": "own"}, {"email": "made"}, "7")
    assert both[0].value == "own"
    mapped = lookup.resolve(parsed(one("email", "@shadow@")), {}, {"shadow": "made"}, "7")
    assert mapped[0].value == "made"


def test_a_field_of_the_target_that_nothing_fills_is_refused() -> None:
    with pytest.raises(CriteriaInvalidError, match="no row of the mapping fills it"):
        parsed(one("email", "@shadow@"), mapped=("name",))
    assert parsed(one("email", "@shadow@"), mapped=("shadow",)).conditions


def test_a_placeholder_may_stand_in_a_longer_text() -> None:
    found = parsed(
        one("name", "A-@number@/@oh_internal_id@"),
        {"condition": "IN", "field": "legacy_id", "values": ["@email@", "fixed"]},
        one("stage", "won"),
    )
    assert found.source_fields == ("number", "email")
    assert lookup.resolve(found, {"number": "12", "email": "a@b"}, {}, "7") == (
        Condition("name", Operator.EQUALS, "A-12/7"),
        Condition("legacy_id", Operator.IN, values=("a@b", "fixed")),
        Condition("stage", Operator.EQUALS, "won"),
    )


def test_an_address_is_no_placeholder() -> None:
    found = parsed(one("name", "me@example.com"), one("email", "@email@"))
    query = lookup.resolve(found, {"email": "x"}, {}, "7")
    assert query[0].value == "me@example.com"


@pytest.mark.requirement("S73")
def test_the_id_of_the_source_record_can_be_looked_up() -> None:
    found = lookup.resolve(parsed(one("legacy_id", "@oh_internal_id@")), {}, {}, "4711")
    assert found == (Condition("legacy_id", Operator.EQUALS, "4711"),)


@pytest.mark.requirement("S74")
@pytest.mark.parametrize("value", [None, "", "  "])
@pytest.mark.parametrize("wanted", ["@email@", "A-@email@"])
def test_an_empty_placeholder_never_finds_nobody(value: str | None, wanted: str) -> None:
    with pytest.raises(LookupEmptyError) as caught:
        lookup.resolve(parsed(one("email", wanted)), {"email": value}, {}, "7")
    assert caught.value.field == "email"
    assert caught.value.category is Category.LOOKUP
    assert "E-mail is empty" in caught.value.message


def test_a_value_the_target_cannot_hold_fails_the_record() -> None:
    with pytest.raises(RecordError, match="is not a number") as caught:
        lookup.resolve(parsed(one("number", "@number@")), {"number": "many"}, {}, "7")
    assert caught.value.category is Category.LOOKUP


@given(st.text(min_size=1).filter(str.strip))
def test_the_key_does_not_depend_on_capitals(value: str) -> None:
    first = lookup.resolve(parsed(one("email", "@email@")), {"email": value}, {}, "7")
    folded = lookup.resolve(parsed(one("email", "@email@")), {"email": value.casefold()}, {}, "7")
    assert lookup.key(first) == lookup.key(folded)


def test_the_key_tells_different_queries_apart() -> None:
    texts = ["a", "b", "a b"]
    queries = [
        *((Condition("name", Operator.EQUALS, text),) for text in texts),
        *((Condition("name", Operator.CONTAINS_TOKEN, text),) for text in texts),
        (Condition("name", Operator.IN, values=("a", "b")),),
        (Condition("number", Operator.BETWEEN, Decimal(1), high=Decimal(2)),),
        (Condition("number", Operator.BETWEEN, Decimal(1), high=Decimal(3)),),
        (Condition("name", Operator.EQUALS, "a"), Condition("email", Operator.EQUALS, "b")),
        (Condition("name", Operator.EQUALS, "b"), Condition("email", Operator.EQUALS, "a")),
    ]
    keys = {lookup.key(query) for query in queries}
    assert len(keys) == len(queries)
    assert all(len(key) <= 255 for key in keys)


def test_a_lookup_is_named_in_few_words() -> None:
    assert lookup.describe([]) == ""
    assert lookup.describe([one("email", "@email@")]) == "email"
    assert lookup.describe([one("legacy_id", "@oh_internal_id@")]) == "legacy_id = id"
    several = [one("name", "A-@number@"), one("number", "@n@", "LESS_THAN")]
    assert lookup.describe(several) == "name = A-@number@ and number …"


def test_what_is_dear_or_vague_is_pointed_out() -> None:
    assert parsed(one("email", "@email@"), one("name", "@email@")).warnings == ()
    (vague,) = parsed(one("name", "@email@")).warnings
    assert "does not keep Name unique" in vague
    _, dear = parsed(one("name", "@email@", "CONTAINS_TOKEN")).warnings
    assert "once for each record" in dear
