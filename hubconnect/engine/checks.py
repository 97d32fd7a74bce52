"""Checks of a mapping against the schemas of both sides, before it is saved and before it runs."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from hubconnect.connectors.base import Capability, Field, ObjectType, ValueType
from hubconnect.engine.mapping import Direction, FieldRule, ValuePair, When
from hubconnect.engine.values import ConversionError, can_convert, parse_text

ONE_WAYS = (Direction.TO_RIGHT, Direction.TO_LEFT)
OPTION_TYPES = frozenset({ValueType.OPTION, ValueType.OPTIONS})


class Part(StrEnum):
    """The part of a row that a problem is about."""

    LEFT = "left"
    RIGHT = "right"
    DIRECTION = "direction"
    OVERWRITE = "overwrite"
    DEFAULT_LEFT = "default_left"
    DEFAULT_RIGHT = "default_right"
    VALUE_MAP = "value_map"


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a mapping: the system's name, its object type and the fields by name.

    ``learned`` names the fields that are required only because a record was refused without them,
    ``linked`` those that the mapping's associations fill in new records.
    """

    system: str
    type: ObjectType
    fields: Mapping[str, Field]
    learned: frozenset[str] = frozenset()
    linked: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class WayOut:
    """What a person can do about a problem: give the row this direction, or remove it (None)."""

    label: str
    direction: Direction | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that keeps a mapping from working.

    Attributes:
        row: position of the row, or None when a row is missing.
        part: the part of the row to correct.
        missing: for a missing row, the side and the field that needs it.
        is_learned: the need is known from a refusal alone.
    """

    message: str
    row: int | None = None
    part: Part = Part.LEFT
    ways: tuple[WayOut, ...] = ()
    missing: tuple[Direction, str] | None = None
    is_learned: bool = False


REMOVE = WayOut("Remove the row")

_Found = Iterator[Problem]


@dataclass(frozen=True, slots=True)
class _Row:
    """A row with what both sides know about its fields."""

    at: int
    rule: FieldRule
    left: Side
    right: Side

    def flows(self) -> tuple[Direction, ...]:
        """Return the directions in which the row writes."""
        return tuple(way for way in ONE_WAYS if self.rule.direction in (way, Direction.BOTH))

    def source(self, way: Direction) -> tuple[Side, str]:
        """Return where a direction reads: the side, and the field's name or ""."""
        return self.target(opposite(way))

    def target(self, way: Direction) -> tuple[Side, str]:
        """Return where a direction writes."""
        if way is Direction.TO_RIGHT:
            return self.right, self.rule.right
        return self.left, self.rule.left

    def only(self, way: Direction) -> WayOut:
        """Return the way out that lets the row flow in one direction alone."""
        source, target = self.source(way)[0], self.target(way)[0]
        verb = "Let it flow" if self.rule.direction is Direction.BOTH else "Turn it round:"
        return WayOut(f"{verb} {source.system} → {target.system}", way)

    def problem(self, message: str, part: Part, *ways: WayOut) -> Problem:
        """Return a problem of this row."""
        return Problem(message=message, row=self.at, part=part, ways=ways)


def opposite(way: Direction) -> Direction:
    """Return the other one-way direction."""
    return Direction.TO_LEFT if way is Direction.TO_RIGHT else Direction.TO_RIGHT


def check_rules(rules: Sequence[FieldRule], left: Side, right: Side) -> list[Problem]:
    """Return everything that keeps these rows from working, in the order of the rows."""
    rows = [_Row(at, rule, left, right) for at, rule in enumerate(rules)]
    found = [problem for row in rows for problem in _check_row(row)]
    found += _double_targets(rows)
    found += _missing_rows(rows, left, right)
    return sorted(found, key=lambda one: len(rows) if one.row is None else one.row)


def _check_row(row: _Row) -> _Found:
    unknown = [*_unknown_fields(row)]
    yield from unknown
    if unknown:
        return
    checks: tuple[Callable[[_Row], _Found], ...] = (
        _without_source,
        _read_only,
        _conversion,
        _overwrite,
        _defaults,
        _value_map,
    )
    for check in checks:
        yield from check(row)


