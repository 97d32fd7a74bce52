"""Links whose far record has no counterpart yet: they wait for it, and some fail without it."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.utils import timezone

from hubconnect.connectors.errors import Category, RecordError
from hubconnect.engine.children import AssociationFlow
from hubconnect.integrations.models import Flow, FollowUp
from hubconnect.integrations.services.far_records import FarRecords, covering_flows
from hubconnect.integrations.services.session import Session

# A link that waits is made due by its far record; this is for when that was missed.
LOOK_AGAIN = timedelta(days=1)
LOOK_SOON = timedelta(minutes=1)
# A record of the source, one of its kinds of link, the far record.
Missing = tuple[str, AssociationFlow, str]


def wait(session: Session, missing: Iterable[Missing]) -> dict[Missing, RecordError]:
    """Have links wait for their far records; return why some cannot, where these must exist.

    That is known at once when no flow carries far records, else when one that does has finished a
    window since the link was first seen to wait.
    """
    wanted = list(dict.fromkeys(missing))
    if not wanted:
        return {}
    flow, now = session.flow, timezone.now()
    types = {one: FarRecords(flow).waits_type(one) for _, one, _ in wanted}
    covering = {one: covering_flows(flow, one) for one in types if one.must_exist}
    since = _waiting_since(session, wanted)
    rows, errors = {}, {}
    for each in wanted:
        record_id, one, far_id = each
        key = (record_id, types[one], far_id)
        is_failure = one.must_exist and _is_over(covering[one], since.get(key, now))
        if is_failure:
            errors[each] = _error(flow, one, far_id, is_covered=bool(covering[one]))
        look_again = LOOK_SOON if one.must_exist and not is_failure else LOOK_AGAIN
        rows[key] = FollowUp(
            flow=flow,
            record_id=record_id,
            kind=FollowUp.Kind.ASSOCIATIONS,
            waits_type=types[one],
            waits_id=far_id,
            due_at=now + look_again,
        )
    if not session.is_preview:
        FollowUp.objects.bulk_create(
            rows.values(),
            update_conflicts=True,
            unique_fields=["flow", "record_id", "kind", "waits_type", "waits_id"],
            update_fields=["due_at"],
        )
    return errors


def _waiting_since(
    session: Session, wanted: Iterable[Missing]
) -> dict[tuple[str, str, str], datetime]:
    """Return since when links wait, by record, far type and far record."""
    found = FollowUp.objects.filter(
        flow=session.flow,
        kind=FollowUp.Kind.ASSOCIATIONS,
        record_id__in={record_id for record_id, _, _ in wanted},
    ).exclude(waits_id="")
    rows = found.values_list("record_id", "waits_type", "waits_id", "created_at")
    return {(record_id, name, far_id): since for record_id, name, far_id, since in rows}


def _is_over(covering: Iterable[Flow], since: datetime) -> bool:
    """Tell whether a far record would have come by now: nothing carries it, or passed it by."""
    lowers = [one.window_lower for one in covering]
    return not lowers or any(lower is not None and lower > since for lower in lowers)


def _error(flow: Flow, one: AssociationFlow, far_id: str, *, is_covered: bool) -> RecordError:
    kind, system = one.source_to, flow.source_system
    hint = (
        f"Look why {kind} {far_id} is not synced (criteria, a failure of its own, the start), or "
        "let the mapping have links wait for their records."
        if is_covered
        else f"No active integration carries {kind} from {system} to {one.target_to} in "
        f"{flow.target_system}. Add such a pair, or let the mapping have links wait."
    )
    return RecordError(
        f"It is linked with {kind} {far_id} in {system}, which has no counterpart in "
        f"{flow.target_system}.",
        hint=hint,
        category=Category.MISSING_LINK,
    )
