"""Values that two systems change to and fro."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hubconnect.engine.loops import (
    MOST,
    MOST_OF_A_FIELD,
    SPAN,
    Trace,
    goes_round,
    mark,
    remembered,
)

NOW = datetime(2026, 5, 1, 10, 0, tzinfo=UTC)
NAMES = ("name", "title")


def trace(minutes_ago: float, value: str, *, to_target: bool, kept: str = "") -> Trace:
    at = NOW - timedelta(minutes=minutes_ago)
    return Trace(at, to_target, *NAMES, mark(value), mark(kept or value))


LOOP = [
    trace(3, "ANA", to_target=True),
    trace(2, "ana", to_target=False),
]


@pytest.mark.parametrize(
    ("traces", "value", "is_loop"),
    [
        (LOOP, "ANA", True),
        (LOOP, "Anna", False),  # a value not seen before is somebody's edit
        (LOOP[:1], "ANA", False),  # the second write
        ([trace(3, "ANA", to_target=True), trace(2, "Ann", to_target=True)], "ANA", False),
        ([trace(11, "ANA", to_target=True), trace(2, "ana", to_target=False)], "ANA", False),
        (
            [trace(3, "Ana", to_target=True, kept="ANA"), trace(2, "ana", to_target=False)],
            "ANA",
            True,
        ),
        ([], "ANA", False),
    ],
)
def test_a_third_write_by_turns_of_a_value_seen_before_goes_round(
    traces: list[Trace], value: str, *, is_loop: bool
) -> None:
    assert bool(goes_round(traces, NAMES, value, NOW)) is is_loop


def test_other_fields_do_not_count() -> None:
    assert not goes_round(LOOP, ("email", "mail"), "ANA", NOW)


def test_traces_are_bounded_by_time_by_field_and_in_all() -> None:
    old = [trace(SPAN.total_seconds() / 60 + 1, "old", to_target=True)]
    many = [trace(1, f"v{at}", to_target=True) for at in range(20)]
    assert len(remembered(old, many, NOW)) == MOST_OF_A_FIELD
    wide = [replace(many[0], source=f"f{at}", target=f"t{at}") for at in range(2 * MOST)]
    assert len(remembered([], wide, NOW)) == MOST
    assert remembered(old, [], NOW) == ()


def test_long_values_are_told_apart_by_a_hash() -> None:
    one, other = mark("x" * 70_000), mark("x" * 70_000 + "y")
    assert one != other
    assert len(one) < 200
