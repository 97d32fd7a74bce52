"""The association types HubSpot defines among the object types of the account.

The table beside this file holds all types of the page "Associate records", section "Association
type ID values" (read 2026-11); those between object types the account has are taken from it.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hubconnect.sandbox.catalog.kinds import KINDS

PRIMARY = "Primary"
_INVERSE_LABELS = {"Child Company": "Parent Company", "Parent Company": "Child Company"}
_TABLE = Path(__file__).with_name("association_types.csv")


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


def _rows() -> Iterator[tuple[str, str, int, str]]:
    """Read the table: from, to, type id and label (empty for the plain type)."""
    with _TABLE.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if row["from_type"] in KINDS and row["to_type"] in KINDS:
                yield row["from_type"], row["to_type"], int(row["type_id"]), row["label"]


def _build_types() -> Iterator[AssociationType]:
    rows = list(_rows())
    ids = {(source, target, label): type_id for source, target, type_id, label in rows}
    for source, target, type_id, label in rows:
        back = _INVERSE_LABELS.get(label, label)
        # Some types have no inverse of their own label: then the plain one leads back, if any.
        inverse_id = ids.get((target, source, back)) or ids.get((target, source, ""), 0)
        has_primary = (source, target, PRIMARY) in ids
        name = _v3_name(source, target, label or None, has_primary=has_primary)
        yield AssociationType(source, target, type_id, inverse_id, label or None, name=name)


TYPES: dict[int, AssociationType] = {kind.type_id: kind for kind in _build_types()}
BETWEEN: dict[tuple[str, str], list[AssociationType]] = {}
for _kind in TYPES.values():
    BETWEEN.setdefault((_kind.source, _kind.target), []).append(_kind)
