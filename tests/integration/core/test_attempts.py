"""Guessing passwords is limited: by name and place, without locking others out or telling names."""

import uuid
from collections.abc import Iterator

import pytest
from django.http import HttpResponseBase
from django.test import Client, RequestFactory
from django.urls import reverse
from pytest_django.fixtures import Settings

from hubconnect.core import attempts
from hubconnect.core.models import User

pytestmark = pytest.mark.django_db

SIGN_IN = reverse("core:login")
RIGHT = "secret-of-tests"


@pytest.fixture
def name() -> str:
    """Give a name of its own, since counts outlive a test."""
    return f"mira-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def mira(name: str) -> User:
    return User.objects.create_user(name, password=RIGHT)


@pytest.fixture
def _redis_is_lost(settings: Settings) -> Iterator[None]:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    attempts._shared.cache_clear()
    yield
    attempts._shared.cache_clear()


def try_in(client: Client, name: str, typed: str = "wrong", place: str = "") -> HttpResponseBase:
    client.defaults["REMOTE_ADDR"] = place or "127.0.0.1"
    return client.post(SIGN_IN, {"username": name, "password": typed})


def exhaust(client: Client, name: str, place: str = "") -> None:
    for _ in range(5):
        assert try_in(client, name, place=place).status_code == 200


def test_the_right_password_is_refused_too_once_it_was_guessed_at(
    client: Client, mira: User
) -> None:
    exhaust(client, mira.username)
    answer = try_in(client, mira.username, RIGHT)
    assert answer.status_code == 429
    assert 800 < int(answer.headers["Retry-After"]) <= 900
    assert b"Try again in 15 min" in b"".join(answer)
    assert "_auth_user_id" not in client.session


def test_names_that_nobody_has_are_treated_alike(client: Client, name: str) -> None:
    exhaust(client, name)
    assert try_in(client, name).status_code == 429
    assert try_in(client, f" {name.upper()} ").status_code == 429  # one form of it


def test_others_at_the_same_place_and_the_same_name_elsewhere_go_on(
    client: Client, mira: User
) -> None:
    exhaust(client, f"other-{mira.username}")
    exhaust(client, mira.username, place="192.0.2.7")
    assert try_in(client, mira.username, RIGHT).status_code == 302


def test_a_name_is_guessed_at_from_many_places_only_so_often(client: Client, mira: User) -> None:
    for place in range(10):
        exhaust(client, mira.username, place=f"192.0.2.{place}")
    assert try_in(client, mira.username, RIGHT, place="192.0.2.99").status_code == 429


def test_signing_in_forgets_earlier_mistakes(client: Client, mira: User) -> None:
    for _ in range(3):
        for _ in range(4):
            try_in(client, mira.username)
        assert try_in(client, mira.username, RIGHT).status_code == 302
        client.logout()


@pytest.mark.usefixtures("_redis_is_lost")
def test_without_redis_each_process_counts_by_itself(client: Client, mira: User) -> None:
    exhaust(client, mira.username)
    assert try_in(client, mira.username, RIGHT).status_code == 429


def test_the_present_password_is_not_guessed_either(client: Client, mira: User) -> None:
    client.force_login(mira)
    change = {"current": "wrong", "password": "plum-tart-42", "repeated": "plum-tart-42"}
    address = reverse("core:password_change")
    for _ in range(5):
        assert client.post(address, change).status_code == 200
    answer = client.post(address, {**change, "current": RIGHT})
    assert answer.status_code == 429
    assert b"Too many attempts" in answer.content
    mira.refresh_from_db()
    assert mira.check_password(RIGHT)


@pytest.mark.parametrize(
    ("behind", "seen", "told", "address"),
    [
        (False, "192.0.2.1", "198.51.100.9", "192.0.2.1"),
        (True, "10.0.0.1", "203.0.113.5, 198.51.100.9", "198.51.100.9"),
        (True, "10.0.0.1", None, "10.0.0.1"),
        (False, "2001:db8:1:2:3::4", None, "2001:db8:1:2::/64"),
        (True, "10.0.0.1", "nonsense", "unknown"),
    ],
)
def test_the_address_is_the_one_our_proxy_saw(
    settings: Settings, *, behind: bool, seen: str, told: str | None, address: str
) -> None:
    settings.BEHIND_PROXY = behind
    headers = {"X-Forwarded-For": told} if told else {}
    request = RequestFactory().get("/", REMOTE_ADDR=seen, headers=headers)
    assert attempts.address_of(request) == address
