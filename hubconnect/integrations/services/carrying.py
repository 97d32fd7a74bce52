"""The run step that carries what hangs on linked records, once the records are stored."""

from django.utils import timezone

from hubconnect.integrations.models import FollowUp
from hubconnect.integrations.services import child_failures, follow_ups
from hubconnect.integrations.services.carriers import associations, comments, files, remote
from hubconnect.integrations.services.far_records import FarRecords
from hubconnect.integrations.services.session import Session

CARRIERS: dict[FollowUp.Kind, follow_ups.Carrier] = {
    FollowUp.Kind.REMOTE: remote.carry,
    FollowUp.Kind.ASSOCIATIONS: associations.carry,
    FollowUp.Kind.COMMENTS: comments.carry,
    FollowUp.Kind.FILES: files.carry,
}


def follow(session: Session) -> None:
    """Carry what is due: new, waiting, or failed before."""
    child_failures.make_due(session, timezone.now())
    FarRecords(session.flow).make_due(session.spec.children.associations)
    follow_ups.follow_up(session, CARRIERS)
