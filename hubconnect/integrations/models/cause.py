"""What failures have in common, as a short key that an index can group by."""

import hashlib
import re
from typing import Final

from hubconnect.connectors.errors import Category

LENGTH: Final = 32
# Their messages name the records at fault, and each differs; the category says it all.
_NAMES_RECORDS: Final = frozenset(
    {
        Category.DUPLICATE,
        Category.ALREADY_LINKED,
        Category.LOOKUP,
        Category.TARGET_DELETED,
        Category.MISSING_LINK,
        Category.CONFLICT,
        Category.UNKNOWN_OUTCOME,
        Category.NOT_STORED,
    }
)
# What differs from record to record in a message: quoted values, ids, numbers, addresses.
_OWN: Final = re.compile(r"“[^”]*”|\"[^\"]*\"|\S*[\d@]\S*")
_MOST_WORDS: Final = 200


def cause_key(
    *, is_flow: bool, flow_id: int, category: str, field: str, child: str, message: str
) -> str:
    """Return the key of a failure's cause.

    What stops whole flows is one cause wherever the same is said: a system that is away stops all
    its flows. Of records it is the flow, the category and the field at fault, whatever the value;
    without a field, the message less what differs from record to record.
    """
    if is_flow:
        parts = ("flow", "", category, "", "", message)
    else:
        is_told = bool(field) or category in _NAMES_RECORDS
        words = "" if is_told else _OWN.sub("#", message)[:_MOST_WORDS]
        parts = ("record", str(flow_id), category, field, child.partition(" ")[0], words)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:LENGTH]
