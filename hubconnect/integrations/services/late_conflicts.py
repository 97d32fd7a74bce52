"""Edits that an update overwrote unseen, found when its outcome is settled.

All but ``asked_rows`` and ``lost_values`` is called within a transaction of a run with the lease.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from hubconnect.connectors.base import Record, Value
from hubconnect.connectors.errors import Category
from hubconnect.connectors.remembering import History
from hubconnect.engine.conflict import MISSING
from hubconnect.engine.plan import Names, base_of
from hubconnect.engine.settle import Verdict
from hubconnect.engine.values import to_stored
from hubconnect.integrations.models import Failure, Flow, Intent, Link, RecordEvent, Side
from hubconnect.integrations.services import counting
from hubconnect.integrations.services.conflicts import (
    CHOOSE,
    Entry,
    make_end,
    message_of,
    names_of,
)
from hubconnect.integrations.services.overwritten import entry_of, lost_entry
from hubconnect.integrations.services.session import Session
from hubconnect.mappings.models import Direction, FieldMapping


def asked_rows(intents: Sequence[Intent]) -> dict[str, list[Names]]:
    """Return the sent fields about which a person is asked, by key of the update; one query.

    The mapping is that of the update's own flow, which may belong to another integration.
    """
    flows = {intent.flow_id for intent in intents}
    rows = "pair__mapping__rows"
    by_flow: dict[int, list[Names]] = {}
    for flow_id, direction, row_direction, left, right in Flow.objects.filter(
        **{"pk__in": flows, f"{rows}__conflict": FieldMapping.Conflict.ASK}
    ).values_list(
        "pk", "direction", f"{rows}__direction", f"{rows}__left_field", f"{rows}__right_field"
    ):
        if row_direction in (Direction.BOTH, direction):
            names = (left, right) if direction == Direction.TO_RIGHT else (right, left)
            by_flow.setdefault(flow_id, []).append(names)
    asked = {
        one.key: [names for names in by_flow.get(one.flow_id, ()) if names[1] in one.sent_values]
        for one in intents
    }
    return {key: names for key, names in asked.items() if names}


def lost_values(
    intent: Intent,
    verdict: Verdict,
    history: History,
    asked: Sequence[Names],
    since: datetime,
) -> dict[Names, Value]:
    """Return what somebody had entered between our read and our write, by the row's fields.

    ``since``: the write is not older, by the target's clock.
    """
    found: dict[Names, Value] = {}
    for names in asked:
        name = names[1]
        if name not in verdict.kept | verdict.topped:
            continue
        expected, sent = intent.target_values.get(name), intent.sent_values[name]
        lost = lost_entry(history.get(name, ()), expected, sent, since)
        if lost is not None:
            found[names] = lost.value
    return found


def store(
    session: Session,
    intent: Intent,
    link: Link | None,
    record: Record,
    lost: Mapping[Names, Value],
) -> None:
    """Ask a person about overwritten values; ``link`` has the bases of before the update."""
    side, now = Side(intent.source_side), timezone.now()
    failure = (
        Failure.objects.select_for_update()
        .filter(
            Q(side=side, record_id=intent.source_id)
            | Q(side=side.other, record_id=intent.target_id),
            type_pair_id=intent.type_pair_id,
            child=Failure.IN_CONFLICT,
            state=Failure.State.OPEN,
        )
        .first()
    ) or _new(session, intent, now)
    entries = [_entry(session, intent, link, record, names, lost[names]) for names in lost]
    old: list[Entry] = list(failure.conflicts)
    failure.conflicts = [*(one for one in old if names_of(one, side) not in lost), *entries]
    failure.run = session.run
    failure.field = failure.conflicts[0][failure.side]["field"]
    failure.message = message_of(intent.flow, failure.conflicts)
    failure.hint = CHOOSE
    failure.last_at = now
    failure.attempts += 1
    failure.save()
    counting.count(session, "failed")
    RecordEvent.objects.create(
        run=session.run,
        kind=RecordEvent.Kind.FAILED,
        source_id=intent.source_id,
        target_id=intent.target_id,
        title=intent.title,
        detail={"reason": f"{failure.category}: {failure.message}"},
        at=now,
    )


def _new(session: Session, intent: Intent, now: datetime) -> Failure:
    source = session.end(Side(intent.source_side))
    return Failure(
        flow_id=intent.flow_id,
        type_pair_id=intent.type_pair_id,
        level=Failure.Level.RECORD,
        side=intent.source_side,
        record_id=intent.source_id,
        target_id=intent.target_id,
        child=Failure.IN_CONFLICT,
        category=Category.CONFLICT,
        title=intent.title,
        record_url=source.connector.url(source.object_type, intent.source_id),
        source_values=intent.source_values,
        source_version=intent.source_version,
        first_at=now,
        attempts=0,
    )


def _entry(
    session: Session,
    intent: Intent,
    link: Link | None,
    record: Record,
    names: Names,
    lost: Value,
) -> Entry:
    side, spec = Side(intent.source_side), session.spec
    fields = spec.source_fields, spec.target_fields
    sources, targets = fields if side == session.flow.source_side else reversed(fields)
    bases = [
        base_of(getattr(link, f"{of}_base"), name) if link is not None else MISSING
        for of, name in zip((side, side.other), names, strict=True)
    ]
    source = make_end(sources.get(names[0]), bases[0], intent.source_values.get(names[0]))
    target = make_end(targets.get(names[1]), bases[1], to_stored(record.values.get(names[1])))
    return entry_of(side, source, target, lost, has_base=MISSING not in bases)