def _unknown_fields(row: _Row) -> _Found:
    rule = row.rule
    if not (rule.left or rule.right):
        yield row.problem("Choose a field on at least one side.", Part.LEFT, REMOVE)
    for side, name, part in (
        (row.left, rule.left, Part.LEFT),
        (row.right, rule.right, Part.RIGHT),
    ):
        if name and name not in side.fields:
            message = (
                f"{side.system} has no field “{name}” in {side.type.label} (any more). "
                "Choose another field, or remove the row."
            )
            yield row.problem(message, part, REMOVE)


def _without_source(row: _Row) -> _Found:
    """Hold rows that only set a default: they flow towards their field, and need the default."""
    rule = row.rule
    if rule.left and rule.right:
        return
    way = Direction.TO_RIGHT if rule.right else Direction.TO_LEFT
    side, name = row.target(way)
    label = side.fields[name].label
    if rule.direction is not way:
        message = f"No field is read for {label}, so the row can only flow to {side.system}."
        yield row.problem(message, Part.DIRECTION, row.only(way), REMOVE)
    elif not (rule.default_right if rule.right else rule.default_left):
        message = f"Nothing would be written to {label}. Choose a field to read, or give a default."
        yield row.problem(message, _default_part(way), REMOVE)


def _read_only(row: _Row) -> _Found:
    for way in row.flows():
        side, name = row.target(way)
        if not name or not side.fields[name].read_only:
            continue
        source, _ = row.source(way)
        message = (
            f"{side.system} keeps {side.fields[name].label} read-only, "
            f"so {source.system} cannot write to it."
        )
        ways = (row.only(opposite(way)), REMOVE) if _works(row, opposite(way)) else (REMOVE,)
        yield row.problem(message, Part.DIRECTION, *ways)


def _conversion(row: _Row) -> _Found:
    for way in row.flows():
        (source, source_name), (target, target_name) = row.source(way), row.target(way)
        if not (source_name and target_name) or target.fields[target_name].read_only:
            continue
        reason = can_convert(source.fields[source_name], target.fields[target_name])
        if reason:
            ways = (row.only(opposite(way)), REMOVE) if _works(row, opposite(way)) else (REMOVE,)
            part = Part.RIGHT if way is Direction.TO_RIGHT else Part.LEFT
            yield row.problem(f"{source.system} → {target.system}: {reason}", part, *ways)


def _works(row: _Row, way: Direction) -> bool:
    """Tell whether a row could flow this way."""
    (source, source_name), (target, target_name) = row.source(way), row.target(way)
    if not (source_name and target_name) or target.fields[target_name].read_only:
        return False
    return not can_convert(source.fields[source_name], target.fields[target_name])


def _overwrite(row: _Row) -> _Found:
    if row.rule.overwrite and row.rule.direction is Direction.BOTH:
        message = (
            "Overwrite is for rows that flow one way. "
            "With both, the rule for “if both changed” decides."
        )
        yield row.problem(message, Part.OVERWRITE)


def _defaults(row: _Row) -> _Found:
    for way in row.flows():
        side, name = row.target(way)
        text = row.rule.default_right if way is Direction.TO_RIGHT else row.rule.default_left
        if name and text:
            reason = _refused_default(text, side.fields[name])
            if reason:
                yield row.problem(f"Default for {side.system}: {reason}", _default_part(way))


def _refused_default(text: str, field: Field) -> str:
    try:
        value = parse_text(text, field)
    except ConversionError as error:
        return str(error)
    if field.max_length is not None and isinstance(value, str) and len(value) > field.max_length:
        return f"{field.label} holds {field.max_length} characters; the default has {len(value)}."
    if field.type in OPTION_TYPES and field.options and not field.open_options:
        chosen = value if isinstance(value, frozenset) else {value}
        unknown = sorted(str(one) for one in chosen if one not in _options(field))
        if unknown:
            return f"{field.label} has no option “{unknown[0]}”."
    return ""


def _default_part(way: Direction) -> Part:
    return Part.DEFAULT_RIGHT if way is Direction.TO_RIGHT else Part.DEFAULT_LEFT


def _options(field: Field) -> set[str]:
    return {option.value for option in field.options}


