"""Stores what a mapping carries beside fields."""

from collections.abc import Sequence

from auditlog.models import LogEntry
from django.db import transaction

from hubconnect.mappings.models import AssociationMapping, Mapping
from hubconnect.mappings.services.rows import lock_version


@transaction.atomic
def save_carried(
    mapping: Mapping, associations: Sequence[AssociationMapping], *, version: int
) -> Mapping:
    """Store a checked mapping with its associations, as of its next version.

    Raises:
        InUseError: an active integration uses it.
        ChangedMeanwhileError: its version is no longer the one that was edited.
    """
    advice = "Reload the page to see it, then make your changes again."
    locked = lock_version(mapping, version, advice)
    before = [_words(row) for row in locked.associations.all()]
    locked.associations.all().delete()
    AssociationMapping.objects.bulk_create(associations)
    mapping.version = locked.version + 1
    mapping.save()
    after = [_words(row) for row in associations]
    if before != after:
        changes = {"associations": ["; ".join(before), "; ".join(after)]}
        LogEntry.objects.log_create(mapping, action=LogEntry.Action.UPDATE, changes=changes)
    return mapping


def _words(row: AssociationMapping) -> str:
    parts = [str(row), row.get_direction_display()]
    parts += ["must exist"] if row.must_exist else []
    parts += [] if row.carries_removal else ["keeps links taken away"]
    parts += [f"default left {row.default_left}"] if row.default_left else []
    parts += [f"default right {row.default_right}"] if row.default_right else []
    return ", ".join(parts)
