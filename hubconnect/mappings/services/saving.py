"""Creates, copies and deletes mappings."""

from django.db import transaction

from hubconnect.mappings.models import Mapping
from hubconnect.mappings.services import rows, usage
from hubconnect.systems.models import System

_LONGEST_NAME = 255


def create_mapping(*, name: str, left: tuple[System, str], right: tuple[System, str]) -> Mapping:
    """Create a mapping without rows between two object types."""
    (left_system, left_type), (right_system, right_type) = left, right
    return Mapping.objects.create(
        name=name,
        left_system=left_system,
        left_type=left_type,
        right_system=right_system,
        right_type=right_type,
    )


@transaction.atomic
def clone_mapping(mapping: Mapping) -> Mapping:
    """Create a copy with the same rows and a name of its own."""
    copy = create_mapping(
        name=free_name(f"Copy of {mapping.name}"),
        left=(mapping.left_system, mapping.left_type),
        right=(mapping.right_system, mapping.right_type),
    )
    rows.copy_rules(mapping, copy)
    return copy


@transaction.atomic
def delete_mapping(mapping: Mapping) -> None:
    """Delete a mapping that no integration uses.

    Raises:
        InUseError: naming the integrations.
    """
    usage.ensure_unused(mapping)
    mapping.delete()


def free_name(wanted: str) -> str:
    """Return the wanted name, with a number if another mapping has it."""
    number, name = 1, wanted[:_LONGEST_NAME]
    while Mapping.objects.filter(name__iexact=name).exists():
        number += 1
        ending = f" ({number})"
        name = wanted[: _LONGEST_NAME - len(ending)] + ending
    return name


def proposed_name(left: tuple[System, str], right: tuple[System, str]) -> str:
    """Return the name a new mapping gets when none was typed."""
    return free_name(f"{left[0]} [{left[1]}] - {right[0]} [{right[1]}]")
