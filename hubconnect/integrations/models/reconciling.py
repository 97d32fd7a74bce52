"""Comparisons of both sides of a pair in full, what they found, and what was asked to be done."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from hubconnect.integrations.models.configuration import Pair
from hubconnect.integrations.models.links import Leased


class Reconciliation(Leased):
    """One comparison of both sides of a pair; it goes on by ``step`` and ``after``.

    ``left`` and ``right`` are the sides of the pair's mapping.
    """

    class State(models.TextChoices):
        """How far it is."""

        WORKING = "working", "Under way"
        DONE = "done", "Done"
        CANCELLED = "cancelled", "Cancelled"
        STOPPED = "stopped", "Stopped"  # a person must act; it goes on from there

    class Step(models.TextChoices):
        """What is gone through, in this order."""

        LINKS = "links", "Linked records"
        LEFT = "left", "Records without link, left"
        RIGHT = "right", "Records without link, right"

    pair = models.ForeignKey(Pair, models.CASCADE, related_name="reconciliations")
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    state = models.CharField(max_length=16, choices=State.choices, default=State.WORKING)
    step = models.CharField(max_length=8, choices=Step.choices, default=Step.LINKS)
    after = models.CharField(max_length=255, blank=True)  # of a link's key, or a connector's text
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    expected = models.PositiveIntegerField(null=True, blank=True)  # links and records to look at
    looked_at = models.PositiveIntegerField(default=0)
    same = models.PositiveIntegerField(default=0)
    outside = models.PositiveIntegerField(default=0)  # linked, and no flow carries them now
    calls = models.JSONField(default=dict)  # {name of the system: number}
    message = models.TextField(blank=True)
    hint = models.TextField(blank=True)
    setbacks = models.PositiveIntegerField(default=0)  # turns in a row that a system ended
    next_turn_at = models.DateTimeField(db_default=Now())
    nudged_at = models.DateTimeField(null=True, blank=True)
    has_asked = models.BooleanField(default=False)  # remedies wait to be applied

    class Meta:
        ordering = ("-pk",)
        constraints = (
            models.UniqueConstraint(
                fields=("pair",),
                condition=models.Q(state="working"),
                name="reconciliation_working_once",
            ),
        )
        indexes = (
            models.Index(
                fields=("next_turn_at",),
                condition=models.Q(state="working") | models.Q(has_asked=True),
                name="reconciliation_due",
            ),
        )

    def __str__(self) -> str:
        return f"Comparison {self.pk}"


class ReconcileFinding(models.Model):
    """Something that is not the same on both sides, and what a person asked to be done about it."""

    class Kind(models.TextChoices):
        """What is not the same."""

        DIFFERENT = "different", "Different values"
        ONLY_LEFT = "only_left", "Only on the left"
        ONLY_RIGHT = "only_right", "Only on the right"
        UNLINKED = "unlinked", "Counterpart not linked"
        UNCLEAR = "unclear", "Cannot be carried"
        LEFT_GONE = "left_gone", "Counterpart deleted on the left"
        RIGHT_GONE = "right_gone", "Counterpart deleted on the right"
        BOTH_GONE = "both_gone", "Link without records"

    class Remedy(models.TextChoices):
        """What may be done about it."""

        SYNC = "sync", "Sync now"
        LINK = "link", "Link them"
        TAKE_LEFT = "take_left", "Take the left's values"
        TAKE_RIGHT = "take_right", "Take the right's values"
        RECREATE = "recreate", "Create it again"
        UNLINK = "unlink", "Give the link up"

    class State(models.TextChoices):
        """What became of it."""

        OPEN = "open", "Open"
        ASKED = "asked", "Asked for"
        DONE = "done", "Done"
        SOLVED = "solved", "Solved meanwhile"
        REFUSED = "refused", "Not done"

    reconciliation = models.ForeignKey(Reconciliation, models.CASCADE, related_name="findings")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    left_id = models.CharField(max_length=255, blank=True)
    right_id = models.CharField(max_length=255, blank=True)
    title = models.CharField(max_length=255, blank=True)
    # {"reason", "fields": [{"label", "left", "right"}]}; values as texts for people.
    detail = models.JSONField(default=dict)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    remedy = models.CharField(max_length=16, choices=Remedy.choices, blank=True)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    note = models.TextField(blank=True)  # what became of the remedy
    found_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-pk",)
        indexes = (
            models.Index(fields=("reconciliation", "-id"), name="finding_newest"),
            models.Index(fields=("reconciliation", "kind", "-id"), name="finding_by_kind"),
            models.Index(fields=("reconciliation", "state", "-id"), name="finding_by_state"),
        )

    def __str__(self) -> str:
        return f"{self.kind}: {self.left_id or '–'} / {self.right_id or '–'}"
