"""Sealed secrets."""

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from hubconnect.core.crypto import CannotOpenError, EncryptedJSONField, open_sealed, reseal, seal

SECRETS = {"token": "pat-eu1-1234", "client_secret": "grün"}


def test_what_was_sealed_can_be_opened_and_not_be_read() -> None:
    sealed = seal(SECRETS)
    assert "1234" not in sealed
    assert open_sealed(sealed) == SECRETS


def test_a_new_key_in_front_seals_and_the_old_one_still_opens(settings: Settings) -> None:
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    settings.HUBCONNECT_KEYS = [old]
    sealed = seal(SECRETS)
    settings.HUBCONNECT_KEYS = [new, old]
    assert open_sealed(sealed) == SECRETS
    anew = reseal(sealed)
    settings.HUBCONNECT_KEYS = [new]
    assert open_sealed(anew) == SECRETS
    for use in (open_sealed, reseal):
        with pytest.raises(CannotOpenError, match="not in HUBCONNECT_KEYS"):
            use(sealed)


@pytest.mark.parametrize("keys", [[], ["not-a-key"]])
def test_without_a_good_key_nothing_is_sealed(settings: Settings, keys: list[str]) -> None:
    settings.HUBCONNECT_KEYS = keys
    with pytest.raises(ImproperlyConfigured, match="HUBCONNECT_KEYS"):
        seal(SECRETS)


def test_no_secrets_are_stored_as_nothing() -> None:
    field = EncryptedJSONField()
    assert field.get_prep_value({}) == ""
    assert field.from_db_value("", None, None) == {}  # type: ignore[arg-type]  # not looked at
    assert open_sealed(field.get_prep_value(SECRETS)) == SECRETS
