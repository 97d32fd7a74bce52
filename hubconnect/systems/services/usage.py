"""What uses a system, and therefore keeps it from being deleted."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from django.db import models

from hubconnect.systems.models import System


@dataclass(frozen=True, slots=True, order=True)
class Use:
    """Something built on a system: its kind (``mapping``) and its name."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} “{self.name}”"


class InUseError(Exception):
    """The system cannot go while ``uses`` stand on it."""

    def __init__(self, name: str, uses: Collection[Use]) -> None:
        named = ", ".join(str(use) for use in uses)
        super().__init__(f"{name} cannot be deleted: it is used by {named}. Delete those first.")
        self.uses = uses


def uses_of(systems: Collection[System]) -> dict[int, list[Use]]:
    """Return what stands on each system, by its key; one query per kind of relation.

    What refers to systems lives in higher layers. It is found by the relations that forbid the
    deletion, so that nothing has to be registered.
    """
    found: dict[int, set[Use]] = defaultdict(set)
    keys = [system.pk for system in systems]
    for relation in System._meta.related_objects:
        if relation.on_delete is not models.PROTECT:
            continue
        model, column = relation.related_model, relation.field.attname
        for row in model._default_manager.filter(**{f"{column}__in": keys}):
            use = Use(str(model._meta.verbose_name), str(row))
            found[getattr(row, column)].add(use)
    return {key: sorted(uses) for key, uses in found.items()}


def ensure_unused(system: System) -> None:
    """Refuse what would pull the ground from under something else.

    Raises:
        InUseError: naming what stands on the system.
    """
    uses = uses_of([system]).get(system.pk, [])
    if uses:
        raise InUseError(system.name, uses)
