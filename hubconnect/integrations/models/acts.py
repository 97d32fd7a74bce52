"""What people did about failures."""

from django.conf import settings
from django.db import models

from hubconnect.integrations.models.history import Failure


class FailureAct(models.Model):
    """Something a person did about failures: one of them, those ticked, or all that fit a filter.

    What a filter chose may be many: a worker goes through them by key, ``done_to``, and goes on
    where it stopped.
    """

    class Kind(models.TextChoices):
        """What was done."""

        RETRY = "retry", "Retry"
        DISMISS = "dismiss", "Dismiss"
        EDIT = "edit", "Edit what is sent, retry"
        RULE = "rule", "Choice on its page"

    class State(models.TextChoices):
        """How far it is."""

        WORKING = "working", "Under way"
        DONE = "done", "Done"
        STOPPED = "stopped", "Stopped"

    kind = models.CharField(max_length=8, choices=Kind.choices)
    state = models.CharField(max_length=8, choices=State.choices, default=State.DONE)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    asked_at = models.DateTimeField()
    # One failure. Its row may be purged; what was done stays.
    failure = models.ForeignKey(
        Failure, models.SET_NULL, null=True, blank=True, related_name="acts"
    )
    words = models.TextField(blank=True)  # about what, for people
    chosen = models.JSONField(default=dict)  # the filter, as it stands in the address
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    done_to = models.BigIntegerField(default=0)  # failures up to this key are through
    up_to = models.BigIntegerField(default=0)  # those that came later were not meant
    leased_until = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-pk",)
        verbose_name = "act on failures"
        indexes = (models.Index(fields=("state", "leased_until"), name="failure_act_waiting"),)

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.words}"[:200]