def _value_map(row: _Row) -> _Found:
    rule = row.rule
    if not (rule.left and rule.right and rule.value_map):
        return
    for side, name, values in (
        (row.left, rule.left, [pair.left for pair in rule.value_map]),
        (row.right, rule.right, [pair.right for pair in rule.value_map]),
    ):
        field = side.fields[name]
        if field.type not in OPTION_TYPES or not field.options or field.open_options:
            continue
        for value in sorted({one for one in values if one and one not in _options(field)}):
            message = (
                f"{field.label} in {side.system} has no option “{value}” (any more). "
                "Pair another option, or remove the pair."
            )
            yield row.problem(message, Part.VALUE_MAP)
    for way in row.flows():
        yield from _unclear_pairs(row, way)


def _unclear_pairs(row: _Row, way: Direction) -> _Found:
    """Find options that would become several: it must be named which one goes that way."""
    meant: dict[str, set[str]] = defaultdict(set)
    for pair in row.rule.value_map:
        if pair.direction in (way, Direction.BOTH):
            key, value = _ends(pair, way)
            meant[key].add(value)
    source, source_name = row.source(way)
    target, target_name = row.target(way)
    from_field, to_field = source.fields[source_name], target.fields[target_name]
    for key, values in meant.items():
        if len(values) > 1:
            named = " or ".join(f"“{_label(one, to_field)}”" for one in sorted(values))
            message = (
                f"“{_label(key, from_field)}” of {source.system} could become {named}. "
                f"Let only one of these pairs flow to {target.system}."
            )
            yield row.problem(message, Part.VALUE_MAP)


def _ends(pair: ValuePair, way: Direction) -> tuple[str, str]:
    return (pair.left, pair.right) if way is Direction.TO_RIGHT else (pair.right, pair.left)


def _label(value: str, field: Field) -> str:
    if not value:
        return "(empty)"
    return next((one.label for one in field.options if one.value == value), value)


def _double_targets(rows: Sequence[_Row]) -> _Found:
    for way in ONE_WAYS:
        first: dict[tuple[str, When], _Row] = {}
        for row in rows:
            side, name = row.target(way)
            if way not in row.flows() or name not in side.fields:
                continue
            times = (When.CREATE, When.UPDATE) if row.rule.when is When.BOTH else (row.rule.when,)
            earlier = next((first[name, time] for time in times if (name, time) in first), None)
            for time in times:
                first.setdefault((name, time), row)
            if earlier is not None:
                message = (
                    f"Another row already writes {side.fields[name].label} in {side.system}. "
                    "Let one of them flow the other way or at another time, or remove one."
                )
                part = Part.RIGHT if way is Direction.TO_RIGHT else Part.LEFT
                yield row.problem(message, part, REMOVE)


def _missing_rows(rows: Sequence[_Row], left: Side, right: Side) -> _Found:
    """Find fields that a create needs and no row gives."""
    for way, target in ((Direction.TO_RIGHT, right), (Direction.TO_LEFT, left)):
        creating = [row for row in rows if way in row.flows() and row.rule.when is not When.UPDATE]
        if not creating or Capability.CREATE not in target.type.capabilities:
            continue
        given = {row.target(way)[1] for row in creating}
        for field in target.fields.values():
            if field.name in given | target.linked or not is_needed(field):
                continue
            yield Problem(
                message=_missing(target, field),
                missing=(way, field.name),
                is_learned=field.name in target.learned,
            )
        choice = [name for name in target.type.one_of if name in target.fields]
        if choice and not given.intersection(choice):
            names = ", ".join(target.fields[name].label for name in choice)
            yield Problem(
                message=f"{target.system} needs at least one of {names} to create a record, and no "
                "row gives one. Add a row, with a field to read or a default.",
                missing=(way, choice[0]),
            )


def _missing(target: Side, field: Field) -> str:
    advice = "Add a row for it, with a field to read or a default."
    if field.name in target.learned:
        return (
            f"{target.system} refused a record without {field.label} ({field.name}): it is "
            f"mandatory there, though its description does not say so. {advice}"
        )
    return f"{target.system} needs {field.label} to create a record, and no row gives it. {advice}"


def is_needed(field: Field) -> bool:
    """Tell whether a create must give this field."""
    return field.required and not field.has_default and not field.read_only
