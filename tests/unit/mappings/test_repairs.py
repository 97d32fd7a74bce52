"""What the editor prepares for a refusal, as values alone."""

from hubconnect.connectors.base import Field, ObjectType, Option, ValueType
from hubconnect.engine.checks import Side
from hubconnect.engine.mapping import Direction, FieldRule, ValuePair
from hubconnect.mappings.services.editing import UNCHOSEN, Sheet
from hubconnect.mappings.services.repairs import Refused, Repair, prepare
from hubconnect.mappings.services.sides import Sides

TO_RIGHT, TO_LEFT, BOTH = Direction.TO_RIGHT, Direction.TO_LEFT, Direction.BOTH


def field(name: str, kind: ValueType = ValueType.TEXT, *options: str) -> Field:
    shown = tuple(Option(one, one.title()) for one in options)
    return Field(name=name, label=name.title(), type=kind, options=shown)


SIDES = Sides(
    Side(
        "Desk",
        ObjectType(name="orders", label="Orders"),
        {
            "status": field("status", ValueType.OPTION, "open", "awaiting_deposit"),
            "tags": field("tags", ValueType.OPTIONS, "red", "blue", "pink"),
            "text": field("text"),
        },
    ),
    Side(
        "Hub",
        ObjectType(name="deals", label="Deals"),
        {
            "stage": field("stage", ValueType.OPTION, "open", "awaitingdeposits"),
            "colours": field("colours", ValueType.OPTIONS, "red", "pinkish"),
            "name": field("name"),
        },
    ),
)


def prepared(one: Refused, *rules: FieldRule) -> tuple[Sheet, str]:
    sheet, (sentence,) = prepare(Repair(1, "No.", "/", (one,)), rules, SIDES)
    return sheet, sentence


def test_value_is_paired_with_the_option_most_like_it_and_goes_back() -> None:
    refused = Refused(TO_RIGHT, "stage", ("awaiting_deposit",))
    sheet, sentence = prepared(refused, FieldRule(left="status", right="stage"))
    assert sheet.rules[0].value_map == (ValuePair("awaiting_deposit", "awaitingdeposits", BOTH),)
    assert sheet.open_rows == {0}
    assert "“Awaiting_Deposit”" in sentence


def test_pair_goes_one_way_where_the_option_has_a_counterpart_already() -> None:
    known = ValuePair("other", "awaitingdeposits")
    rule = FieldRule(left="status", right="stage", value_map=(known,))
    sheet, _ = prepared(Refused(TO_RIGHT, "stage", ("awaiting_deposit",)), rule)
    new = ValuePair("awaiting_deposit", "awaitingdeposits", TO_RIGHT)
    assert sheet.rules[0].value_map == (known, new)


def test_value_like_no_option_is_left_to_be_chosen() -> None:
    refused = Refused(TO_RIGHT, "stage", ("zzz",))
    sheet, _ = prepared(refused, FieldRule(left="status", right="stage"))
    assert sheet.rules[0].value_map == (ValuePair("zzz", UNCHOSEN, TO_RIGHT),)


def test_only_options_the_target_named_are_offered() -> None:
    refused = Refused(TO_RIGHT, "stage", ("opened",), accepted=("reopened",))
    sheet, _ = prepared(refused, FieldRule(left="status", right="stage"))
    assert sheet.rules[0].value_map[0].right == "reopened"


def test_several_values_get_a_pair_each_unless_they_have_one() -> None:
    known = ValuePair("blue", "red", TO_RIGHT)
    rule = FieldRule(left="tags", right="colours", direction=TO_RIGHT, value_map=(known,))
    sheet, _ = prepared(Refused(TO_RIGHT, "colours", ("blue", "pink", "red")), rule)
    assert sheet.rules[0].value_map == (known, ValuePair("pink", "pinkish", TO_RIGHT))


def test_pairs_of_the_way_back_stand_on_their_own_side() -> None:
    rule = FieldRule(left="status", right="stage")
    sheet, _ = prepared(Refused(TO_LEFT, "status", ("awaitingdeposits",)), rule)
    assert sheet.rules[0].value_map[0].left == "awaiting_deposit"


def test_preparing_twice_adds_nothing() -> None:
    refused = Refused(TO_RIGHT, "stage", ("awaiting_deposit",))
    once, _ = prepared(refused, FieldRule(left="status", right="stage"))
    twice, sentence = prepared(refused, *once.rules)
    assert twice.rules == once.rules
    assert "Choose another counterpart" in sentence


def test_empty_value_gets_a_default_and_keeps_one_that_is_there() -> None:
    refused = Refused(TO_RIGHT, "stage")
    sheet, _ = prepared(refused, FieldRule(left="status", right="stage"))
    assert sheet.rules[0].default_right == "open"
    kept = FieldRule(left="status", right="stage", default_right="awaitingdeposits")
    assert prepared(refused, kept)[0].rules == [kept]


def test_field_without_a_row_gets_one_that_flows_only_there() -> None:
    sheet, sentence = prepared(Refused(TO_RIGHT, "name"))
    assert sheet.rules == [FieldRule(right="name", direction=TO_RIGHT)]
    assert sheet.open_rows == {0}
    assert "Type the default" in sentence


def test_row_that_flows_the_other_way_is_not_the_one() -> None:
    other = FieldRule(left="status", right="stage", direction=TO_LEFT)
    sheet, _ = prepared(Refused(TO_RIGHT, "stage", ("zzz",)), other)
    assert sheet.rules == [
        other,
        FieldRule(right="stage", direction=TO_RIGHT, default_right="open"),
    ]


def test_value_no_option_can_mend_unfolds_its_row() -> None:
    rule = FieldRule(left="text", right="name")
    sheet, sentence = prepared(Refused(TO_RIGHT, "name", ("nonsense",)), rule)
    assert sheet.rules == [rule]
    assert sheet.open_rows == {0}
    assert "correct it at its source" in sentence
    _, sentence = prepared(Refused(TO_RIGHT, "name", ("nonsense",), category="CONVERSION"), rule)
    assert "Type the default" in sentence


def test_field_the_target_does_not_have_is_named() -> None:
    sheet, sentence = prepared(Refused(TO_RIGHT, "gone"))
    assert sheet.rules == []
    assert "Hub has no field gone" in sentence
