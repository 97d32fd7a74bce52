"""Numbers, spans and times in words."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from hubconnect.core import wording

NOON = datetime(2026, 11, 12, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("number", "words"), [(None, "–"), (0, "0"), (48213, "48,213"), (14.2, "14.2"), (3.0, "3")]
)
def test_numbers_have_thousands_separated(number: float | None, words: str) -> None:
    assert wording.count(number) == words


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (None, "–"),
        (0.42, "0.4 s"),
        (7, "7 s"),
        (41.4, "41 s"),
        (130, "2 min 10 s"),
        (120, "2 min"),
        (3 * 3600 + 300, "3 h 5 min"),
        (timedelta(days=2), "2 d"),
    ],
)
def test_spans_have_two_units_at_most(length: timedelta | float | None, words: str) -> None:
    assert wording.span(length) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "now"),
        (-8, "8 s ago"),
        (-330, "5 min ago"),
        (-7300, "2 h ago"),
        (-3 * 86400, "3 d ago"),
        (33, "in 33 s"),
        (-40 * 86400, "3 Oct 2026"),
    ],
)
def test_moments_are_told_from_now_on(seconds: int, words: str) -> None:
    assert wording.relative(NOON + timedelta(seconds=seconds), NOON) == words


def test_the_exact_time_is_the_readers() -> None:
    with timezone.override("Europe/Berlin"):
        assert wording.exact(NOON) == "Thu 12 Nov 2026, 13:00:00 CET"


def test_nouns_follow_their_number() -> None:
    assert wording.counted(1, "record") == "1 record"
    assert wording.counted(2000, "entry", "entries") == "2,000 entries"
