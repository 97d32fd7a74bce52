"""What three values say about one field: every rule by itself."""

from typing import Any

import pytest

from hubconnect.connectors.base import Field, Record, Value, ValueType
from hubconnect.engine.conflict import Choice, Restore
from hubconnect.engine.filling import has_open_rows, left_as_they_are, plan_fill
from hubconnect.engine.mapping import Conflict, Direction, FieldRule, When, build_flow
from hubconnect.engine.plan import (
    NOTHING_STANDS,
    CreatePlan,
    LinkState,
    Spec,
    Standing,
    UpdatePlan,
    create_bases,
    plan_update,
)

LEFT = {name: Field(name=name, label=name, type=ValueType.TEXT) for name in ("name", "nick")}
RIGHT = {name: Field(name=name, label=name, type=ValueType.TEXT) for name in ("title", "alias")}
NAMES = ("name", "title")
ASK = FieldRule(left="name", right="title", conflict=Conflict.ASK)
NICK = FieldRule(left="nick", right="alias")


def spec(*rules: FieldRule, way: Direction = Direction.TO_RIGHT) -> Spec:
    return Spec(build_flow(rules, LEFT, RIGHT, way))


def bases(**values: Value) -> dict[str, list[Any]]:
    return {name: [value, "1"] for name, value in values.items()}


def merged(
    rule: FieldRule,
    base: tuple[Value, Value] | None,
    source: Value,
    target: Value,
    standing: Standing = NOTHING_STANDS,
) -> UpdatePlan:
    known = LinkState(1, "s", "t", {}, {})
    if base is not None:
        known = LinkState(1, "s", "t", bases(name=base[0]), bases(title=base[1]))
    record, held = Record("s", {"name": source}, "2"), Record("t", {"title": target}, "2")
    return plan_update(record, held, known, spec(rule), standing)


def test_a_field_to_ask_about_is_neither_written_nor_agreed_on_while_others_go_on() -> None:
    known = LinkState(
        1, "s", "t", bases(name="a", nick="x"), bases(title="a", alias="x"), source_version="1"
    )
    record = Record("s", {"name": "b", "nick": "y"}, "2")
    plan = plan_update(record, Record("t", {"title": "c", "alias": "x"}), known, spec(ASK, NICK))
    assert plan.writes == {"alias": "y"}
    assert plan.sent == (("nick", "alias"),)
    (asked,) = plan.asked
    assert (asked.names, asked.source_base, asked.target_base) == (NAMES, "a", "a")
    assert (asked.source, asked.target) == ("b", "c")


def test_the_base_of_a_source_field_in_conflict_stays_though_another_row_is_written() -> None:
    twice = FieldRule(left="name", right="alias", direction=Direction.TO_RIGHT)
    known = LinkState(1, "s", "t", bases(name="a"), bases(title="a", alias="a"))
    plan = plan_update(
        Record("s", {"name": "b"}),
        Record("t", {"title": "c", "alias": "a"}),
        known,
        spec(ASK, twice),
    )
    assert plan.writes == {"alias": "b"}
    assert plan.sent == (("name", "alias"),)  # what the target holds there is ours
    assert plan.stays == {"name"}


@pytest.mark.parametrize(
    ("takes_source", "is_carried_back", "writes", "gives_back", "agreed"),
    [
        (True, True, {"title": "b"}, (), ()),
        (False, True, {}, (NAMES,), ()),
        (False, False, {}, (), (NAMES,)),
    ],
)
def test_a_choice_is_carried_out_by_the_flow_that_reads_the_chosen_side(
    *,
    takes_source: bool,
    is_carried_back: bool,
    writes: dict[str, Value],
    gives_back: tuple[object, ...],
    agreed: tuple[object, ...],
) -> None:
    chosen = {NAMES: Choice(takes_source, "b", "c")}
    standing = Standing(choices=chosen, is_carried_back=is_carried_back)
    plan = merged(ASK, ("a", "a"), "b", "c", standing)
    assert (plan.writes, plan.gives_back, plan.agreed) == (writes, gives_back, agreed)
    assert plan.asked == ()


@pytest.mark.parametrize(("source", "target"), [("b2", "c"), ("b", "c2")])
def test_a_choice_about_other_values_asks_again(source: str, target: str) -> None:
    takes_source = True
    standing = Standing(choices={NAMES: Choice(takes_source, "b", "c")})
    plan = merged(ASK, ("a", "a"), source, target, standing)
    assert plan.writes == {}
    assert len(plan.asked) == 1


def test_an_overwritten_value_is_put_back_without_moving_a_base() -> None:
    restore = Standing(restores={NAMES: Restore("lost", "b", "b")})
    plan = merged(ASK, ("b", "b"), "b", "b", restore)
    assert plan.writes == {"title": "lost"}
    assert (plan.restored, plan.sent, plan.agreed) == ((NAMES,), (), ())
    assert merged(ASK, ("b", "b"), "b", "moved", restore).writes == {}


def test_what_was_not_kept_is_not_sent_again_until_the_source_changes() -> None:
    row = FieldRule(left="name", right="title")
    standing = Standing(not_stored={NAMES: "b"})
    plan = merged(row, ("a", "a"), "b", "a", standing)
    assert (plan.writes, plan.kept, plan.sent, plan.agreed) == ({}, (NAMES,), (), ())
    assert merged(row, ("a", "a"), "c", "a", standing).writes == {"title": "c"}


