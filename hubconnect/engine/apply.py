"""Carries out plans: announces, sends in batches, and says for each record what became of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeVar

from hubconnect.connectors.base import Connector, Draft, Outcome, Patch, Values
from hubconnect.connectors.errors import (
    AttentionError,
    ConnectorError,
    OutcomeUnknownError,
    RecordError,
    TemporaryError,
)
from hubconnect.engine.plan import CreatePlan, UpdatePlan
from hubconnect.engine.ports import Journal

P = TypeVar("P", CreatePlan, UpdatePlan)


class Fate(StrEnum):
    """What became of one write."""

    DONE = "done"
    REFUSED = "refused"  # by the target; `error` says why
    UNKNOWN = "unknown"  # the intent stays and is settled later
    STALE = "stale"  # the target moved on since it was read: plan anew
    GONE = "gone"  # the target does not exist any more


@dataclass(frozen=True, slots=True)
class Written(Generic[P]):
    """One plan after it was sent."""

    plan: P
    key: str
    fate: Fate
    target_id: str = ""
    version: str = ""
    stored: Values = field(default_factory=dict)
    error: RecordError | None = None
    was_there: bool = False  # a create found what its key had made before


@dataclass(slots=True)
class Applied(Generic[P]):
    """What was written until the end, or until the target stopped the work."""

    written: list[Written[P]] = field(default_factory=list)
    stopped_by: ConnectorError | None = None


def apply_creates(
    plans: Sequence[CreatePlan], target: Connector, object_type: str, journal: Journal
) -> Applied[CreatePlan]:
    """Create records at the target, batch by batch."""

    def send(batch: Mapping[str, CreatePlan]) -> list[Outcome]:
        drafts = [Draft(key, plan.values, plan.associations) for key, plan in batch.items()]
        return target.create(object_type, drafts)

    return _apply(plans, target.batch_size, journal.announce_creates, send, journal)


def apply_updates(
    plans: Sequence[UpdatePlan], target: Connector, object_type: str, journal: Journal
) -> Applied[UpdatePlan]:
    """Change records at the target, batch by batch."""

    def send(batch: Mapping[str, UpdatePlan]) -> list[Outcome]:
        patches = [
            Patch(key, plan.target.id, plan.writes, plan.expected) for key, plan in batch.items()
        ]
        return target.update(object_type, patches)

    return _apply(plans, target.batch_size, journal.announce_updates, send, journal)


def _apply(
    plans: Sequence[P],
    size: int,
    announce: Callable[[Sequence[P]], Mapping[str, P]],
    send: Callable[[Mapping[str, P]], list[Outcome]],
    journal: Journal,
) -> Applied[P]:
    applied: Applied[P] = Applied()
    for start in range(0, len(plans), size):
        batch = announce(plans[start : start + size])
        try:
            outcomes = send(batch)
        except (TemporaryError, AttentionError) as error:
            journal.withdraw(list(batch))
            applied.stopped_by = error
            return applied
        except OutcomeUnknownError as error:
            applied.written += [Written(plan, key, Fate.UNKNOWN) for key, plan in batch.items()]
            applied.stopped_by = error
            return applied
        by_key = {outcome.key: outcome for outcome in outcomes}
        applied.written += [_written(plan, key, by_key.get(key)) for key, plan in batch.items()]
    return applied


def _written(plan: P, key: str, outcome: Outcome | None) -> Written[P]:
    """Read one outcome; an input missing from the answer may have been taken."""
    if outcome is None or outcome.is_unknown:
        return Written(plan, key, Fate.UNKNOWN)
    if outcome.error is not None:
        return Written(plan, key, Fate.REFUSED, error=outcome.error)
    if outcome.is_stale:
        return Written(plan, key, Fate.STALE)
    if outcome.is_gone:
        return Written(plan, key, Fate.GONE)
    return Written(
        plan,
        key,
        Fate.DONE,
        outcome.id,
        outcome.version,
        outcome.values,
        was_there=outcome.was_there,
    )
