"""Finds edits that came between our read and our write, at systems that cannot compare before one.

Only fields about which a person is asked are looked at: their history is read after the write, a
few records a call, beside the calls that a sync itself costs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from hubconnect.connectors.base import Value
from hubconnect.connectors.errors import ConnectorError
from hubconnect.connectors.remembering import FieldEntry
from hubconnect.engine.apply import Fate, Written
from hubconnect.engine.conflict import MISSING
from hubconnect.engine.mapping import FieldFlow
from hubconnect.engine.plan import UpdatePlan, base_of, names_of
from hubconnect.engine.values import Stored, to_stored
from hubconnect.integrations.models import Side
from hubconnect.integrations.services.conflicts import End, Entry, make_end
from hubconnect.integrations.services.session import Session

log = structlog.get_logger()


@dataclass(slots=True)
class Found:
    """What the history says about a page's updates.

    Attributes:
        entries: the fields in which somebody's value was overwritten unseen, by source id.
        unread: keys of writes of which it could not be read; they stay open until it can.
    """

    entries: dict[str, list[Entry]] = field(default_factory=dict)
    unread: set[str] = field(default_factory=set)


def find(session: Session, written: Sequence[Written[UpdatePlan]]) -> Found:
    """Ask the target's history what stood there before our updates."""
    remembering = session.target.remembering
    rows = {row.target.name: row for row in session.spec.plan.flows if row.winner == "ask"}
    done = [
        one
        for one in written
        if one.fate is Fate.DONE and not rows.keys().isdisjoint(one.plan.writes)
    ]
    found = Found()
    if remembering is None or not done:
        return found
    names = sorted({name for one in done for name in one.plan.writes if name in rows})
    ids = [one.target_id for one in done]
    try:
        told = remembering.history(session.flow.target_type, ids, names)
    except ConnectorError as error:
        # The intents stay, so that nothing is written again; settling reads the history anew.
        log.warning("history.unread", records=len(ids), error=error.message)
        found.unread = {one.key for one in done}
        return found
    for one in done:
        history, plan = told.get(one.target_id, {}), one.plan
        for name in plan.writes:
            if name not in rows:
                continue
            expected, sent = to_stored(plan.expected.get(name)), to_stored(plan.writes[name])
            lost = lost_entry(history.get(name, ()), expected, sent)
            if lost is not None:
                entry = _entry(session, plan, rows[name], lost.value)
                found.entries.setdefault(plan.source.id, []).append(entry)
    return found


def lost_entry(
    entries: Sequence[FieldEntry], expected: Stored, sent: Stored, since: datetime | None = None
) -> FieldEntry | None:
    """Return the value that stood there just before ours, if it is not the one we had read.

    Args:
        entries: of one field, the newest first.
        expected: what we had read, in stored form.
        sent: what we wrote.
        since: by the system's clock; what is older is not the write in question.
    """
    ours = next(
        (
            at
            for at, one in enumerate(entries)
            if one.is_ours is not False
            and to_stored(one.value) == sent
            and (since is None or one.at >= since)
        ),
        None,
    )
    if ours is None or ours + 1 >= len(entries):
        return None
    before = entries[ours + 1]
    return None if to_stored(before.value) in (expected, sent) else before


def _entry(session: Session, plan: UpdatePlan, row: FieldFlow, lost: Value) -> Entry:
    source_name, target_name = names_of(row)
    source_base = base_of(plan.link.source_base, source_name)
    target_base = base_of(plan.link.target_base, target_name)
    source = make_end(row.source, source_base, to_stored(plan.source.values.get(source_name)))
    target = make_end(row.target, target_base, to_stored(plan.writes[target_name]))
    has_base = MISSING not in (source_base, target_base)
    return entry_of(session.flow.source_side, source, target, lost, has_base=has_base)


def entry_of(side: Side, source: End, target: End, lost: Value, *, has_base: bool) -> Entry:
    """Return a field whose target value was overwritten; ``side`` is the source's."""
    left, right = (source, target) if side is Side.LEFT else (target, source)
    return {
        "left": left,
        "right": right,
        "has_base": has_base,
        "overwritten": side.other.value,
        "lost": to_stored(lost),
    }
