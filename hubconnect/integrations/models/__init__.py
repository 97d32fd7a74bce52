"""Integrations and their flows; what is linked; what ran; what failed."""

from hubconnect.integrations.models.acts import FailureAct
from hubconnect.integrations.models.children import (
    AssociationLink,
    AttachmentLink,
    ChildIntent,
    CommentLink,
    FollowUp,
    SeenHolder,
)
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
    "AssociationLink",
    "AttachmentLink",
    "ChildIntent",
    "Claim",
    "CommentLink",
    "Decision",
    "Failure",
    "FailureAct",
    "Flow",
    "FollowUp",
    "Integration",
    "Intent",
    "Link",
    "Pair",
    "QueuedRead",
    "RecordEvent",
    "Run",
    "SeenHolder",
    "Side",
    "TypePair",
]
