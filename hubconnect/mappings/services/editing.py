"""What the editor's buttons do to rows that are not saved yet."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from hubconnect.connectors.base import Field
from hubconnect.core.numbers import whole_number
from hubconnect.engine.checks import ONE_WAYS, OPTION_TYPES, Part, Problem, check_rules
from hubconnect.engine.mapping import Direction, FieldRule, ValuePair
from hubconnect.engine.suggest import pair_by_name, suggest_rows
from hubconnect.engine.values import can_convert
from hubconnect.mappings.services.sides import Sides

# Stands in a new pair for the option that is still to be chosen; an empty text means "no value".
UNCHOSEN: Final = "\N{HORIZONTAL ELLIPSIS}choose"


@dataclass(slots=True)
class Sheet:
    """Rows on the editor's page: the rules, and which of them are unfolded."""

    rules: list[FieldRule]
    open_rows: set[int] = field(default_factory=set)

    def add(self, rule: FieldRule, *, is_open: bool = False) -> None:
        """Put a row at the end."""
        self.rules.append(rule)
        if is_open:
            self.open_rows.add(len(self.rules) - 1)

    def remove(self, at: int) -> None:
        """Take a row out; those behind it move up."""
        del self.rules[at]
        self.open_rows = {one - (one > at) for one in self.open_rows if one != at}


class ActRefusedError(Exception):
    """A button was pressed that cannot do anything now; the text says why."""


def press(act: str, sheet: Sheet, sides: Sides, chosen: tuple[str, str] = ("", "")) -> None:
    """Do what a button says: its name and its arguments, parted by colons.

    ``chosen`` are the fields chosen on both sides to make a row of. An unknown button, as one of
    an older page, does nothing.

    Raises:
        ActRefusedError: with the sentence for the person.
    """
    name, *arguments = act.split(":", maxsplit=3)
    if name == "add":
        _add(sheet, sides, chosen)
    elif name == "suggest":
        for rule in suggestions(sheet.rules, sides):
            sheet.add(rule)
    elif name == "need" and len(arguments) == 2:  # noqa: PLR2004  direction and field
        _add_needed(sheet, arguments[0], arguments[1])
    elif name in _ON_ROWS and arguments:
        at = whole_number(arguments[0])
        if at is not None and at < len(sheet.rules):
            _ON_ROWS[name](sheet, at, arguments[1:], sides)


def suggestions(rules: Sequence[FieldRule], sides: Sides) -> list[FieldRule]:
    """Return the rows that look right beside those that are there."""
    return suggest_rows(sides.left.fields, sides.right.fields, rules)


def unpaired(rule: FieldRule, sides: Sides, way: Direction) -> list[tuple[str, str]]:
    """Return the options (value, label) that have no counterpart where the row writes them."""
    to_right = way is Direction.TO_RIGHT
    left, right = sides.left.fields.get(rule.left), sides.right.fields.get(rule.right)
    source, target = (left, right) if to_right else (right, left)
    flows = rule.direction in (way, Direction.BOTH)
    if not flows or source is None or target is None or target.type not in OPTION_TYPES:
        return []
    if not target.options or target.open_options:
        return []
    pairs = [one for one in rule.value_map if one.direction in (way, Direction.BOTH)]
    known = {one.left if to_right else one.right for one in pairs}
    words = {one.value.casefold() for one in target.options}
    words |= {one.label.casefold() for one in target.options}
    return [
        (one.value, one.label)
        for one in source.options
        if one.value not in known and one.value.casefold() not in words and not one.hidden
    ]


def check(rules: Sequence[FieldRule], sides: Sides) -> list[Problem]:
    """Return what keeps these rows from being saved, unfinished pairs included."""
    unfinished = [
        Problem(
            message="A pair of the value map is not complete. Choose its option, or remove it.",
            row=at,
            part=Part.VALUE_MAP,
        )
        for at, rule in enumerate(rules)
        if any(UNCHOSEN in (one.left, one.right) for one in rule.value_map)
    ]
    complete = [
        replace(
            rule,
            value_map=tuple(one for one in rule.value_map if UNCHOSEN not in (one.left, one.right)),
        )
        for rule in rules
    ]
    return [*unfinished, *check_rules(complete, sides.left, sides.right)]


