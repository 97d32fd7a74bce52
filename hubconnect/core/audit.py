"""The audit trail: who changed which configuration, when, from what to what.

Each change of a registered model in a request is one entry, with the person and the address,
written by django-auditlog. That a secret changed is recorded, never its value.
"""

from collections.abc import Collection
from typing import Final

from auditlog.registry import auditlog
from django.db import models

MASK: Final = "••••••"

# Where an object of a model is shown: the name of an address that takes its key.
_pages: dict[type[models.Model], str] = {}


def keep_trail(
    model: type[models.Model],
    *,
    secret: Collection[str] = (),
    ignored: Collection[str] = (),
    page: str = "",
) -> None:
    """Record changes of a model from now on; for an application's ``ready``.

    Args:
        model: What to record.
        secret: Fields whose values must not appear; only that they changed does.
        ignored: Fields that change by themselves.
        page: Name of the address at which an object is shown, which takes its key.
    """
    auditlog.register(
        model,
        mask_fields=list(secret),
        mask_callable=f"{__name__}.{mask.__name__}",
        exclude_fields=list(ignored),
    )
    if page:
        _pages[model] = page


def page_of(model: type[models.Model]) -> str:
    """Return the name of the address that shows an object of a model, "" if none does."""
    return _pages.get(model, "")


def mask(_value: str) -> str:
    """Stand in for a secret's value."""
    return MASK
