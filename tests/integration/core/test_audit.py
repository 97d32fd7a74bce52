"""The audit trail of users."""

from auditlog.models import LogEntry
from django.test import Client
from django.urls import reverse

from hubconnect.core.models import Role, User


def test_a_change_is_recorded_with_who_made_it(
    admin_client: Client, admin: User, monitor: User
) -> None:
    data = {"username": "monitor", "role": "sync_admin", "time_zone": "UTC", "is_active": "on"}
    admin_client.post(reverse("core:user_edit", args=[monitor.pk]), data)
    entry = LogEntry.objects.get_for_object(monitor).latest()
    assert entry.actor == admin
    assert entry.changes == {"role": [Role.MONITOR, Role.SYNC_ADMIN]}


def test_a_password_is_recorded_as_changed_and_never_shown(
    admin_client: Client, monitor: User
) -> None:
    data = {"password": "plum-tart-42", "repeated": "plum-tart-42"}
    admin_client.post(reverse("core:user_password", args=[monitor.pk]), data)
    entry = LogEntry.objects.get_for_object(monitor).latest()
    assert entry.changes == {"password": ["••••••", "••••••"]}
    monitor.refresh_from_db()
    assert not LogEntry.objects.filter(changes__icontains=monitor.password).exists()
