"""Claims: no two source records plan the same counterpart, whichever workers plan them.

Slices of a first load run side by side, each with a lease of its own, so one lease a type pair does
not keep two of them from looking for the same counterpart at the same moment. Before a record is
looked up it takes the *lookup key*; before it is linked with what was found it takes the *target*.
A unique row decides who is first. Whoever comes later waits its turn: it is read afresh later, and
then finds what the first one made of it.

A claim lives as long as the lease it was taken under: once that lease's fence moved on, its worker
can store nothing any more, and anybody may take the claim over. A page's commit gives its claims
back, except those under which a record was created: these name that record, and are kept until
searches surely show it.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from hubconnect.integrations.models import Claim, Side
from hubconnect.integrations.services.lease import Lease, fences, renew

# Searches show a new record after this time at the latest.
KEEP = timedelta(minutes=5)


@dataclass(slots=True)
class Taken:
    """What became of the keys that were asked for.

    Attributes:
        lost: keys that another source record has; it goes first.
        made: ids of the records that were created under a key a moment ago, by key.
    """

    lost: set[str] = field(default_factory=set)
    made: dict[str, str] = field(default_factory=dict)


def target_key(target_id: str) -> str:
    """Return the key that stands for a target record itself."""
    return f"id:{hashlib.sha256(target_id.encode(errors='surrogatepass')).hexdigest()}"


def take(lease: Lease, side: Side, wanted: Mapping[str, str]) -> Taken:
    """Take keys for source records; values are the source records' ids.

    Args:
        lease: under which the page is planned.
        side: of the targets.
        wanted: the source record's id by key.

    Raises:
        LeaseLostError: another worker took over.
    """
    if not wanted:
        return Taken()
    now = timezone.now()
    keys = sorted(wanted)  # in one order everywhere, so that two workers never wait for each other
    with transaction.atomic():
        renew(lease)
        Claim.objects.bulk_create(
            [_row(lease, side, key, wanted[key], now) for key in keys], ignore_conflicts=True
        )
        rows = Claim.objects.filter(type_pair_id=lease.type_pair_id, side=side, key__in=keys)
        taken, current = Taken(), fences(lease.type_pair_id)
        for row in rows.order_by("key"):
            if _is_mine(row, lease) and row.source_id == wanted[row.key]:
                continue
            if row.target_id and row.expires_at > now:
                taken.made[row.key] = row.target_id
            elif not (_is_void(row, current, now) and _take_over(row, lease, wanted[row.key], now)):
                taken.lost.add(row.key)
    return taken


def see(lease: Lease, side: Side, keys: Iterable[str]) -> Taken:
    """Return what taking these keys would find, without taking them."""
    now, current, seen = timezone.now(), fences(lease.type_pair_id), Taken()
    rows = Claim.objects.filter(type_pair_id=lease.type_pair_id, side=side, key__in=list(keys))
    for row in rows:
        if _is_void(row, current, now):
            continue
        if row.target_id:
            seen.made[row.key] = row.target_id
        else:
            seen.lost.add(row.key)
    return seen


def give_back(lease: Lease, made: Sequence[tuple[Side, str, str, str]]) -> None:
    """End this lease's claims; called within a commit.

    Args:
        lease: under which they were taken.
        made: side, key, source id and target id of what was created, kept for a while.
    """
    rows = Claim.objects.filter(type_pair_id=lease.type_pair_id, fence=lease.fence, target_id="")
    rows.filter(holder=lease.holder).delete()
    keep(lease, made)


def keep(lease: Lease, made: Iterable[tuple[Side, str, str, str]]) -> None:
    """Keep what was created findable by its key while searches may not show it yet."""
    until = timezone.now() + KEEP
    rows = [
        Claim(
            type_pair_id=lease.type_pair_id,
            side=side,
            key=key,
            source_id=source_id,
            target_id=target_id,
            holder=lease.holder,
            fence=lease.fence,
            expires_at=until,
        )
        for side, key, source_id, target_id in made
    ]
    Claim.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["type_pair", "side", "key"],
        update_fields=["source_id", "target_id", "holder", "fence", "expires_at"],
    )


def clear(lease: Lease) -> None:
    """Remove the claims of a type pair that are void or whose time is over."""
    now = timezone.now()
    rows = Claim.objects.filter(type_pair_id=lease.type_pair_id)
    rows.exclude(target_id="").filter(expires_at__lte=now).delete()
    alive = Q()
    for holder, fence in fences(lease.type_pair_id).items():
        alive |= Q(holder=holder, fence__gte=fence)
    rows.filter(target_id="").exclude(alive).delete()


def _row(lease: Lease, side: Side, key: str, source_id: str, now: datetime) -> Claim:
    return Claim(
        type_pair_id=lease.type_pair_id,
        side=side,
        key=key,
        source_id=source_id,
        holder=lease.holder,
        fence=lease.fence,
        expires_at=now,  # counts once something was created
    )


def _is_mine(row: Claim, lease: Lease) -> bool:
    return (row.holder, row.fence, row.target_id) == (lease.holder, lease.fence, "")


def _is_void(row: Claim, current: Mapping[str, int], now: datetime) -> bool:
    if row.target_id:
        return row.expires_at <= now
    return row.fence < current.get(row.holder, row.fence + 1)


def _take_over(row: Claim, lease: Lease, source_id: str, now: datetime) -> bool:
    """Put a new claim in the place of a void one, unless another worker did so first."""
    as_seen = Claim.objects.filter(
        pk=row.pk, holder=row.holder, fence=row.fence, expires_at=row.expires_at
    )
    return bool(
        as_seen.update(
            source_id=source_id,
            target_id="",
            holder=lease.holder,
            fence=lease.fence,
            expires_at=now,
        )
    )
