"""Cuts the records of a type into ranges of ids that hold about as many each."""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from itertools import pairwise

from hubconnect.connectors.base import IdRange

# How often the place of one boundary is asked for, and how far off it may be, in parts of a range.
MOST_QUESTIONS = 24
CLOSE_ENOUGH = 10


def in_ranges(ends: Iterable[object]) -> tuple[IdRange, ...]:
    """Return the ranges between these ids, each of which belongs to the range it ends."""
    edges = ["", *map(str, ends), ""]
    return tuple(IdRange(above, upto) for above, upto in pairwise(edges))


def cut_numbers(
    up_to: Callable[[int], int], first: int, last: int, total: int, parts: int
) -> list[int]:
    """Return ascending ids, one less than ``parts``, that cut records into equal parts.

    Args:
        up_to: tells how many records have this id or a lower one. Each question may cost a call.
        first: lowest id.
        last: highest id.
        total: number of records.
        parts: how many ranges are wanted.
    """
    if total < parts or first >= last:
        return []
    known = [(first - 1, 0), (last, total)]  # (id, records up to it), ascending
    ends: list[int] = []
    for part in range(1, parts):
        end = _near(up_to, known, total * part // parts, max(total // parts // CLOSE_ENOUGH, 1))
        if first <= end < last and (not ends or end > ends[-1]):
            ends.append(end)
    return ends


def _near(
    up_to: Callable[[int], int], known: list[tuple[int, int]], wanted: int, margin: int
) -> int:
    """Return an id up to which there are about ``wanted`` records; what is learnt is kept."""
    for question in range(MOST_QUESTIONS):
        place = bisect_right(known, wanted, key=lambda point: point[1])
        place = min(max(place, 1), len(known) - 1)
        (low, below), (high, above) = known[place - 1], known[place]
        if wanted - below <= margin:
            return low
        if above - wanted <= margin or high == low + 1:
            return high
        # As if ids were evenly spread; every other time by halves, for when they are not.
        step = (high - low) * (wanted - below) // (above - below) if question % 2 == 0 else 0
        middle = low + step if 0 < step < high - low else (low + high) // 2
        known.insert(place, (middle, min(max(up_to(middle), below), above)))
    return min(known, key=lambda point: abs(point[1] - wanted))[0]
