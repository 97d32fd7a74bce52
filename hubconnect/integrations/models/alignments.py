"""What a person chose about linked records after the rows of their mapping were changed."""

from django.db import models


class Alignment(models.Model):
    """Rows whose fields are brought into line on all links that were there, page by page.

    ``rows`` holds a dictionary each: {"left", "right", "choice"}, fields and side of the mapping:
    ``leave`` takes what both sides hold for agreed on, where nothing was; ``left`` and ``right``
    fill the other side from that one. The flow works it before it reads anything else, by
    ascending link, and goes on behind ``after``.
    """

    flow = models.ForeignKey("integrations.Flow", models.CASCADE, related_name="alignments")
    rows = models.JSONField(default=list)
    after = models.BigIntegerField(default=0)  # key of the last link that is done
    up_to = models.BigIntegerField()  # key of the last link that was there
    total = models.PositiveIntegerField(default=0)  # links
    done = models.PositiveIntegerField(default=0)
    written = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("pk",)
        indexes = (
            models.Index(
                fields=("flow",),
                condition=models.Q(finished_at__isnull=True),
                name="alignment_open",
            ),
        )

    def __str__(self) -> str:
        return f"Rows of {self.flow_id}"
