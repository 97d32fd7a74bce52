"""Field by field, what one page asks of the target."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, strategies as st

from hubconnect.connectors.base import Field, Option, Record, Value, ValueType
from hubconnect.connectors.errors import Category, RecordError
from hubconnect.engine.mapping import (
    Conflict,
    Direction,
    FieldRule,
    MappingBrokenError,
    ValuePair,
    When,
    build_flow,
)
from hubconnect.engine.plan import (
    LinkState,
    Spec,
    UpdatePlan,
    create_bases,
    is_echo,
    not_stored,
    plan_create,
    plan_update,
)
from hubconnect.engine.values import to_stored

LEFT = {
    "email": Field(name="email", label="Email", type=ValueType.TEXT),
    "name": Field(name="name", label="Name", type=ValueType.TEXT),
    "age": Field(name="age", label="Age", type=ValueType.TEXT),
    "stage": Field(
        name="stage",
        label="Stage",
        type=ValueType.OPTION,
        options=(Option("won", "Won"), Option("lost", "Lost"), Option("open", "Open")),
    ),
}
RIGHT = {
    "mail": Field(name="mail", label="Mail", type=ValueType.TEXT),
    "title": Field(name="title", label="Title", type=ValueType.TEXT, max_length=10),
    "years": Field(name="years", label="Years", type=ValueType.NUMBER),
    "state": Field(name="state", label="State", type=ValueType.TEXT),
}


def spec(*rules: FieldRule, direction: Direction = Direction.TO_RIGHT) -> Spec:
    return Spec(build_flow(rules, LEFT, RIGHT, direction))


def record(record_id: str, version: str = "2", **values: Value) -> Record:
    return Record(record_id, values, version)


def link(source: Mapping[str, Value], target: Mapping[str, Value]) -> LinkState:
    def bases(values: Mapping[str, Value]) -> dict[str, list[Any]]:
        return {name: [to_stored(value), "1"] for name, value in values.items()}

    return LinkState(1, "s1", "t1", bases(source), bases(target))


def merge(rule: FieldRule, base: tuple[Value, Value], source: Value, target: Value) -> UpdatePlan:
    chosen = spec(rule)
    known = link({"name": base[0]}, {"title": base[1]})
    return plan_update(record("s1", name=source), record("t1", title=target), known, chosen)


NAME = FieldRule(left="name", right="title")


def test_change_of_the_source_is_written() -> None:
    plan = merge(NAME, ("a", "a"), "b", "a")
    assert plan.writes == {"title": "b"}
    assert plan.expected == {"title": "a"}
    assert plan.sent == (("name", "title"),)


def test_change_of_the_target_alone_is_left_to_the_opposite_flow() -> None:
    plan = merge(NAME, ("a", "a"), "a", "b")
    assert plan.does_nothing


def test_same_change_on_both_sides_is_agreed_on() -> None:
    plan = merge(NAME, ("a", "a"), "b", "b")
    assert plan.writes == {}
    assert plan.agreed == (("name", "title"),)


@pytest.mark.parametrize(
    ("rule", "writes", "gives_back"),
    [
        (Conflict.NONE, {"title": "b"}, ()),
        (Conflict.LEFT, {"title": "b"}, ()),
        (Conflict.RIGHT, {}, (("name", "title"),)),
    ],
)
def test_conflict_goes_by_the_rule(
    rule: Conflict, writes: dict[str, Value], gives_back: tuple[tuple[str, str], ...]
) -> None:
    plan = merge(FieldRule(left="name", right="title", conflict=rule), ("a", "a"), "b", "c")
    assert plan.writes == writes
    assert plan.gives_back == gives_back
    assert "both sides changed" in plan.changes[0].remark
    assert plan.changes[0].old == "c"


def test_what_is_given_back_moves_no_base() -> None:
    plan = merge(
        FieldRule(left="name", right="title", conflict=Conflict.RIGHT), ("a", "a"), "b", "c"
    )
    assert plan.sent == plan.agreed == ()


def test_one_way_field_overwrites_a_change_of_the_target_only_by_choice() -> None:
    one_way = FieldRule(
        left="name", right="title", direction=Direction.TO_RIGHT, conflict=Conflict.RIGHT
    )
    assert merge(one_way, ("a", "a"), "b", "c").writes == {}
    forced = FieldRule(
        left="name",
        right="title",
        direction=Direction.TO_RIGHT,
        conflict=Conflict.RIGHT,
        overwrite=True,
    )
    assert merge(forced, ("a", "a"), "b", "c").writes == {"title": "b"}


def test_first_meeting_takes_what_only_one_side_has() -> None:
    chosen = spec(NAME)
    new = LinkState(0, "s1", "t1", {}, {})
    filled = plan_update(record("s1", name="a"), record("t1", title=None), new, chosen)
    assert filled.writes == {"title": "a"}
    empty = plan_update(record("s1", name=None), record("t1", title="a"), new, chosen)
    assert empty.writes == {}
    assert empty.gives_back == (("name", "title"),)


def test_maps_lose_and_equal_either_way_is_equal() -> None:
    stages = FieldRule(
        left="stage",
        right="state",
        value_map=(
            ValuePair("open", "busy"),
            ValuePair("won", "done"),
            ValuePair("lost", "done", Direction.TO_RIGHT),
        ),
    )
    chosen = spec(stages)
    known = link({"stage": "open"}, {"state": "busy"})
    plan = plan_update(record("s1", stage="lost"), record("t1", state="done"), known, chosen)
    assert plan.writes == {}
    back = spec(stages, direction=Direction.TO_LEFT)
    known = link({"state": "busy"}, {"stage": "open"})
    plan = plan_update(record("s1", state="done"), record("t1", stage="open"), known, back)
    assert plan.writes == {"stage": "won"}


def test_value_map_speaks_of_empty_values_too() -> None:
    rule = FieldRule(left="stage", right="state", value_map=(ValuePair("", "draft"),))
    assert plan_create(record("s1", stage=None), spec(rule)).values == {"state": "draft"}


def test_default_fills_what_does_not_come() -> None:
    rule = FieldRule(left="age", right="years", default_right="7")
    assert to_stored(plan_create(record("s1", age=None), spec(rule)).values["years"]) == {"n": "7"}


def test_all_faults_of_a_record_are_named_together() -> None:
    rules = (FieldRule(left="age", right="years"), FieldRule(left="name", right="title"))
    with pytest.raises(RecordError) as caught:
        plan_create(record("s1", age="old", name="far too long a title"), spec(*rules))
    assert {fault.field for fault in caught.value.faults} == {"years", "title"}
    assert caught.value.category is Category.CONVERSION


def test_fields_take_part_when_they_should() -> None:
    create = FieldRule(left="name", right="title", when=When.CREATE)
    update = FieldRule(left="email", right="mail", when=When.UPDATE)
    chosen = spec(create, update)
    assert plan_create(record("s1", name="a", email="b"), chosen).values == {"title": "a"}
    known = link({"name": "a", "email": "b"}, {"title": "a", "mail": None})
    changed = plan_update(record("s1", name="x", email="y"), record("t1", title="a"), known, chosen)
    assert changed.writes == {"mail": "y"}


def test_constant_is_set_and_gives_way_to_what_somebody_entered() -> None:
    rule = FieldRule(right="state", direction=Direction.TO_RIGHT, default_right="new")
    chosen = spec(rule, NAME)
    assert plan_create(record("s1", name="a"), chosen).values["state"] == "new"
    known = link({"name": "a"}, {"title": "a", "state": "new"})
    plan = plan_update(record("s1", name="b"), record("t1", title="a", state="mine"), known, chosen)
    assert plan.writes == {"title": "b"}


def test_missing_field_names_its_side() -> None:
    with pytest.raises(MappingBrokenError) as caught:
        spec(FieldRule(left="name", right="gone"))
    assert caught.value.field == "gone"
    assert caught.value.side is Direction.TO_RIGHT


def test_what_kept_its_old_value_was_not_stored() -> None:
    assert not_stored(
        {"a": "new", "b": "new"}, {"a": "old", "b": "old"}, {"a": "old", "b": "other"}
    ) == ["a"]


texts = st.one_of(st.none(), st.text(min_size=1, max_size=10))


@given(texts, texts, texts, texts, st.sampled_from(list(Conflict)))
def test_a_plan_applied_once_leaves_nothing_to_do(
    source_base: Value, target_base: Value, source: Value, target: Value, rule: Conflict
) -> None:
    """After the writes and bases of a plan, the same record asks for nothing or only waits."""
    row = FieldRule(left="name", right="title", conflict=rule)
    chosen = spec(row)
    known = link({"name": source_base}, {"title": target_base})
    plan = plan_update(record("s1", name=source), record("t1", title=target), known, chosen)
    after = plan.writes.get("title", target)
    bases = link({"name": source_base}, {"title": target_base})
    if plan.sent or plan.agreed:
        bases = link({"name": source}, {"title": after})
    again = plan_update(record("s1", name=source), record("t1", title=after), bases, chosen)
    assert again.writes == {}
    assert again.gives_back == plan.gives_back


@given(texts)
def test_own_write_is_an_echo_whatever_the_target_made_of_it(name: Value) -> None:
    """The target may trim or re-format: its base is what it answered."""
    chosen = spec(NAME)
    made = plan_create(record("s1", name=name), chosen)
    stored = {"title": str(name).upper() if name else None}
    source_base, target_base = create_bases(made, stored, "v", chosen)
    back = spec(NAME, direction=Direction.TO_LEFT)
    seen = LinkState(1, "t1", "s1", target_base, source_base)
    assert is_echo(Record("t1", stored), seen, back)
    assert is_echo(
        record("s1", name=name), LinkState(1, "s1", "t1", source_base, target_base), chosen
    )


def test_a_field_without_a_base_at_its_target_is_no_echo() -> None:
    """Another pair agreed on the same source field with another field of the target."""
    rows = (NAME, FieldRule(left="name", right="state"))
    seen = link({"name": "Ana"}, {"title": "Ana"})
    assert not is_echo(record("s1", name="Ana"), seen, spec(*rows))
    both = link({"name": "Ana"}, {"title": "Ana", "state": "Ana"})
    assert is_echo(record("s1", name="Ana"), both, spec(*rows))
