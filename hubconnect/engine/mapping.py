"""Field mappings made ready for one direction: what a source record becomes at the target."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from hubconnect.connectors.base import Field, Value, Values, ValueType
from hubconnect.connectors.errors import Category, FieldFault, RecordError
from hubconnect.engine.values import (
    ConversionError,
    Converter,
    as_text,
    converter,
    fit,
    parse_text,
)


class Direction(StrEnum):
    """Which way a row flows."""

    BOTH = "both"
    TO_RIGHT = "to_right"
    TO_LEFT = "to_left"


class When(StrEnum):
    """At which writes a row takes part."""

    BOTH = "both"
    CREATE = "create"
    UPDATE = "update"


class Conflict(StrEnum):
    """Which side wins when both changed; ASK leaves it to a person."""

    NONE = "none"
    LEFT = "left"
    RIGHT = "right"
    ASK = "ask"


@dataclass(frozen=True, slots=True)
class ValuePair:
    """One option on the left = one option on the right; "" stands for no value."""

    left: str
    right: str
    direction: Direction = Direction.BOTH


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRule:
    """One row of a mapping, as a person made it. Fields by internal name, "" for none."""

    left: str = ""
    right: str = ""
    direction: Direction = Direction.BOTH
    when: When = When.BOTH
    conflict: Conflict = Conflict.NONE
    overwrite: bool = False
    default_left: str = ""
    default_right: str = ""
    value_map: tuple[ValuePair, ...] = ()
    cut_text: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldFlow:
    """One row in one direction, ready to use.

    Attributes:
        source: None for a row that only sets the target to its default.
        convert: source value to target value, value map, default and length included; raises
            ``RecordError``.
        back: the way back for rows that flow both ways, else None.
        winner: who wins a conflict: "source", "target", "ask" (a person says) or "" (no detection).
    """

    source: Field | None
    target: Field
    convert: Converter
    back: Converter | None
    at_create: bool
    at_update: bool
    winner: str
    overwrite: bool

    @property
    def flows_back(self) -> bool:
        """Tell whether the row flows both ways."""
        return self.back is not None


class MappingBrokenError(Exception):
    """A row names a field that is not there (any more)."""

    def __init__(self, side: Direction, field: str) -> None:
        super().__init__(f"There is no field {field!r}.")
        self.side = side  # TO_RIGHT: the field is missing on the right, TO_LEFT: on the left
        self.field = field


def build_flow(
    rules: Iterable[FieldRule],
    left: Mapping[str, Field],
    right: Mapping[str, Field],
    direction: Direction,
) -> tuple[FieldFlow, ...]:
    """Return the rows that take part in one direction.

    Raises:
        MappingBrokenError: naming the first field that does not exist.
    """
    to_right = direction is Direction.TO_RIGHT
    sources, targets = (left, right) if to_right else (right, left)
    flows = []
    for rule in rules:
        if rule.direction not in (Direction.BOTH, direction):
            continue
        source_name, target_name = (rule.left, rule.right) if to_right else (rule.right, rule.left)
        if not target_name:
            continue
        source = _field(sources, source_name, to_right=not to_right) if source_name else None
        target = _field(targets, target_name, to_right=to_right)
        flows.append(_field_flow(rule, source, target, to_right=to_right))
    return tuple(flows)


def _field(fields: Mapping[str, Field], name: str, *, to_right: bool) -> Field:
    if name not in fields:
        raise MappingBrokenError(Direction.TO_RIGHT if to_right else Direction.TO_LEFT, name)
    return fields[name]


def _field_flow(
    rule: FieldRule, source: Field | None, target: Field, *, to_right: bool
) -> FieldFlow:
    two_way = rule.direction is Direction.BOTH and source is not None
    ours = Conflict.LEFT if to_right else Conflict.RIGHT
    winners = {Conflict.NONE: "", Conflict.ASK: "ask", ours: "source"}
    return FieldFlow(
        source=source,
        target=target,
        convert=_complete(rule, source, target, to_right=to_right),
        back=_complete(rule, target, source, to_right=not to_right)
        if two_way and source is not None
        else None,
        at_create=rule.when in (When.BOTH, When.CREATE),
        at_update=rule.when in (When.BOTH, When.UPDATE),
        winner=winners.get(rule.conflict, "target"),
        overwrite=rule.overwrite,
    )


def _complete(rule: FieldRule, source: Field | None, target: Field, *, to_right: bool) -> Converter:
    """Return the conversion with the row's value map, default and cutting around it."""
    text = rule.default_right if to_right else rule.default_left
    default = _default(text, target)
    pairs = _pairs(rule, to_right=to_right)
    plain = converter(source, target) if source is not None else _nothing
    from_text = converter(Field(name="", label="", type=ValueType.TEXT), target)
    known = None if target.open_options or not target.options else {o.value for o in target.options}
    simple = not pairs and default is None and target.max_length is None

    def convert(value: Value) -> Value:
        try:
            if pairs and (found := _mapped(value, pairs, from_text)) is not None:
                made = found[0]
            else:
                made = plain(value)
        except ConversionError as error:
            if default is not None:
                return default
            raise _refused(source, target, error) from error
        if simple:
            return made
        if default is not None and (
            made is None or (known is not None and isinstance(made, str) and made not in known)
        ):
            made = default
        return fit(made, target, cut=rule.cut_text)

    return convert


