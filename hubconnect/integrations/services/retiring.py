"""Gives links up, and remembers it, so that what was left behind is not created back.

Called within a transaction of a run that has the lease of the type pair.
"""

from django.db.models import F
from django.utils import timezone

from hubconnect.integrations.models import (
    AssociationLink,
    Decision,
    Flow,
    FollowUp,
    Link,
    PastCreate,
    Side,
)


def give_up(link: Link, remembered: dict[Side, str], *, kind: Decision.Kind) -> None:
    """Delete a link with all that hangs on it.

    Args:
        link: to give up.
        remembered: the sides whose records stay without a link, and the reason, a sentence.
        kind: what is remembered about these records.
    """
    for side, reason in remembered.items():
        Decision.objects.update_or_create(
            type_pair_id=link.type_pair_id,
            side=side,
            record_id=id_of(link, side),
            # The values come with its next reading: nobody has read them now.
            defaults={"kind": kind, "values_hash": "", "reason": reason},
        )
    _forget_far_ends(link)
    for side in Side:
        _next_generation(link.type_pair_id, side, id_of(link, side))
    link.delete()


def id_of(link: Link, side: Side) -> str:
    """Return the id of the record on one side."""
    return link.left_id if side == Side.LEFT else link.right_id


def _next_generation(type_pair_id: int, side: Side, record_id: str) -> None:
    """Have the record's next create carry a key that was never used."""
    row, _ = PastCreate.objects.get_or_create(
        type_pair_id=type_pair_id, side=side, record_id=record_id
    )
    PastCreate.objects.filter(pk=row.pk).update(generation=F("generation") + 1, sent_at=None)


def far_ends(link: Link) -> list[tuple[AssociationLink, Side]]:
    """Return the links of other records that lead to both records of this one.

    With each, the side of its own link on which this link's left record stands.
    """
    pair = link.type_pair
    found: list[tuple[AssociationLink, Side]] = []
    for side in Side:
        ends = {f"{side}_to_id": link.left_id, f"{side.other}_to_id": link.right_id}
        same = {
            f"link__type_pair__{side}_identity": pair.left_identity,
            f"link__type_pair__{side.other}_identity": pair.right_identity,
        }
        rows = AssociationLink.objects.filter(**ends, **same).select_related("link")
        found += [(row, side) for row in rows]
    return found


def _forget_far_ends(link: Link) -> None:
    """Have the links of other records to these two compared anew."""
    now = timezone.now()
    rows = [row for row, _ in far_ends(link)]
    pairs = {row.link.type_pair_id for row in rows}
    flows = list(Flow.objects.filter(pair__type_pair_id__in=pairs).select_related("pair"))
    FollowUp.objects.bulk_create(
        [
            FollowUp(
                flow=flow,
                record_id=id_of(row.link, flow.source_side),
                kind=FollowUp.Kind.ASSOCIATIONS,
                due_at=now,
            )
            for row in rows
            for flow in flows
            if flow.pair.type_pair_id == row.link.type_pair_id
        ],
        update_conflicts=True,
        unique_fields=["flow", "record_id", "kind", "waits_type", "waits_id"],
        update_fields=["due_at"],
    )
    AssociationLink.objects.filter(pk__in=[row.pk for row in rows]).delete()
