"""Fields of a record about which a person decides: those both sides changed.

One open failure a link holds them, whichever flow found them. It holds back these fields alone:
the record's others are merged and written. Each field is an entry of ``Failure.conflicts``::

    {
        "left": {"field", "label", "base", "value"},
        "right": {...},  # of the type pair, stored form
        "has_base": bool,  # False: nothing was ever agreed on
        "choice": "left" | "right",  # once a person chose, about these values
        "overwritten": "left" | "right",
        "lost": value,
    }  # see services.overwritten
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NotRequired, TypedDict

from django.db.models import Q

from hubconnect.connectors.base import Field, Record
from hubconnect.connectors.errors import Category
from hubconnect.engine.conflict import Base, Choice, Missing, Restore
from hubconnect.engine.plan import (
    Asked,
    FieldChange,
    LinkState,
    Names,
    Standing,
    UpdatePlan,
    is_echo,
    names_of as names_of_row,
    title_of,
)
from hubconnect.engine.values import Stored, from_stored, store_all, to_stored
from hubconnect.integrations.models import Failure, Flow, RecordEvent, Side
from hubconnect.integrations.services import unstored
from hubconnect.integrations.services.session import Conflicted, Queue, Result, Session, event

CHOOSE = "Choose which value holds. The record's other fields go on meanwhile."
CHOOSE_AGAIN = "Values changed after a choice was made, so it was not carried out. Choose again."


class End(TypedDict):
    """One side of a field in conflict."""

    field: str
    label: str
    base: Stored
    value: Stored


class Entry(TypedDict):
    """One field in conflict, as it is stored."""

    left: End
    right: End
    has_base: bool
    choice: NotRequired[str]
    overwritten: NotRequired[str]
    lost: NotRequired[Stored]


@dataclass(slots=True)
class Known:
    """The open failures about fields of one link."""

    conflict: Failure | None = None
    not_stored: Failure | None = None  # of this flow

    @property
    def entries(self) -> list[Entry]:
        """Return the fields in conflict."""
        return list(self.conflict.conflicts) if self.conflict is not None else []


def known(session: Session, links: Iterable[LinkState]) -> dict[str, Known]:
    """Return what is open about fields of these links, by source id; one query."""
    sources = {link.source_id: link.target_id for link in links if link.pk}
    if not sources:
        return {}
    by_target = {target: source for source, target in sources.items()}
    side = session.flow.source_side
    found: dict[str, Known] = {}
    for failure in Failure.objects.filter(
        Q(side=side, record_id__in=list(sources))
        | Q(side=side.other, record_id__in=list(by_target)),
        type_pair_id=session.lease.type_pair_id,
        state=Failure.State.OPEN,
        child__in=(Failure.IN_CONFLICT, Failure.NOT_STORED),
    ):
        is_own = failure.side == side
        source_id = failure.record_id if is_own else by_target[failure.record_id]
        if failure.child == Failure.IN_CONFLICT:
            found.setdefault(source_id, Known()).conflict = failure
        elif failure.flow_id == session.flow.pk:
            found.setdefault(source_id, Known()).not_stored = failure
    return found


def standing(session: Session, known: Known | None) -> Standing:
    """Return what a plan is to know of a link's open failures."""
    side = session.flow.source_side
    entries = known.entries if known is not None else []
    choices = {
        names_of(entry, side): Choice(
            takes_source=entry["choice"] == side,
            source=_end(entry, side)["value"],
            target=_end(entry, side.other)["value"],
        )
        for entry in entries
        if "choice" in entry and "overwritten" not in entry
    }
    restores = {
        names_of(entry, side): Restore(
            value=from_stored(entry["lost"]),
            source=_end(entry, side)["value"],
            target=_end(entry, side.other)["value"],
        )
        for entry in entries
        if is_to_restore(entry) and entry["overwritten"] == side.other
    }
    failure = known.not_stored if known is not None else None
    return Standing(
        choices=choices,
        restores=restores,
        not_stored=unstored.refused_again(failure, session.spec.plan),
        is_carried_back=session.opposite is not None,
    )


def is_to_restore(entry: Entry) -> bool:
    """Tell whether a person chose the value that was overwritten unseen."""
    return "overwritten" in entry and entry.get("choice") == entry["overwritten"]


def to_restore(session: Session, links: Mapping[str, LinkState]) -> set[str]:
    """Return the source ids of records whose overwritten values this flow is to put back."""
    side = session.flow.source_side
    return {
        source_id
        for source_id, one in known(session, links.values()).items()
        if any(is_to_restore(entry) and entry["overwritten"] != side for entry in one.entries)
    }


