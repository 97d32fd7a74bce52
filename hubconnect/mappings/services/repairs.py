"""Prepares in the editor what mends a refusal; nothing is saved by that.

Refusals live in a higher layer. It registers itself here when it starts, tells what was refused,
and does what follows the saving: activating again, retrying.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Final, Protocol

from hubconnect.connectors.base import Field, Option
from hubconnect.core.models import User
from hubconnect.core.numbers import whole_number
from hubconnect.engine.checks import OPTION_TYPES, Side
from hubconnect.engine.mapping import Direction, FieldRule, ValuePair
from hubconnect.mappings.models import Mapping
from hubconnect.mappings.services.editing import UNCHOSEN, Sheet
from hubconnect.mappings.services.sides import Sides

_TOO_LONG: Final = "TOO_LONG"
_CONVERSION: Final = "CONVERSION"


@dataclass(frozen=True, slots=True)
class Refused:
    """One field that the target refused.

    Attributes:
        way: the direction of the mapping in which it was sent.
        field: internal name in the target.
        values: the source's value as text, several of a multiple choice, none if it was empty.
        accepted: internal values the target takes, where it said so.
        category: why it was refused.
    """

    way: Direction
    field: str
    values: tuple[str, ...] = ()
    accepted: tuple[str, ...] = ()
    category: str = ""


@dataclass(frozen=True, slots=True)
class Repair:
    """A refusal to be mended in a mapping.

    Attributes:
        key: names it in addresses.
        message: what the target said.
        url: the page about it.
        pauses: active integrations that must be stopped for the saving and go on afterwards.
        count: how many records wait for the same cause.
    """

    key: int
    message: str
    url: str
    refused: tuple[Refused, ...]
    pauses: tuple[str, ...] = ()
    count: int = 1


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a repair: a sentence, whether all of it worked, and where to go."""

    message: str
    url: str
    is_complete: bool = True


class RepairFailedError(Exception):
    """Nothing was changed; the text says why and what to do."""


class Repairer(Protocol):
    """What the higher layer offers."""

    def find(self, mapping: Mapping, key: int) -> Repair | None:
        """Return the refusal of this number, if it is one of this mapping and still open."""

    def carry_out(self, mapping: Mapping, key: int, save: Callable[[], Mapping], by: User) -> Done:
        """Save the rows with ``save`` and try again all that was refused for this cause.

        Raises:
            RepairFailedError: before anything was changed.
        """


_repairers: Final[list[Repairer]] = []


def register(repairer: Repairer) -> None:
    """Have ``repairer`` asked about refusals. The first that knows one is taken."""
    if repairer not in _repairers:
        _repairers.append(repairer)


def find(mapping: Mapping, key: str) -> tuple[Repairer, Repair] | None:
    """Return the refusal that an address names, with who can mend it."""
    number = whole_number(key)
    if number is None:
        return None
    found = ((one, one.find(mapping, number)) for one in _repairers)
    return next(((one, repair) for one, repair in found if repair is not None), None)


def prepare(repair: Repair, rules: Sequence[FieldRule], sides: Sides) -> tuple[Sheet, list[str]]:
    """Return the rows with what would mend the refusal, and a sentence for each field."""
    sheet = Sheet(list(rules))
    return sheet, [_prepare(one, sheet, sides) for one in repair.refused]


def _prepare(one: Refused, sheet: Sheet, sides: Sides) -> str:
    target_side = sides.right if one.way is Direction.TO_RIGHT else sides.left
    target = target_side.fields.get(one.field)
    if target is None:
        return f"{target_side.system} has no field {one.field} that a row could write to."
    at = _writing_row(one, sheet.rules)
    if at is None:
        return _add_row(one, target, target_side, sheet)
    sheet.open_rows.add(at)
    return f"{target.label} ({target.name}): {_mend(one, target, at, sheet, sides)}"


def _mend(one: Refused, target: Field, at: int, sheet: Sheet, sides: Sides) -> str:
    """Prepare a row that is there; return what was done."""
    if one.category == _TOO_LONG and target.max_length is not None:
        sheet.rules[at] = replace(sheet.rules[at], cut_text=True)
        return "cutting text that is too long is ticked."
    if one.values and target.type in OPTION_TYPES and (target.options or one.accepted):
        return _add_pairs(one, target, at, sheet, sides)
    default = _first_accepted(one, target)
    if not one.values and default and not _default_of(sheet.rules[at], one.way):
        sheet.rules[at] = _with_default(sheet.rules[at], one.way, default)
        return f"the default “{_label(default, target)}” is put in. Is it the right one?"
    if one.values and one.category != _CONVERSION:
        return (
            "its row is unfolded. No pair or default stands in for this value: correct it at its "
            "source, or read another field."
        )
    return "its row is unfolded. Type the default that is written instead."


