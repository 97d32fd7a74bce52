"""Sends stored messages, by e-mail or to a webhook, until they are sent or too old."""

import hashlib
import hmac
import json
import smtplib
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import Q
from django.utils import timezone

from hubconnect.connectors.errors import (
    AttentionError,
    ConnectorError,
    OutcomeUnknownError,
    TemporaryError,
)
from hubconnect.connectors.http import Answer, HttpClient, Request
from hubconnect.integrations.models import Notice, Notification
from hubconnect.systems.services.connections import build_context

log = structlog.get_logger()

MOST_AT_ONCE: Final = 20
# Longer than one sending can take; then another worker may try.
CLAIM: Final = timedelta(minutes=5)
FIRST_WAIT: Final = timedelta(minutes=1)
LONGEST_WAIT: Final = timedelta(hours=1)
GIVE_UP_AFTER: Final = timedelta(days=1)
REFUSED: Final = 400
SERVER_ERROR: Final = 500


class NotSentError(Exception):
    """A message could not be sent; the text says why."""


def deliver_due() -> int:
    """Send what is due; return how many messages were sent."""
    due = Notice.objects.filter(state=Notice.State.WAITING, next_try_at__lte=timezone.now())
    return sum(deliver(pk) for pk in due.values_list("pk", flat=True)[:MOST_AT_ONCE])


def deliver(notice_id: int) -> bool:
    """Send one message if nobody else does; tell whether it was sent."""
    now = timezone.now()
    free = Q(claimed_until=None) | Q(claimed_until__lte=now)
    claimed = Notice.objects.filter(free, pk=notice_id, state=Notice.State.WAITING).update(
        claimed_until=now + CLAIM
    )
    if not claimed:
        return False
    notice = Notice.objects.select_related("notification").get(pk=notice_id)
    try:
        _send(notice)
    except NotSentError as error:
        _put_off(notice, str(error), timezone.now())
        return False
    notice.state, notice.error, notice.sent_at = Notice.State.SENT, "", timezone.now()
    notice.save(update_fields=["state", "error", "sent_at"])
    return True


def _put_off(notice: Notice, reason: str, now: datetime) -> None:
    """Try again later, longer each time; give up after a day."""
    notice.attempts += 1
    notice.error = reason
    notice.claimed_until = None
    if now - notice.created_at >= GIVE_UP_AFTER:
        notice.state = Notice.State.FAILED
    notice.next_try_at = now + min(FIRST_WAIT * 2 ** min(notice.attempts - 1, 10), LONGEST_WAIT)
    notice.save(update_fields=["attempts", "error", "claimed_until", "state", "next_try_at"])
    log.warning("notice.not_sent", notice_id=notice.pk, attempts=notice.attempts)


def _send(notice: Notice) -> None:
    if notice.notification.channel == Notification.Channel.EMAIL:
        _send_mail(notice)
    else:
        _post(notice)


def text_of(notice: Notice) -> str:
    """Return the message as a person reads it."""
    if notice.body.get("test"):
        return "This is a test. Messages about flows that stand still arrive here.\n"
    parts = []
    for one in notice.body["critical"]:
        lines = [f"{one['flow']} ({one['integration']}) stands still since {one['since']}."]
        lines += [one["reason"], one["hint"], one["url"]]
        parts.append("\n".join(line for line in lines if line))
    parts += [
        f"{one['flow']} ({one['integration']}) goes on.\n{one['url']}"
        for one in notice.body["healed"]
    ]
    return "\n\n".join(parts) + "\n"


def _send_mail(notice: Notice) -> None:
    host = urlsplit(settings.PUBLIC_URL).hostname or "localhost"
    message = EmailMessage(
        subject=notice.subject,
        body=text_of(notice),
        to=notice.notification.addresses,
        # The same at each try, so that a reader's program can drop a second copy.
        headers={"Message-ID": f"<notice-{notice.pk}@{host}>", "Auto-Submitted": "auto-generated"},
    )
    try:
        message.send()
    except smtplib.SMTPAuthenticationError as error:
        msg = "The mail server refused the sign-in. Correct EMAIL_URL."
        raise NotSentError(msg) from error
    except smtplib.SMTPRecipientsRefused as error:
        refused = ", ".join(error.recipients)
        msg = f"The mail server refused these addresses: {refused}."
        raise NotSentError(msg) from error
    except smtplib.SMTPResponseException as error:
        answer = error.smtp_error
        words = answer.decode(errors="replace") if isinstance(answer, bytes) else str(answer)
        msg = f"The mail server answered {error.smtp_code}: {words}"
        raise NotSentError(msg) from error
    except (smtplib.SMTPException, OSError) as error:
        msg = f"The mail server could not be reached: {error}"
        raise NotSentError(msg) from error


def _post(notice: Notice) -> None:
    secrets = notice.notification.secrets
    parts = urlsplit(secrets.get("url", ""))
    body = json.dumps(payload_of(notice), ensure_ascii=False).encode()
    client = HttpClient(
        f"{parts.scheme}://{parts.netloc}",
        build_context(),
        headers=_signature(secrets.get("signing_key", ""), body),
        judge=_judge,
        parameter="url",
    )
    path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    request = Request(
        method="POST", path=path, kind="webhook", body=body, is_write=True, is_repeatable=False
    )
    with closing(client):
        client.patience = timedelta(0)  # what fails is put off, not waited for
        try:
            client.send(request)
        except (OutcomeUnknownError, ConnectorError) as error:
            raise NotSentError(f"{error.message} {error.hint}".strip()) from error


def payload_of(notice: Notice) -> dict[str, Any]:
    """Return what a webhook receives. ``text`` alone serves the incoming webhooks of chats."""
    return {
        "id": f"notice-{notice.pk}",
        "subject": notice.subject,
        "text": f"{notice.subject}\n\n{text_of(notice)}".strip(),
        "at": notice.created_at.isoformat(timespec="seconds"),
        **notice.body,
    }


def _signature(key: str, body: bytes) -> Mapping[str, str]:
    """Return the header by which a receiver knows that the message is ours and unaltered."""
    if not key:
        return {}
    digest = hmac.new(key.encode(), body, hashlib.sha256).hexdigest()
    return {"X-HubConnect-Signature": f"sha256={digest}"}


def _judge(answer: Answer) -> ConnectorError | None:
    if answer.status >= SERVER_ERROR:
        return TemporaryError(f"The webhook answered with status {answer.status}.")
    if answer.status >= REFUSED:
        msg = f"The webhook refused the message with status {answer.status}."
        return AttentionError(msg, hint="See whether its address is still right.")
    return None
