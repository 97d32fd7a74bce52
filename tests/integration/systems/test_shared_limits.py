"""Many workers, one real broker, one account that counts calls as they arrive."""

import random
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count

import pytest

from hubconnect.connectors.addresses import NetworkPolicy
from hubconnect.connectors.base import Context
from hubconnect.connectors.budgets import Budget, Caller, Told
from hubconnect.connectors.errors import BudgetSpentError
from hubconnect.connectors.hubspot.connector import HubSpotConnector
from hubconnect.connectors.limits import RedisRateLimiter
from hubconnect.connectors.parameters import Secret
from tests.sandbox_process import sandbox
from tools.localservices import valkey

CALLS, SPAN = 40, timedelta(seconds=1)
NUMBERS = count(1)
LOOPBACK = NetworkPolicy(["127.0.0.0/8"])


@pytest.fixture(scope="module")
def broker() -> Iterator[str]:
    with valkey() as service:
        yield service.url


def pause() -> None:
    """Be under way for a moment."""
    threading.Event().wait(random.uniform(0.0, 0.02))  # noqa: S311 - a network's whims


@dataclass
class Account:
    """A system that allows so many calls in a span that moves on, whoever calls."""

    calls: int = CALLS
    arrivals: deque[float] = field(default_factory=deque)
    refused: int = 0
    served: Counter[str] = field(default_factory=Counter)
    guard: threading.Lock = field(default_factory=threading.Lock)

    def call(self, name: str) -> Told:
        """Arrive after a while, be counted and answered, after another while."""
        pause()
        with self.guard:
            now = time.monotonic()
            while self.arrivals and self.arrivals[0] <= now - SPAN.total_seconds():
                self.arrivals.popleft()
            if len(self.arrivals) >= self.calls:
                self.refused += 1
                told = Told(most=self.calls, left=0, per=SPAN, refused="BURST", wait=SPAN)
            else:
                self.arrivals.append(now)
                self.served[name] += 1
                told = Told(most=self.calls, left=self.calls - len(self.arrivals), per=SPAN)
        pause()
        return told


def work(broker: str, account: Account, *names: str, seconds: float) -> None:
    """Call as fast as allowed, each name by a worker of its own, for some time."""
    budget = Budget(f"shared/{next(NUMBERS)}", 100, SPAN, "BURST")
    ends_at = time.monotonic() + seconds

    def run(name: str) -> None:
        limiter = RedisRateLimiter(broker)
        while time.monotonic() < ends_at:
            try:
                ticket = limiter.take((budget,), caller=Caller(name), patience=SPAN * 4)
            except BudgetSpentError:
                return
            limiter.note(ticket, account.call(name))

    workers = [threading.Thread(target=run, args=(name,)) for name in names]
    for each in workers:
        each.start()
    for each in workers:
        each.join()


def test_workers_never_exceed_the_limit_and_use_it(broker: str) -> None:
    account = Account()
    began = time.monotonic()
    work(broker, account, *(["flow:1"] * 4), seconds=4)
    spans = (time.monotonic() - began) / SPAN.total_seconds()
    assert account.refused == 0
    # A whole window goes at once, then as many as come free; the machine may be busy.
    assert account.served.total() >= CALLS * spans * 0.8


def test_a_load_with_four_workers_leaves_another_flow_its_turns(broker: str) -> None:
    account = Account()
    work(broker, account, *(["flow:load"] * 4), "flow:changes", seconds=4)
    assert account.refused == 0
    # One in five would be its share if workers counted, not flows.
    assert account.served["flow:changes"] >= account.served.total() * 0.35


def test_a_refusal_makes_all_wait_and_never_ends_in_a_loop(broker: str) -> None:
    """Another program of the same app takes every slot that comes free."""
    account = Account()
    is_over = threading.Event()

    def hog() -> None:
        while not is_over.wait(0.002):
            account.call("other")

    hogs = [threading.Thread(target=hog) for _ in range(4)]
    for each in hogs:
        each.start()
    try:
        ours = Account()  # counts what our workers were told

        class Told429(Account):
            """The same account, with a count of our own refusals."""

            def call(self, name: str) -> Told:
                told = account.call(name)
                if told.refused is not None:
                    ours.refused += 1
                return told

        work(broker, Told429(), *(["flow:1"] * 4), seconds=6)
    finally:
        is_over.set()
        for each in hogs:
            each.join()
    # Four at first, then one of each wait, which grows.
    assert ours.refused <= 8


def test_searches_of_several_systems_stay_below_the_account_s_limit(broker: str) -> None:
    """Five a second for all: one in ten is left to others, so four are used."""
    with sandbox(search_limit=5, burst_limit=100) as hub:

        def search() -> None:
            context = Context(limiter=RedisRateLimiter(broker), addresses=LOOPBACK)
            settings: dict[str, str | Secret] = {
                "api_url": hub.url,
                "auth_type": "token",
                "access_token": Secret(hub.token),
                "app_id": "9001",
            }
            connector = HubSpotConnector(settings, context)
            try:
                connector.identity()
                for _ in range(8):
                    connector.count("contacts")
            finally:
                connector.close()

        workers = [threading.Thread(target=search) for _ in range(3)]
        began = time.monotonic()
        for each in workers:
            each.start()
        for each in workers:
            each.join()
        told = hub.statistics()
    assert told["refused"] == 0
    assert sum(n for name, n in told["calls"].items() if "search" in name) == 24
    assert time.monotonic() - began < 24 / 4 * 2
