"""Both sides of a mapping as their systems describe them now."""

from dataclasses import dataclass, replace

from hubconnect.connectors.errors import AttentionError
from hubconnect.engine.checks import Side
from hubconnect.mappings.models import Direction, Mapping
from hubconnect.systems.models import System
from hubconnect.systems.services import requirements, schema


@dataclass(frozen=True, slots=True)
class Sides:
    """The left and the right side."""

    left: Side
    right: Side
    # OIM parts a system into projects; one without any, as all systems here are, has this one.
    project: str = "OH_NO_PROJECT"


def load_sides(mapping: Mapping, *, is_fresh: bool = False) -> Sides:
    """Return both sides of a mapping; ``is_fresh`` asks the systems anew.

    Raises:
        ConnectorError: a system cannot be asked, or the object type is gone.
    """
    left = load_side(mapping.left_system, mapping.left_type, is_fresh=is_fresh)
    right = load_side(mapping.right_system, mapping.right_type, is_fresh=is_fresh)
    to_left, to_right = _written(mapping, Direction.TO_LEFT), _written(mapping, Direction.TO_RIGHT)
    return Sides(
        replace(left, linked=_linked(mapping.left_system, mapping.left_type, to_left)),
        replace(right, linked=_linked(mapping.right_system, mapping.right_type, to_right)),
    )


def _written(mapping: Mapping, way: Direction) -> set[str]:
    """Return the association types that this mapping writes in one direction."""
    column = "left_association" if way is Direction.TO_LEFT else "right_association"
    rows = mapping.associations.filter(direction__in=(way, Direction.BOTH))
    return set(rows.values_list(column, flat=True))


def _linked(system: System, object_type: str, names: set[str]) -> frozenset[str]:
    """Return the fields that hold the same as these associations."""
    if not names:
        return frozenset()
    types = schema.association_types(system, object_type)
    return frozenset(name for one in types if one.name in names for name in one.fields)


def load_side(system: System, name: str, *, is_fresh: bool = False) -> Side:
    """Return one side of a mapping.

    Raises:
        AttentionError: the system has no such object type (any more).
        ConnectorError: the system cannot be asked.
    """
    types = {one.name: one for one in schema.object_types(system, is_fresh=is_fresh)}
    if name not in types:
        msg = f"{system.name} has no object type “{name}” (any more)."
        hint = "Bring it back there, or make a new mapping."
        raise AttentionError(msg, hint=hint)
    fields = schema.fields(system, name, is_fresh=is_fresh)
    learned = [one for one in requirements.learned(system, name) if one in fields]
    fields |= {one: replace(fields[one], required=True, has_default=False) for one in learned}
    return Side(system.name, types[name], fields, frozenset(learned))