def _writing_row(one: Refused, rules: Sequence[FieldRule]) -> int | None:
    for at, rule in enumerate(rules):
        name = rule.right if one.way is Direction.TO_RIGHT else rule.left
        if name == one.field and rule.direction in (one.way, Direction.BOTH):
            return at
    return None


def _add_row(one: Refused, target: Field, side: Side, sheet: Sheet) -> str:
    default = _first_accepted(one, target)
    to_right = one.way is Direction.TO_RIGHT
    rule = FieldRule(
        left="" if to_right else target.name,
        right=target.name if to_right else "",
        direction=one.way,
        default_left="" if to_right else default,
        default_right=default if to_right else "",
    )
    sheet.add(rule, is_open=True)
    named = f"{target.label} ({target.name}) of {side.system}"
    if default:
        words = f"with the default “{_label(default, target)}”. Is it the right one?"
        return f"{named}: a row is added {words}"
    return f"{named}: a row is added. Type the default it is to have."


def _add_pairs(one: Refused, target: Field, at: int, sheet: Sheet, sides: Sides) -> str:
    """Pair what has no pair yet; return what was done, for each value."""
    rule, to_right = sheet.rules[at], one.way is Direction.TO_RIGHT
    name, side = (rule.left, sides.left) if to_right else (rule.right, sides.right)
    source = side.fields.get(name)
    paired = {pair.left if to_right else pair.right for pair in rule.value_map}
    choices = _choices(one, target)
    missing = set(one.values) - paired - {option.value for option in choices}
    for value in sorted(missing):
        pair = _pair(value, source, choices, sheet.rules[at], one.way)
        sheet.rules[at] = replace(sheet.rules[at], value_map=(*sheet.rules[at].value_map, pair))
    if not missing:
        return "its row is unfolded. Choose another counterpart for what was refused."
    named = ", ".join(f"“{_label(value, source)}”" for value in sorted(missing))
    return f"a pair is added for {named}. Is its counterpart the right one?"


def _pair(
    value: str, source: Field | None, choices: Sequence[Option], rule: FieldRule, way: Direction
) -> ValuePair:
    """Return a pair with the option most like a value; it goes back if nothing else does."""
    guess = _alike(value, _label(value, source), choices)
    to_right = way is Direction.TO_RIGHT
    goes_back = (
        guess != UNCHOSEN
        and rule.direction is Direction.BOTH
        and not _comes_back(guess, source, rule, to_right=to_right)
    )
    left, right = (value, guess) if to_right else (guess, value)
    return ValuePair(left, right, Direction.BOTH if goes_back else way)


def _comes_back(value: str, source: Field | None, rule: FieldRule, *, to_right: bool) -> bool:
    """Tell whether the target's option has a counterpart of its own already."""
    paired = {pair.right if to_right else pair.left for pair in rule.value_map}
    known = {option.value for option in source.options} if source is not None else set()
    return value in paired or value in known


def _choices(one: Refused, target: Field) -> list[Option]:
    shown = [option for option in target.options if not option.hidden]
    if not one.accepted:
        return shown
    labels = {option.value: option.label for option in target.options}
    return [Option(value, labels.get(value, value)) for value in one.accepted]


def _first_accepted(one: Refused, target: Field) -> str:
    choices = _choices(one, target)
    return choices[0].value if choices else ""


def _alike(value: str, shown: str, choices: Sequence[Option]) -> str:
    """Return the option most like a value, or that it is to be chosen."""
    names = {_squash(option.label): option.value for option in choices}
    names |= {_squash(option.value): option.value for option in choices}
    for text in (value, shown):
        for near in get_close_matches(_squash(text), names, n=1):
            return names[near]
    return UNCHOSEN


def _squash(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def _default_of(rule: FieldRule, way: Direction) -> str:
    return rule.default_right if way is Direction.TO_RIGHT else rule.default_left


def _with_default(rule: FieldRule, way: Direction, text: str) -> FieldRule:
    if way is Direction.TO_RIGHT:
        return replace(rule, default_right=text)
    return replace(rule, default_left=text)


def _label(value: str, field: Field | None) -> str:
    options = field.options if field is not None else ()
    return next((one.label for one in options if one.value == value), value)
