"""Which failures a filter means: the same for a page, a file and a worker.

What was chosen is a dictionary of texts, as it stands in an address:
``{"integration": "3", "category": "TOO_LONG", "level": "record", "field", "cause", "q"}``.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from django.db.models import Q, QuerySet

from hubconnect.core.numbers import whole_number
from hubconnect.integrations.models import Failure

NAMES: Final = ("q", "integration", "category", "field", "level", "cause")


def narrow(found: QuerySet[Failure], chosen: Mapping[str, str]) -> QuerySet[Failure]:
    """Return the failures that fit everything that was chosen."""
    for name in ("category", "field", "level", "cause"):
        if value := chosen.get(name):
            found = found.filter(**{name: value})
    if (integration := whole_number(chosen.get("integration", ""))) is not None:
        found = found.filter(flow__pair__integration_id=integration)
    words = chosen.get("q", "").strip().replace("\0", "")
    return found.filter(_said(words)) if words else found


def _said(words: str) -> Q:
    """Find by an id on either side, the readable name, the address, or words of the message."""
    return (
        Q(record_id=words)
        | Q(target_id=words)
        | Q(title__icontains=words)
        | Q(message__icontains=words)
        | Q(record_url=words)
    )


def in_words(chosen: Mapping[str, str], names: Sequence[str] = NAMES) -> str:
    """Write a choice down for the audit: ``category TOO_LONG, field email``."""
    said = {"q": "words", "cause": "cause"}
    parts = [f"{said.get(name, name)} {chosen[name]}" for name in names if chosen.get(name)]
    return ", ".join(parts) or "all that are open"
