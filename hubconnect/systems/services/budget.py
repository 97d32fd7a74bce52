"""How the day's calls of a system's account stand: for its page, the overview and health.

The shared limiter knows it. What it last knew is also stored now and then, so that a Redis that
lost everything does not leave the pages empty.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import DatabaseError, transaction
from django.utils import timezone

from hubconnect.connectors.base import Meter
from hubconnect.connectors.budgets import DayState
from hubconnect.connectors.registry import connectors
from hubconnect.core.wording import count, counted
from hubconnect.systems.models import CallDay, System
from hubconnect.systems.services.limiter import limiter

log = structlog.get_logger(__name__)

# Each process stores what is known of an account so often at most.
KEEP_EVERY = timedelta(minutes=1)
DAY = timedelta(days=1)
# Before so much of the day has passed, its pace says nothing.
PACE_AFTER = timedelta(hours=1)
# Both sources work out the same midnight, a little apart.
SAME_DAY = timedelta(hours=1)

_kept_at_s: dict[str, float] = {}


@dataclass(frozen=True, slots=True)
class Budget:
    """The day's calls of one account. None where the system does not tell.

    Attributes:
        system: one that draws on it.
        ours: calls that HubConnect made.
        most: calls of the day; ``left`` are free of them, of which ``kept`` are for other apps.
        slow_from: with so many left beside the kept ones, HubConnect slows down.
        ends_at: when the day begins anew.
        told_at: when the system last told.
        is_refused: the system refuses further calls.
    """

    system: System
    ours: int
    most: int | None
    left: int | None
    kept: int
    slow_from: int
    ends_at: datetime
    told_at: datetime | None
    is_refused: bool

    @property
    def used(self) -> int:
        """Calls that are gone, whoever made them."""
        if self.most is None or self.left is None:
            return self.ours
        return max(self.most - self.left, self.ours)

    @property
    def others(self) -> int:
        """Calls that other apps made."""
        return self.used - self.ours

    @property
    def spare(self) -> int:
        """Calls that HubConnect may still make."""
        return max(0, (self.left or 0) - self.kept)

    @property
    def is_told(self) -> bool:
        """Tell whether the account has a daily limit that is known."""
        return self.most is not None and self.left is not None

    @property
    def kind(self) -> str:
        """``ok``, ``warn`` near the end, ``bad`` when no calls are left."""
        if self.is_refused or (self.is_told and not self.spare):
            return "bad"
        return "warn" if self.is_told and self.spare <= self.slow_from else "ok"

    @property
    def notice(self) -> str:
        """What a person must know of a day near its end, or ""."""
        if self.kind == "ok":
            return ""
        clock = f"{timezone.localtime(self.ends_at):%H:%M}"
        if self.kind == "bad":
            rest = ""
            if self.left:
                rest = f" but for {counted(self.left, 'call')} left to other apps"
            return f"The daily call limit is used up{rest}. Flows go on at {clock}."
        return (
            f"The daily call limit is near its end: {counted(self.spare, 'call')} may still be "
            f"made. First loads wait until {clock}, changes are slower."
        )

    @property
    def outlook(self) -> str:
        """What the day comes to if it goes on like this, or "" while that cannot be told."""
        passed = DAY - (self.ends_at - timezone.now())
        if self.most is None or passed < PACE_AFTER:
            return ""
        total = round(self.used * (DAY / passed), -2 if self.used > DAY.total_seconds() else 0)
        verdict = "enough" if total <= self.most - self.kept else "more than may be used"
        return f"{count(total)} when the day ends, {verdict}"

    @property
    def words(self) -> str:
        """The gauge in words."""
        if self.most is None:
            return f"{counted(self.ours, 'call')} by HubConnect today"
        return (
            f"Of {counted(self.most, 'call')} today: {count(self.ours)} by HubConnect, "
            f"{count(self.others)} by other apps, {count(self.spare)} free, "
            f"{count(self.kept)} kept for other apps"
        )

    @property
    def gauge(self) -> tuple[float, float, float]:
        """Ends of the parts, of 250: HubConnect's, other apps', and where the reserve begins."""
        most = max(1, self.most or 1)
        ours, used = min(self.ours, most), min(self.used, most)
        return 250 * ours / most, 250 * used / most, 250 * (most - self.kept) / most

    @property
    def others_width(self) -> float:
        """How wide the part of other apps is."""
        return self.gauge[1] - self.gauge[0]


def meter_of(system: System) -> Meter | None:
    """Return what a system's calls are taken from, None if it has no daily budget."""
    connector = connectors().get(system.connector)
    if connector is None or not system.identity:
        return None
    return connector.meter(system.identity, system.parameters)


