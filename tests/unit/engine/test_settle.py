"""What a lost update turned out to be, judged by what the target holds."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from hubconnect.connectors.base import Value
from hubconnect.engine.settle import Trail, Verdict, agreed_at_create, is_like, judge_update

OLD = {"name": "Ana", "city": "Porto"}
SENT = {"name": "Anna", "city": "Lisboa"}


def judge(name: Value, city: Value) -> Verdict:
    return judge_update(SENT, OLD, {"name": name, "city": city})


def test_what_was_sent_has_arrived() -> None:
    verdict = judge("Anna", "Lisboa")
    assert verdict == Verdict(has_arrived=True, kept=frozenset(SENT))


def test_what_was_read_before_has_not() -> None:
    assert not judge("Ana", "Porto").has_arrived


def test_another_value_stands_on_top_of_what_was_sent() -> None:
    verdict = judge("Annette", "Lisboa")
    assert verdict == Verdict(
        has_arrived=True, kept=frozenset(["city"]), topped=frozenset(["name"])
    )


def test_all_fields_edited_since_is_on_top_too() -> None:
    verdict = judge("Annette", "Faro")
    assert verdict == Verdict(has_arrived=True, topped=frozenset(SENT))


def test_a_field_that_is_as_before_beside_one_that_arrived_is_planned_anew() -> None:
    verdict = judge("Anna", "Porto")
    assert verdict == Verdict(
        has_arrived=True, kept=frozenset(["name"]), undone=frozenset(["city"])
    )


def test_an_edit_of_a_record_that_ours_never_reached_is_no_edit_on_top() -> None:
    """Its base stays, so that it is a conflict and goes by the field's rule."""
    assert not judge("Annette", "Porto").has_arrived


@pytest.mark.parametrize(("sent", "before"), [("ACME", "acme"), ("a  b", "a b")])
def test_what_is_as_before_did_not_arrive_though_a_system_might_write_ours_so(
    sent: str, before: str
) -> None:
    assert not judge_update({"n": sent}, {"n": before}, {"n": before}).has_arrived
    both = judge_update({"n": sent, "m": "x"}, {"n": before}, {"n": before, "m": "x"})
    assert both.kept == {"m"}
    assert both.undone == {"n"}
    trail = Trail(frozenset("n"), frozenset("n"))
    assert judge_update({"n": sent}, {"n": before}, {"n": before}, trail).kept == {"n"}


def test_a_note_of_the_system_tells_for_sure() -> None:
    """Also where somebody edited every field that was sent."""
    held = {"name": "Annette", "city": "Lagos"}
    noted = judge_update(SENT, OLD, held, is_noted=True)
    assert noted == Verdict(has_arrived=True, topped=frozenset(["name", "city"]))
    assert not judge_update(SENT, OLD, held, is_noted=False).has_arrived
    put_back = judge_update(SENT, OLD, OLD, is_noted=True)
    assert put_back == Verdict(has_arrived=True, undone=frozenset(["name", "city"]))


def test_a_history_tells_for_sure() -> None:
    """Also where the system made another value of ours, or an edit of somebody hides it."""

    def told(name: Value, *, reached: str = "", newest: str = "") -> Verdict:
        trail = Trail(frozenset(reached.split()), frozenset(newest.split()))
        return judge_update(SENT, OLD, {"name": name, "city": "Porto"}, trail)

    rounded = told("ANNA!", reached="name", newest="name")
    assert rounded == Verdict(
        has_arrived=True, kept=frozenset(["name"]), undone=frozenset(["city"])
    )
    assert not told("Annette").has_arrived
    assert told("Annette", reached="name").topped == {"name"}


def test_what_was_created_agrees_on_what_was_sent_where_somebody_edited_it_since() -> None:
    sent: dict[str, Value] = {"mail": "Ana@x.example", "phone": "(030) 12", "name": "Ana"}
    held: dict[str, Value] = {
        "mail": "ana@x.example",
        "phone": "030 12",
        "name": "Eve",
        "city": "F",
    }
    assert agreed_at_create(sent, held) == {
        "mail": "ana@x.example",
        "phone": "030 12",
        "name": "Ana",
    }


@pytest.mark.parametrize(
    ("sent", "held", "expected"),
    [
        ("Ana@X.example", "ana@x.example", True),
        ("  Ana   Poe ", "Ana Poe", True),
        ("Ana", "ANA", False),
        ("Ana", "Anna", False),
        ("<p>Hi</p>", "<p>Hi </p>", True),
        (Decimal("1.50"), Decimal("1.5"), True),
        (None, "", True),
        ("", None, True),
        ("x", None, False),
        (
            datetime(2026, 1, 5, 9, 12, 44, 120500, UTC),
            datetime(2026, 1, 5, 9, 12, 44, 120000, UTC),
            True,
        ),
        (
            datetime(2026, 1, 5, 9, 12, 44, 120500, UTC),
            datetime(2026, 1, 5, 9, 12, 44, 0, UTC),
            True,
        ),
        (
            datetime(2026, 1, 5, 9, 12, 44, 120500, UTC),
            datetime(2026, 1, 5, 9, 12, 45, 0, UTC),
            False,
        ),
    ],
)
def test_a_system_may_write_a_value_down_in_its_own_way(
    sent: Value,
    held: Value,
    expected: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    assert is_like(sent, held) is expected
