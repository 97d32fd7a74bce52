"""Kinds of association: where the foreign key stands that makes them.

``column:customer_id`` is the record's own foreign key, ``referenced:orders.customer_id`` stands for
the rows of ``orders`` that refer to the record, and ``join:order_tags.tag_id`` leads through a
table that only joins two others, by the column that holds the far record.
"""

from dataclasses import dataclass
from enum import StrEnum

from hubconnect.connectors.children import Association, AssociationType
from hubconnect.connectors.errors import AttentionError, Category, RecordError
from hubconnect.connectors.sql.relations import ForeignKey, Join, Relations
from hubconnect.connectors.sql.tables import ObjectTable, label_of


class Way(StrEnum):
    """Where the foreign key of an association stands, seen from the record."""

    COLUMN = "column"
    REFERENCED = "referenced"
    JOIN = "join"


@dataclass(frozen=True, slots=True)
class Kind:
    """One association type.

    Attributes:
        key: the foreign key from its holder to its parent; of a join, the one to the near record.
        far: the one to the far record, of a join.
    """

    way: Way
    key: ForeignKey
    far: ForeignKey | None = None

    @property
    def name(self) -> str:
        """The association type's name."""
        if self.way is Way.COLUMN:
            return f"{self.way}:{self.key.name}"
        key = self.far or self.key
        return f"{self.way}:{key.holder.table.name}.{key.name}"

    @property
    def to(self) -> ObjectTable:
        """The table at the far end."""
        if self.far is not None:
            return self.far.parent
        return self.key.parent if self.way is Way.COLUMN else self.key.holder

    @property
    def join(self) -> Join | None:
        """The joining table that makes it, or None."""
        if self.far is None:
            return None
        return Join(table=self.key.holder, near=self.key, far=self.far)

    @property
    def described(self) -> AssociationType:
        """The association type as mappings show it."""
        return AssociationType(
            name=self.name,
            label=self._label,
            to_type=self.to.name,
            is_many=self.way is not Way.COLUMN,
            can_write=self.key.can_change if self.way is Way.REFERENCED else self.key.can_set,
            is_required=self.way is Way.COLUMN and self.key.is_required,
            fields=tuple(one.name for one in self.key.columns) if self.way is Way.COLUMN else (),
        )

    @property
    def _label(self) -> str:
        column = label_of(self.key.name.removesuffix("_id"))
        holder = label_of(self.key.holder.table.name)
        if self.far is not None:
            far = label_of(self.far.name.removesuffix("_id"))
            return f"{far}, through {holder.lower()}"
        return column if self.way is Way.COLUMN else f"{holder}, by their {column.lower()}"

    def row_and_parent(self, link: Association) -> tuple[str, str]:
        """Return which row of the holder gets which parent; for what is no join."""
        ends = (link.record_id, link.to_id)
        return ends if self.way is Way.COLUMN else (ends[1], ends[0])

    def no_such(self, identifier: str) -> RecordError:
        """Return the error for a far record that does not exist."""
        return RecordError(
            f"{self.to.name} has no record {identifier} to link with.",
            hint="Link another record in the source, or sync that one first.",
            category=Category.TARGET_DELETED,
        )


def kinds_of(relations: Relations, table: ObjectTable) -> dict[str, Kind]:
    """Return the kinds of association of a table by name."""
    found = [
        *(Kind(Way.COLUMN, key) for key in relations.of(table)),
        *(Kind(Way.REFERENCED, key) for key in relations.to(table)),
        *(Kind(Way.JOIN, join.near, join.far) for join in relations.joins_of(table)),
    ]
    return {kind.name: kind for kind in found}


def find_kind(relations: Relations, table: ObjectTable, name: str) -> Kind:
    """Return a kind of association by name.

    Raises:
        AttentionError: there is no such one (any more).
    """
    found = kinds_of(relations, table).get(name)
    if found is None:
        msg = f"Rows of {table.name} have no association {name!r} (any more)."
        raise AttentionError(
            msg, hint="Choose another association in the mapping, or restore the foreign key."
        )
    return found
