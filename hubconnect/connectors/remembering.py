"""What a system remembers of a field's earlier values, where it does.

``Connector.remembering`` gives it, or None. It serves where a system cannot compare before it
writes: what was overwritten is found afterwards.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from hubconnect.connectors.base import Value


@dataclass(frozen=True, slots=True)
class FieldEntry:
    """One value a field had, since ``at`` by the system's clock.

    ``is_ours`` tells whether our own app wrote it; None where that cannot be told.
    """

    value: Value
    at: datetime
    is_ours: bool | None = None


History = Mapping[str, Sequence[FieldEntry]]


class Remembering(Protocol):
    """Tells which values fields had before."""

    def history(
        self, object_type: str, ids: Sequence[str], fields: Sequence[str]
    ) -> Mapping[str, History]:
        """Return the entries of these fields, the newest first, by record id and field.

        What does not exist (any more) is missing; a system keeps a bounded number of entries.
        """
