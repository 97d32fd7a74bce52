"""The far ends of associations: which records of the two systems' other types are the same."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from hubconnect.engine.children import AssociationFlow
from hubconnect.integrations.models import Flow, FollowUp, Link, Side, TypePair
from hubconnect.integrations.services.follow_ups import waits_type

# Source object type, target object type.
Types = tuple[str, str]


@dataclass(slots=True)
class FarRecords:
    """Counterparts of far records, by far types and the source's id."""

    flow: Flow
    known: dict[Types, dict[str, str]] = field(default_factory=dict)

    def load(self, wanted: Mapping[Types, Iterable[str]]) -> None:
        """Look counterparts up, in two queries for each pair of far types."""
        for types, ids in wanted.items():
            self.known.setdefault(types, {}).update(self._found(types, set(ids)))

    def counterpart(self, association: AssociationFlow, far_id: str) -> str:
        """Return the target's id of a far record, or "" while it has none."""
        types = association.source_to, association.target_to
        return self.known.get(types, {}).get(far_id, "")

    def waits_type(self, association: AssociationFlow) -> str:
        """Name the far type, as follow-ups that wait for one of its records do."""
        return waits_type(self.flow.source_system.identity, association.source_to)

    def make_due(self, associations: Iterable[AssociationFlow]) -> None:
        """Make due what waits for a record that is linked by now.

        Linking it wakes what waits; but a wait that was stored in the same moment, by a flow that
        had just seen no link, was not there to be woken.
        """
        now = timezone.now()
        for one in associations:
            waiting = FollowUp.objects.filter(
                flow=self.flow, waits_type=self.waits_type(one), due_at__gt=now
            )
            for type_pair, side in self._type_pairs((one.source_to, one.target_to)):
                linked = Link.objects.filter(
                    type_pair=type_pair, **{f"{side}_id": OuterRef("waits_id")}
                )
                waiting.filter(Exists(linked)).update(due_at=now)

    def _found(self, types: Types, ids: set[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for type_pair, side in self._type_pairs(types):
            rows = Link.objects.filter(type_pair=type_pair, **{f"{side}_id__in": ids})
            found.update(rows.values_list(f"{side}_id", f"{side.other}_id"))
        return found

    def _type_pairs(self, types: Types) -> list[tuple[TypePair, Side]]:
        """Return the type pairs of these far types with the side that is our source."""
        source = (self.flow.source_system.identity, types[0])
        target = (self.flow.target_system.identity, types[1])
        return [
            (row, Side.LEFT if (row.left_identity, row.left_type) == source else Side.RIGHT)
            for row in TypePair.objects.filter(_meets(source, target) | _meets(target, source))
        ]


def _meets(left: tuple[str, str], right: tuple[str, str]) -> Q:
    return Q(left_identity=left[0], left_type=left[1], right_identity=right[0], right_type=right[1])


def covering_flows(flow: Flow, association: AssociationFlow) -> list[Flow]:
    """Return the flows at work that carry records of the far type from our source to our target."""
    found = Flow.objects.filter(
        is_enabled=True,
        is_paused=False,
        pair__integration__is_active=True,
    ).select_related(
        "pair__integration", "pair__mapping__left_system", "pair__mapping__right_system"
    )
    wanted = (
        flow.source_system.identity,
        association.source_to,
        flow.target_system.identity,
        association.target_to,
    )
    return [one for one in found if _ends(one) == wanted]


def _ends(flow: Flow) -> tuple[str, str, str, str]:
    source, target = flow.source_system, flow.target_system
    return (source.identity, flow.source_type, target.identity, flow.target_type)


def ids_by_types(
    wanted: Iterable[tuple[AssociationFlow, str]],
) -> dict[Types, set[str]]:
    """Group far ids of the source by the types of both far ends."""
    grouped: dict[Types, set[str]] = defaultdict(set)
    for association, far_id in wanted:
        grouped[association.source_to, association.target_to].add(far_id)
    return dict(grouped)
