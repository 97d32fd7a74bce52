"""What a person does about failures: try again, or let go. Many are done in batches."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils import timezone

from hubconnect.core.models import User
from hubconnect.engine.plan import values_hash
from hubconnect.engine.values import as_text, from_stored, restore_all
from hubconnect.integrations.models import Decision, Failure, Flow, FollowUp, Link, Side, TypePair
from hubconnect.integrations.services import deciding, unstored
from hubconnect.integrations.services.closing import close_all
from hubconnect.integrations.services.committing import store_decisions
from hubconnect.integrations.services.nudging import Nudge
from hubconnect.mappings.models import Direction

# Failures worked on in one transaction.
BATCH: Final = 500
_VALUES_SHOWN: Final = 3
_LONGEST_SHOWN: Final = 60

Key = tuple[int | None, str, str]  # type pair, side, record id


def count_open() -> int:
    """Return how many failures wait, for the navigation."""
    return Failure.objects.filter(state=Failure.State.OPEN).count()


def retry(failure: Failure, actor: User) -> Nudge:
    """Try a failed record, or a failed flow, again at once, with its attempts counted anew."""
    return retry_all([failure], actor)


def retry_all(failures: Iterable[Failure], actor: User) -> Nudge:
    """Try open failures again at once; closed ones are left as they are."""
    return retry_ids([failure.pk for failure in failures], actor)


@transaction.atomic
def retry_ids(ids: Sequence[int], actor: User | None) -> Nudge:  # noqa: ARG001 - of all acts
    """Try open failures again at once, named by their keys, at most ``BATCH`` in one transaction.

    The try counts as the first of a new count. A flow that is off tries them once it is on.
    """
    now = timezone.now()
    rows = Failure.objects.filter(pk__in=ids, state=Failure.State.OPEN)
    flow_ids = set(rows.values_list("flow_id", flat=True))
    of_fields = rows.filter(child=Failure.IN_CONFLICT).select_related("flow")
    deciding.look_again(of_fields)
    rows = rows.exclude(child=Failure.IN_CONFLICT)
    rows.filter(level=Failure.Level.RECORD).update(next_try_at=now, attempts=0)
    at_work = Flow.objects.filter(
        pk__in=flow_ids, is_enabled=True, is_paused=False, pair__integration__is_active=True
    )
    at_work.update(next_run_at=now, nudged_at=None)
    nudge = Nudge.of(sorted(at_work.values_list("pk", flat=True)))
    transaction.on_commit(nudge.send)
    return nudge


def dismiss(failure: Failure, actor: User) -> None:
    """Let a failure go: what it was about is not sent; the next edit of the record is."""
    dismiss_ids([failure.pk], actor)


@transaction.atomic
def dismiss_ids(ids: Sequence[int], actor: User | None) -> int:
    """Let failures go, named by their keys, at most ``BATCH`` in one transaction.

    Directions that waited behind them read the records afresh. A record without a counterpart is
    remembered, so that it is not taken up again until its values change. Of a comment or file
    the record itself is not touched.

    Returns:
        How many were let go; closed ones are left as they are.
    """
    now = timezone.now()
    pairs = Failure.objects.filter(pk__in=ids).values("type_pair")
    # In the order of a page's commit: the types first, so that neither waits for the other's rows.
    list(TypePair.objects.select_for_update(no_key=True).filter(pk__in=pairs).order_by("pk"))
    found = Failure.objects.select_for_update(of=("self",))
    found = found.filter(pk__in=ids, state=Failure.State.OPEN)
    rows = list(found.order_by("pk").defer("answer", "tries").select_related("flow"))
    for row in rows:
        if row.child == Failure.IN_CONFLICT:
            deciding.let_go(row)
        elif row.child == Failure.NOT_STORED:
            unstored.let_go(row, _rows_of(row.flow))
    _look_again([row for row in rows if row.child], now)
    of_records = [row for row in rows if row.level == Failure.Level.RECORD and not row.child]
    _let_go(of_records, actor)
    return close_all([row.pk for row in rows], Failure.State.DISMISSED, now, actor=actor)


def _look_again(failures: Iterable[Failure], now: datetime) -> None:
    """Have comments and files of the records compared once more, which notes the dismissal."""
    rows = {}
    for failure in failures:
        kind = failure.child.partition(" ")[0]
        if kind in (FollowUp.Kind.COMMENTS, FollowUp.Kind.FILES):  # others are only refused again
            rows[failure.flow_id, failure.record_id, kind] = FollowUp(
                flow_id=failure.flow_id, record_id=failure.record_id, kind=kind, due_at=now
            )
    FollowUp.objects.bulk_create(
        rows.values(),
        update_conflicts=True,
        unique_fields=["flow", "record_id", "kind", "waits_type", "waits_id"],
        update_fields=["due_at"],
    )


def _let_go(failures: Sequence[Failure], actor: User | None) -> None:
    """Remember the values that are not sent: in the links' bases, or in decisions."""
    flows = Flow.objects.select_related("pair__mapping").in_bulk({row.flow_id for row in failures})
    names = {pk: mapped_fields(flow) for pk, flow in flows.items()}
    links, retired = _links(failures), _retired(failures)
    decisions = []
    for failure in failures:
        if failure.type_pair_id is None:
            continue
        held = {name: failure.source_values.get(name) for name in names[failure.flow_id]}
        link = links.get((failure.type_pair_id, failure.side, failure.record_id))
        if link is not None:
            base = getattr(link, f"{failure.side}_base")
            moved = {name: [value, failure.source_version] for name, value in held.items()}
            base.update({name: one for name, one in moved.items() if name in base})
            continue
        key = (failure.type_pair_id, failure.side, failure.record_id)
        # A link that was given up stays so: only this change is let go.
        kind, reason = Decision.Kind.DISMISSED.value, f"Dismissed by {actor}: {failure.message}"
        if key in retired:
            kind, reason = Decision.Kind.RETIRED.value, retired[key]
        decisions.append(
            Decision(
                type_pair_id=failure.type_pair_id,
                side=failure.side,
                record_id=failure.record_id,
                kind=kind,
                values_hash=values_hash(restore_all(held)),
                reason=reason,
            )
        )
    Link.objects.bulk_update(links.values(), ["left_base", "right_base"])
    unique = {(one.type_pair_id, one.side, one.record_id): one for one in decisions}
    store_decisions(list(unique.values()))


