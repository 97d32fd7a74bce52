"""Who is told when a flow stands still and when it goes on, and what was sent."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Lower

from hubconnect.core.crypto import EncryptedJSONField
from hubconnect.integrations.models.configuration import Flow, Integration

MOST_MINUTES = 7 * 24 * 60


class Notification(models.Model):
    """Somebody who is told about flows that stand still, by e-mail or by a webhook.

    ``secrets`` holds a webhook's address, whose path lets anybody post, and its signing key.
    """

    class Channel(models.TextChoices):
        """How a message travels."""

        EMAIL = "email", "E-mail"
        WEBHOOK = "webhook", "Webhook"

    name = models.CharField(max_length=255)
    channel = models.CharField(max_length=8, choices=Channel.choices, default=Channel.EMAIL)
    addresses = models.JSONField(default=list, blank=True)  # of e-mail
    secrets = EncryptedJSONField(default=dict)
    host = models.CharField(max_length=255, blank=True)  # of the webhook, to be shown
    integrations = models.ManyToManyField(Integration, blank=True)  # none: all
    is_on = models.BooleanField(default=True)
    tells_healed = models.BooleanField(default=True)
    # A flow that stands still for a shorter time is not told about.
    after_minutes = models.PositiveIntegerField(
        default=5, validators=[MaxValueValidator(MOST_MINUTES)]
    )
    # At most one message in this time; it tells of all flows that turned meanwhile.
    every_minutes = models.PositiveIntegerField(
        default=60, validators=[MinValueValidator(1), MaxValueValidator(MOST_MINUTES)]
    )
    last_made_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(
                Lower("name"),
                name="notification_name_unique",
                violation_error_message="Another notification has this name.",
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def receiver(self) -> str:
        """Where messages go, without what must stay secret."""
        is_mail = self.channel == self.Channel.EMAIL
        return ", ".join(self.addresses) if is_mail else self.host


class Told(models.Model):
    """A flow that somebody was told stands still, until they are told that it goes on."""

    notification = models.ForeignKey(Notification, models.CASCADE, related_name="told")
    flow = models.ForeignKey(Flow, models.CASCADE, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("notification", "flow"), name="told_once"),)

    def __str__(self) -> str:
        return f"{self.notification_id} knows of {self.flow_id}"


class Notice(models.Model):
    """One message. It is stored before it is sent, and tried until it is, or a day is over."""

    class State(models.TextChoices):
        """How far it is."""

        WAITING = "waiting", "Waiting"
        SENT = "sent", "Sent"
        FAILED = "failed", "Not sent"

    notification = models.ForeignKey(Notification, models.CASCADE, related_name="notices")
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    subject = models.CharField(max_length=255)
    # {"critical": [flow], "healed": [flow]}, a flow as services.notifying writes it.
    body = models.JSONField(default=dict)
    attempts = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField()
    claimed_until = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-pk",)
        indexes = (
            models.Index(fields=("notification", "-id")),
            models.Index(fields=("state", "next_try_at")),
        )

    def __str__(self) -> str:
        return self.subject
