"""Fixtures that tests of every layer share."""

import pytest
from django.test import Client

from hubconnect.core.models import Role, User


def make_user(role: Role) -> User:
    """Make a user called after the role, whose password is ``secret-of-tests``."""
    return User.objects.create_user(role.value, password="secret-of-tests", role=role)


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def monitor(db: None) -> User:
    return make_user(Role.MONITOR)


@pytest.fixture
def sync_admin(db: None) -> User:
    return make_user(Role.SYNC_ADMIN)


@pytest.fixture
def admin(db: None) -> User:
    return make_user(Role.ADMIN)


@pytest.fixture
def monitor_client(monitor: User) -> Client:
    return client_of(monitor)


@pytest.fixture
def sync_admin_client(sync_admin: User) -> Client:
    return client_of(sync_admin)


@pytest.fixture
def admin_client(admin: User) -> Client:
    return client_of(admin)
