"""Decides which records of a page need work: drops what is known, holds what must wait."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import timedelta

from django.utils import timezone

from hubconnect.connectors.base import Record
from hubconnect.connectors.errors import Category, RecordError
from hubconnect.engine.matching import matches, surely_fails
from hubconnect.engine.plan import LinkState, is_echo, source_hash, title_of
from hubconnect.integrations.models import Decision, Failure, Flow, Intent, RecordEvent
from hubconnect.integrations.services import conflicts, suspects
from hubconnect.integrations.services.merging import source_links
from hubconnect.integrations.services.session import (
    Candidates,
    Fault,
    Queue,
    Result,
    Session,
    Skip,
    event,
)
from hubconnect.integrations.services.suspects import KIN_MARGIN, Suspicion
from hubconnect.integrations.stores import decisions, open_failures, open_intents

HELD_WAIT = timedelta(seconds=10)


def choose(
    session: Session,
    records: Sequence[Record],
    result: Result,
    *,
    is_settled: bool,
    is_forced: bool,
) -> Candidates:
    """Return the records of a page that need work.

    ``is_forced`` records were asked for one by one (a retry, a queued read): they are not
    dropped for being old, but they must meet the criteria themselves.
    """
    records = list({record.id: record for record in records}.values())
    links = source_links(session, records)
    wanted = conflicts.to_restore(session, links) if is_forced else set[str]()
    kept = _drop_known(session, records, links, wanted, is_forced=is_forced)
    if kept and not is_settled:
        kept = _read_again(session, kept, links, wanted, is_forced=is_forced)
    kept = _within_criteria(session, kept, links, is_forced=is_forced)
    result.count("unchanged", len(records) - len(kept))
    result.seen += links
    result.healed += conflicts.settled(session, records, links)
    candidates = _hold(session, kept, links, result, is_forced=is_forced)
    _refuse_retired(session, candidates, result)
    if is_forced:
        _heal_dropped(session, records, kept, result)
    return candidates


def _drop_known(
    session: Session,
    records: Sequence[Record],
    links: dict[str, LinkState],
    wanted: Collection[str],
    *,
    is_forced: bool,
) -> list[Record]:
    """Drop what was read before, what equals the base, and what was decided about already.

    Those in ``wanted`` stay in any case.
    """
    spec = session.spec.plan
    ordered = session.source.has_ordered_versions and not is_forced
    fresh = []
    for record in records:
        link = links.get(record.id)
        is_old = link is not None and ordered and record.version < link.source_version
        is_known = is_old or (link is not None and is_echo(record, link, spec))
        if not is_known or record.id in wanted:
            fresh.append(record)
    decided = decisions(session.flow, [record.id for record in fresh]) if fresh else {}
    return [
        record
        for record in fresh
        if record.id not in decided
        or (is_forced and record.id in links)  # to see whether the counterpart was restored
        or not still_holds(session, decided[record.id], record, is_linked=record.id in links)
    ]


def still_holds(session: Session, decision: Decision, record: Record, *, is_linked: bool) -> bool:
    """Tell whether a decision is about the record as it is now, linked or not."""
    if is_linked != (decision.kind == Decision.Kind.GONE):
        return False
    if decision.kind == Decision.Kind.STOPPED:
        return True
    lookup = session.spec.lookup
    is_by_lookup = decision.kind == Decision.Kind.SKIPPED and lookup is not None
    asked = lookup.source_fields if is_by_lookup and lookup is not None else ()
    return decision.values_hash == source_hash(record, session.spec.plan, asked)


def _read_again(
    session: Session,
    records: list[Record],
    links: dict[str, LinkState],
    wanted: Collection[str],
    *,
    is_forced: bool,
) -> list[Record]:
    """Replace values of a search index, which may lag, by those of the database."""
    flow = session.flow
    found = session.source.read(
        flow.source_type, [record.id for record in records], session.spec.read_fields
    )
    # An index may still show what was merged a moment ago: both lead to the same record.
    fresh = list({one.id: one for r in records if (one := found.get(r.id)) is not None}.values())
    if any(one.id not in links for one in fresh):
        links |= source_links(session, fresh)
    return _drop_known(session, fresh, links, wanted, is_forced=is_forced)


def _within_criteria(
    session: Session, records: list[Record], links: dict[str, LinkState], *, is_forced: bool
) -> list[Record]:
    """Keep what the criteria take, and linked records if these keep syncing outside them.

    What a search found may not match any more: its index lags.
    """
    criteria = session.spec.criteria
    if not criteria:
        return records
    keeps = session.flow.outside == Flow.Outside.KEEP
    return [
        record
        for record in records
        if (keeps and record.id in links)
        or (
            matches(criteria, record.values)
            if is_forced
            else not surely_fails(criteria, record.values)
        )
    ]


def _hold(
    session: Session,
    records: list[Record],
    links: dict[str, LinkState],
    result: Result,
    *,
    is_forced: bool,
) -> Candidates:
    """Set aside records that wait behind a failure or behind a write of unknown outcome."""
    candidates = Candidates()
    if not records:
        return candidates
    targets = {links[r.id].target_id: r.id for r in records if r.id in links}
    failures = open_failures(session.flow, [r.id for r in records], targets)
    side = session.flow.source_side
    for failure in failures:
        own = failure.side == side
        source_id = failure.record_id if own else targets[failure.record_id]
        candidates.failures.setdefault(source_id, []).append(failure)
    intents = open_intents(session.flow, session.slice)
    suspicions = suspects.load(session) if any(one.id not in links for one in records) else []
    for record in records:
        link = links.get(record.id)
        blocking = _blocking_failure(
            session, record, link, candidates.failures.get(record.id, []), is_forced=is_forced
        )
        about = [one for one in suspicions if link is None and one.is_about(record)]
        if blocking is not None:
            _wait_behind(session, record, link, blocking, result)
        elif intents and awaits_settling(session, record, link, intents):
            _wait_for_settling(session, record, link, result)
        elif about:
            _wait_for_a_person(session, record, about, result)
        elif link is None:
            candidates.unlinked.append(record)
        else:
            candidates.linked.append((record, _unwound(link, candidates.failures.get(record.id))))
    return candidates


def _refuse_retired(session: Session, candidates: Candidates, result: Result) -> None:
    """Keep records whose link was given up from being created a second time.

    The first reading afterwards only notes what such a record holds; a change of it is a failure.
    """
    if not candidates.unlinked:
        return
    decided = decisions(session.flow, [record.id for record in candidates.unlinked])
    left: list[Record] = []
    for record in candidates.unlinked:
        decision = decided.get(record.id)
        if decision is None or decision.kind != Decision.Kind.RETIRED:
            left.append(record)
        elif not decision.values_hash:
            result.skipped.append(Skip(record, decision.reason, Decision.Kind.RETIRED))
        else:
            result.faults.append(Fault(record, _retired(session, record, decision)))
    candidates.unlinked = left


def _retired(session: Session, record: Record, decision: Decision) -> RecordError:
    source, target = session.flow.source_system, session.flow.target_system
    return RecordError(
        f"{record.id} in {source} was changed, and it has no counterpart in {target}: "
        f"{decision.reason}",
        category=Category.ALREADY_LINKED,
        hint=f"Make the change on the record that is linked, or delete {record.id} in {source}; "
        "then dismiss this.",
    )


def _blocking_failure(
    session: Session,
    record: Record,
    link: LinkState | None,
    failures: list[Failure],
    *,
    is_forced: bool,
) -> Failure | None:
    """Return the failure behind which a record waits.

    A newer version of a record that failed itself is tried at once; the same version waits for
    its time. Where both records of a link failed, the one that failed first goes first, or each
    would wait for the other. The failure of another integration's flow goes before this one too.
    """
    own = [failure for failure in failures if failure.flow_id == session.flow.pk]
    for failure in failures:
        if failure.flow_id != session.flow.pk and not any(one.pk < failure.pk for one in own):
            return failure
    for failure in own:
        if failure.category == Category.LOOP and failure.next_try_at is None:
            return failure  # a newer version may be the loop's own: a person says go
        if failure.category == Category.UNKNOWN_OUTCOME and not (link or failure.next_try_at):
            return failure  # a second create may double it, whatever its version: likewise
        if not is_forced and failure.source_version == record.version:
            return failure
    return None


def _unwound(link: LinkState, failures: list[Failure] | None) -> LinkState:
    """Forget the writes that went to and fro, once a person had the record tried again."""
    if any(failure.category == Category.LOOP for failure in failures or ()):
        return replace(link, recent=())
    return link


def _wait_behind(
    session: Session, record: Record, link: LinkState | None, failure: Failure, result: Result
) -> None:
    if failure.flow_id == session.flow.pk:
        result.count("unchanged")  # known: it is on the failures page already
        return
    result.count("held")
    if getattr(failure, session.waits_field):
        return
    setattr(failure, session.waits_field, True)
    result.waiting[failure.pk] = record.id
    reason = f"An earlier change of this record failed: failure {failure.pk}."
    result.events.append(_held(session, record, link, reason))


def awaits_settling(
    session: Session, record: Record, link: LinkState | None, intents: list[Intent]
) -> bool:
    """Tell whether an open write concerns the record, or may have created it."""
    side = session.flow.source_side
    for intent in intents:
        if intent.source_side == side:
            if intent.source_id == record.id or intent.source_id in record.former_ids:
                return True
        elif link is not None:
            if intent.source_id == link.target_id or intent.target_id == record.id:
                return True
        elif (
            intent.kind == Intent.Kind.CREATE
            and record.made_by_us is not False
            and (record.created_at is None or record.created_at >= intent.sent_at - KIN_MARGIN)
        ):
            return True  # it may be the very record that this intent created
    return False


def _wait_for_settling(
    session: Session, record: Record, link: LinkState | None, result: Result
) -> None:
    reason = "The outcome of an earlier write is not known yet."
    result.count("held")
    result.queued.append(Queue(session.flow.pk, record.id, reason, HELD_WAIT))
    result.events.append(_held(session, record, link, reason))


def _wait_for_a_person(
    session: Session, record: Record, about: list[Suspicion], result: Result
) -> None:
    """Leave a record alone that a lost create may have made; it is told of once."""
    result.count("held")
    told = [one for one in about if one.names(record.id)]
    if any(getattr(one.failure, session.waits_field) for one in told):
        return
    for one in about:
        result.suspected.setdefault(one.failure.pk, []).append(record)
    reason = f"It may be what a lost create made: failure {about[0].failure.pk}."
    result.events.append(_held(session, record, None, reason))


def _held(session: Session, record: Record, link: LinkState | None, reason: str) -> RecordEvent:
    return event(
        session,
        RecordEvent.Kind.HELD,
        record,
        timezone.now(),
        title=title_of(record, session.spec.plan),
        target_id=link.target_id if link else "",
        reason=reason,
    )


def _heal_dropped(
    session: Session,
    records: Sequence[Record],
    kept: list[Record],
    result: Result,
) -> None:
    """Close failures of records that turned out to need nothing any more."""
    needed = {record.id for record in kept}
    dropped = [record.id for record in records if record.id not in needed]
    if dropped:
        found = open_failures(session.flow, dropped, [])
        result.healed += [one for one in found if one.flow_id == session.flow.pk]
