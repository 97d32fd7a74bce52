"""Claims: two workers never plan the same counterpart; a claim is as good as its lease."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from hubconnect.integrations.models import Claim, Side, TypePair
from hubconnect.integrations.services import claims, lease as leases
from hubconnect.integrations.services.claims import Taken
from hubconnect.integrations.services.lease import Lease, LeaseLostError
from tests.factories.integrations import TypePairFactory

pytestmark = pytest.mark.django_db(transaction=True)
SIDE = Side.RIGHT


@pytest.fixture
def pair() -> TypePair:
    return TypePairFactory.create()


def leased(pair: TypePair) -> Lease:
    TypePair.objects.update(leased_until=timezone.now(), settle_after=timezone.now())
    lease = leases.claim(pair.pk)
    assert lease is not None
    return lease


def both_at_once(*acts: Callable[[], Taken]) -> list[Taken]:
    """Do all at the same moment, each in a thread with a connection of its own."""
    gate = threading.Barrier(len(acts))

    def run(act: Callable[[], Taken]) -> Taken:
        try:
            gate.wait(10)
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def test_of_two_workers_one_gets_each_key(pair: TypePair) -> None:
    lease = leased(pair)
    keys = [f"key {number}" for number in range(40)]
    first, second = both_at_once(
        lambda: claims.take(lease, SIDE, dict.fromkeys(keys, "a")),
        lambda: claims.take(lease, SIDE, dict.fromkeys(reversed(keys), "b")),
    )
    won = set(keys) - first.lost, set(keys) - second.lost
    assert won[0] | won[1] == set(keys)
    assert not won[0] & won[1]
    owners = dict(Claim.objects.values_list("key", "source_id"))
    assert owners == {key: "a" if key in won[0] else "b" for key in keys}


def test_a_key_of_another_record_waits_until_it_is_given_back(pair: TypePair) -> None:
    lease = leased(pair)
    claims.take(lease, SIDE, {"key": "a"})
    assert claims.take(lease, SIDE, {"key": "b"}).lost == {"key"}
    assert claims.take(lease, SIDE, {"key": "a"}).lost == set()
    claims.give_back(lease, [])
    assert claims.take(lease, SIDE, {"key": "b"}).lost == set()


def test_a_claim_is_void_once_its_lease_moved_on(pair: TypePair) -> None:
    claims.take(leased(pair), SIDE, {"key": "a", "other": "a"})
    later = leased(pair)
    assert claims.take(later, SIDE, {"key": "b"}) == Taken()
    assert Claim.objects.get(key="key").fence == later.fence
    claims.clear(later)
    assert list(Claim.objects.values_list("key", flat=True)) == ["key"]


def test_a_void_claim_is_taken_over_once(pair: TypePair) -> None:
    claims.take(leased(pair), SIDE, {"key": "gone"})
    lease = leased(pair)
    first, second = both_at_once(
        lambda: claims.take(lease, SIDE, {"key": "a"}),
        lambda: claims.take(lease, SIDE, {"key": "b"}),
    )
    assert sorted([first.lost, second.lost], key=len) == [set(), {"key"}]


def test_who_lost_the_lease_takes_nothing(pair: TypePair) -> None:
    old = leased(pair)
    leased(pair)
    with pytest.raises(LeaseLostError):
        claims.take(old, SIDE, {"key": "a"})
    assert not Claim.objects.exists()


def test_what_was_created_is_found_by_its_key_for_a_while(pair: TypePair) -> None:
    lease = leased(pair)
    claims.take(lease, SIDE, {"key": "a"})
    claims.give_back(lease, [(SIDE, "key", "a", "t1")])
    later = leased(pair)
    assert claims.take(later, SIDE, {"key": "b"}).made == {"key": "t1"}
    assert claims.see(later, SIDE, ["key"]).made == {"key": "t1"}
    claims.clear(later)
    assert Claim.objects.exists()
    Claim.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert claims.take(later, SIDE, {"key": "b"}) == Taken()


def test_time_over_is_cleared(pair: TypePair) -> None:
    lease = leased(pair)
    claims.give_back(lease, [(SIDE, "key", "a", "t1")])
    Claim.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    claims.clear(lease)
    assert not Claim.objects.exists()


def test_ids_of_any_length_are_keys() -> None:
    assert len(claims.target_key("x" * 255)) < 100
    assert claims.target_key("1") != claims.target_key("2")