def test_nothing_is_agreed_on_for_what_a_create_lost() -> None:
    record = Record("s", {"name": "b", "nick": "y"}, "2")
    plan = CreatePlan(record, {"title": "b", "alias": "y"})
    stored = {"title": None, "alias": "y"}
    source, target = create_bases(plan, stored, "3", spec(ASK, NICK), ["title"])
    assert (set(source), set(target)) == ({"nick"}, {"alias"})


TWO_WAY = FieldRule(left="name", right="title", default_right="none")
ONE_WAY = FieldRule(left="name", right="title", default_right="none", direction=Direction.TO_RIGHT)


RIGHT_WINS = FieldRule(left="name", right="title", conflict=Conflict.RIGHT)
WRITES, GIVES_BACK, ADOPTS, ASKS = "writes", "gives back", "adopts", "asks"


def outcome(plan: UpdatePlan) -> str:
    if plan.writes:
        return WRITES
    if plan.gives_back:
        return GIVES_BACK
    return ASKS if plan.asked else ADOPTS if plan.agreed else ""


@pytest.mark.parametrize(
    ("rule", "source", "target", "expected"),
    [
        (TWO_WAY, "a", "a", ADOPTS),  # equal
        (TWO_WAY, None, None, ADOPTS),
        (TWO_WAY, "a", None, WRITES),  # one side empty: the other is taken
        (TWO_WAY, None, "b", GIVES_BACK),  # also before the row's default
        (ONE_WAY, None, "b", ADOPTS),
        (ONE_WAY, None, None, WRITES),  # the default
        (TWO_WAY, "a", "b", WRITES),  # else the rule
        (ASK, "a", "b", ASKS),
        (RIGHT_WINS, "a", "b", GIVES_BACK),
    ],
)
def test_without_a_base_equal_is_adopted_one_side_is_taken_else_the_rule_decides(
    rule: FieldRule, source: Value, target: Value, expected: str
) -> None:
    assert outcome(merged(rule, None, source, target)) == expected


def test_overwrite_sets_a_default_over_what_is_there_and_empties_nothing() -> None:
    forced = FieldRule(
        left="name",
        right="title",
        direction=Direction.TO_RIGHT,
        default_right="none",
        overwrite=True,
    )
    assert merged(forced, None, None, "b").writes == {"title": "none"}
    plain = FieldRule(left="name", right="title", direction=Direction.TO_RIGHT, overwrite=True)
    assert merged(plain, None, None, "b").writes == {}
    assert merged(plain, ("a", "a"), "c", "b").writes == {"title": "c"}


@pytest.mark.parametrize(("when", "writes"), [(When.CREATE, {}), (When.UPDATE, {"title": "b"})])
def test_a_row_takes_part_in_updates_only_when_it_says_so(
    when: When, writes: dict[str, Value]
) -> None:
    assert merged(
        FieldRule(left="name", right="title", when=when), ("a", "a"), "b", "a"
    ).writes == (writes)


def test_the_opposite_flow_being_off_is_told_where_its_value_would_go_back() -> None:
    rule = FieldRule(left="name", right="title", conflict=Conflict.RIGHT)
    off = Standing(is_carried_back=False)
    (change,) = merged(rule, ("a", "a"), "b", "c", off).changes
    assert "the sides differ" in change.remark
    (change,) = merged(rule, ("a", "a"), "b", "c").changes
    assert "the sides differ" not in change.remark


# --- Rows that came or changed --------------------------------------------------------------------


def test_leaving_fills_in_only_the_bases_that_are_missing() -> None:
    known = LinkState(1, "s", "t", bases(name="a"), {})
    record, target = Record("s", {"name": "b"}, "2"), Record("t", {"title": "c"}, "9")
    assert has_open_rows(known, [NAMES])
    left = left_as_they_are(record, target, known, [NAMES])
    assert left.source_base == {"name": ["a", "1"]}  # a change under way is not swallowed
    assert left.target_base == {"title": ["c", "9"]}
    assert not has_open_rows(left, [NAMES])


@pytest.mark.parametrize(
    ("source", "target", "writes"),
    [("a", "b", {"title": "a"}), ("a", "a", {}), (None, "b", {}), ("a", None, {"title": "a"})],
)
def test_filling_replaces_what_differs_and_empties_nothing(
    source: Value, target: Value, writes: dict[str, Value]
) -> None:
    link = LinkState(1, "s", "t", {}, {})
    flows = spec(ASK).flows
    plan = plan_fill(Record("s", {"name": source}), Record("t", {"title": target}), link, flows)
    assert plan.writes == writes
    assert plan.expected == ({"title": target} if writes else {})
    assert (plan.sent or plan.agreed) == (NAMES,)


def test_filling_moves_no_base_past_a_change_that_another_row_still_carries() -> None:
    link = LinkState(1, "s", "t", bases(name="a"), {})
    plan = plan_fill(Record("s", {"name": "b"}), Record("t", {"title": "c"}), link, spec(ASK).flows)
    assert plan.writes == {"title": "b"}
    assert plan.sent == ()
