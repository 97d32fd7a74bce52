"""Integrations and their flows; what is linked; what ran; what failed."""

from hubconnect.integrations.models.acts import FailureAct
from hubconnect.integrations.models.alignments import Alignment
from hubconnect.integrations.models.children import (
    AssociationLink,
    AttachmentLink,
    ChildIntent,
    CommentLink,
    FollowUp,
    SeenHolder,
)
from hubconnect.integrations.models.configuration import Flow, Integration, Pair
from hubconnect.integrations.models.history import Failure, HourlyFigures, RecordEvent, Run
from hubconnect.integrations.models.links import (
    Claim,
    Decision,
    Intent,
    Link,
    PastCreate,
    QueuedRead,
    Side,
    TypePair,
)
from hubconnect.integrations.models.loads import Slice
from hubconnect.integrations.models.notices import Notice, Notification, Told
from hubconnect.integrations.models.reconciling import ReconcileFinding, Reconciliation
from hubconnect.integrations.models.wide_windows import WideWindow

__all__ = [
    "Alignment",
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
    "HourlyFigures",
    "Integration",
    "Intent",
    "Link",
    "Notice",
    "Notification",
    "Pair",
    "PastCreate",
    "QueuedRead",
    "ReconcileFinding",
    "Reconciliation",
    "RecordEvent",
    "Run",
    "SeenHolder",
    "Side",
    "Slice",
    "Told",
    "TypePair",
    "WideWindow",
]
