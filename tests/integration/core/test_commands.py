"""Commands an operator uses."""

import io

import pytest
from django.core.management import CommandError, call_command

from hubconnect.core.models import Role, User


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
def test_keys_rotate_over_all_columns() -> None:
    out = io.StringIO()
    call_command("rotate_keys", stdout=out)
    assert "Sealed anew: 0." in out.getvalue()
