"""Remembers comments and files before they are sent, and what each side leaves alone meanwhile."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db import transaction

from hubconnect.connectors.errors import OutcomeUnknownError
from hubconnect.engine.plan import LinkState
from hubconnect.integrations.models import ChildIntent
from hubconnect.integrations.services.lease import renew
from hubconnect.integrations.services.session import Session


def make(  # noqa: PLR0913 - the columns of one row
    session: Session,
    link: LinkState,
    kind: ChildIntent.Kind,
    source_id: str,
    sent: Mapping[str, Any],
    *,
    content: str = "",
    target_id: str = "",
) -> ChildIntent:
    """Return the intent of sending one thing.

    Its key is the same each time the same content is sent to the same record, so that a system
    which enforces keys takes it once.
    """
    side = session.flow.source_side
    told = f"{kind}\n{source_id}\n{content}".encode()
    number = hashlib.sha256(told).hexdigest()[:24]
    return ChildIntent(
        type_pair_id=session.lease.type_pair_id,
        flow=session.flow,
        link_id=link.pk,
        kind=kind,
        key=f"hc{session.lease.type_pair_id}.{side}.{link.pk}.{kind}.{number}",
        source_side=side,
        source_id=source_id,
        target_id=target_id,
        sent=dict(sent),
        sent_at=session.target.now(),
        fence=session.lease.fence,
    )


def announce(session: Session, intents: Sequence[ChildIntent]) -> None:
    """Store intents in one transaction with the renewal of the lease, right before the call.

    Raises:
        LeaseLostError: another worker took over; nothing may be sent.
    """
    session.begin_writing(is_noted=True)
    with transaction.atomic():
        renew(session.lease)
        ChildIntent.objects.bulk_create(intents)


def withdraw(intents: Sequence[ChildIntent], error: Exception) -> None:
    """Forget intents after an error which says that nothing of them was taken."""
    if not isinstance(error, OutcomeUnknownError):
        ChildIntent.objects.filter(key__in=[one.key for one in intents]).delete()


def open_on(link_ids: Collection[int], *kinds: ChildIntent.Kind) -> dict[int, list[ChildIntent]]:
    """Return what was sent without a known outcome, by link; few, mostly none."""
    found: dict[int, list[ChildIntent]] = {}
    for intent in ChildIntent.objects.filter(link_id__in=link_ids, kind__in=kinds):
        found.setdefault(intent.link_id, []).append(intent)
    return found
