"""What a person does about failures: try again, or let go."""

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from hubconnect.core.models import User
from hubconnect.engine.plan import values_hash
from hubconnect.engine.values import restore_all
from hubconnect.integrations.models import Decision, Failure, Flow, FollowUp, Link
from hubconnect.integrations.services import deciding, unstored
from hubconnect.integrations.services.closing import close
from hubconnect.integrations.services.nudging import Nudge
from hubconnect.mappings.models import Direction


def count_open() -> int:
    """Return how many failures wait, for the navigation."""
    return Failure.objects.filter(state=Failure.State.OPEN).count()


def retry(failure: Failure, actor: User) -> Nudge:
    """Try a failed record, or a failed flow, again at once, with its attempts counted anew."""
    return retry_all([failure], actor)


@transaction.atomic
def retry_all(failures: Iterable[Failure], actor: User) -> Nudge:  # noqa: ARG001 - of all acts
    """Try open failures again at once; closed ones are left as they are."""
    now = timezone.now()
    ids = [failure.pk for failure in failures]
    rows = Failure.objects.filter(pk__in=ids, state=Failure.State.OPEN)
    flow_ids = set(rows.values_list("flow_id", flat=True))
    of_fields = rows.filter(child=Failure.IN_CONFLICT).select_related("flow")
    deciding.look_again(of_fields)
    rows = rows.exclude(child=Failure.IN_CONFLICT)
    rows.filter(level=Failure.Level.RECORD).update(next_try_at=now, attempts=0)
    Flow.objects.filter(pk__in=flow_ids, is_enabled=True, pair__integration__is_active=True).update(
        next_run_at=now, nudged_at=None
    )
    nudge = Nudge.of(sorted(flow_ids))
    transaction.on_commit(nudge.send)
    return nudge


@transaction.atomic
def dismiss(failure: Failure, actor: User) -> None:
    """Let a failure go: what it was about is not sent; the next edit of the record is.

    Directions that waited behind it read the record afresh. A record without a counterpart is
    remembered, so that it is not taken up again until its values change. Of a comment or file
    the record itself is not touched.
    """
    row = Failure.objects.select_for_update().get(pk=failure.pk)
    if row.state != Failure.State.OPEN:
        return
    if row.child == Failure.IN_CONFLICT:
        deciding.let_go(row)
    elif row.child == Failure.NOT_STORED:
        unstored.let_go(row, _rows_of(row.flow))
    elif row.child:
        _look_again(row)
    elif row.level == Failure.Level.RECORD and row.type_pair_id is not None:
        _let_go(row, actor)
    close(row, Failure.State.DISMISSED, timezone.now(), actor=actor)


def _look_again(failure: Failure) -> None:
    """Have comments and files of the record compared once more, which notes the dismissal."""
    kind = failure.child.partition(" ")[0]
    if kind not in (FollowUp.Kind.COMMENTS, FollowUp.Kind.FILES):
        return  # it would only be refused once more
    FollowUp.objects.update_or_create(
        flow=failure.flow,
        record_id=failure.record_id,
        kind=kind,
        waits_type="",
        waits_id="",
        defaults={"due_at": timezone.now()},
    )


def _let_go(failure: Failure, actor: User) -> None:
    """Remember the values that are not sent: in the link's base, or in a decision."""
    stored = failure.source_values
    held = {name: stored.get(name) for name in mapped_fields(failure.flow)}
    side = {f"{failure.side}_id": failure.record_id}
    link = Link.objects.filter(type_pair_id=failure.type_pair_id, **side).first()
    if link is not None:
        base = getattr(link, f"{failure.side}_base")
        base.update({name: [held[name], failure.source_version] for name in held if name in base})
        link.save(update_fields=[f"{failure.side}_base", "updated_at"])
        return
    now_held = values_hash(restore_all(held))
    retired = Decision.objects.filter(
        type_pair_id=failure.type_pair_id,
        side=failure.side,
        record_id=failure.record_id,
        kind=Decision.Kind.RETIRED,
    )
    if retired.update(values_hash=now_held):
        return  # its link stays given up: only this change is let go
    Decision.objects.update_or_create(
        type_pair_id=failure.type_pair_id,
        side=failure.side,
        record_id=failure.record_id,
        defaults={
            "kind": Decision.Kind.DISMISSED,
            "values_hash": now_held,
            "reason": f"Dismissed by {actor}: {failure.message}",
        },
    )


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
