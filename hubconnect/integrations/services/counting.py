"""Keeps the counts of a run, which the slices of a load share."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from django.db.models import F
from django.utils import timezone

from hubconnect.integrations.models import Run
from hubconnect.integrations.services import rollup
from hubconnect.integrations.services.session import Cursor, Result, Session

Calls = Mapping[str, Mapping[str, int]]


def count(session: Session, name: str, *, linked: int = 0) -> None:
    """Count one more outside a page, in the figures of the hour and in the run.

    In the order of a page's commit: slices of a load share both rows.
    """
    run = session.run
    rollup.add(session.flow.pk, timezone.now(), linked=linked, **{name: 1})
    setattr(run, name, getattr(run, name) + 1)
    Run.objects.filter(pk=run.pk).update(**{name: F(name) + 1})


def count_page(session: Session, result: Result, cursor: Cursor | None, now: datetime) -> None:
    """Add a page's counts; called in the page's transaction."""
    run = session.run
    if session.slice is not None and cursor is None:
        result.counts.pop("read", None)  # the page is read again: it is no progress
    linked = sum(state.pk == 0 for state, _ in result.links.values())
    figures = {name: result.counts.get(name, 0) for name in rollup.COUNTED}
    rollup.add(session.flow.pk, now, linked=linked, **figures)
    for name, number in result.counts.items():
        setattr(run, name, getattr(run, name) + number)
    added: dict[str, object] = {
        name: F(name) + number for name, number in result.counts.items() if number
    }
    if session.slice is None:
        note_calls(session)
        run.after_id = cursor.after_id if cursor is not None else run.after_id
        added |= {"after_id": run.after_id, "phase": run.phase, "calls": run.calls}
        added["api_calls"] = run.api_calls
    else:
        added["api_calls"] = F("api_calls") + _add_calls(session)
        session.slice.read += result.counts.get("read", 0) if cursor is not None else 0
        session.slice.save(update_fields=["read", "calls"])
    Run.objects.filter(pk=run.pk).update(**added)


def note_calls(session: Session) -> None:
    """Copy the connectors' call counts into the run; stored by the caller."""
    session.run.calls = _calls(session)
    session.run.api_calls = _metered(session, session.run.calls)


def note_slice(session: Session) -> None:
    """Store the calls of a turn that came after its last page."""
    if session.slice is not None:
        added = _add_calls(session)
        session.slice.save(update_fields=["calls"])
        Run.objects.filter(pk=session.run.pk).update(api_calls=F("api_calls") + added)


def merged(one: Calls, other: Calls) -> dict[str, dict[str, int]]:
    """Return the sums of two counts of calls."""
    return {
        side: dict(Counter(one.get(side, {})) + Counter(other.get(side, {})))
        for side in {**one, **other}
    }


def _calls(session: Session) -> dict[str, dict[str, int]]:
    sides = {"source": session.source, "target": session.target}
    return {name: dict(connector.calls) for name, connector in sides.items()}


def _metered(session: Session, calls: Calls) -> int:
    sides = {"source": session.source, "target": session.target}
    return sum(sum(calls.get(name, {}).values()) for name in sides if sides[name].is_metered)


def _add_calls(session: Session) -> int:
    """Add to the slice what this turn has called since the last time; return the metered ones."""
    now, before = _calls(session), session.calls_noted
    new = {
        side: dict(Counter(kinds) - Counter(before.get(side, {}))) for side, kinds in now.items()
    }
    session.calls_noted = now
    if session.slice is not None:
        session.slice.calls = merged(session.slice.calls, new)
    return _metered(session, new)
