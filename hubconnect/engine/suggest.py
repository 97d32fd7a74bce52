"""Suggests rows of a mapping by the names and types of the fields."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

from hubconnect.connectors.base import Field
from hubconnect.engine.mapping import Direction, FieldRule, ValuePair
from hubconnect.engine.values import can_convert

_SAME: Final = 1.0
_INSIDE: Final = 0.9
_ALIKE: Final = 0.88
_SHORTEST_ALIKE: Final = 6  # shorter words resemble each other by chance
_PREFIXES: Final = ("hs_", "hubspot_")
_NOISE: Final = frozenset({"the", "of", "id", "name", "date", "is"})
_WORD_EDGE: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+")


@dataclass(frozen=True, slots=True, order=True)
class _Match:
    score: float
    left: str
    right: str


def suggest_rows(
    left: Mapping[str, Field], right: Mapping[str, Field], taken: Iterable[FieldRule] = ()
) -> list[FieldRule]:
    """Return rows that look right and use no field that is taken, in the left side's order."""
    rules = list(taken)
    used_left, used_right = {one.left for one in rules}, {one.right for one in rules}
    free_left = [f for f in left.values() if f.name not in used_left and not f.hidden]
    free_right = [f for f in right.values() if f.name not in used_right and not f.hidden]
    chosen: dict[str, str] = {}
    for match in sorted(_matches(free_left, free_right), key=lambda one: -one.score):
        if match.left not in chosen and match.right not in chosen.values():
            chosen[match.left] = match.right
    return [
        FieldRule(
            left=one.name,
            right=chosen[one.name],
            direction=_direction(one, right[chosen[one.name]]) or Direction.BOTH,
            value_map=pair_by_name(one, right[chosen[one.name]]),
        )
        for one in free_left
        if one.name in chosen
    ]


def pair_by_name(
    left: Field, right: Field, pairs: tuple[ValuePair, ...] = ()
) -> tuple[ValuePair, ...]:
    """Return the pairs with those added whose options share a label or an internal value.

    Options with the same internal value on both sides need no pair.
    """
    used_left, used_right = {one.left for one in pairs}, {one.right for one in pairs}
    free = {
        name: option.value
        for option in right.options
        if option.value not in used_right
        for name in (_squash(option.label), _squash(option.value))
    }
    found = list(pairs)
    for option in left.options:
        if option.value in used_left:
            continue
        wanted = (_squash(option.label), _squash(option.value))
        value = next((free[name] for name in wanted if name in free), None)
        if value is not None and value not in used_right:
            used_right.add(value)
            found.append(ValuePair(option.value, value))
    is_trivial = not pairs and all(one.left == one.right for one in found)
    return () if is_trivial else tuple(found)


def _matches(left: Iterable[Field], right: Iterable[Field]) -> Iterator[_Match]:
    others = [(one, _names(one)) for one in right]
    for one in left:
        names = _names(one)
        for other, other_names in others:
            score = max(_likeness(a, b) for a in names for b in other_names)
            if score and _direction(one, other) is not None:
                bonus = 0.05 if one.type is other.type else 0.0
                yield _Match(score + bonus, one.name, other.name)


def _names(field: Field) -> set[tuple[str, ...]]:
    name = field.name
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    found = {_words(name), _words(field.label)}
    return {words for words in found if words} or {(field.name,)}


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.lower() for word in _WORD_EDGE.split(text) if word)


def _squash(text: str) -> str:
    return "".join(_words(text))


def _likeness(one: tuple[str, ...], other: tuple[str, ...]) -> float:
    """Return how alike two names are, 0 for not enough."""
    joined, other_joined = "".join(one), "".join(other)
    if joined == other_joined:
        return _SAME
    short, long = sorted((set(one), set(other)), key=len)
    if short < long and short - _NOISE and long - short <= _NOISE:
        return _INSIDE
    if min(len(joined), len(other_joined)) < _SHORTEST_ALIKE:
        return 0.0
    alike = SequenceMatcher(None, joined, other_joined).ratio()
    return alike * _ALIKE if alike >= _ALIKE else 0.0


def _direction(left: Field, right: Field) -> Direction | None:
    """Return the directions in which values fit, or None."""
    to_right = not right.read_only and not can_convert(left, right)
    to_left = not left.read_only and not can_convert(right, left)
    if to_right and to_left:
        return Direction.BOTH
    if to_right:
        return Direction.TO_RIGHT
    return Direction.TO_LEFT if to_left else None
