"""Reading once more, further back, for what became visible late."""

from django.db import models

from hubconnect.integrations.models.configuration import Flow


class WideWindow(models.Model):
    """A flow's hourly or nightly look back, with a cursor of its own.

    The cursor is as a flow's. ``next_at`` is when the next look begins, or an open one goes on.
    """

    class Kind(models.TextChoices):
        """How often and how far."""

        HOURLY = "hourly", "Hourly"
        NIGHTLY = "nightly", "Nightly"

    flow = models.ForeignKey(Flow, models.CASCADE, related_name="wide_windows")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    next_at = models.DateTimeField(db_index=True)
    nudged_at = models.DateTimeField(null=True, blank=True)  # when a message was last sent for it
    setbacks = models.PositiveIntegerField(default=0)
    lower = models.DateTimeField(null=True, blank=True)
    upper = models.DateTimeField(null=True, blank=True)
    after_id = models.CharField(max_length=255, blank=True)
    is_open = models.BooleanField(default=False)
    is_second_pass = models.BooleanField(default=False)
    spec_hash = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ("flow", "kind")
        constraints = (
            models.UniqueConstraint(fields=("flow", "kind"), name="wide_window_kind_once"),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()} look back of flow {self.flow_id}"