def names_of(entry: Entry, source: Side) -> Names:
    """Return the source and target field of an entry, as a flow names them."""
    return _end(entry, source)["field"], _end(entry, source.other)["field"]


def _end(entry: Entry, side: Side) -> End:
    return entry["left"] if side is Side.LEFT else entry["right"]


def note(
    session: Session,
    plan: UpdatePlan,
    known: Known | None,
    result: Result,
    *,
    is_done: bool,
    overwritten: Sequence[Entry] = (),
) -> None:
    """Keep, renew or heal the failure of a record's fields in conflict, as the plan left them.

    ``is_done``: what the plan writes is written, or it writes nothing.
    """
    old = known.entries if known is not None else []
    failure = known.conflict if known is not None else None
    if not (old or plan.asked or overwritten):
        return
    new = [entry for entry in old if _stays(session, plan, entry, is_done=is_done)]
    new = [_renewed(session, plan, entry) for entry in new]
    new += [_entry(session, one) for one in plan.asked]
    side = session.flow.source_side
    lost_now = {names_of(entry, side) for entry in overwritten}
    new = [entry for entry in new if names_of(entry, side) not in lost_now]
    new += overwritten
    if not new and failure is not None:
        result.healed.append(failure)
    elif new != old:
        result.conflicts.append(Conflicted(plan.source, plan.link.target_id, new, failure))


def _stays(session: Session, plan: UpdatePlan, entry: Entry, *, is_done: bool) -> bool:
    """Tell whether an entry is as open as before: not this flow's, or not carried out yet."""
    names = names_of(entry, session.flow.source_side)
    if any(one.names == names for one in plan.asked):
        return False  # it comes anew, with the values of now
    if "overwritten" in entry:
        return not (is_done and names in plan.restored)
    mine = {names_of_row(row) for row in session.spec.plan.flows if row.at_update}
    if names not in mine:
        return _is_mapped(session, names)
    if names in plan.gives_back and "choice" in entry:
        return True
    return names in plan.sent and not is_done


def _renewed(session: Session, plan: UpdatePlan, entry: Entry) -> Entry:
    """Ask again where an overwritten value was to be put back and both sides moved on since."""
    side = session.flow.source_side
    if not is_to_restore(entry) or entry["overwritten"] != side.other:
        return entry
    source_name, target_name = names_of(entry, side)
    if (source_name, target_name) in plan.restored:
        return entry
    source: End = {**_end(entry, side), "value": to_stored(plan.source.values.get(source_name))}
    target: End = {
        **_end(entry, side.other),
        "value": to_stored(plan.target.values.get(target_name)),
    }
    left, right = (source, target) if side is Side.LEFT else (target, source)
    return {
        "left": left,
        "right": right,
        "has_base": entry["has_base"],
        "overwritten": entry["overwritten"],
        "lost": entry["lost"],
    }


def _is_mapped(session: Session, names: Names) -> bool:
    """Tell whether the mapping still has the row, for the other direction."""
    flow = session.flow
    left, right = names if flow.is_to_right else reversed(names)
    return flow.pair.mapping.rows.filter(left_field=left, right_field=right).exists()


def _entry(session: Session, asked: Asked) -> Entry:
    row = asked.flow
    source = make_end(row.source, asked.source_base, to_stored(asked.source))
    target = make_end(row.target, asked.target_base, to_stored(asked.target))
    left, right = (source, target) if session.flow.source_side is Side.LEFT else (target, source)
    is_new = isinstance(asked.source_base, Missing) or isinstance(asked.target_base, Missing)
    return {"left": left, "right": right, "has_base": not is_new}


def make_end(of: Field | None, base: Base, value: Stored) -> End:
    """Return one side of a field in conflict."""
    return {
        "field": of.name if of is not None else "",
        "label": of.label if of is not None else "",
        "base": None if isinstance(base, Missing) else base,
        "value": value,
    }


