"""Works one page of records from choosing to commit."""

from collections.abc import Sequence
from datetime import timedelta

from hubconnect.connectors.base import Record
from hubconnect.connectors.errors import (
    AttentionError,
    Category,
    ConnectorError,
    OutcomeUnknownError,
)
from hubconnect.integrations.models import Flow
from hubconnect.integrations.services.choosing import choose
from hubconnect.integrations.services.committing import commit
from hubconnect.integrations.services.completing import complete_creates
from hubconnect.integrations.services.planning import make_plans, note_skipped
from hubconnect.integrations.services.session import (
    Candidates,
    Cursor,
    Plans,
    Queue,
    Result,
    Session,
)
from hubconnect.integrations.services.writing import carry_out

UNDONE_WAIT = timedelta(0)


class SafetyBrakeError(AttentionError):
    """More creates than a run may do without somebody having looked."""

    default_category = Category.SAFETY_BRAKE


def work_page(
    session: Session,
    records: Sequence[Record],
    cursor: Cursor | None,
    *,
    is_settled: bool,
    result: Result | None = None,
) -> None:
    """Carry a page of source records to the target and store what came of it.

    Without a cursor the records were asked for one by one (a retry, a queued read).

    Raises:
        ConnectorError: the target stopped the work. What was done until then is stored; the
            cursor then stays, unless every open write is remembered as an intent.
        LeaseLostError: another worker took over.
    """
    result = result or Result()
    result.count("read", len(records))
    candidates, plans = plan_page(
        session, records, result, is_settled=is_settled, is_forced=cursor is None
    )
    brake(session, plans)
    stopped = carry_out(session, plans, result)
    if plans.edits is not None:
        plans.edits.tell(result)
    _heal(session, candidates, result)
    if stopped is not None:
        _keep_undone(session, plans, result, stopped)
    commit(session, result, cursor if _may_move(stopped) else None)
    if stopped is not None:
        raise stopped


def plan_page(
    session: Session,
    records: Sequence[Record],
    result: Result,
    *,
    is_settled: bool,
    is_forced: bool,
) -> tuple[Candidates, Plans]:
    """Decide what a page of source records asks for; nothing is written anywhere.

    Runs, previews and the story of a record all plan by this; whatever stores or sends something
    has its place behind it. Faults and what is left alone stand in ``result``.
    """
    candidates = choose(session, records, result, is_settled=is_settled, is_forced=is_forced)
    plans = make_plans(session, candidates, result)
    complete_creates(session, plans, result)
    note_skipped(session, result)
    return candidates, plans


def _may_move(stopped: ConnectorError | None) -> bool:
    """Tell whether the cursor may pass this page: nothing of it is left without a trace."""
    return stopped is None or isinstance(stopped, OutcomeUnknownError)


def _keep_undone(session: Session, plans: Plans, result: Result, stopped: ConnectorError) -> None:
    """Have the records read again whose turn had not come when the target stopped the work.

    Where the cursor passes them they are queued: also those that ask for no write, whose question,
    base or link is not stored yet. Else the cursor leads to them again, and what was asked for one
    by one stays queued, save what was told of (a merged record is told of under another id).
    """
    told = {one.source_id for one in result.events} | set(result.links)
    told |= {fault.record.id for fault in result.faults}
    if not _may_move(stopped):
        result.reads_done = [one for one in result.reads_done if one.record_id in told]
        return
    planned = [plan.source.id for plan in plans.creates]
    planned += [
        plan.source.id for plan in plans.updates if not plan.does_nothing or plan.link.pk == 0
    ]
    reason = "The run stopped before this record's turn."
    result.queued += [
        Queue(session.flow.pk, one, reason, UNDONE_WAIT) for one in planned if one not in told
    ]


def brake(session: Session, plans: Plans) -> None:
    """Stop before writing when a run after the first load creates more than was foreseen.

    Raises:
        SafetyBrakeError: with the number, and what to do.
    """
    flow = session.flow
    limit = flow.pair.integration.create_limit
    planned = session.run.created + len(plans.creates)
    if flow.phase != Flow.Phase.RUNNING or planned <= limit:
        return
    msg = (
        f"This run would create more than {limit} records in {flow.target_system}; "
        "the flow is paused before writing them."
    )
    hint = (
        "If that many are right, raise the limit in the integration and activate it again. "
        "If not, look at the criteria and the lookup first."
    )
    raise SafetyBrakeError(msg, hint=hint)


def _heal(session: Session, candidates: Candidates, result: Result) -> None:
    """Close the open failures of records that went through."""
    for source_id in result.links:
        for failure in candidates.failures.get(source_id, []):
            if failure.flow_id == session.flow.pk:
                result.healed.append(failure)
