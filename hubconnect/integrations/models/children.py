"""What hangs on linked records and is carried with them: associations, comments, files."""

from django.db import models

from hubconnect.integrations.models.links import Link, Side, TypePair


class FollowUp(models.Model):
    """What is still to be looked at on a linked record, once the record itself is stored.

    A row without ``waits_id`` asks to compare everything of its kind. One with it waits for that
    record, of ``waits_type``, to be linked, which makes it due; so does ``due_at``.
    """

    class Kind(models.TextChoices):
        """What is to be looked at."""

        REMOTE = "remote", "Remote id and link"
        ASSOCIATIONS = "associations", "Associations"
        COMMENTS = "comments", "Comments"
        FILES = "files", "Files"

    flow = models.ForeignKey("integrations.Flow", models.CASCADE, related_name="follow_ups")
    record_id = models.CharField(max_length=255)  # of the flow's source
    kind = models.CharField(max_length=16, choices=Kind.choices)
    waits_type = models.CharField(max_length=512, blank=True)  # account and object type
    waits_id = models.CharField(max_length=255, blank=True)
    due_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("flow", "record_id", "kind", "waits_type", "waits_id"),
                name="follow_up_once",
            ),
        )
        indexes = (
            models.Index(fields=("flow", "kind", "due_at")),
            models.Index(fields=("waits_type", "waits_id")),
        )

    def __str__(self) -> str:
        return f"{self.kind} of {self.record_id}"


class AssociationLink(models.Model):
    """A link between records that both sides agree on: its base is that it exists."""

    link = models.ForeignKey(Link, models.CASCADE, related_name="association_links")
    left_association = models.CharField(max_length=255)
    left_to_id = models.CharField(max_length=255)
    right_association = models.CharField(max_length=255)
    right_to_id = models.CharField(max_length=255)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("link", "left_association", "left_to_id", "right_association"),
                name="association_link_left_once",
            ),
            models.UniqueConstraint(
                fields=("link", "right_association", "right_to_id", "left_association"),
                name="association_link_right_once",
            ),
        )
        # A merge renames the far ends of other records' links.
        indexes = (
            models.Index(fields=("left_to_id",)),
            models.Index(fields=("right_to_id",)),
        )

    def __str__(self) -> str:
        return f"{self.left_association} {self.left_to_id} = {self.right_to_id}"


class CommentLink(models.Model):
    """Two comments known to be the same, on one linked record.

    ``left_base`` and ``right_base`` are hashes of the normalised texts both sides agreed on;
    ``left_line`` and ``right_line`` the line with author and time that was put in front of a copy
    on that side, "" for an original. A comment without counterpart (retired, or only known) has an
    empty id on the other side.
    """

    link = models.ForeignKey(Link, models.CASCADE, related_name="comment_links")
    left_id = models.CharField(max_length=255, blank=True)
    right_id = models.CharField(max_length=255, blank=True)
    left_base = models.CharField(max_length=64, blank=True)
    right_base = models.CharField(max_length=64, blank=True)
    left_version = models.CharField(max_length=255, blank=True)
    right_version = models.CharField(max_length=255, blank=True)
    left_line = models.CharField(max_length=255, blank=True)
    right_line = models.CharField(max_length=255, blank=True)
    reason = models.CharField(max_length=255, blank=True)  # why it has no counterpart
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("link", "left_id"),
                condition=~models.Q(left_id=""),
                name="comment_link_left_once",
            ),
            models.UniqueConstraint(
                fields=("link", "right_id"),
                condition=~models.Q(right_id=""),
                name="comment_link_right_once",
            ),
        )
        indexes = (
            models.Index(fields=("left_id",)),
            models.Index(fields=("right_id",)),
        )

    def __str__(self) -> str:
        return f"{self.left_id or '–'} = {self.right_id or '–'}"


class AttachmentLink(models.Model):
    """A file that both sides of a linked record hold, known by its content."""

    link = models.ForeignKey(Link, models.CASCADE, related_name="attachment_links")
    digest = models.CharField(max_length=32)  # MD5 in hexadecimal, as HubSpot has it
    name = models.CharField(max_length=255)
    size = models.BigIntegerField(default=0)
    left_holder = models.CharField(max_length=255, blank=True)
    left_file = models.CharField(max_length=255, blank=True)
    right_holder = models.CharField(max_length=255, blank=True)
    right_file = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("link", "digest"), name="attachment_link_content_once"),
        )

    def __str__(self) -> str:
        return self.name


class SeenHolder(models.Model):
    """What may carry files of a linked record, and was looked at: nothing is left to carry."""

    link = models.ForeignKey(Link, models.CASCADE, related_name="seen_holders")
    side = models.CharField(max_length=8, choices=Side.choices)
    holder = models.CharField(max_length=255)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("link", "side", "holder"), name="seen_holder_once"),
        )

    def __str__(self) -> str:
        return self.holder


class ChildIntent(models.Model):
    """A comment or file about to be sent. It goes in the transaction that stores the outcome."""

    class Kind(models.TextChoices):
        """What is being sent."""

        COMMENT = "comment", "comment"
        EDIT = "edit", "edit of a comment"
        FILE = "file", "file"

    type_pair = models.ForeignKey(TypePair, models.CASCADE, related_name="child_intents")
    flow = models.ForeignKey("integrations.Flow", models.CASCADE, related_name="+")
    link = models.ForeignKey(Link, models.CASCADE, related_name="child_intents")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    key = models.CharField(max_length=150, unique=True)
    source_side = models.CharField(max_length=8, choices=Side.choices)
    source_id = models.CharField(max_length=255)  # of the comment or file
    target_id = models.CharField(max_length=255, blank=True)  # of an edited comment
    # What the outcome needs to become a CommentLink or AttachmentLink, and what settling compares.
    sent = models.JSONField(default=dict)
    sent_at = models.DateTimeField()  # by the target system's clock
    fence = models.BigIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = (models.Index(fields=("type_pair", "link")),)

    def __str__(self) -> str:
        return f"{self.kind} {self.source_id}"
