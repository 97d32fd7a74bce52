"""Seal all stored secrets anew with the first key of HUBCONNECT_KEYS."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from django.db import models, transaction

from hubconnect.core.crypto import CannotOpenError, EncryptedJSONField, reseal


class Command(BaseCommand):
    """Re-encrypts every sealed column of every model; afterwards older keys may be removed."""

    help = "Seal all stored secrets anew with the first key of HUBCONNECT_KEYS."

    def handle(self, *args: Any, **options: Any) -> None:
        """Seal anew, all or nothing."""
        with transaction.atomic():
            changed = sum(reseal_column(model, field) for model, field in sealed_columns())
        self.stdout.write(f"Sealed anew: {changed}. Keys behind the first may be removed now.")


def sealed_columns() -> Iterator[tuple[type[models.Model], EncryptedJSONField]]:
    """Find every sealed column of the installation."""
    for model in apps.get_models():
        for field in model._meta.get_fields():
            if isinstance(field, EncryptedJSONField):
                yield model, field


def reseal_column(model: type[models.Model], field: EncryptedJSONField) -> int:
    """Seal one column anew and give the number of rows.

    Raises:
        CommandError: A row was sealed with a key that is gone; nothing has been changed then.
    """
    # As stored text, past the field, which would open it and thereby hide which row cannot be.
    stored = models.functions.Cast(field.attname, models.TextField())
    rows = list(model._base_manager.annotate(stored=stored).values_list("pk", "stored"))
    changed = 0
    for pk, sealed in rows:
        if not sealed:
            continue
        try:
            anew = reseal(sealed)
        except CannotOpenError as error:
            msg = f"{model._meta.verbose_name} {pk}: {error}"
            raise CommandError(msg) from error
        literal = models.Value(anew, output_field=models.TextField())
        # What was stored anew meanwhile, as a renewed token is, must not be put back.
        unchanged = model._base_manager.annotate(stored=stored).filter(pk=pk, stored=sealed)
        changed += unchanged.update(**{field.attname: literal})
    return changed
