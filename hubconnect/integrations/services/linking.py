"""Links two records as a person says that they are the same one."""

from django.db import IntegrityError, transaction
from django.utils import timezone

from hubconnect.connectors.base import Record
from hubconnect.connectors.errors import ConnectorError
from hubconnect.core.models import User
from hubconnect.integrations.models import Decision, Flow, Intent, Link, QueuedRead
from hubconnect.integrations.services.nudging import Nudge
from hubconnect.integrations.services.opening import verify_identity
from hubconnect.integrations.stores import links_by_source, links_by_target
from hubconnect.systems.models import System
from hubconnect.systems.services.connections import open_connector


class LinkRefusedError(Exception):
    """The two cannot be linked; the text says why and what to do. Nothing was changed."""


def link_records(flow: Flow, source_id: str, target_id: str, actor: User) -> Nudge:
    """Link a record of the flow's source with one of its target, as a new link without bases.

    Both must exist and neither may be linked. Their fields are compared by the flow's next run, as
    those of any new link. The flow comes with its pair, mapping and systems.

    Raises:
        LinkRefusedError: it cannot be done.
    """
    source = _read(flow.source_system, flow.source_type, source_id)
    target = _read(flow.target_system, flow.target_type, target_id)
    _refuse_linked(flow, source.id, target.id)
    side, type_pair_id = flow.source_side, flow.pair.type_pair_id or 0
    creating = Intent.objects.filter(
        type_pair_id=type_pair_id, source_side=side, source_id=source.id
    )
    if creating.exists():
        msg = f"{source.id} is being written to {flow.target_system} right now. Try again soon."
        raise LinkRefusedError(msg)
    ends = {f"{side}_id": source.id, f"{side.other}_id": target.id}
    link = Link(type_pair_id=type_pair_id, title=_title(flow, source_id), **ends)
    with transaction.atomic():
        try:
            with transaction.atomic():
                link.save()
        except IntegrityError:
            _refuse_linked(flow, source.id, target.id)
            raise
        for one, record_id in ((side, source.id), (side.other, target.id)):
            Decision.objects.filter(
                type_pair_id=type_pair_id, side=one, record_id=record_id
            ).delete()
        QueuedRead.objects.update_or_create(
            flow=flow,
            record_id=source.id,
            defaults={"reason": f"Linked by {actor}."[:255], "due_at": timezone.now()},
        )
        Flow.objects.filter(pk=flow.pk, is_enabled=True, pair__integration__is_active=True).update(
            next_run_at=timezone.now(), nudged_at=None
        )
        nudge = Nudge.of([flow.pk])
        transaction.on_commit(nudge.send)
    return nudge


def _title(flow: Flow, source_id: str) -> str:
    """Return the record's readable name, as far as a failure of it tells."""
    found = flow.failures.filter(record_id=source_id).exclude(title="").order_by("-pk")
    return found.values_list("title", flat=True).first() or ""


def _read(system: System, object_type: str, record_id: str) -> Record:
    """Return a record as it is now, under the id it has now.

    Raises:
        LinkRefusedError: it is not there, or cannot be read.
    """
    try:
        with open_connector(system, is_read_only=True) as connector:
            verify_identity(system, connector)
            found = connector.read(object_type, [record_id], ()).get(record_id)
    except ConnectorError as error:
        msg = f"{system} could not be asked for {record_id}: {error.message} {error.hint}"
        raise LinkRefusedError(msg.strip()) from error
    if found is None:
        msg = f"{record_id} does not exist in {system} any more."
        raise LinkRefusedError(msg)
    return found


def _refuse_linked(flow: Flow, source_id: str, target_id: str) -> None:
    """Refuse records that are linked already.

    Raises:
        LinkRefusedError: naming what they are linked with.
    """
    source, target = flow.source_system, flow.target_system
    own = links_by_source(flow, [source_id]).get(source_id)
    if own is not None:
        msg = f"{source_id} in {source} is linked with {own.target_id} in {target} already."
        raise LinkRefusedError(msg)
    other = links_by_target(flow, [target_id]).get(target_id)
    if other is not None:
        msg = f"{target_id} in {target} is linked with {other.source_id} in {source} already."
        raise LinkRefusedError(msg)
