"""Carries the new id of a merged record into everything that names the old one."""

from collections.abc import Iterable, Mapping

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from hubconnect.integrations.models import (
    AssociationLink,
    ChildIntent,
    Decision,
    Failure,
    FollowUp,
    Intent,
    Link,
    PastCreate,
    Side,
)
from hubconnect.integrations.services import closing, retiring


def rename(link: Link, side: Side, new: str) -> None:
    """Re-point a link. Called within a transaction of a run that has the lease.

    Comments and files keep their own ids. What is queued to be read stays: an old id leads to the
    record.
    """
    old = retiring.id_of(link, side)
    _rename_far_ends(link, side, new)
    setattr(link, f"{side}_id", new)
    link.save(update_fields=[f"{side}_id", "updated_at"])
    _rename_follow_ups(link, side, old, new)
    _rename_failures(link.type_pair_id, side, old, new)
    ours = {"type_pair_id": link.type_pair_id}
    Intent.objects.filter(source_side=side, source_id=old, **ours).update(source_id=new)
    Intent.objects.filter(source_side=side.other, target_id=old, **ours).update(target_id=new)
    for child in ChildIntent.objects.filter(link=link, source_side=side.other):
        if child.sent.get("record_id") == old:
            child.sent["record_id"] = new
            child.save(update_fields=["sent"])
    Decision.objects.filter(side=side, record_id__in=[old, new], **ours).delete()
    _rename_past_create(link.type_pair_id, side, old, new)


def rename_failed(type_pair_id: int, side: Side, now_id: Mapping[str, str]) -> None:
    """Have what failed about merged records without a link go on under their new ids.

    Else nothing would ever end it: no reading answers under the old id any more. Called within a
    transaction of a run that has the lease.
    """
    for old, new in now_id.items():
        _rename_failures(type_pair_id, side, old, new)
        _rename_past_create(type_pair_id, side, old, new)


def failed_among(type_pair_id: int, side: Side, record_ids: Iterable[str]) -> set[str]:
    """Return those of these records about which a failure is open."""
    found = Failure.objects.filter(
        type_pair_id=type_pair_id,
        side=side,
        record_id__in=list(record_ids),
        state=Failure.State.OPEN,
        level=Failure.Level.RECORD,
    )
    return set(found.values_list("record_id", flat=True))


def _rename_past_create(type_pair_id: int, side: Side, old: str, new: str) -> None:
    rows = PastCreate.objects.filter(type_pair_id=type_pair_id, side=side)
    if not rows.filter(record_id=new).exists():
        rows.filter(record_id=old).update(record_id=new)


def _rename_far_ends(link: Link, side: Side, new: str) -> None:
    """Re-point the links that other linked records have to this one."""
    for row, left_at in retiring.far_ends(link):
        at = left_at if side == Side.LEFT else left_at.other
        setattr(row, f"{at}_to_id", new)
        same = {
            name: getattr(row, name)
            for name in ("link_id", f"{at}_to_id", "left_association", "right_association")
        }
        if AssociationLink.objects.filter(**same).exists():
            row.delete()  # both merged records hung on it
        else:
            row.save(update_fields=[f"{at}_to_id"])


def _rename_follow_ups(link: Link, side: Side, old: str, new: str) -> None:
    """Have what is due name the new id."""
    pair = link.type_pair
    is_source = Q(flow__pair__type_pair=pair) & (
        Q(flow__direction="to_right", flow__pair__is_swapped=side == Side.RIGHT)
        | Q(flow__direction="to_left", flow__pair__is_swapped=side == Side.LEFT)
    )
    rows = FollowUp.objects.filter(is_source, record_id=old)
    same = FollowUp.objects.filter(
        flow=OuterRef("flow"),
        kind=OuterRef("kind"),
        waits_type=OuterRef("waits_type"),
        waits_id=OuterRef("waits_id"),
        record_id=new,
    )
    moving = list(rows.exclude(Exists(same)).values_list("pk", flat=True))
    FollowUp.objects.filter(pk__in=moving).update(record_id=new)
    FollowUp.objects.filter(is_source, record_id=old).delete()


def _rename_failures(type_pair_id: int, side: Side, old: str, new: str) -> None:
    """Have open failures name the new id; one that is there twice is closed."""
    now = timezone.now()
    found = Failure.objects.filter(
        type_pair_id=type_pair_id, state=Failure.State.OPEN, level=Failure.Level.RECORD
    )
    for failure in found.filter(side=side, record_id=old):
        twin = found.filter(flow_id=failure.flow_id, record_id=new, child=failure.child)
        if twin.exists():
            closing.close(failure, Failure.State.HEALED, now)
        else:
            failure.record_id = new
            failure.save(update_fields=["record_id"])
    found.filter(side=side.other, target_id=old).update(target_id=new)
