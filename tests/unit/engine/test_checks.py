"""Checks of a mapping against both schemas."""

from dataclasses import replace

import pytest

from hubconnect.connectors.base import Capability, Field, ObjectType, Option, ValueType
from hubconnect.engine.checks import Part, Problem, Side, check_rules
from hubconnect.engine.mapping import Direction, FieldRule, ValuePair, When

BOTH, TO_RIGHT, TO_LEFT = Direction.BOTH, Direction.TO_RIGHT, Direction.TO_LEFT
WRITABLE = frozenset({Capability.CREATE, Capability.UPDATE})


def make_side(system: str, *fields: Field, can_create: bool = True) -> Side:
    kind = ObjectType(
        name="t", label="Things", capabilities=WRITABLE if can_create else frozenset()
    )
    return Side(system, kind, {one.name: one for one in fields})


def text(name: str, **more: object) -> Field:
    return Field(name=name, label=name.title(), type=ValueType.TEXT, **more)  # type: ignore[arg-type]


def options(name: str, *values: str) -> Field:
    found = tuple(Option(one, one.title()) for one in values)
    return Field(name=name, label=name.title(), type=ValueType.OPTION, options=found)


LEFT = make_side(
    "Hub",
    text("name"),
    text("fixed", read_only=True),
    Field(name="owner", label="Owner", type=ValueType.USER),
    options("stage", "new", "won", "lost"),
)
RIGHT = make_side(
    "Desk",
    text("title", max_length=5),
    Field(name="total", label="Total", type=ValueType.NUMBER),
    options("status", "open", "closed"),
)


def problems(*rules: FieldRule, left: Side = LEFT, right: Side = RIGHT) -> list[Problem]:
    return check_rules(rules, left, right)


def only(*rules: FieldRule, left: Side = LEFT, right: Side = RIGHT) -> Problem:
    (found,) = problems(*rules, left=left, right=right)
    return found


def test_sound_mapping_has_no_problem() -> None:
    assert problems(FieldRule(left="name", right="title")) == []


def test_vanished_field_is_named_with_its_side() -> None:
    found = only(FieldRule(left="name", right="gone"))
    assert (found.row, found.part) == (0, Part.RIGHT)
    assert "Desk has no field “gone”" in found.message
    assert [way.label for way in found.ways] == ["Remove the row"]


def test_row_without_any_field_is_named() -> None:
    assert "at least one side" in only(FieldRule()).message


def test_read_only_target_offers_to_turn_the_row_round() -> None:
    found = only(FieldRule(left="fixed", right="title", direction=TO_LEFT))
    assert found.message == "Hub keeps Fixed read-only, so Desk cannot write to it."
    assert [way.direction for way in found.ways] == [TO_RIGHT, None]


def test_read_only_target_of_a_two_way_row_offers_one_way() -> None:
    found = only(FieldRule(left="fixed", right="title"))
    assert found.ways[0].label == "Let it flow Hub → Desk"


def test_types_that_cannot_convert_are_named_for_the_direction() -> None:
    found = problems(FieldRule(left="owner", right="total"))
    assert [one.part for one in found] == [Part.RIGHT, Part.LEFT]
    assert all("Owner" in one.message and "Total" in one.message for one in found)


def test_overwrite_of_a_two_way_row_is_refused() -> None:
    found = only(FieldRule(left="name", right="title", overwrite=True))
    assert found.part is Part.OVERWRITE
    assert not problems(FieldRule(left="name", right="title", overwrite=True, direction=TO_RIGHT))


@pytest.mark.parametrize(
    ("right", "default", "words"),
    [
        ("total", "many", "not a number"),
        ("title", "longer than five", "holds 5 characters"),
        ("status", "pending", "no option “pending”"),
    ],
)
def test_default_that_does_not_fit_is_refused(right: str, default: str, words: str) -> None:
    found = only(FieldRule(left="name", right=right, direction=TO_RIGHT, default_right=default))
    assert found.part is Part.DEFAULT_RIGHT
    assert words in found.message


def test_default_of_a_side_that_is_not_written_is_not_looked_at() -> None:
    assert not problems(
        FieldRule(left="stage", right="title", direction=TO_RIGHT, default_left="nonsense")
    )


