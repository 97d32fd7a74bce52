"""Tokens are renewed before they expire, once across all workers, and never lost half-way."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import structlog
from django.conf import settings as django_settings
from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from hubconnect.connectors.base import Patch
from hubconnect.connectors.errors import AttentionError, RateLimitedError, TemporaryError
from hubconnect.connectors.oauth import Invitation, Tokens
from hubconnect.connectors.parameters import Secret
from hubconnect.systems.models import SignIn, System
from hubconnect.systems.services import checking, consent, signing_in
from hubconnect.systems.services.connections import open_connector
from hubconnect.systems.services.token_stores import StoredTokens
from tests.sandbox_process import Sandbox, sandbox

pytestmark = pytest.mark.django_db(transaction=True)
WORKERS = 6


class PassingClock:
    """Time that passes only by waiting."""

    def __init__(self) -> None:
        self.time_s = 0.0

    def monotonic_s(self) -> float:
        return self.time_s

    def wait(self, span: timedelta) -> None:
        self.time_s += span.total_seconds()


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with sandbox() as started:
        yield started


@pytest.fixture
def hub(running: Sandbox) -> Iterator[Sandbox]:
    cache.clear()
    yield running
    running.clear_faults()
    running.settings(clock_offset_s=0, rotates=False)


@pytest.fixture
def system(hub: Sandbox) -> System:
    """A system that somebody connected."""
    app = {"client_secret": "hush-hush", "app_id": 9301, "redirect_uris": [consent.redirect_uri()]}
    hub.add_app("app-one", **app)
    made = System.objects.create(
        name="HubSpot",
        connector="hubspot",
        parameters={
            "api_url": hub.url,
            "user_email": "rae.poe@example.com",
            "auth_type": "oauth",
            "client_id": "app-one",
            "app_id": "9301",
        },
        secrets={"client_secret": "hush-hush"},
    )
    opened = signing_in.app_of(made)
    invitation = Invitation(
        redirect_uri=consent.redirect_uri(),
        state="s",
        required=("crm.objects.contacts.read", "crm.objects.contacts.write"),
    )
    address = hub.consent(opened.install_url(invitation))
    code = parse_qs(urlsplit(address).query)["code"][0]
    signing_in.store(made, signing_in.exchange(opened, code), None)
    opened.close()
    hub.reset_statistics()
    return made


def expire(ago: timedelta = timedelta(0)) -> None:
    SignIn.objects.update(expires_at=timezone.now() - ago)


def use(system: System) -> str:
    with open_connector(system, is_fresh=True) as connector:
        return connector.identity()


def renewals(hub: Sandbox) -> int:
    return int(hub.statistics()["calls"].get("oauth.token", 0))


def run_program(system: System, *more: str) -> "subprocess.Popen[str]":
    own: dict[str, Any] = connection.settings_dict
    url = f"sqlite:///{own['NAME']}"
    if connection.vendor != "sqlite":
        place = f"{own['HOST']}:{own['PORT']}/{own['NAME']}"
        url = f"postgresql://{own['USER']}:{own['PASSWORD']}@{place}"
    env = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "DATABASE_URL": url,
        "REDIS_URL": django_settings.REDIS_URL,
    }
    command = [sys.executable, "-m", "tests.integration.systems.renewing", str(system.pk), *more]
    return subprocess.Popen(  # noqa: S603 - a program of ours
        command, env=env, cwd=django_settings.BASE_DIR, stdout=subprocess.PIPE, text=True
    )


def test_token_that_lasts_is_used_without_a_call(system: System, hub: Sandbox) -> None:
    assert use(system) == "hubspot:4242"
    assert renewals(hub) == 0


def test_token_is_renewed_before_it_expires(system: System, hub: Sandbox) -> None:
    expire(-timedelta(minutes=4))
    before = SignIn.objects.get().tokens["access"]
    assert use(system) == "hubspot:4242"
    after = SignIn.objects.get()
    assert after.tokens["access"] != before
    assert after.expires_at - timezone.now() > timedelta(minutes=29)
    assert after.leased_until is None
    assert renewals(hub) == 1


def test_many_threads_renew_once(system: System, hub: Sandbox) -> None:
    expire()
    hub.fault(path="/oauth/2026-03/token", delay_s=0.7)
    together = threading.Barrier(WORKERS)

    def work(_: int) -> str:
        try:
            together.wait()
            return use(system)
        finally:
            connection.close()

    with ThreadPoolExecutor(WORKERS) as pool:
        assert set(pool.map(work, range(WORKERS))) == {"hubspot:4242"}
    assert renewals(hub) == 1


def test_processes_renew_once(system: System, hub: Sandbox) -> None:
    expire()
    hub.settings(rotates=True)
    hub.fault(path="/oauth/2026-03/token", delay_s=3)
    programs = [run_program(system) for _ in range(2)]
    assert [program.communicate(timeout=60)[0] for program in programs] == ["hubspot:4242"] * 2
    assert renewals(hub) == 1


def test_others_go_on_with_the_old_token_while_one_renews(system: System, hub: Sandbox) -> None:
    expire(-timedelta(minutes=2))
    SignIn.objects.update(leased_until=timezone.now() + timedelta(seconds=60))
    assert use(system) == "hubspot:4242"
    assert renewals(hub) == 0


def test_waiting_for_another_worker_ends(system: System) -> None:
    expire()
    SignIn.objects.update(leased_until=timezone.now() + timedelta(seconds=60))
    clock = PassingClock()

    def renew(_: Secret) -> Tokens:
        raise AssertionError

    with pytest.raises(TemporaryError, match="takes too long"):
        StoredTokens(system.pk, clock).access_token(renew)
    assert clock.time_s > 10


@pytest.mark.parametrize("until", [timedelta(seconds=-1), timedelta(hours=9)])
def test_lease_of_a_dead_worker_or_a_jumped_clock_is_void(
    system: System, hub: Sandbox, until: timedelta
) -> None:
    expire()
    SignIn.objects.update(leased_until=timezone.now() + until)
    assert use(system) == "hubspot:4242"
    assert renewals(hub) == 1


def test_whatever_refresh_token_comes_back_is_kept(system: System, hub: Sandbox) -> None:
    hub.settings(rotates=True)
    seen = {SignIn.objects.get().tokens["refresh"]}
    for _ in range(2):
        expire()
        use(system)
        seen.add(SignIn.objects.get().tokens["refresh"])
    assert len(seen) == 3


def test_crash_between_answer_and_storing_keeps_what_there_was(
    system: System, hub: Sandbox
) -> None:
    expire()
    before = SignIn.objects.get().tokens
    program = run_program(system, "crash")
    program.communicate(timeout=60)
    assert program.returncode == 9
    assert renewals(hub) == 1
    left = SignIn.objects.get()
    assert left.tokens == before
    assert left.leased_until is not None
    SignIn.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    assert use(system) == "hubspot:4242"


def test_crash_after_which_the_old_token_is_refused_says_reconnect(
    system: System, hub: Sandbox
) -> None:
    expire()
    hub.settings(rotates=True)
    run_program(system, "crash").communicate(timeout=60)
    SignIn.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    with pytest.raises(AttentionError, match="interrupted while it renewed"):
        use(system)
    system.refresh_from_db()
    assert system.state == System.State.RECONNECT
    assert "Press Reconnect" in system.state_reason
    asked = renewals(hub)
    with pytest.raises(AttentionError, match="interrupted while it renewed"):
        use(system)
    assert renewals(hub) == asked, "a lost sign-in is not tried again"


def test_token_refused_too_early_is_renewed_and_the_write_sent_again(
    system: System, hub: Sandbox
) -> None:
    record = hub.create("contacts", {"email": "ana@x.example"})
    with open_connector(system) as connector:
        connector.identity()
        hub.settings(clock_offset_s=1801)
        (outcome,) = connector.update("contacts", [Patch(record, record, {"firstname": "Ana"})])
    assert outcome.error is None
    assert hub.get("contacts", record)["properties"]["firstname"] == "Ana"
    assert renewals(hub) == 1


def test_limit_on_the_token_endpoint_keeps_the_sign_in(system: System, hub: Sandbox) -> None:
    expire()
    limited = {"path": "/oauth/2026-03/token", "status": 429, "times": 20}
    hub.fault(**limited, headers={"Retry-After": "60"})
    with pytest.raises(RateLimitedError):
        use(system)
    hub.clear_faults()
    assert SignIn.objects.get().leased_until is None
    assert use(system) == "hubspot:4242"


def test_rotated_secret_keeps_the_sign_in(system: System, hub: Sandbox) -> None:
    hub.change_app("app-one", client_secret="rotated")
    expire()
    with pytest.raises(AttentionError, match="may have been rotated"):
        checking.check_system(system)
    system.refresh_from_db()
    assert system.state == System.State.ATTENTION
    system.secrets = {"client_secret": "rotated"}
    system.save()
    assert checking.check_system(system).report.identity == "hubspot:4242"


def test_nothing_secret_is_logged(system: System) -> None:
    expire()
    secrets = {*SignIn.objects.get().tokens.values(), "hush-hush"}
    with structlog.testing.capture_logs() as logs:
        use(system)
    assert any(entry["event"] == "sign_in.renewed" for entry in logs)
    secrets |= set(SignIn.objects.get().tokens.values())
    assert not [secret for secret in secrets if secret in str(logs)]
