"""First loads that several workers share."""

from django.db import models
from django.db.models.functions import Now

from hubconnect.integrations.models.configuration import Flow
from hubconnect.integrations.models.history import Run
from hubconnect.integrations.models.links import Leased


class Slice(Leased):
    """A range of ids of a load, with a cursor and a lease of its own.

    Its ids lie behind ``above_id`` and end with ``upto_id``; "" is open. ``after_id`` is the source
    connector's own text, as in a flow's cursor. All slices of a load share its run.
    """

    class State(models.TextChoices):
        """How far it is."""

        OPEN = "open", "Open"
        DONE = "done", "Done"
        VOID = "void", "Given up"  # the load was begun anew, or stopped for good

    flow = models.ForeignKey(Flow, models.CASCADE, related_name="slices")
    run = models.ForeignKey(Run, models.CASCADE, related_name="slices")
    position = models.PositiveIntegerField()
    above_id = models.CharField(max_length=255, blank=True)
    upto_id = models.CharField(max_length=255, blank=True)
    after_id = models.CharField(max_length=255, blank=True)
    spec_hash = models.CharField(max_length=64)  # of the mapping and criteria it is read with
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    next_turn_at = models.DateTimeField(db_default=Now())
    nudged_at = models.DateTimeField(null=True, blank=True)  # when a message was last sent for it
    setbacks = models.PositiveIntegerField(default=0)  # turns in a row ended by the system
    read = models.PositiveIntegerField(default=0)
    calls = models.JSONField(default=dict)  # as in Run
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("run", "position")
        constraints = (
            models.UniqueConstraint(fields=("run", "position"), name="slice_position_once"),
        )
        indexes = (
            models.Index(
                fields=("next_turn_at",), condition=models.Q(state="open"), name="slice_open"
            ),
        )

    def __str__(self) -> str:
        return f"Slice {self.position + 1} of run {self.run_id}"
