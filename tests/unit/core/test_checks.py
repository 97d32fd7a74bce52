"""Settings that do not fit are said in a sentence, with a hint."""

import pytest
from pytest_django import Settings

from hubconnect.core.checks import check_deployment, check_settings

KEY = "dGVzdHMtb25seS1rZXktb2YtMzItYnl0ZXMtbG9uZyE="


def test_the_settings_of_the_tests_fit() -> None:
    assert check_settings() == []


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("SECRET_KEY", "", "SECRET_KEY is not set"),
        ("HUBCONNECT_KEYS", [], "HUBCONNECT_KEYS is not set"),
        ("HUBCONNECT_KEYS", [KEY, "short"], "Key 2 in HUBCONNECT_KEYS"),
        ("LEASE_S", 90, "LEASE_S is 90, but a run may be silent for 90 s"),
        ("ALLOWED_PRIVATE_ADDRESSES", ["10.0.0.0/99"], "“10.0.0.0/99” in ALLOWED"),
    ],
)
def test_what_is_wrong_is_named(settings: Settings, name: str, value: object, says: str) -> None:
    setattr(settings, name, value)
    messages = check_settings()
    assert len(messages) == 1
    assert says in messages[0].msg
    assert messages[0].hint


def test_a_database_of_ours_is_not_among_the_synced_ones(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = {"ENGINE": "django.db.backends.sqlite3", "NAME": "/data/synced/hubconnect.sqlite3"}
    monkeypatch.setitem(settings.DATABASES, "default", ours)
    settings.SQLITE_DIR = "/data/synced"
    assert [message.id for message in check_settings()] == ["hubconnect.E006"]
    assert [message.id for message in check_deployment()] == ["hubconnect.I001"]
