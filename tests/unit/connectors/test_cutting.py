"""Where many records are cut into equal parts, however unevenly their ids lie."""

from bisect import bisect_right
from itertools import pairwise

import pytest

from hubconnect.connectors.base import ALL_IDS, IdRange
from hubconnect.connectors.cutting import cut_numbers, in_ranges

EVEN = list(range(1, 100_001))
FAR_APART = [*range(1, 101), *range(5 * 10**10, 5 * 10**10 + 99_900)]
BENT = sorted({int((n / 50_000) ** 6 * 10**11) for n in range(1, 50_001)})


@pytest.mark.parametrize("ids", [EVEN, FAR_APART, BENT], ids=["even", "far apart", "bent"])
def test_parts_are_about_equal_for_few_questions(ids: list[int]) -> None:
    questions = []

    def up_to(identifier: int) -> int:
        questions.append(identifier)
        return bisect_right(ids, identifier)

    ends = cut_numbers(up_to, ids[0], ids[-1], len(ids), 8)
    places = [0, *(bisect_right(ids, end) for end in ends), len(ids)]
    sizes = [high - low for low, high in pairwise(places)]
    assert sum(sizes) == len(ids)
    assert max(sizes) <= 2.1 * len(ids) / 8
    assert len(questions) <= 60


def test_few_records_or_one_id_are_not_cut() -> None:
    assert cut_numbers(lambda _: 0, 1, 9, 3, 4) == []
    assert cut_numbers(lambda _: 0, 5, 5, 100, 4) == []


def test_ranges_touch_and_the_outer_ones_are_open() -> None:
    assert in_ranges([]) == (ALL_IDS,)
    assert in_ranges([7, 9]) == (IdRange("", "7"), IdRange("7", "9"), IdRange("9", ""))