def budgets(systems: Iterable[System]) -> list[Budget]:
    """Return how the day stands for each account, in the order of its first system.

    Systems without a daily budget, or that were not called today, are left out. One query.
    """
    meters = [(one, meter) for one in systems if (meter := meter_of(one)) is not None]
    first = {meter.key: (system, meter) for system, meter in reversed(meters)}
    order = list(dict.fromkeys(meter.key for _, meter in meters))
    live = _live(order)
    rows = {row.key: row for row in CallDay.objects.filter(key__in=order)} if order else {}
    found = []
    for key in order:
        budget = _budget(*first[key], live.get(key), rows.get(key))
        if budget is not None:
            found.append(budget)
    return found


def budget_of(system: System) -> Budget | None:
    """Return how the day of a system's account stands."""
    return next(iter(budgets([system])), None)


def short_of_calls(systems: Iterable[System]) -> dict[int, Budget]:
    """Return by key of the system how its account's day stands, where calls run short."""
    listed = list(systems)
    by_key = {meter.key: one for one in budgets(listed) if (meter := meter_of(one.system))}
    found = {}
    for system in listed:
        meter = meter_of(system)
        budget = by_key.get(meter.key) if meter is not None else None
        if budget is not None and budget.kind != "ok":
            found[system.pk] = budget
    return found


def keep(system: System) -> None:
    """Store how the day stands, once in a while; what is lost by not storing it is little."""
    meter = meter_of(system)
    now_s = time.monotonic()
    if meter is None:
        return
    last_s = _kept_at_s.get(meter.key)
    if last_s is not None and now_s - last_s < KEEP_EVERY.total_seconds():
        return
    _kept_at_s[meter.key] = now_s
    state = _live([meter.key]).get(meter.key)
    if state is None:
        return
    try:
        with transaction.atomic():
            _store(meter.key, state)
    except DatabaseError:
        log.warning("budget.not_kept", key=meter.key)


def _live(keys: list[str]) -> Mapping[str, DayState]:
    if not keys:
        return {}
    try:
        return limiter().days(keys)
    except ConnectionError:
        return {}


def _store(key: str, state: DayState) -> None:
    now = timezone.now()
    row, is_new = CallDay.objects.get_or_create(key=key, defaults=_columns(state, now))
    if is_new:
        return
    before = 0
    if _is_same_day(row, now + state.ends_in):
        # A smaller number than before is that of a Redis which began anew.
        before = row.ours_before + (row.ours if state.ours < row.ours else 0)
    columns = _columns(state, now) | {"ours_before": before}
    CallDay.objects.filter(pk=row.pk, at=row.at).update(**columns)


def _columns(state: DayState, now: datetime) -> dict[str, object]:
    return {
        "ours": state.ours,
        "most": state.most,
        "left": state.left,
        "ends_at": now + state.ends_in,
        "told_at": None if state.told_ago is None else now - state.told_ago,
        "is_refused": state.is_refused,
        "at": now,
    }


def _is_same_day(row: CallDay, ends_at: datetime) -> bool:
    return abs(row.ends_at - ends_at) < SAME_DAY


def _budget(
    system: System, meter: Meter, state: DayState | None, row: CallDay | None
) -> Budget | None:
    """Return what is known live, else what was stored today."""
    now = timezone.now()
    before = 0
    if state is None:
        if row is None or row.ends_at <= now:
            return None
        columns = {name: getattr(row, name) for name in COLUMNS}
        before = row.ours_before
    else:
        columns = {name: text for name, text in _columns(state, now).items() if name in COLUMNS}
        if row is not None and _is_same_day(row, now + state.ends_in):
            before = row.ours_before + (row.ours if state.ours < row.ours else 0)
    most = columns["most"] or 0
    return Budget(
        system=system,
        kept=most * meter.kept_percent // 100,
        slow_from=most * meter.slow_percent // 100,
        **columns | {"ours": columns["ours"] + before},
    )


COLUMNS = ("ours", "most", "left", "ends_at", "told_at", "is_refused")
