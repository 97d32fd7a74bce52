"""Lets one worker at a time work on a type pair, or on a slice of its load.

Leases go by the database's clock and carry a fencing number. Whoever slept past its end finds the
number moved on, and its commit is refused. A clean end frees at once; after a vanished worker the
successor also waits one request limit, since that worker's last request may still be under way.

While a load is cut into slices, nobody else gets the type pair; while somebody has the type pair,
nobody gets a slice. All numbers come from the type pair, so that none is given twice.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from hubconnect.integrations.models import Flow, Slice, TypePair

# How often a lease is renewed within its length while one request goes on.
RENEWALS = 5


class LeaseLostError(Exception):
    """Another worker holds the type pair or the slice now; nothing more may be written."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on one type pair, or on one slice of it."""

    type_pair_id: int
    fence: int
    slice_id: int | None = None

    @property
    def holder(self) -> str:
        """Name what is leased, as claims do: "" is the type pair itself."""
        return f"slice {self.slice_id}" if self.slice_id else ""


def fences(type_pair_id: int) -> dict[str, int]:
    """Return the fencing numbers that are good now, by what is leased, as ``Lease.holder`` says."""
    found = TypePair.objects.filter(pk=type_pair_id).values_list("fence", flat=True)
    load = TypePair.objects.filter(pk=type_pair_id).values("loading_run")
    slices = Slice.objects.filter(run__in=load, state=Slice.State.OPEN)
    numbers = {f"slice {pk}": fence for pk, fence in slices.values_list("pk", "fence")}
    return {"": found.first() or 0, **numbers}


def database_now() -> datetime:
    """Return the time by the database's clock, which all workers share."""
    moment: datetime | None = (
        TypePair.objects.annotate(moment=Now()).values_list("moment", flat=True).first()
    )
    if moment is None:
        msg = "The database's clock is asked for only where a type pair exists."
        raise LookupError(msg)
    return moment


def claim(type_pair_id: int, flow_id: int | None = None) -> Lease | None:
    """Take a type pair's lease with a new fencing number; None while somebody else works on it.

    A flow whose own load is cut into slices gets it once no slice is left to do.
    """
    with transaction.atomic():
        if not _lock(type_pair_id) or _is_kept_for_load(type_pair_id, flow_id):
            return None
        now = database_now()
        unfinished = Slice.objects.exclude(state=Slice.State.DONE)
        if unfinished.filter(flow__pair__type_pair=type_pair_id).exclude(is_free(now)).exists():
            return None
        until, settle = _ends(now)
        taken = TypePair.objects.filter(is_free(now), pk=type_pair_id).update(
            fence=F("fence") + 1, leased_until=until, settle_after=settle
        )
        return Lease(type_pair_id, _fence(type_pair_id)) if taken else None


def claim_slice(slice_id: int) -> Lease | None:
    """Take a slice's lease, or return None: somebody has it, or it is not to be worked on now."""
    type_pair_id = (
        Slice.objects.filter(pk=slice_id).values_list("flow__pair__type_pair", flat=True).first()
    )
    if type_pair_id is None:
        return None
    with transaction.atomic():
        if not _lock(type_pair_id):
            return None
        now = database_now()
        wanted = at_work(Slice.objects.filter(is_free(now), pk=slice_id, next_turn_at__lte=now))
        pair = TypePair.objects.filter(
            is_free(now), pk=type_pair_id, loading_run__in=wanted.values("run")
        )
        if not pair.update(fence=F("fence") + 1):
            return None
        fence = _fence(type_pair_id)
        until, settle = _ends(now)
        Slice.objects.filter(pk=slice_id).update(
            fence=fence, leased_until=until, settle_after=settle
        )
        return Lease(type_pair_id, fence, slice_id)


def at_work(slices: QuerySet[Slice]) -> QuerySet[Slice]:
    """Narrow slices to those that are to be worked on: open ones of loads that go on."""
    return slices.filter(loads("flow__"), state=Slice.State.OPEN)


def loads(prefix: str = "") -> Q:
    """Return the condition for a flow whose load goes on; ``prefix`` leads to the flow."""
    known = {
        "phase": Flow.Phase.LOADING,
        "is_enabled": True,
        "is_paused": False,
        "pair__integration__is_active": True,
    }
    return Q(**{f"{prefix}{name}": value for name, value in known.items()})


def waits_for_slices() -> Q:
    """Return the condition for a flow whose object types are being loaded in slices.

    The load's own flow waits too, until its slices are done: it ends the load then.
    """
    load = "pair__type_pair__loading_run"
    loading = Flow.objects.filter(loads(), pk=OuterRef(f"{load}__flow"))
    slices = at_work(Slice.objects.filter(run=OuterRef(load)))
    is_own_and_over = Q(~Exists(slices), **{f"{load}__flow": F("pk")})
    return Q(Exists(loading)) & ~is_own_and_over


def _lock(type_pair_id: int) -> bool:
    """Have others wait who want this type pair or a slice of it; not those who write below it."""
    found = TypePair.objects.select_for_update(no_key=True).filter(pk=type_pair_id)
    return bool(found.values_list("pk"))


def _is_kept_for_load(type_pair_id: int, flow_id: int | None) -> bool:
    """Tell whether a load keeps this type pair to itself."""
    loading = Flow.objects.filter(
        loads(), runs__in=TypePair.objects.filter(pk=type_pair_id).values("loading_run")
    ).first()
    if loading is None:
        return False
    return loading.pk != flow_id or at_work(Slice.objects.filter(flow=loading)).exists()


def _fence(type_pair_id: int) -> int:
    return TypePair.objects.values_list("fence", flat=True).get(pk=type_pair_id)


def is_free(now: datetime) -> Q:
    """Return the condition for what nobody works on by this time.

    One leased further ahead than any lease can be comes from a clock that jumped: it is void.
    """
    _, settle = _ends(now)
    return Q(leased_until__lte=now, settle_after__lte=now) | Q(settle_after__gt=settle)


def renew(lease: Lease) -> None:
    """Prolong the lease; called right before each write and within each commit.

    Raises:
        LeaseLostError: the fence moved on, or the slice was given up.
    """
    until, settle = _ends(database_now())
    if lease.slice_id is None:
        kept = _pair(lease).update(leased_until=until, settle_after=settle)
    else:
        slices = _slice(lease).exclude(state=Slice.State.VOID)
        kept = slices.update(leased_until=until, settle_after=settle)
    if not kept:
        what = "slice of the load" if lease.slice_id else "pair of object types"
        msg = f"Another worker took over this {what}."
        raise LeaseLostError(msg)


def _pair(lease: Lease) -> QuerySet[TypePair]:
    return TypePair.objects.filter(pk=lease.type_pair_id, fence=lease.fence)


def _slice(lease: Lease) -> QuerySet[Slice]:
    return Slice.objects.filter(pk=lease.slice_id or 0, fence=lease.fence)


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
    if lease.slice_id is None:
        _pair(lease).update(leased_until=now, settle_after=now)
    else:
        _slice(lease).update(leased_until=now, settle_after=now)


def _ends(now: datetime) -> tuple[datetime, datetime]:
    until = now + timedelta(seconds=settings.LEASE_S)
    return until, until + timedelta(seconds=settings.REQUEST_TIMEOUT_S)
