"""Commands an operator uses."""

import io

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from pytest_django import Settings

from hubconnect.core.models import Role, User
from hubconnect.systems.models import System


@pytest.mark.django_db
def test_an_admin_is_made_and_let_back_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("first-word\n"))
    call_command("ensure_admin", "mira", stdout=io.StringIO())
    User.objects.update(role=Role.MONITOR, is_active=False)
    monkeypatch.setattr("sys.stdin", io.StringIO("second-word\n"))
    call_command("ensure_admin", "mira", stdout=io.StringIO())
    mira = User.objects.get()
    assert mira.has_role(Role.ADMIN)
    assert mira.check_password("second-word")


@pytest.mark.django_db
def test_an_admin_without_password_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    with pytest.raises(CommandError, match="no password"):
        call_command("ensure_admin", "mira")


@pytest.mark.django_db
def test_rotating_seals_every_row_with_the_first_key(settings: Settings) -> None:
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    settings.HUBCONNECT_KEYS = [old]
    System.objects.create(name="With", connector="hubspot", secrets={"token": "pat-1"})
    System.objects.create(name="Without", connector="sql")
    settings.HUBCONNECT_KEYS = [new, old]
    out = io.StringIO()
    call_command("rotate_keys", stdout=out)
    assert "Sealed anew: 1." in out.getvalue()
    settings.HUBCONNECT_KEYS = [new]
    assert System.objects.get(name="With").secrets == {"token": "pat-1"}
    assert System.objects.get(name="Without").secrets == {}


@pytest.mark.django_db
def test_rotating_without_the_old_key_names_the_row_and_changes_nothing(
    settings: Settings,
) -> None:
    System.objects.create(name="With", connector="hubspot", secrets={"token": "pat-1"})
    settings.HUBCONNECT_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(CommandError, match=r"system \d+: Stored secrets cannot be opened"):
        call_command("rotate_keys", stdout=io.StringIO())
