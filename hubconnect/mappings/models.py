"""How two object types correspond, field by field."""

from django.db import models
from django.db.models.functions import Lower

from hubconnect.systems.models import System


class Direction(models.TextChoices):
    """Which way a value flows between the left and the right side of a mapping."""

    BOTH = "both", "both ways"
    TO_RIGHT = "to_right", "left to right"
    TO_LEFT = "to_left", "right to left"


class Carried(models.TextChoices):
    """Whether comments or files are carried, and which way."""

    NO = "", "Not carried"
    BOTH = "both", "both ways"
    TO_RIGHT = "to_right", "left to right"
    TO_LEFT = "to_left", "right to left"


class Mapping(models.Model):
    """Two object types and the rows between their fields. Reusable by several integrations."""

    class Edited(models.TextChoices):
        """What an edited comment does to its counterpart."""

        UPDATE = "update", "Update the counterpart"
        AGAIN = "again", "Post it again as a new comment"
        LEAVE = "leave", "Leave the counterpart as it is"

    class CommentConflict(models.TextChoices):
        """What happens to a comment that was edited on both sides."""

        ASK = "ask", "Ask a person"
        LEFT = "left", "Left wins"
        RIGHT = "right", "Right wins"

    name = models.CharField(max_length=255)
    left_system = models.ForeignKey(System, models.PROTECT, related_name="left_mappings")
    left_type = models.CharField(max_length=255)
    right_system = models.ForeignKey(System, models.PROTECT, related_name="right_mappings")
    right_type = models.CharField(max_length=255)
    comments = models.CharField(max_length=8, choices=Carried.choices, blank=True)
    # Author and time of the original in front of the copy, by the direction of the copy.
    comment_author_to_right = models.BooleanField(default=False)
    comment_author_to_left = models.BooleanField(default=False)
    comment_time_to_right = models.BooleanField(default=False)
    comment_time_to_left = models.BooleanField(default=False)
    comment_edits = models.CharField(max_length=8, choices=Edited.choices, default=Edited.UPDATE)
    comment_conflict = models.CharField(
        max_length=8, choices=CommentConflict.choices, default=CommentConflict.ASK
    )
    files = models.CharField(max_length=8, choices=Carried.choices, blank=True)
    file_max_mb = models.PositiveIntegerField(default=100)
    # Endings of names, without the dot: those refused, or (if any) the only ones taken.
    file_refused_types = models.JSONField(default=list, blank=True)
    file_allowed_types = models.JSONField(default=list, blank=True)
    mentions = models.BooleanField(default=True)  # else they become plain "@Name"
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
        ASK = "ask", "Ask a person"

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


class AssociationMapping(models.Model):
    """One kind of link on the left = one on the right; carried between synced records.

    The object types at the far ends are those of the two association types; a link is carried
    once the record at its far end is synced too.
    """

    mapping = models.ForeignKey(Mapping, models.CASCADE, related_name="associations")
    position = models.PositiveIntegerField(default=0)
    left_association = models.CharField(max_length=255)  # name of a connector's AssociationType
    left_to_type = models.CharField(max_length=255)
    right_association = models.CharField(max_length=255)
    right_to_type = models.CharField(max_length=255)
    direction = models.CharField(max_length=8, choices=Direction.choices, default=Direction.BOTH)
    # The record fails when what it is linked with has no counterpart; else the link waits for it.
    must_exist = models.BooleanField(default=False)
    # Record to link with when the source names none; an id of the far object type, or "".
    default_left = models.CharField(max_length=255, blank=True)
    default_right = models.CharField(max_length=255, blank=True)
    carries_removal = models.BooleanField(default=True)

    class Meta:
        ordering = ("position", "pk")
        constraints = (
            models.UniqueConstraint(
                fields=("mapping", "left_association", "right_association"),
                name="association_mapping_once",
            ),
        )

    def __str__(self) -> str:
        return f"{self.left_association} ↔ {self.right_association}"


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
