"""Integrations and their flows; what is linked; what ran; what failed."""

from hubconnect.integrations.models.configuration import Flow, Integration, Pair
from hubconnect.integrations.models.history import Failure, RecordEvent, Run
from hubconnect.integrations.models.links import (
    Claim,
    Decision,
    Intent,
    Link,
    QueuedRead,
    Side,
    TypePair,
)

__all__ = [
    "Claim",
    "Decision",
    "Failure",
    "Flow",
    "Integration",
    "Intent",
    "Link",
    "Pair",
    "QueuedRead",
    "RecordEvent",
    "Run",
    "Side",
    "TypePair",
]
