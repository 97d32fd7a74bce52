"""Describes records of the target that may be the counterpart of a failed one, for a person."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from hubconnect.connectors.base import Record
from hubconnect.connectors.errors import RecordError
from hubconnect.engine.values import store_all
from hubconnect.integrations.services.session import End
from hubconnect.systems.models import System

MOST = 10


def describe(
    end: End, error: RecordError, found: Iterable[Record], names: Collection[str]
) -> list[dict[str, Any]]:
    """Return the candidates that an error names, as ``Failure.candidates`` keeps them.

    Args:
        end: where they are.
        error: which names them.
        found: those that were read already.
        names: fields to show; all that were read if there are none.
    """
    ids = error.candidates or tuple(filter(None, [error.existing_id]))
    return listed(end, ids, found, names)


def listed(
    end: End, ids: Iterable[str], found: Iterable[Record], names: Collection[str]
) -> list[dict[str, Any]]:
    """Return ``{"id", "url", "values"}`` for each id, a few at most."""
    known = {record.id: record for record in found}
    return [_shown(end, one, known.get(one), names) for one in list(ids)[:MOST]]


def _shown(
    end: End, record_id: str, record: Record | None, names: Collection[str]
) -> dict[str, Any]:
    url = record.url if record is not None else ""
    values = {} if record is None else store_all(record.values)
    return {
        "id": record_id,
        "url": url or end.connector.url(end.object_type, record_id),
        "values": {name: one for name, one in values.items() if not names or name in names},
    }


def lost_create(system: System, ids: Sequence[str]) -> str:
    """Say that a create's reply was lost, and which records it may have made."""
    shown = ", ".join(ids[:MOST]) or "none was found"
    return (
        f"The reply to creating it in {system} was lost, and nothing there tells for sure whether "
        f"it exists. Candidates: {shown}."
    )
