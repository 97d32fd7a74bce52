"""The audit trail: who changed which configuration, when, from what to what.

Each change of a registered model in a request is one entry, with the person and the address,
written by django-auditlog. That a secret changed is recorded, never its value.
"""

from collections.abc import Collection

from auditlog.registry import auditlog
from django.db import models


def keep_trail(
    model: type[models.Model],
    *,
    secret: Collection[str] = (),
    ignored: Collection[str] = (),
) -> None:
    """Record changes of a model from now on; for an application's ``ready``.

    Args:
        model: What to record.
        secret: Fields whose values must not appear; only that they changed does.
        ignored: Fields that change by themselves.
    """
    auditlog.register(
        model,
        mask_fields=list(secret),
        mask_callable=f"{__name__}.{mask.__name__}",
        exclude_fields=list(ignored),
    )


def mask(_value: str) -> str:
    """Stand in for a secret's value."""
    return "••••••"
