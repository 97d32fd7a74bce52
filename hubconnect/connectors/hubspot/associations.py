"""Associations of records with records, by object type and label."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from hubconnect.connectors.base import Outcome
from hubconnect.connectors.children import Association, AssociationType
from hubconnect.connectors.errors import AttentionError, Category, RecordError
from hubconnect.connectors.hubspot.api import Json
from hubconnect.connectors.hubspot.errors import Envelope, record_error
from hubconnect.connectors.hubspot.links import Ends, Links, LinkType, ends_of
from hubconnect.connectors.hubspot.objects import ObjectKind

CREATE, END = "create", "labels/archive"
COMPANIES = "companies"
# Labels that another app has made are its own to set.
OURS = {"HUBSPOT_DEFINED", "USER_DEFINED"}


class Associations:
    """Fulfils ``children.Associating`` for one account."""

    def __init__(self, links: Links, kinds: Mapping[str, ObjectKind]) -> None:
        """Keep both.

        Args:
            links: reads and writes.
            kinds: the object types of the account.
        """
        self._links = links
        self._kinds = kinds

    def association_types(self, object_type: str) -> list[AssociationType]:
        """Return the kinds of link to each object type that the credential may see."""
        return [
            made
            for kind in self._kinds.values()
            for made in self._describe(object_type, kind, self._types(object_type, kind.name))
        ]

    def associations(
        self, object_type: str, record_ids: Sequence[str], types: Sequence[str]
    ) -> dict[str, frozenset[Association]]:
        """Return links by record id: one call for a thousand records and an object type."""
        found: dict[str, set[Association]] = {each: set() for each in record_ids}
        for to_type, named in self._by_far_type(object_type, types).items():
            names = {one.name for one in named.values()}
            for record_id, ends in self._links.read(object_type, to_type, record_ids).items():
                found.setdefault(record_id, set()).update(
                    Association(record_id, one.name, to_id)
                    for to_id, held in ends.items()
                    for one in held
                    if one.name in names
                )
        return {each: frozenset(links) for each, links in found.items()}

    def associate(self, object_type: str, links: Sequence[Association]) -> list[Outcome]:
        """Make links. Labels that two records have already are sent again, else they would go."""
        outcomes: list[Outcome] = []
        for to_type, named, part in self._grouped(object_type, links):
            held = self._held(object_type, to_type, part)
            moving = {link.record_id for link in part if named[link.type].is_primary}
            inputs = [
                self._input(
                    near,
                    far,
                    [named[link.type] for link in wanted],
                    _labels_to_repeat(held.get(near, {}).get(far, []), is_moving=near in moving),
                )
                for (near, far), wanted in _by_ends(part).items()
            ]
            outcomes += self._send(object_type, to_type, CREATE, inputs, part)
        return outcomes

    def dissociate(self, object_type: str, links: Sequence[Association]) -> list[Outcome]:
        """End links of these types. Other labels of the same two records stay."""
        outcomes: list[Outcome] = []
        for to_type, named, part in self._grouped(object_type, links):
            held = self._held(object_type, to_type, part)
            inputs: list[Json] = []
            sent: list[Association] = []
            for (near, far), wanted in _by_ends(part).items():
                types = [named[link.type] for link in wanted]
                kept = _labels_that_stay(held.get(near, {}).get(far, []), types)
                for link, one in zip(wanted, types, strict=True):
                    if kept and not one.label:
                        outcomes.append(Outcome(key=link.key, error=_still_labelled(link, kept)))
                    else:
                        sent.append(link)
                ending = [one.spec for one in types if one.label or not kept]
                if ending:
                    inputs.append({"from": {"id": near}, "to": {"id": far}, "types": ending})
            outcomes += self._send(object_type, to_type, END, inputs, sent)
        return outcomes

    # What the methods above are made of

    def _types(self, object_type: str, to_type: str) -> list[LinkType]:
        try:
            return self._links.types(object_type, to_type)
        except AttentionError as error:
            if error.category is Category.PERMISSION:
                return []
            raise

    @staticmethod
    def _describe(
        object_type: str, kind: ObjectKind, types: Sequence[LinkType]
    ) -> Iterator[AssociationType]:
        noun = kind.singular[:1].upper() + kind.singular[1:]
        plain = [one for one in types if not one.label]
        for one in types:
            label = f"{noun}: {one.label}" if one.label else noun
            if one in plain[1:]:
                label = f"{noun} (type {one.type_id})"
            is_single = one.is_primary and kind.name == COMPANIES and object_type != COMPANIES
            yield AssociationType(
                name=one.name, label=label, to_type=kind.name, is_many=not is_single
            )

    def _by_far_type(
        self, object_type: str, names: Iterable[str]
    ) -> dict[str, dict[str, LinkType]]:
        """Return the named association types by the object type they lead to.

        Raises:
            AttentionError: there is no association type of one of the names (any more).
        """
        open_names = set(names)
        found: dict[str, dict[str, LinkType]] = {}
        for is_fresh in (False, True):
            for kind in self._kinds.values():
                if not open_names:
                    return found
                if is_fresh:  # somebody may have made the label within the hour
                    self._links.forget_types(object_type, kind.name)
                for one in self._types(object_type, kind.name):
                    if one.name in open_names:
                        open_names.remove(one.name)
                        found.setdefault(kind.name, {})[one.name] = one
        if not open_names:
            return found
        msg = (
            f"HubSpot's {object_type} have no association of the type "
            f"{', '.join(sorted(open_names))} (any more)."
        )
        raise AttentionError(msg, hint="Choose the association in the mapping again.")

    def _grouped(
        self, object_type: str, links: Sequence[Association]
    ) -> Iterator[tuple[str, dict[str, LinkType], list[Association]]]:
        """Yield object types of far ends, the named types that lead there, and their links."""
        for to_type, named in self._by_far_type(object_type, {one.type for one in links}).items():
            yield to_type, named, [one for one in links if one.type in named]

    def _held(
        self, object_type: str, to_type: str, links: Sequence[Association]
    ) -> dict[str, Ends]:
        """Return what the near ends are linked with; nothing where the two know no labels."""
        if not any(one.label for one in self._types(object_type, to_type)):
            return {}
        near = list(dict.fromkeys(one.record_id for one in links))
        return self._links.read(object_type, to_type, near)

    @staticmethod
    def _input(near: str, far: str, wanted: Sequence[LinkType], labels: Sequence[LinkType]) -> Json:
        types = {one.name: one.spec for one in (*wanted, *labels)}
        return {"from": {"id": near}, "to": {"id": far}, "types": list(types.values())}

    def _send(
        self,
        object_type: str,
        to_type: str,
        action: str,
        inputs: Sequence[Json],
        links: Sequence[Association],
    ) -> list[Outcome]:
        by_ends = _by_ends(links)
        outcomes: list[Outcome] = []
        for one, envelope in self._links.write(object_type, to_type, action, inputs):
            asked = by_ends.pop(ends_of(one), [])
            outcomes += [_outcome(link, action, envelope) for link in asked]
        lost = [link for asked in by_ends.values() for link in asked]
        return outcomes + [Outcome(key=link.key, is_unknown=True) for link in lost]


def _by_ends(links: Iterable[Association]) -> dict[tuple[str, str], list[Association]]:
    found: dict[tuple[str, str], list[Association]] = {}
    for link in links:
        found.setdefault((link.record_id, link.to_id), []).append(link)
    return found


def _labels_to_repeat(held: Sequence[LinkType], *, is_moving: bool) -> list[LinkType]:
    """Return labels that are sent again, a primary mark only where none is set elsewhere now."""
    return [
        one
        for one in held
        if one.label and one.category in OURS and not (is_moving and one.is_primary)
    ]


def _labels_that_stay(held: Sequence[LinkType], ending: Sequence[LinkType]) -> list[LinkType]:
    """Return labels that ending the plain type would take along.

    Primary is no label of its own: it marks the plain link and goes with it.
    """
    names = {one.name for one in ending}
    return [one for one in held if one.label and not one.is_primary and one.name not in names]


def _still_labelled(link: Association, kept: Sequence[LinkType]) -> RecordError:
    labels = ", ".join(f"“{one.label}”" for one in kept)
    return RecordError(
        f"HubSpot still links record {link.record_id} with {link.to_id} by the label {labels}, and "
        "without a plain link that would be lost, so the link was left.",
        hint="Take the label off in HubSpot, or carry it in the mapping too.",
        category=Category.VALIDATION_ERROR,
    )


def _outcome(link: Association, action: str, envelope: Envelope | None) -> Outcome:
    if envelope is None:
        return Outcome(key=link.key, id=link.to_id)
    is_gone = envelope.category == "OBJECT_NOT_FOUND"
    if is_gone and action == END:
        return Outcome(key=link.key, id=link.to_id)
    if is_gone:
        return Outcome(key=link.key, error=_missing_end(link, envelope))
    return Outcome(key=link.key, error=record_error(envelope))


def _missing_end(link: Association, envelope: Envelope) -> RecordError:
    return RecordError(
        f"HubSpot cannot link record {link.record_id} with {link.to_id}: one of them does not "
        "exist (any more).",
        hint="See whether it was deleted or merged in HubSpot.",
        category=Category.TARGET_DELETED,
        answer=envelope.message,
    )
