"""People are told when a flow stands still and when it goes on, once, and not too often."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from hubconnect.connectors.errors import Category
from hubconnect.integrations.models import Flow, Notice, Notification, Pair
from hubconnect.integrations.services import flow_failures
from hubconnect.integrations.services.delivering import deliver_due
from hubconnect.integrations.services.notifying import notify
from hubconnect.integrations.tasks import notify as notify_task
from tests.factories.integrations import IntegrationFactory, PairFactory
from tests.receivers import Hook, MailBox, mail_box, web_hook
from tools.localservices import free_port

pytestmark = pytest.mark.django_db


@pytest.fixture
def flow() -> Flow:
    return working_flow()


def working_flow() -> Flow:
    integration = IntegrationFactory.create(is_active=True)
    pair: Pair = PairFactory.create(integration=integration)
    return pair.flows.get(direction="to_right")


@pytest.fixture
def mails(settings: Settings) -> Iterator[MailBox]:
    with mail_box(free_port()) as box:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", box.port
        yield box


@pytest.fixture
def hook() -> Iterator[Hook]:
    with web_hook() as made:
        yield made


def by_mail(**options: Any) -> Notification:
    return Notification.objects.create(
        **{"name": "Mail", "addresses": ["ops@example.com"], "after_minutes": 0, **options}
    )


def by_hook(hook: Hook, **options: Any) -> Notification:
    return Notification.objects.create(
        name="Chat",
        channel=Notification.Channel.WEBHOOK,
        secrets={"url": hook.url, "signing_key": "apple-pie"},
        host="127.0.0.1",
        after_minutes=0,
        **options,
    )


def subject_of(mail: EmailMessage) -> str:
    """Return the subject; a folded one comes back with a space in front."""
    return str(mail["Subject"]).strip()


def stand_still(flow: Flow, message: str = "HubSpot refused the token.") -> None:
    flow_failures.record(flow, None, Category.AUTHENTICATION, message, "Sign in again.")


def let_pass(notification: Notification, minutes: int) -> None:
    """Make the last message older."""
    notification.refresh_from_db()
    last = notification.last_made_at
    assert last is not None
    Notification.objects.filter(pk=notification.pk).update(
        last_made_at=last - timedelta(minutes=minutes)
    )


def test_a_flow_that_stands_still_is_told_by_mail(flow: Flow, mails: MailBox) -> None:
    by_mail(addresses=["ops@example.com", "rae@example.com"])
    stand_still(flow)
    assert notify_task() == 1
    (mail,) = mails.messages
    assert mail["To"] == "ops@example.com, rae@example.com"
    assert subject_of(mail) == f"HubConnect: {flow} stands still"
    text = mail.get_content()
    for part in ("HubSpot refused the token.", "Sign in again.", flow.pair.integration.name):
        assert part in text
    assert f"/integrations/{flow.pair.integration_id}/" in text


def test_each_turn_is_told_once(flow: Flow, mails: MailBox) -> None:
    mail = by_mail()
    stand_still(flow)
    for _ in range(3):
        notify_task()
        let_pass(mail, 120)
    assert len(mails.messages) == 1
    flow_failures.heal(flow)
    for _ in range(3):
        notify_task()
        let_pass(mail, 120)
    assert len(mails.messages) == 2
    assert subject_of(mails.messages[1]) == f"HubConnect: {flow} goes on"


def test_at_most_one_message_in_the_interval_which_tells_of_all(mails: MailBox) -> None:
    first, second, third = working_flow(), working_flow(), working_flow()
    mail = by_mail(every_minutes=60)
    stand_still(first)
    notify_task()
    flow_failures.heal(first)
    stand_still(second)
    stand_still(third)
    notify_task()
    assert len(mails.messages) == 1
    let_pass(mail, 60)
    notify_task()
    assert len(mails.messages) == 2
    assert subject_of(mails.messages[1]) == f"HubConnect: 2 flows stand still; {first} goes on"


def test_a_flow_that_came_back_and_fell_again_within_the_interval_is_not_told_again(
    flow: Flow, mails: MailBox
) -> None:
    mail = by_mail()
    stand_still(flow)
    notify_task()
    flow_failures.heal(flow)
    notify_task()
    stand_still(flow)
    let_pass(mail, 61)
    notify_task()
    assert len(mails.messages) == 1


def test_a_short_trouble_is_not_told(flow: Flow, mails: MailBox) -> None:
    by_mail(after_minutes=5)
    stand_still(flow)
    notify_task()
    assert mails.messages == []
    flow.failures.update(first_at=timezone.now() - timedelta(minutes=5))
    notify_task()
    assert len(mails.messages) == 1


def test_only_the_chosen_integrations_are_told_about(flow: Flow, mails: MailBox) -> None:
    other = working_flow()
    by_mail().integrations.add(other.pair.integration)
    stand_still(flow)
    notify_task()
    assert mails.messages == []
    stand_still(other)
    notify_task()
    assert len(mails.messages) == 1


def test_healing_is_told_only_if_wished(flow: Flow, mails: MailBox) -> None:
    mail = by_mail(tells_healed=False)
    stand_still(flow)
    notify_task()
    let_pass(mail, 61)
    flow_failures.heal(flow)
    notify_task()
    stand_still(flow)
    notify_task()
    subjects = [subject_of(one) for one in mails.messages]
    assert subjects == [f"HubConnect: {flow} stands still"] * 2


def test_an_integration_that_a_person_stopped_is_nobodys_trouble(
    flow: Flow, mails: MailBox
) -> None:
    mail = by_mail()
    stand_still(flow)
    notify_task()
    let_pass(mail, 61)
    type(flow.pair.integration).objects.update(is_active=False)
    notify_task()
    assert len(mails.messages) == 1


def test_a_system_that_needs_a_person_and_a_flow_that_no_worker_takes_are_told(
    mails: MailBox,
) -> None:
    broken, late = working_flow(), working_flow()
    system = broken.source_system
    system.state, system.state_reason = system.State.RECONNECT, "The refresh token was refused."
    system.checked_at = timezone.now()
    system.save()
    Flow.objects.filter(pk=late.pk).update(next_run_at=timezone.now() - timedelta(minutes=3))
    by_mail()
    notify_task()
    text = mails.messages[0].get_content()
    assert "The refresh token was refused." in text
    assert "no worker has taken it" in text


def test_a_webhook_gets_signed_json(flow: Flow, hook: Hook) -> None:
    by_hook(hook)
    stand_still(flow)
    notify_task()
    body = json.loads(hook.bodies[0])
    assert body["critical"][0]["reason"] == "HubSpot refused the token."
    assert "HubSpot refused the token." in body["text"]
    digest = hmac.new(b"apple-pie", hook.bodies[0], hashlib.sha256).hexdigest()
    assert hook.headers[0]["X-HubConnect-Signature"] == f"sha256={digest}"


def test_what_could_not_be_sent_is_sent_later(flow: Flow, hook: Hook) -> None:
    hook.statuses = [503, 200]
    by_hook(hook)
    stand_still(flow)
    notify_task()
    notice = Notice.objects.get()
    assert notice.state == Notice.State.WAITING
    assert "503" in notice.error
    assert notice.next_try_at > timezone.now()
    Notice.objects.update(next_try_at=timezone.now())
    notify_task()
    notice.refresh_from_db()
    assert notice.state == Notice.State.SENT
    assert len(hook.bodies) == 2
    assert json.loads(hook.bodies[0])["id"] == json.loads(hook.bodies[1])["id"]


def test_after_a_day_it_is_given_up_and_said(
    flow: Flow, hook: Hook, monitor_client: Client
) -> None:
    hook.statuses = [410]
    notification = by_hook(hook)
    stand_still(flow)
    notify()
    Notice.objects.update(created_at=timezone.now() - timedelta(days=1))
    assert deliver_due() == 0
    assert Notice.objects.get().state == Notice.State.FAILED
    listed = monitor_client.get(reverse("integrations:notification_list")).content.decode()
    assert "The webhook refused the message with status 410." in listed
    shown = monitor_client.get(reverse("integrations:notification", args=[notification.pk]))
    assert "Not sent" in shown.content.decode()


def test_a_refused_address_is_named(flow: Flow, mails: MailBox) -> None:
    mails.unknown = {"ops@example.com"}
    by_mail()
    stand_still(flow)
    notify_task()
    assert Notice.objects.get().error == "The mail server refused these addresses: ops@example.com."


def test_two_beats_store_one_message(flow: Flow) -> None:
    by_mail()
    stand_still(flow)
    assert notify() + notify() == 1
    assert Notice.objects.count() == 1


def test_a_message_that_is_being_sent_is_left_to_its_worker(flow: Flow, hook: Hook) -> None:
    by_hook(hook)
    stand_still(flow)
    notify()
    Notice.objects.update(claimed_until=timezone.now() + timedelta(minutes=1))
    assert deliver_due() == 0
    assert hook.bodies == []


def form_of(hook: Hook, **changed: Any) -> dict[str, Any]:
    return {
        "name": "Chat",
        "is_on": "on",
        "channel": "webhook",
        "url": hook.url,
        "signing_key": "apple-pie",
        "after_minutes": 5,
        "every_minutes": 60,
        "tells_healed": "on",
        **changed,
    }


def test_a_webhook_is_added_tested_and_never_shown(sync_admin_client: Client, hook: Hook) -> None:
    client = sync_admin_client
    added = client.post(reverse("integrations:notification_add"), form_of(hook), follow=True)
    notification = Notification.objects.get()
    assert notification.secrets == {"url": hook.url, "signing_key": "apple-pie"}
    tested = client.post(
        reverse("integrations:notification_test", args=[notification.pk]), follow=True
    )
    assert "A test was sent to 127.0.0.1." in tested.content.decode()
    assert json.loads(hook.bodies[0])["test"] is True
    listed = client.get(reverse("integrations:notification_list"))
    for answer in (added, tested, listed):
        assert "plum-tart" not in answer.content.decode()
        assert "apple-pie" not in answer.content.decode()


def test_empty_secrets_keep_the_stored_ones(sync_admin_client: Client, hook: Hook) -> None:
    notification = by_hook(hook)
    url = reverse("integrations:notification", args=[notification.pk])
    sync_admin_client.post(url, form_of(hook, url="", signing_key="", every_minutes=30))
    notification.refresh_from_db()
    assert notification.every_minutes == 30
    assert notification.secrets == {"url": hook.url, "signing_key": "apple-pie"}


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"url": "ftp://x"}, "This is no address."),
        ({"url": "http://[::1"}, "This is no address."),
        ({"url": ""}, "Give the address of the webhook."),
        ({"channel": "email", "addresses": ""}, "Give at least one e-mail address."),
        ({"channel": "email", "addresses": "ops"}, "“ops” is not an e-mail address."),
        ({"every_minutes": 0}, "greater than or equal to 1"),
        ({"channel": "pigeon"}, "Select a valid choice"),
    ],
)
def test_odd_input_is_refused_in_words(
    sync_admin_client: Client, hook: Hook, settings: Settings, changed: dict[str, Any], error: str
) -> None:
    settings.EMAIL_HOST = "mail.example.com"
    answer = sync_admin_client.post(
        reverse("integrations:notification_add"), form_of(hook, **changed)
    )
    assert error in answer.content.decode()
    assert not Notification.objects.exists()


def test_without_a_mail_server_e_mail_is_refused_with_what_to_do(
    sync_admin_client: Client, hook: Hook, settings: Settings
) -> None:
    settings.EMAIL_HOST = ""
    data = form_of(hook, channel="email", addresses="ops@example.com")
    answer = sync_admin_client.post(reverse("integrations:notification_add"), data)
    assert "whoever runs it sets EMAIL_URL" in answer.content.decode()


def test_a_webhook_inside_the_network_is_refused(
    sync_admin_client: Client, hook: Hook, settings: Settings
) -> None:
    settings.ALLOWED_PRIVATE_ADDRESSES = []
    notification = by_hook(hook)
    tested = sync_admin_client.post(
        reverse("integrations:notification_test", args=[notification.pk]), follow=True
    )
    assert "may not connect" in tested.content.decode()
    assert hook.bodies == []


def test_a_monitor_sees_and_changes_nothing(monitor_client: Client, hook: Hook) -> None:
    pk = by_hook(hook).pk
    assert monitor_client.get(reverse("integrations:notification", args=[pk])).status_code == 200
    for name, args in (
        ("notification_add", []),
        ("notification", [pk]),
        ("notification_test", [pk]),
        ("notification_delete", [pk]),
    ):
        answer = monitor_client.post(reverse(f"integrations:{name}", args=args), form_of(hook))
        assert answer.status_code == 403
    assert Notification.objects.get().every_minutes == 60


def test_a_notification_is_deleted_with_its_messages(sync_admin_client: Client, hook: Hook) -> None:
    pk = by_hook(hook).pk
    sync_admin_client.post(reverse("integrations:notification_test", args=[pk]))
    sync_admin_client.post(reverse("integrations:notification_delete", args=[pk]))
    assert not Notification.objects.exists()
    assert not Notice.objects.exists()
