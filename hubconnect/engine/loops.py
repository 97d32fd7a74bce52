"""Notices two systems that keep changing one field's value to and fro.

Each update of a field leaves a short trace at its link. A value is written a third time within ten
minutes, by flows that take turns, and is one that the field held before in that span: then some
rule of one system answers each write with a change of its own, and going on would never end.

Traces are JSON: {"at": ISO time, "to": side, "left", "right": field names,
"sent", "kept": what was sent and what the answer showed, as ``mark`` writes them}.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from hubconnect.connectors.base import Value
from hubconnect.engine.values import to_stored

SPAN: Final = timedelta(minutes=10)
# Traces kept for a field, and for all fields of a link.
MOST_OF_A_FIELD: Final = 6
MOST: Final = 40
_LONGEST: Final = 120


@dataclass(frozen=True, slots=True)
class Trace:
    """One update of a field, as one flow sees it; ``kept`` is what the answer showed."""

    at: datetime
    to_target: bool
    source: str
    target: str
    sent: str
    kept: str


def mark(value: Value) -> str:
    """Return a value as text to compare and to show; of a long one the beginning and a hash."""
    text = json.dumps(to_stored(value), sort_keys=True, ensure_ascii=False)
    if len(text) <= _LONGEST:
        return text
    return f"{text[:_LONGEST]}… #{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def goes_round(
    traces: Iterable[Trace], names: tuple[str, str], value: Value, now: datetime
) -> list[Trace]:
    """Return the traces of a field that a write of ``value`` would only repeat, else nothing.

    ``names`` are the source and the target field of the flow that is about to write.
    """
    of_field = [
        one
        for one in traces
        if (one.source, one.target) == names and now - SPAN <= one.at <= now + SPAN
    ]
    of_field.sort(key=lambda one: one.at)
    if [one.to_target for one in of_field[-2:]] != [True, False]:
        return []
    seen = {text for one in of_field if one.to_target for text in (one.sent, one.kept)}
    return of_field if mark(value) in seen else []


def remembered(old: Sequence[Trace], new: Sequence[Trace], now: datetime) -> tuple[Trace, ...]:
    """Return old and new traces without those that are over, the newest of each field."""
    kept: list[Trace] = []
    count: dict[tuple[str, str], int] = {}
    for one in sorted([*old, *new], key=lambda each: each.at, reverse=True):
        names = (one.source, one.target)
        if one.at < now - SPAN or count.get(names, 0) >= MOST_OF_A_FIELD:
            continue
        count[names] = count.get(names, 0) + 1
        kept.append(one)
    return tuple(reversed(kept[:MOST]))
