"""Lets one worker at a time work on a type pair, by the database's clock.

A lease carries a fencing number. Whoever slept past its end finds the number moved on, and its
commit is refused. A clean end frees the type pair at once; after a vanished worker the successor
also waits one request limit, since that worker's last request may still be under way.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic

from django.conf import settings
from django.db.models import F, Q
from django.db.models.functions import Now

from hubconnect.integrations.models import TypePair

# How often a lease is renewed within its length while one request goes on.
RENEWALS = 5


class LeaseLostError(Exception):
    """Another worker holds the type pair now; nothing more may be written."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on one type pair."""

    type_pair_id: int
    fence: int


def database_now() -> datetime:
    """Return the time by the database's clock, which all workers share."""
    moment: datetime | None = (
        TypePair.objects.annotate(moment=Now()).values_list("moment", flat=True).first()
    )
    if moment is None:
        msg = "The database's clock is asked for only where a type pair exists."
        raise LookupError(msg)
    return moment


def claim(type_pair_id: int) -> Lease | None:
    """Take the lease with a new fencing number, or return None while another worker has it."""
    now = database_now()
    until, settle = _ends(now)
    # One further ahead than any lease can be comes from a clock that jumped: it is void.
    is_free = Q(leased_until__lte=now, settle_after__lte=now) | Q(settle_after__gt=settle)
    taken = TypePair.objects.filter(is_free, pk=type_pair_id).update(
        fence=F("fence") + 1, leased_until=until, settle_after=settle
    )
    if not taken:
        return None
    fence = TypePair.objects.values_list("fence", flat=True).get(pk=type_pair_id)
    return Lease(type_pair_id, fence)


def renew(lease: Lease) -> None:
    """Prolong the lease; called right before each write and within each commit.

    Raises:
        LeaseLostError: the fence moved on.
    """
    until, settle = _ends(database_now())
    kept = TypePair.objects.filter(pk=lease.type_pair_id, fence=lease.fence).update(
        leased_until=until, settle_after=settle
    )
    if not kept:
        msg = "Another worker took over this pair of object types."
        raise LeaseLostError(msg)


class Keeper:
    """Renews a lease now and then while one request goes on for long, such as that of a large file.

    Call it as often as there is a piece of work; it renews a few times within a lease.
    """

    def __init__(self, lease: Lease, now_s: Callable[[], float] = monotonic) -> None:
        """Take the lease as renewed just now; ``now_s`` gives seconds that never go back."""
        self._lease, self._now_s = lease, now_s
        self._every_s = settings.LEASE_S / RENEWALS
        self._at_s = now_s()

    def __call__(self) -> None:
        """Renew the lease if it is time.

        Raises:
            LeaseLostError: the fence moved on.
        """
        if self._now_s() - self._at_s >= self._every_s:
            renew(self._lease)
            self._at_s = self._now_s()


def release(lease: Lease) -> None:
    """Give the lease back, if it is still ours."""
    now = database_now()
    TypePair.objects.filter(pk=lease.type_pair_id, fence=lease.fence).update(
        leased_until=now, settle_after=now
    )


def _ends(now: datetime) -> tuple[datetime, datetime]:
    until = now + timedelta(seconds=settings.LEASE_S)
    return until, until + timedelta(seconds=settings.REQUEST_TIMEOUT_S)
