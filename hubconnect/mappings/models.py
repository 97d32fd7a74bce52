"""How two object types correspond, field by field."""

from django.db import models
from django.db.models.functions import Lower

from hubconnect.systems.models import System


class Direction(models.TextChoices):
    """Which way a value flows between the left and the right side of a mapping."""

    BOTH = "both", "both ways"
    TO_RIGHT = "to_right", "left to right"
    TO_LEFT = "to_left", "right to left"


class Mapping(models.Model):
    """Two object types and the rows between their fields. Reusable by several integrations."""

    name = models.CharField(max_length=255)
    left_system = models.ForeignKey(System, models.PROTECT, related_name="left_mappings")
    left_type = models.CharField(max_length=255)
    right_system = models.ForeignKey(System, models.PROTECT, related_name="right_mappings")
    right_type = models.CharField(max_length=255)
    version = models.PositiveIntegerField(default=1)  # grows with each save of its rows
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(
                Lower("name"),
                name="mapping_name_unique",
                violation_error_message="Another mapping has this name.",
            ),
        )

    def __str__(self) -> str:
        return self.name


class FieldMapping(models.Model):
    """One row of a mapping.

    A row without a source field (one side empty) sets the other side to its default on every sync.
    """

    class When(models.TextChoices):
        """At which writes the row takes part."""

        BOTH = "both", "Create and update"
        CREATE = "create", "Create"
        UPDATE = "update", "Update"

    class Conflict(models.TextChoices):
        """What happens when both sides changed since they last agreed."""

        NONE = "none", "No detection"
        LEFT = "left", "Left wins"
        RIGHT = "right", "Right wins"

    mapping = models.ForeignKey(Mapping, models.CASCADE, related_name="rows")
    position = models.PositiveIntegerField(default=0)
    left_field = models.CharField(max_length=255, blank=True)
    right_field = models.CharField(max_length=255, blank=True)
    direction = models.CharField(max_length=8, choices=Direction.choices, default=Direction.BOTH)
    when = models.CharField(max_length=8, choices=When.choices, default=When.BOTH)
    conflict = models.CharField(max_length=8, choices=Conflict.choices, default=Conflict.NONE)
    overwrite = models.BooleanField(default=False)  # offered on rows that flow one way
    default_left = models.TextField(blank=True)  # written to the left when nothing comes
    default_right = models.TextField(blank=True)
    cut_text = models.BooleanField(default=False)  # cut what is too long instead of failing

    class Meta:
        ordering = ("position", "pk")
        constraints = (
            models.UniqueConstraint(
                fields=("mapping", "left_field", "right_field"), name="field_mapping_once"
            ),
            models.CheckConstraint(
                condition=~models.Q(left_field="", right_field=""), name="field_mapping_has_a_field"
            ),
        )

    def __str__(self) -> str:
        return f"{self.left_field or '(none)'} ↔ {self.right_field or '(none)'}"


class ValueMapEntry(models.Model):
    """One option on the left = one option on the right. An empty text stands for "no value"."""

    row = models.ForeignKey(FieldMapping, models.CASCADE, related_name="value_map")
    position = models.PositiveIntegerField(default=0)
    left_value = models.CharField(max_length=255, blank=True)
    right_value = models.CharField(max_length=255, blank=True)
    # Where several options meet one, BOTH marks the pair that goes back.
    direction = models.CharField(max_length=8, choices=Direction.choices, default=Direction.BOTH)

    class Meta:
        ordering = ("position", "pk")
        constraints = (
            models.UniqueConstraint(
                fields=("row", "left_value", "right_value"), name="value_map_entry_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.left_value} = {self.right_value}"