def store(session: Session, result: Result, now: datetime) -> None:
    """Store the fields in conflict of a page's records; called in its transaction."""
    known_ids = [one.failure.pk for one in result.conflicts if one.failure is not None]
    rows = Failure.objects.select_for_update().filter(pk__in=known_ids, state=Failure.State.OPEN)
    stand = {row.pk: row for row in rows.order_by("pk")} if known_ids else {}
    for planned in result.conflicts:
        one, failure = planned, stand.get(planned.failure.pk) if planned.failure else None
        if planned.failure is not None:
            is_as_planned = failure is not None and failure.conflicts == planned.failure.conflicts
            if not is_as_planned:
                one = _onto(planned, failure.conflicts if failure is not None else [])
                reason = "A person decided about it while it was being carried."
                result.queued.append(Queue(session.flow.pk, one.record.id, reason))
            if not one.entries or (failure is not None and one.entries == failure.conflicts):
                continue
        if failure is None:
            failure = _new(session, one, now)
        _fill(session, failure, one, now)
        failure.save()
        result.count("failed")
        result.events.append(
            event(
                session,
                RecordEvent.Kind.FAILED,
                one.record,
                now,
                title=failure.title,
                target_id=one.target_id,
                reason=f"{failure.category}: {failure.message}",
                changes=tuple(_changes(one.entries, session.flow.source_side)),
            )
        )


def _onto(planned: Conflicted, standing: Sequence[Entry]) -> Conflicted:
    """Return what stands after a person decided meanwhile, and values overwritten by this page.

    What else the page found is found again when the record is read afresh.
    """
    before = planned.failure.conflicts if planned.failure is not None else []
    lost = [one for one in planned.entries if "overwritten" in one and one not in before]
    names = [(one["left"]["field"], one["right"]["field"]) for one in lost]
    stays = [one for one in standing if (one["left"]["field"], one["right"]["field"]) not in names]
    return replace(planned, entries=[*stays, *lost])


def _new(session: Session, one: Conflicted, now: datetime) -> Failure:
    return Failure(
        flow=session.flow,
        type_pair_id=session.lease.type_pair_id,
        level=Failure.Level.RECORD,
        side=session.flow.source_side,
        record_id=one.record.id,
        target_id=one.target_id,
        child=Failure.IN_CONFLICT,
        first_at=now,
        attempts=0,
    )


def _fill(session: Session, failure: Failure, one: Conflicted, now: datetime) -> None:
    was_chosen = any("choice" in entry for entry in failure.conflicts)
    failure.run = session.run
    failure.category = Category.CONFLICT
    failure.conflicts = list(one.entries)
    failure.field = _end(one.entries[0], Side(failure.side))["field"]
    failure.message = message_of(session.flow, one.entries)
    failure.hint = CHOOSE_AGAIN if was_chosen else CHOOSE
    failure.title = title_of(one.record, session.spec.plan) or failure.title
    if failure.side == session.flow.source_side:
        flow, record = session.flow, one.record
        failure.record_url = record.url or session.source.url(flow.source_type, record.id)
        failure.source_values = store_all(record.values)
        failure.source_version = record.version
    failure.last_at = now
    failure.attempts += 1
    failure.next_try_at = None  # time alone decides nothing


def message_of(flow: Flow, entries: Sequence[Entry]) -> str:
    """Return the sentence that names the fields in conflict as a flow's source calls them."""
    side = flow.source_side
    names = ", ".join(_end(entry, side)["label"] for entry in entries)
    if all("overwritten" in entry for entry in entries):
        return (
            f"Somebody changed {names} in {flow.target_system} just before it was written "
            "there; that value was overwritten."
        )
    if any(entry["has_base"] for entry in entries):
        return f"Both sides changed {names} since they last agreed."
    return f"Both sides hold another value of {names}, and nothing was agreed on before."


def _changes(entries: Sequence[Entry], source: Side) -> Iterable[FieldChange]:
    for entry in entries:
        if "choice" not in entry:
            ours, theirs = _end(entry, source), _end(entry, source.other)
            yield FieldChange(
                theirs["field"],
                theirs["label"],
                from_stored(theirs["value"]),
                from_stored(ours["value"]),
                "both sides changed; waits for a person",
            )


def settled(
    session: Session, records: Iterable[Record], links: Mapping[str, LinkState]
) -> list[Failure]:
    """Return open failures of fields whose records hold nothing any more but what was agreed on."""
    by_id = {record.id: record for record in records if record.id in links}
    found = known(session, (links[one] for one in by_id))
    healed: list[Failure] = []
    for source_id, one in found.items():
        if not is_echo(by_id[source_id], links[source_id], session.spec.plan):
            continue
        if one.not_stored is not None:
            healed.append(one.not_stored)
        if one.conflict is not None and not any("overwritten" in entry for entry in one.entries):
            healed.append(one.conflict)
    return healed
