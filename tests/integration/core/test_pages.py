"""Pages of core as each kind of reader."""

import pytest
from django.test import Client
from django.urls import reverse

from hubconnect.core.models import Role, User

OWN = ["core:profile", "core:password_change"]
OF_ADMINS = ["core:user_list", "core:user_add"]


@pytest.mark.django_db
@pytest.mark.parametrize("name", OWN + OF_ADMINS)
def test_every_page_asks_to_sign_in(client: Client, name: str) -> None:
    response = client.get(reverse(name))
    assert response.status_code == 302
    assert response.headers["Location"].startswith(reverse("core:login"))


@pytest.mark.parametrize("name", OWN)
def test_everybody_has_a_profile(monitor_client: Client, name: str) -> None:
    assert monitor_client.get(reverse(name)).status_code == 200


@pytest.mark.parametrize("name", OF_ADMINS)
def test_users_are_for_admins(
    admin_client: Client, sync_admin_client: Client, monitor_client: Client, name: str
) -> None:
    assert admin_client.get(reverse(name)).status_code == 200
    for client in (sync_admin_client, monitor_client):
        refused = client.get(reverse(name))
        assert refused.status_code == 403
        assert "This needs the role Admin" in refused.content.decode()


@pytest.mark.usefixtures("monitor")
def test_signing_in_with_the_wrong_password_says_so(client: Client) -> None:
    answer = client.post(reverse("core:login"), {"username": "monitor", "password": "wrong"})
    assert "do not match" in answer.content.decode()
    right = {"username": "monitor", "password": "secret-of-tests", "next": "/profile/"}
    assert client.post(reverse("core:login"), right).headers["Location"] == "/profile/"


def test_an_admin_adds_a_user_who_can_sign_in(admin_client: Client, client: Client) -> None:
    data = {
        "username": "mira",
        "role": "sync_admin",
        "time_zone": "Europe/Berlin",
        "is_active": "on",
        "password": "plum-tart-42",
        "repeated": "plum-tart-42",
    }
    assert admin_client.post(reverse("core:user_add"), data).status_code == 302
    assert client.login(username="mira", password="plum-tart-42")
    assert User.objects.get(username="mira").has_role(Role.SYNC_ADMIN)


def test_what_is_wrong_with_a_new_user_is_named_at_its_field(admin_client: Client) -> None:
    data = {"username": "", "role": "monitor", "time_zone": "Mars/Olympus", "password": "1234567"}
    page = admin_client.post(reverse("core:user_add"), data).content.decode()
    assert "Not saved: 4 fields need a look" in page
    assert 'href="#id_username"' in page
    assert 'id="id_username-error"' in page
    assert 'aria-invalid="true"' in page


def test_an_admin_cannot_lock_everybody_out(admin_client: Client, admin: User) -> None:
    data = {"username": "admin", "role": "monitor", "time_zone": "UTC"}
    page = admin_client.post(reverse("core:user_edit", args=[admin.pk]), data)
    assert "You cannot take the role Admin from yourself." in page.content.decode()
    admin.refresh_from_db()
    assert admin.role == Role.ADMIN


def test_a_new_password_ends_other_sessions(
    admin_client: Client, monitor_client: Client, monitor: User
) -> None:
    data = {"password": "plum-tart-42", "repeated": "plum-tart-42"}
    admin_client.post(reverse("core:user_password", args=[monitor.pk]), data)
    assert monitor_client.get(reverse("core:profile")).status_code == 302


def test_changing_ones_own_password_asks_for_the_present_one(monitor_client: Client) -> None:
    url = reverse("core:password_change")
    data = {"current": "guess", "password": "plum-tart-42", "repeated": "plum-tart-42"}
    assert "not your present password" in monitor_client.post(url, data).content.decode()
    data["current"] = "secret-of-tests"
    assert monitor_client.post(url, data).status_code == 302
    assert monitor_client.get(reverse("core:profile")).status_code == 200


def test_dates_are_shown_in_the_readers_zone(admin_client: Client, admin: User) -> None:
    admin.time_zone = "Asia/Tokyo"
    admin.save()
    assert "JST" in admin_client.get(reverse("core:user_list")).content.decode()


@pytest.mark.django_db
def test_an_unknown_address_is_a_page_of_ours(client: Client, monitor_client: Client) -> None:
    for reader in (client, monitor_client):
        answer = reader.get("/no/such/page/")
        assert answer.status_code == 404
        assert "There is no such page" in answer.content.decode()


@pytest.mark.django_db
def test_pages_carry_a_strict_content_policy(client: Client) -> None:
    policy = client.get(reverse("core:login")).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.django_db
def test_health_needs_no_sign_in(client: Client) -> None:
    assert client.get(reverse("core:health")).json() == {"status": "ok"}
