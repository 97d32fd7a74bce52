"""Secrets at rest: sealed with the first key of HUBCONNECT_KEYS, opened with any of them.

To rotate: put a new key in front, restart, run ``manage.py rotate_keys``, then remove the old key.
"""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

    _TextField = models.TextField[Mapping[str, str], dict[str, str]]
else:
    _TextField = models.TextField


class CannotOpenError(Exception):
    """What was stored was sealed with a key that HUBCONNECT_KEYS does not hold."""


def key_ring() -> MultiFernet:
    """Give the keys of this installation.

    Raises:
        ImproperlyConfigured: There is none, or one is not a Fernet key.
    """
    if not settings.HUBCONNECT_KEYS:
        msg = "HUBCONNECT_KEYS holds no key, so no secret can be stored or used."
        raise ImproperlyConfigured(msg)
    try:
        return MultiFernet([Fernet(key) for key in settings.HUBCONNECT_KEYS])
    except ValueError as error:
        msg = "A key in HUBCONNECT_KEYS is not 32 bytes in URL-safe base64."
        raise ImproperlyConfigured(msg) from error


def seal(secrets: Mapping[str, str]) -> str:
    """Encrypt named secrets for storage."""
    return key_ring().encrypt(json.dumps(dict(secrets)).encode()).decode()


def open_sealed(sealed: str) -> dict[str, str]:
    """Decrypt what :func:`seal` made.

    Raises:
        CannotOpenError: The key is no longer in HUBCONNECT_KEYS, or the value was altered.
    """
    try:
        opened: dict[str, str] = json.loads(key_ring().decrypt(sealed.encode()))
    except InvalidToken as error:
        msg = (
            "Stored secrets cannot be opened: their key is not in HUBCONNECT_KEYS. "
            "Put the key back, or enter the secrets again."
        )
        raise CannotOpenError(msg) from error
    return opened


def reseal(sealed: str) -> str:
    """Encrypt again with the first key, without the time stamp changing.

    Raises:
        CannotOpenError: No key opens it.
    """
    try:
        return key_ring().rotate(sealed.encode()).decode()
    except InvalidToken as error:
        msg = "Stored secrets cannot be opened: their key is not in HUBCONNECT_KEYS."
        raise CannotOpenError(msg) from error


class EncryptedJSONField(_TextField):
    """Named secrets of one row, a dictionary in Python and sealed text in the database.

    Never part of a form, and never to be found by its value. The value reads as empty when empty.
    """

    description = "Sealed secrets"

    def __init__(self, *args: Any, **options: Any) -> None:
        options["editable"] = False
        options.setdefault("default", dict)
        options.setdefault("blank", True)
        super().__init__(*args, **options)

    def deconstruct(self) -> Any:  # noqa: ANN401  as Django has it
        """Leave out what every such field has."""
        name, path, args, options = super().deconstruct()
        options.pop("editable", None)
        return name, path, args, options

    def get_prep_value(self, value: Mapping[str, str] | None) -> str:
        """Seal what is to be stored; nothing is stored as nothing."""
        return seal(value) if value else ""

    def from_db_value(
        self, value: str | None, _expression: object, _connection: "BaseDatabaseWrapper"
    ) -> dict[str, str]:
        """Open what was stored."""
        return open_sealed(value) if value else {}

    def to_python(self, value: Mapping[str, str] | None) -> dict[str, str]:
        """Take dictionaries as they are."""
        return dict(value or {})

    def value_to_string(self, _obj: models.Model) -> str:
        """Refuse to be exported: dumps of data hold no secret, open or sealed."""
        return ""