def test_row_without_source_needs_a_default_and_flows_to_its_field() -> None:
    assert only(FieldRule(right="title", direction=TO_RIGHT)).part is Part.DEFAULT_RIGHT
    assert only(FieldRule(right="title", default_right="x")).part is Part.DIRECTION
    assert not problems(FieldRule(right="title", direction=TO_RIGHT, default_right="x"))


def test_value_map_names_options_that_are_gone() -> None:
    pairs = (ValuePair("new", "open"), ValuePair("old", "closed"))
    found = only(FieldRule(left="stage", right="status", value_map=pairs))
    assert "Stage in Hub has no option “old”" in found.message


def test_empty_value_may_be_mapped() -> None:
    pairs = (ValuePair("", "open", TO_LEFT), ValuePair("new", "closed"))
    assert not problems(FieldRule(left="stage", right="status", value_map=pairs))


def test_two_options_meeting_one_must_name_the_one_that_goes_back() -> None:
    pairs = (ValuePair("new", "open"), ValuePair("won", "open"))
    found = only(FieldRule(left="stage", right="status", value_map=pairs))
    assert "“Open” of Desk could become “New” or “Won”" in found.message
    named = (ValuePair("new", "open"), ValuePair("won", "open", TO_RIGHT))
    assert not problems(FieldRule(left="stage", right="status", value_map=named))


def test_two_rows_writing_the_same_field_are_refused_at_the_later_one() -> None:
    found = only(
        FieldRule(left="name", right="title", direction=TO_RIGHT),
        FieldRule(left="stage", right="title", direction=TO_RIGHT),
    )
    assert (found.row, found.part) == (1, Part.RIGHT)


def test_two_rows_may_write_the_same_field_at_different_times() -> None:
    assert not problems(
        FieldRule(left="name", right="title", direction=TO_RIGHT, when=When.CREATE),
        FieldRule(left="stage", right="title", direction=TO_RIGHT, when=When.UPDATE),
    )


def test_required_field_without_row_is_named_where_records_are_created() -> None:
    right = make_side("Desk", text("title"), text("code", required=True))
    found = only(FieldRule(left="name", right="title"), right=right)
    assert found.row is None
    assert found.missing == (TO_RIGHT, "code")
    assert "Desk needs Code to create a record" in found.message


def test_a_required_field_that_an_association_fills_needs_no_row() -> None:
    right = make_side("Desk", text("title"), text("code", required=True))
    linked = replace(right, linked=frozenset({"code"}))
    assert not problems(FieldRule(left="name", right="title"), right=linked)


def test_one_of_several_fields_is_enough_but_one_must_be() -> None:
    fields = (text("mail"), text("first"), text("last"))
    kind = ObjectType(
        name="t", label="Things", capabilities=WRITABLE, one_of=("mail", "first", "last")
    )
    right = Side("Desk", kind, {one.name: one for one in (*fields, text("phone"))})
    assert not problems(FieldRule(left="name", right="last"), right=right)
    found = only(FieldRule(left="name", right="phone"), right=right)
    assert found.missing == (TO_RIGHT, "mail")
    assert "at least one of Mail, First, Last" in found.message


@pytest.mark.parametrize(
    "rule",
    [
        FieldRule(left="name", right="title", direction=TO_LEFT),
        FieldRule(left="name", right="title", when=When.UPDATE),
    ],
)
def test_required_field_is_not_asked_where_nothing_is_created(rule: FieldRule) -> None:
    assert not problems(rule, right=make_side("Desk", text("title"), text("code", required=True)))


def test_required_field_is_not_asked_of_a_type_without_creates() -> None:
    right = make_side("Desk", text("title"), text("code", required=True), can_create=False)
    assert not problems(FieldRule(left="name", right="title"), right=right)


def test_required_field_with_a_row_at_update_only_is_still_missing() -> None:
    right = make_side("Desk", text("title"), text("code", required=True))
    found = only(
        FieldRule(left="name", right="title"),
        FieldRule(left="stage", right="code", direction=TO_RIGHT, when=When.UPDATE),
        right=right,
    )
    assert found.missing == (TO_RIGHT, "code")


def test_required_field_that_the_system_fills_is_not_asked() -> None:
    right = make_side("Desk", text("title"), text("code", required=True, has_default=True))
    assert not problems(FieldRule(left="name", right="title"), right=right)