def _links(failures: Iterable[Failure]) -> dict[Key, Link]:
    """Return the links of failed records, locked."""
    found: dict[Key, Link] = {}
    for (type_pair_id, side), ids in _by_side(failures).items():
        name = f"{Side(side)}_id"
        links = Link.objects.select_for_update().filter(
            type_pair_id=type_pair_id, **{f"{name}__in": ids}
        )
        found |= {(type_pair_id, side, getattr(link, name)): link for link in links}
    return found


def _retired(failures: Iterable[Failure]) -> dict[Key, str]:
    """Return why links of failed records were given up, where they were."""
    found: dict[Key, str] = {}
    for (type_pair_id, side), ids in _by_side(failures).items():
        rows = Decision.objects.filter(
            type_pair_id=type_pair_id,
            side=side,
            record_id__in=ids,
            kind=Decision.Kind.RETIRED,
        )
        known = rows.values_list("record_id", "reason")
        found |= {(type_pair_id, side, record_id): reason for record_id, reason in known}
    return found


def _by_side(failures: Iterable[Failure]) -> dict[tuple[int | None, str], list[str]]:
    asked: dict[tuple[int | None, str], list[str]] = defaultdict(list)
    for failure in failures:
        asked[failure.type_pair_id, failure.side].append(failure.record_id)
    return asked


def unsent(failure: Failure) -> str:
    """Return in a few words what is not sent when this failure is let go."""
    values = failure.sent_values or {
        name: failure.source_values.get(name) for name in mapped_fields(failure.flow)
    }
    texts = {name: as_text(from_stored(one)) for name, one in values.items()}
    known = {name: text for name, text in texts.items() if text}
    at_fault = {one["field"] for one in failure.faults}
    named = sorted(known, key=lambda name: name not in at_fault)[:_VALUES_SHOWN]
    shown = [f"{name} “{shortened(known[name])}”" for name in named]
    return ", ".join(shown) + (", …" if len(known) > len(named) else "")


def shortened(text: str) -> str:
    """Cut a value to what a list can show."""
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def mapped_fields(flow: Flow) -> list[str]:
    """Return the source fields that a flow carries."""
    source, target = ("left", "right") if flow.is_to_right else ("right", "left")
    rows = flow.pair.mapping.rows.filter(direction__in=(Direction.BOTH, flow.direction))
    carried = rows.exclude(**{f"{source}_field": ""}).exclude(**{f"{target}_field": ""})
    return list(dict.fromkeys(carried.values_list(f"{source}_field", flat=True)))


def _rows_of(flow: Flow) -> list[tuple[str, str]]:
    """Return the source and target fields of the rows that a flow carries."""
    source, target = ("left", "right") if flow.is_to_right else ("right", "left")
    rows = flow.pair.mapping.rows.filter(direction__in=(Direction.BOTH, flow.direction))
    return list(rows.values_list(f"{source}_field", f"{target}_field"))
