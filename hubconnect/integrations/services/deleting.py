"""What a change of a record means whose counterpart was deleted: fail, create it again, or skip.

Deleting is never carried on. When a linked record goes, its counterpart stays as it is; only when
that counterpart changes, the rule of the flow that carries the change decides.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from django.db import transaction
from django.utils import timezone

from hubconnect.connectors.base import Record
from hubconnect.connectors.errors import Category, RecordError
from hubconnect.engine.plan import LinkState, title_of
from hubconnect.integrations.models import Decision, Failure, Flow, Link, RecordEvent, Side
from hubconnect.integrations.services import closing, retiring
from hubconnect.integrations.services.lease import renew
from hubconnect.integrations.services.session import Fault, Result, Session, Skip, event


class Remedy(StrEnum):
    """What a person may choose on such a failure, beside trying again."""

    RECREATE = "recreate"
    STOP = "stop"


def judge(
    session: Session,
    gone: Sequence[tuple[Record, LinkState]],
    failures: Mapping[str, Sequence[Failure]],
    result: Result,
) -> list[Record]:
    """Decide about records whose counterparts are gone; return those to create anew.

    Raises:
        LeaseLostError: another worker took over.
    """
    flow = session.flow
    again: list[tuple[Record, LinkState]] = []
    stopped: list[tuple[Record, LinkState, Failure]] = []
    for record, link in gone:
        failure = _chosen_on(failures.get(record.id, ()))
        if failure is not None and failure.remedy == Remedy.STOP:
            stopped.append((record, link, failure))
        elif flow.target_deleted == Flow.TargetDeleted.RECREATE or (
            failure is not None and failure.remedy == Remedy.RECREATE
        ):
            again.append((record, link))
        elif flow.target_deleted == Flow.TargetDeleted.SKIP:
            result.skipped.append(Skip(record, _skipped(flow, link), Decision.Kind.GONE))
            result.healed += [failure] if failure is not None else []
        else:
            result.faults.append(Fault(record, deleted(flow, link), link.target_id))
    if (again or stopped) and not session.is_preview:
        with transaction.atomic():
            renew(session.lease)
            _give_up(session, again)
            _stop(session, stopped)
    return [record for record, _ in again]


def deleted(flow: Flow, link: LinkState) -> RecordError:
    """Return the error for a target that does not exist any more."""
    return RecordError(
        f"Its counterpart {link.target_id} no longer exists in {flow.target_system}.",
        category=Category.TARGET_DELETED,
        hint=f"Have it created again, or stop syncing this record; or restore it in "
        f"{flow.target_system}, then press Retry.",
    )


def _chosen_on(failures: Sequence[Failure]) -> Failure | None:
    """Return the open failure about the deleted counterpart, which may hold a person's choice."""
    return next((one for one in failures if one.category == Category.TARGET_DELETED), None)


def _skipped(flow: Flow, link: LinkState) -> str:
    return (
        f"Its counterpart {link.target_id} no longer exists in {flow.target_system}; "
        "changes of such records are skipped."
    )


def _give_up(session: Session, again: Sequence[tuple[Record, LinkState]]) -> None:
    """Give up the links of records that are created anew in the same page."""
    flow, links = session.flow, _links(link for _, link in again)
    side = Side(flow.source_side).other
    for record, state in again:
        link = links.get(state.pk)
        if link is None:
            continue
        reason = (
            f"{state.target_id} was deleted in {flow.target_system}; its counterpart {record.id} "
            "was created there again, under a new id."
        )
        retiring.give_up(link, {side: reason}, kind=Decision.Kind.RETIRED)
        told = f"{state.target_id} was deleted in {flow.target_system}; it is created again."
        _tell(session, record, state, told)


def _stop(session: Session, stopped: Sequence[tuple[Record, LinkState, Failure]]) -> None:
    """Give up links for good, as a person chose."""
    flow, links, now = session.flow, _links(link for _, link, _ in stopped), timezone.now()
    for record, state, failure in stopped:
        link = links.get(state.pk)
        if link is not None:
            reason = (
                f"Its counterpart {state.target_id} was deleted in {flow.target_system}, and a "
                "person stopped syncing it."
            )
            both = dict.fromkeys(Side, reason)
            retiring.give_up(link, both, kind=Decision.Kind.STOPPED)
            _tell(session, record, state, reason)
        closing.close(failure, Failure.State.DISMISSED, now)


def _links(states: Iterable[LinkState]) -> dict[int, Link]:
    rows = Link.objects.filter(pk__in=[state.pk for state in states])
    return {link.pk: link for link in rows.select_related("type_pair")}


def _tell(session: Session, record: Record, state: LinkState, reason: str) -> None:
    line = event(
        session,
        RecordEvent.Kind.UNLINKED,
        record,
        timezone.now(),
        title=title_of(record, session.spec.plan),
        target_id=state.target_id,
        reason=reason,
    )
    line.save()
