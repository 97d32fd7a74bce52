"""The association types HubSpot defines among the object types of the account.

Ids are those of the page "Associate records", section "Association type ID values" (read 2026-11).
One entry holds a type and its inverse: from, id, to, inverse id, label of both.
"""

from dataclasses import dataclass

from hubconnect.sandbox.catalog.kinds import KINDS

_PAIRS = (
    ("contacts", 449, "contacts", 449, ""),
    ("contacts", 1, "companies", 2, "Primary"),
    ("contacts", 279, "companies", 280, ""),
    ("contacts", 931, "companies", 930, "Billing Contact"),
    ("contacts", 4, "deals", 3, ""),
    ("contacts", 15, "tickets", 16, ""),
    ("contacts", 201, "notes", 202, ""),
    ("contacts", 197, "emails", 198, ""),
    ("contacts", 193, "calls", 194, ""),
    ("contacts", 199, "meetings", 200, ""),
    ("contacts", 203, "tasks", 204, ""),
    ("contacts", 508, "orders", 507, ""),
    ("companies", 13, "companies", 14, "Child Company"),
    ("companies", 450, "companies", 450, ""),
    ("companies", 6, "deals", 5, "Primary"),
    ("companies", 342, "deals", 341, ""),
    ("companies", 25, "tickets", 26, "Primary"),
    ("companies", 340, "tickets", 339, ""),
    ("companies", 189, "notes", 190, ""),
    ("companies", 185, "emails", 186, ""),
    ("companies", 181, "calls", 182, ""),
    ("companies", 187, "meetings", 188, ""),
    ("companies", 191, "tasks", 192, ""),
    ("companies", 510, "orders", 509, "Primary"),
    ("companies", 935, "orders", 934, ""),
    ("deals", 451, "deals", 451, ""),
    ("deals", 27, "tickets", 28, ""),
    ("deals", 213, "notes", 214, ""),
    ("deals", 209, "emails", 210, ""),
    ("deals", 205, "calls", 206, ""),
    ("deals", 211, "meetings", 212, ""),
    ("deals", 215, "tasks", 216, ""),
    ("deals", 511, "orders", 512, ""),
    ("tickets", 452, "tickets", 452, ""),
    ("tickets", 227, "notes", 228, ""),
    ("tickets", 223, "emails", 224, ""),
    ("tickets", 219, "calls", 220, ""),
    ("tickets", 225, "meetings", 226, ""),
    ("tickets", 229, "tasks", 230, ""),
    ("tickets", 526, "orders", 525, ""),
    ("notes", 765, "orders", 764, ""),
    ("emails", 777, "orders", 776, ""),
    ("calls", 399, "meetings", 400, ""),
    ("calls", 773, "orders", 772, ""),
    ("meetings", 769, "orders", 768, ""),
    ("tasks", 727, "orders", 726, ""),
)
PRIMARY = "Primary"
_INVERSE_LABELS = {"Child Company": "Parent Company"}


@dataclass(frozen=True, slots=True)
class AssociationType:
    """One direction of a kind of link between two object types."""

    source: str
    target: str
    type_id: int
    inverse_id: int
    label: str | None
    category: str = "HUBSPOT_DEFINED"
    name: str = ""

    @property
    def is_primary(self) -> bool:
        """Return whether a record has at most one such link: its primary company."""
        return self.label == PRIMARY and self.target == "companies"

    @property
    def is_default(self) -> bool:
        """Return whether this is the plain link of two object types."""
        return self.label is None


def _v3_name(source: str, target: str, label: str | None, *, has_primary: bool) -> str:
    plain = f"{KINDS[source].v3_name}_to_{KINDS[target].v3_name}"
    if label is None:
        return f"{plain}_unlabeled" if has_primary else plain
    if label == PRIMARY:
        return plain
    return f"{plain}_{label.lower().replace(' ', '_')}"


def _build_types() -> list[AssociationType]:
    with_primary = {(pair[0], pair[2]) for pair in _PAIRS if pair[4] == PRIMARY}
    with_primary |= {(target, source) for source, target in with_primary}
    types = []
    for source, type_id, target, inverse_id, label in _PAIRS:
        inverse_label = _INVERSE_LABELS.get(label, label)
        directions = [(source, target, type_id, inverse_id, label)]
        if inverse_id != type_id:
            directions.append((target, source, inverse_id, type_id, inverse_label))
        for one, other, this_id, other_id, text in directions:
            name = _v3_name(one, other, text or None, has_primary=(one, other) in with_primary)
            types.append(AssociationType(one, other, this_id, other_id, text or None, name=name))
    return types


TYPES: dict[int, AssociationType] = {kind.type_id: kind for kind in _build_types()}