def _nothing(value: Value) -> Value:  # noqa: ARG001 - a row without source has no use for it
    return None


def _default(text: str, target: Field) -> Value:
    try:
        return parse_text(text, target)
    except ConversionError:
        return None  # refused by the form; an older mapping may still carry one


def _pairs(rule: FieldRule, *, to_right: bool) -> dict[str, str]:
    wanted = Direction.TO_RIGHT if to_right else Direction.TO_LEFT
    found: dict[str, str] = {}
    # The entries marked for this direction go first: they name which of several goes back.
    ordered = sorted(rule.value_map, key=lambda pair: pair.direction is Direction.BOTH)
    for pair in ordered:
        if pair.direction in (Direction.BOTH, wanted):
            key, value = (pair.left, pair.right) if to_right else (pair.right, pair.left)
            found.setdefault(key, value)
    return found


def _mapped(value: Value, pairs: Mapping[str, str], from_text: Converter) -> tuple[Value] | None:
    """Return the mapped value in a tuple of one, or None when the map says nothing about it."""
    if isinstance(value, frozenset):
        if not any(one in pairs for one in value):
            return None
        return (frozenset(pairs.get(one, one) for one in value) - {""} or None,)
    key = as_text(value)
    if key not in pairs:
        return None
    return (from_text(pairs[key]) if pairs[key] else None,)


def _refused(source: Field | None, target: Field, error: ConversionError) -> RecordError:
    origin = source.label if source is not None else "the default"
    sentence = f"{origin} cannot go into {target.label}: {error}"
    return RecordError(
        sentence,
        category=Category.CONVERSION,
        hint=f"Correct {origin} at its source, or give the mapping row a value map or a default.",
        faults=(FieldFault(target.name, sentence, "CONVERSION"),),
    )


def map_values(
    flows: Iterable[FieldFlow], values: Values, take: Callable[[FieldFlow], bool]
) -> dict[str, Value]:
    """Return the target values of the chosen rows.

    Raises:
        RecordError: naming every field that cannot be converted.
    """
    mapped: dict[str, Value] = {}
    refused: list[RecordError] = []
    for flow in flows:
        if not take(flow):
            continue
        value = values.get(flow.source.name) if flow.source is not None else None
        try:
            mapped[flow.target.name] = flow.convert(value)
        except RecordError as error:
            refused.append(error)
    if refused:
        raise joined(refused)
    return mapped


def joined(errors: list[RecordError]) -> RecordError:
    """Return one error that names the faults of all."""
    first = errors[0]
    if len(errors) == 1:
        return first
    return RecordError(
        " ".join(error.message for error in errors),
        hint=first.hint,
        category=first.category,
        faults=tuple(fault for error in errors for fault in error.faults),
    )
