"""Finds edits that came between our read and our write, at systems that cannot compare before one.

Only fields about which a person is asked are looked at: their history is read after the write, a
few records a call, beside the calls that a sync itself costs.
"""

from collections.abc import Sequence

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


def find(session: Session, written: Sequence[Written[UpdatePlan]]) -> dict[str, list[Entry]]:
    """Return the fields in which somebody's value was overwritten unseen, by source id."""
    remembering = session.target.remembering
    rows = {row.target.name: row for row in session.spec.plan.flows if row.winner == "ask"}
    done = [
        one
        for one in written
        if one.fate is Fate.DONE and not rows.keys().isdisjoint(one.plan.writes)
    ]
    if remembering is None or not done:
        return {}
    names = sorted({name for one in done for name in one.plan.writes if name in rows})
    ids = [one.target_id for one in done]
    try:
        told = remembering.history(session.flow.target_type, ids, names)
    except ConnectorError as error:
        # What was written is to be stored all the same, and the next run must not write it again.
        log.warning("history.unread", records=len(ids), error=error.message)
        return {}
    found: dict[str, list[Entry]] = {}
    for one in done:
        history = told.get(one.target_id, {})
        for name in one.plan.writes:
            lost = _lost(history.get(name, ()), one.plan, name) if name in rows else None
            if lost is not None:
                entry = _entry(session, one.plan, rows[name], lost.value)
                found.setdefault(one.plan.source.id, []).append(entry)
    return found


def _lost(entries: Sequence[FieldEntry], plan: UpdatePlan, name: str) -> FieldEntry | None:
    """Return the value that stood there just before ours, if it is not the one we had read."""
    sent = to_stored(plan.writes[name])
    ours = next(
        (
            at
            for at, one in enumerate(entries)
            if one.is_ours is not False and to_stored(one.value) == sent
        ),
        None,
    )
    if ours is None or ours + 1 >= len(entries):
        return None
    before = entries[ours + 1]
    expected: Stored = to_stored(plan.expected.get(name))
    return None if to_stored(before.value) in (expected, sent) else before


def _entry(session: Session, plan: UpdatePlan, row: FieldFlow, lost: Value) -> Entry:
    source_name, target_name = names_of(row)
    source_base = base_of(plan.link.source_base, source_name)
    target_base = base_of(plan.link.target_base, target_name)
    side = session.flow.source_side
    ends: dict[Side, End] = {
        side: make_end(row.source, source_base, to_stored(plan.source.values.get(source_name))),
        side.other: make_end(row.target, target_base, to_stored(plan.writes[target_name])),
    }
    return {
        "left": ends[Side.LEFT],
        "right": ends[Side.RIGHT],
        "has_base": MISSING not in (source_base, target_base),
        "overwritten": side.other.value,
        "lost": to_stored(lost),
    }