def _add(sheet: Sheet, sides: Sides, chosen: tuple[str, str]) -> None:
    left, right = chosen
    if not left and not right:
        msg = "Choose a field on at least one side, then add the row."
        raise ActRefusedError(msg)
    if any((one.left, one.right) == chosen for one in sheet.rules):
        msg = "This row is there already."
        raise ActRefusedError(msg)
    direction = _fitting(sides.left.fields.get(left), sides.right.fields.get(right))
    rule = FieldRule(left=left, right=right, direction=direction)
    is_unfinished = any(unpaired(rule, sides, way) for way in ONE_WAYS)
    sheet.add(rule, is_open=is_unfinished or not (left and right))


def _fitting(left: Field | None, right: Field | None) -> Direction:
    """Return the direction in which a new row can work."""
    if left is None or right is None:
        return Direction.TO_RIGHT if left is None else Direction.TO_LEFT
    to_right = not right.read_only and not can_convert(left, right)
    to_left = not left.read_only and not can_convert(right, left)
    if to_right == to_left:
        return Direction.BOTH
    return Direction.TO_RIGHT if to_right else Direction.TO_LEFT


def _add_needed(sheet: Sheet, way: str, name: str) -> None:
    if way == Direction.TO_RIGHT:
        rule = FieldRule(right=name, direction=Direction.TO_RIGHT)
    else:
        rule = FieldRule(left=name, direction=Direction.TO_LEFT)
    if all((one.left, one.right) != (rule.left, rule.right) for one in sheet.rules):
        sheet.add(rule, is_open=True)


def _remove(sheet: Sheet, at: int, arguments: Sequence[str], sides: Sides) -> None:  # noqa: ARG001
    sheet.remove(at)


def _turn(sheet: Sheet, at: int, arguments: Sequence[str], sides: Sides) -> None:  # noqa: ARG001
    if arguments and arguments[0] in set(Direction):
        direction = Direction(arguments[0])
        sheet.rules[at] = replace(sheet.rules[at], direction=direction)


def _pair(sheet: Sheet, at: int, arguments: Sequence[str], sides: Sides) -> None:
    """Add a pair to a value map, of the given option if one is named."""
    rule = sheet.rules[at]
    side, value = (*arguments, "", "")[:2]
    left_field, right_field = sides.left.fields.get(rule.left), sides.right.fields.get(rule.right)
    left = value if side == "left" else _to_choose(left_field)
    right = value if side == "right" else _to_choose(right_field)
    sheet.rules[at] = replace(rule, value_map=(*rule.value_map, ValuePair(left, right)))
    sheet.open_rows.add(at)


def _to_choose(field: Field | None) -> str:
    return UNCHOSEN if field is not None and field.options else ""


def _unpair(sheet: Sheet, at: int, arguments: Sequence[str], sides: Sides) -> None:  # noqa: ARG001
    rule = sheet.rules[at]
    gone = whole_number(arguments[0]) if arguments else None
    kept = tuple(one for place, one in enumerate(rule.value_map) if place != gone)
    sheet.rules[at] = replace(rule, value_map=kept)
    sheet.open_rows.add(at)


def _pair_names(sheet: Sheet, at: int, arguments: Sequence[str], sides: Sides) -> None:  # noqa: ARG001
    rule = sheet.rules[at]
    left, right = sides.left.fields.get(rule.left), sides.right.fields.get(rule.right)
    if left is not None and right is not None:
        sheet.rules[at] = replace(rule, value_map=pair_by_name(left, right, rule.value_map))
    sheet.open_rows.add(at)


_OnRow = Callable[[Sheet, int, Sequence[str], Sides], None]
_ON_ROWS: Final[dict[str, _OnRow]] = {
    "remove": _remove,
    "turn": _turn,
    "pair": _pair,
    "unpair": _unpair,
    "names": _pair_names,
}
