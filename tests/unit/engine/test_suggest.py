"""Suggested rows."""

import pytest

from hubconnect.connectors.base import Field, Option, ValueType
from hubconnect.engine.mapping import Direction, FieldRule, ValuePair
from hubconnect.engine.suggest import pair_by_name, suggest_rows


def field(name: str, kind: ValueType = ValueType.TEXT, **more: object) -> Field:
    return Field(**{"name": name, "label": name, "type": kind, **more})  # type: ignore[arg-type]


def pairs(left: list[Field], right: list[Field]) -> list[tuple[str, str, Direction]]:
    rows = suggest_rows({f.name: f for f in left}, {f.name: f for f in right})
    return [(row.left, row.right, row.direction) for row in rows]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("firstname", "first_name"),
        ("closedate", "closeDate"),
        ("hs_priority", "priority"),
        ("dealname", "deal"),
        ("email", "Email"),
        ("annualrevenue", "annual_revenues"),
    ],
)
def test_names_that_mean_the_same_are_paired(left: str, right: str) -> None:
    labelled = field(left, label={"dealname": "Deal name"}.get(left, left))
    assert pairs([labelled], [field(right)]) == [(left, right, Direction.BOTH)]


@pytest.mark.parametrize(("left", "right"), [("city", "country"), ("id", "date"), ("fax", "tax")])
def test_names_that_only_resemble_each_other_are_not_paired(left: str, right: str) -> None:
    assert pairs([field(left)], [field(right)]) == []


def test_labels_count_as_names() -> None:
    assert pairs([field("x1", label="Company name")], [field("company_name")])


def test_types_that_fit_in_no_direction_are_not_paired() -> None:
    assert pairs([field("due", ValueType.DATE)], [field("due", ValueType.USER)]) == []


def test_direction_follows_types_and_read_only_fields() -> None:
    left = [field("note"), field("made", read_only=True), field("seen", read_only=True)]
    right = [field("note", ValueType.DATE), field("made"), field("seen", read_only=True)]
    assert pairs(left, right) == [
        ("note", "note", Direction.BOTH),
        ("made", "made", Direction.TO_RIGHT),
    ]


def test_same_type_is_preferred() -> None:
    left = [field("amount", ValueType.NUMBER)]
    right = [field("Amount"), field("amount", ValueType.NUMBER)]
    assert pairs(left, right) == [("amount", "amount", Direction.BOTH)]


def test_taken_and_hidden_fields_are_left_alone() -> None:
    left = {one: field(one) for one in ("name", "city")} | {"zip": field("zip", hidden=True)}
    right = {one: field(one) for one in ("name", "city", "zip")}
    rows = suggest_rows(left, right, [FieldRule(left="name", right="city")])
    assert rows == []


def options(**labels: str) -> Field:
    found = tuple(Option(value, label) for value, label in labels.items())
    return field("stage", ValueType.OPTION, options=found)


def test_options_are_paired_by_label_or_value() -> None:
    left = options(closedwon="Closed won", new_one="Brand new", lost="Lost")
    right = options(WON="closed won", fresh="new one", other="Other")
    assert pair_by_name(left, right) == (
        ValuePair("closedwon", "WON"),
        ValuePair("new_one", "fresh"),
    )


def test_options_that_are_the_same_need_no_pairs() -> None:
    assert pair_by_name(options(a="A", b="B"), options(a="A", b="B")) == ()


def test_pairs_that_are_there_stay() -> None:
    given = (ValuePair("a", "b"),)
    assert pair_by_name(options(a="A", b="B"), options(a="A", b="B"), given) == given
