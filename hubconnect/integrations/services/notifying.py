"""Decides who is told what: flows that turned critical, and flows that healed.

What was told is kept with the flow, so that each turn is told once; a message is stored in the
same transaction, and sent by :mod:`hubconnect.integrations.services.delivering`.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from hubconnect.core.wording import counted
from hubconnect.integrations.models import Flow, Notice, Notification, Told
from hubconnect.integrations.services.troubles import Trouble, current_troubles, watched_flows


def notify() -> int:
    """Store a message for everybody whose turn it is; return how many were stored."""
    people = list(Notification.objects.filter(is_on=True).prefetch_related("integrations"))
    if not people:
        return 0
    now = timezone.now()
    troubles = current_troubles()
    watched = {flow.pk: flow for flow in watched_flows()}
    return sum(_tell(one, troubles, watched, now) for one in people)


def _tell(
    notification: Notification,
    troubles: Mapping[int, Trouble],
    watched: Mapping[int, Flow],
    now: datetime,
) -> bool:
    """Store the message that one notification is due, if it is due one."""
    last = notification.last_made_at
    if last is not None and now < last + timedelta(minutes=notification.every_minutes):
        return False
    chosen = {one.pk for one in notification.integrations.all()}
    known = {told.flow_id: told for told in notification.told.all()}
    lasting = now - timedelta(minutes=notification.after_minutes)
    new = [
        trouble
        for pk, trouble in troubles.items()
        if pk not in known
        and trouble.since <= lasting
        and (not chosen or trouble.flow.pair.integration_id in chosen)
    ]
    over = [told for pk, told in known.items() if pk not in troubles]
    healed = [watched[told.flow_id] for told in over if told.flow_id in watched]
    told_healed = healed if notification.tells_healed else []
    body = {
        "critical": [_critical(one) for one in new],
        "healed": [_described(flow) for flow in told_healed],
    }
    with transaction.atomic():
        if new or told_healed:
            # Two beats, or two workers: the first one's time stamp tells the other.
            unchanged = Notification.objects.filter(pk=notification.pk, last_made_at=last)
            if not unchanged.update(last_made_at=now):
                return False
            _store(notification, body, now)
        Told.objects.filter(pk__in=[told.pk for told in over]).delete()
        Told.objects.bulk_create(
            [Told(notification=notification, flow=one.flow, at=now) for one in new]
        )
    return bool(new or told_healed)


def _store(notification: Notification, body: dict[str, Any], now: datetime) -> None:
    Notice.objects.create(
        notification=notification,
        subject=subject_of(body),
        body=body,
        created_at=now,
        next_try_at=now,
    )


def subject_of(body: Mapping[str, Any]) -> str:
    """Return the line that tells what happened: one flow by name, several by number."""
    critical, healed = body["critical"], body["healed"]
    parts = []
    if critical:
        one = critical[0]["flow"]
        parts.append(
            f"{one} stands still"
            if len(critical) == 1
            else f"{counted(len(critical), 'flow')} stand still"
        )
    if healed:
        one = healed[0]["flow"]
        parts.append(
            f"{one} goes on" if len(healed) == 1 else f"{counted(len(healed), 'flow')} go on"
        )
    return ("HubConnect: " + "; ".join(parts))[:255]


def make_test(notification: Notification) -> Notice:
    """Store a message that only shows that messages arrive."""
    now = timezone.now()
    return Notice.objects.create(
        notification=notification,
        subject="HubConnect: test",
        body={"critical": [], "healed": [], "test": True},
        created_at=now,
        next_try_at=now,
    )


def _described(flow: Flow) -> dict[str, str]:
    integration = flow.pair.integration
    path = reverse("integrations:detail", args=[integration.pk])
    return {
        "flow": str(flow),
        "integration": integration.name,
        "url": f"{settings.PUBLIC_URL}{path}",
    }


def _critical(trouble: Trouble) -> dict[str, str]:
    return {
        **_described(trouble.flow),
        "reason": trouble.reason,
        "hint": trouble.hint,
        "since": trouble.since.isoformat(timespec="seconds"),
    }
