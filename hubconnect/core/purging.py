"""Deletes what is over, a bounded number of rows at a time, so that nobody waits behind it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

BATCH = 1000


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of row that grows, and how it is kept from growing.

    Attributes:
        name: what a person calls these rows.
        batches: deletes them batch by batch and yields how many went each time.
        setting: names the setting that holds days, 0 for "keep"; "" when rows say themselves when
            they are over.
    """

    name: str
    batches: Callable[[datetime], Iterator[int]]
    setting: str = ""

    @property
    def is_on(self) -> bool:
        """Tell whether anything is deleted at all."""
        return not self.setting or getattr(settings, self.setting) > 0

    @property
    def before(self) -> datetime:
        """Return the moment before which rows are over."""
        days = getattr(settings, self.setting) if self.setting else 0
        return timezone.now() - timedelta(days=days)


@dataclass(slots=True)
class Purged:
    """How many rows of each kind went, and whether all that was over did."""

    rows: dict[str, int]
    is_done: bool = True


def purge(rules: list[Rule], budget_s: float | None = None) -> Purged:
    """Delete what is over, rule by rule, until it is done or the time is up; at least one batch."""
    until = monotonic() + budget_s if budget_s is not None else None
    purged = Purged({})
    for rule in rules:
        if not rule.is_on:
            continue
        for number in rule.batches(rule.before):
            purged.rows[rule.name] = purged.rows.get(rule.name, 0) + number
            if until is not None and monotonic() >= until:
                purged.is_done = False
                return purged
    return purged


def found_by_index(over: QuerySet[Any]) -> Iterator[int]:
    """Delete rows of a queryset that an index, or a small table, finds at once."""
    while keys := list(over.order_by().values_list("pk", flat=True)[:BATCH]):
        yield over.model._default_manager.filter(pk__in=keys).delete()[0]


def old_ones(rows: QuerySet[Any], moment: str, before: datetime) -> Iterator[QuerySet[Any]]:
    """Go through old rows whose keys grow with time, batch by batch.

    ``moment`` names their time, which needs no index. What a batch is asked besides is asked of its
    rows alone, so that its cost does not grow with the table.
    """
    last = 0
    while batch := list(rows.filter(pk__gt=last).order_by("pk").values_list("pk", moment)[:BATCH]):
        last = batch[-1][0]
        old = [key for key, at in batch if at < before]
        if not old:
            return
        yield rows.model._default_manager.filter(pk__in=old)


def oldest_first(rows: QuerySet[Any], moment: str, before: datetime, over: Q) -> Iterator[int]:
    """Delete old rows whose keys grow with time; ``over`` tells which of them go."""
    for batch in old_ones(rows, moment, before):
        yield batch.filter(over).delete()[0]
