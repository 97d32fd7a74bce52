"""Compares two linked records as their mapping sees them: the same, or how they differ."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hubconnect.connectors.base import Field, Value, Values
from hubconnect.connectors.errors import RecordError
from hubconnect.engine.conflict import MISSING, Base, agrees, has_changed
from hubconnect.engine.mapping import Direction, FieldFlow, FieldRule, When, build_flow
from hubconnect.engine.plan import BaseMap, base_of


@dataclass(frozen=True, slots=True)
class Compared:
    """One row of a mapping with what both sides hold.

    Attributes:
        left, right: the fields.
        left_base, right_base: what both last agreed on, in stored form; MISSING without one.
        is_same: the row maps one to the other, either way round.
        flows_right, flows_left: which ways the row carries values.
    """

    left: Field
    right: Field
    left_value: Value
    right_value: Value
    left_base: Base
    right_base: Base
    is_same: bool
    flows_right: bool = True
    flows_left: bool = True

    @property
    def has_base(self) -> bool:
        """Tell whether both sides ever agreed on this row."""
        return self.left_base is not MISSING and self.right_base is not MISSING

    @property
    def left_changed(self) -> bool:
        """Tell whether the left differs from what both agreed on."""
        return self.has_base and has_changed(self.left_value, self.left_base)

    @property
    def right_changed(self) -> bool:
        """Tell whether the right differs from what both agreed on."""
        return self.has_base and has_changed(self.right_value, self.right_base)


class Comparer:
    """Compares records by the rows of one mapping that keep two fields the same.

    Rows that only set a constant, or take part in creates alone, keep nothing the same.
    """

    def __init__(
        self, rules: Iterable[FieldRule], left: Mapping[str, Field], right: Mapping[str, Field]
    ) -> None:
        """Make the rows ready.

        Raises:
            MappingBrokenError: naming the first field that does not exist.
        """
        self._rows: list[tuple[FieldFlow, bool]] = []
        for rule in rules:
            if not (rule.left and rule.right) or rule.when is When.CREATE:
                continue
            to_right = rule.direction is not Direction.TO_LEFT
            way = Direction.TO_RIGHT if to_right else Direction.TO_LEFT
            self._rows += [(flow, to_right) for flow in build_flow([rule], left, right, way)]
        self.left_fields = tuple(dict.fromkeys(_name(*row, is_left=True) for row in self._rows))
        self.right_fields = tuple(dict.fromkeys(_name(*row, is_left=False) for row in self._rows))

    def compare(
        self, left: Values, right: Values, left_base: BaseMap, right_base: BaseMap
    ) -> list[Compared]:
        """Return every row with the values it meets."""
        found = []
        for flow, to_right in self._rows:
            source = flow.source
            if source is None:
                continue
            left_field, right_field = (source, flow.target) if to_right else (flow.target, source)
            left_value, right_value = left.get(left_field.name), right.get(right_field.name)
            values = (left_value, right_value) if to_right else (right_value, left_value)
            found.append(
                Compared(
                    left_field,
                    right_field,
                    left_value,
                    right_value,
                    base_of(left_base, left_field.name),
                    base_of(right_base, right_field.name),
                    _is_same(flow, *values),
                    flows_right=to_right or flow.flows_back,
                    flows_left=not to_right or flow.flows_back,
                )
            )
        return found


def _name(flow: FieldFlow, to_right: bool, *, is_left: bool) -> str:  # noqa: FBT001 - of a row
    source = flow.source.name if flow.source is not None else flow.target.name
    return source if to_right == is_left else flow.target.name


def _is_same(flow: FieldFlow, source: Value, target: Value) -> bool:
    try:
        mapped = flow.convert(source)
    except RecordError:
        if target is None:
            return False
        mapped = None  # what cannot go there may still be what came from there
    return agrees(flow, source, mapped, target)
