"""Which records are the same, what was last agreed on, and what is being written right now."""

from django.db import models
from django.db.models.functions import Lower, Now


class Side(models.TextChoices):
    """One of the two object types of a type pair."""

    LEFT = "left", "left"
    RIGHT = "right", "right"

    @property
    def other(self) -> "Side":
        """Return the opposite side."""
        return Side.RIGHT if self is Side.LEFT else Side.LEFT


class Leased(models.Model):
    """Something that one worker at a time works on.

    ``fence`` grows with each lease: a commit that carries an older one is refused.
    """

    fence = models.BigIntegerField(default=0, db_default=0)
    leased_until = models.DateTimeField(db_default=Now())
    # A worker that vanished may have a request under way: its successor settles only after this.
    settle_after = models.DateTimeField(db_default=Now())

    class Meta:
        abstract = True


class TypePair(Leased):
    """Two object types of two accounts.

    It owns links, intents, claims and decisions, whichever integrations use it, and the lease that
    lets one worker at a time work on it. While a load is cut into slices, ``loading_run`` names it:
    each slice has a lease of its own then, and the ordinary flows over these types wait.
    """

    left_identity = models.CharField(max_length=255)
    left_type = models.CharField(max_length=255)
    right_identity = models.CharField(max_length=255)
    right_type = models.CharField(max_length=255)
    # How many links there were up to a key, counted now and then: pages count the few beyond it.
    links_counted = models.PositiveBigIntegerField(default=0, db_default=0)
    links_counted_to = models.BigIntegerField(default=0, db_default=0)
    loading_run = models.ForeignKey(
        "integrations.Run", models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("left_identity", "left_type", "right_identity", "right_type"),
                name="type_pair_unique",
            ),
        )

    def __str__(self) -> str:
        return (
            f"{self.left_type} ({self.left_identity}) ↔ {self.right_type} ({self.right_identity})"
        )


class Link(models.Model):
    """Two records known to be the same.

    The base of a side is what it held when both sides last agreed, in that side's own form:
    ``{field: [value, version]}``, the value as engine.values writes it, the version at which it
    was read. ``left_version`` is the version last read with the left as a flow's source.
    """

    # The indexes below begin with it.
    type_pair = models.ForeignKey(TypePair, models.CASCADE, related_name="links", db_index=False)
    left_id = models.CharField(max_length=255)
    right_id = models.CharField(max_length=255)
    left_base = models.JSONField(default=dict)
    right_base = models.JSONField(default=dict)
    left_version = models.CharField(max_length=255, blank=True)
    right_version = models.CharField(max_length=255, blank=True)
    title = models.CharField(max_length=255, blank=True)  # readable name, for lists
    # The last few updates of its fields, kept for ten minutes: see engine.loops.
    recent = models.JSONField(default=list, db_default=models.Value([], models.JSONField()))
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("type_pair", "left_id"), name="link_left_once"),
            models.UniqueConstraint(fields=("type_pair", "right_id"), name="link_right_once"),
        )
        indexes = (
            models.Index(fields=("type_pair", "id"), name="link_by_type_pair"),
            models.Index(Lower("title"), name="link_by_title"),  # whatever its capitals
        )

    def __str__(self) -> str:
        return f"{self.left_id} = {self.right_id}"


class Intent(models.Model):
    """A write about to be sent. It goes in the transaction that stores the write's outcome."""

    class Kind(models.TextChoices):
        """What is being written."""

        CREATE = "create", "create"
        UPDATE = "update", "update"

    type_pair = models.ForeignKey(TypePair, models.CASCADE, related_name="intents")
    flow = models.ForeignKey("integrations.Flow", models.CASCADE, related_name="+")
    # The slice that sent it settles it, or its next worker does; without one, any run.
    slice = models.ForeignKey(
        "integrations.Slice", models.SET_NULL, null=True, blank=True, related_name="intents"
    )
    kind = models.CharField(max_length=8, choices=Kind.choices)
    key = models.CharField(max_length=100, unique=True)
    source_side = models.CharField(max_length=8, choices=Side.choices)
    source_id = models.CharField(max_length=255)
    source_version = models.CharField(max_length=255, blank=True)
    source_values = models.JSONField(default=dict)  # as read; become the source side's base
    target_id = models.CharField(max_length=255, blank=True)  # of an update
    target_values = models.JSONField(default=dict)  # as read before an update
    sent_values = models.JSONField(default=dict)
    # Of an update: source and target field of each row whose bases move with it.
    pairs = models.JSONField(default=list, null=True, blank=True)
    title = models.CharField(max_length=255, blank=True)
    lookup_key = models.CharField(max_length=64, blank=True)  # of a create: what was looked up
    sent_at = models.DateTimeField()  # by the target system's clock
    is_sent = models.BooleanField(default=True)  # False: the request surely never left
    fence = models.BigIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = (models.Index(fields=("type_pair", "source_side", "source_id")),)

    def __str__(self) -> str:
        return f"{self.kind} for {self.source_side} {self.source_id}"


class Claim(models.Model):
    """A lookup key, or a target record, that one source record has taken; see services.claims.

    While a plan is carried out ``target_id`` is empty and the claim is as good as the lease of its
    ``holder``: void once that lease's fence moved on. Once a record was created under the key,
    ``target_id`` names it, and the claim is kept while searches may not show that record yet.
    """

    type_pair = models.ForeignKey(TypePair, models.CASCADE, related_name="claims")
    side = models.CharField(max_length=8, choices=Side.choices)  # of the target
    key = models.CharField(max_length=255)  # hash of what is looked up, or of the target's id
    target_id = models.CharField(max_length=255, blank=True)
    source_id = models.CharField(max_length=255)
    holder = models.CharField(max_length=64, blank=True, default="", db_default="")  # names a lease
    fence = models.BigIntegerField()
    expires_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("type_pair", "side", "key"), name="claim_once"),
        )

    def __str__(self) -> str:
        return f"{self.key} by {self.source_id}"


class PastCreate(models.Model):
    """What is remembered about creating a record's counterpart once its intent is gone.

    Only few records have one: those whose counterpart was deleted and is created anew, and those
    of whose create was said, by a read that may err, that it was not carried out.
    """

    type_pair = models.ForeignKey(TypePair, models.CASCADE, related_name="past_creates")
    side = models.CharField(max_length=8, choices=Side.choices)  # of the source
    record_id = models.CharField(max_length=255)
    generation = models.PositiveIntegerField(default=1, db_default=1)  # part of the create's key
    sent_at = models.DateTimeField(null=True, blank=True)  # the first try, by the target's clock

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("type_pair", "side", "record_id"), name="past_create_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.side} {self.record_id}, generation {self.generation}"


class Decision(models.Model):
    """Why a record is left alone.

    ``skipped``, ``dismissed``, ``known`` and ``gone`` hold while its mapped values stay as they
    were. A ``retired`` record becomes a failure once they change, as it cannot be created a second
    time; one that a person ``stopped`` is left alone for good. All but ``gone`` are about records
    without a link.
    """

    class Kind(models.TextChoices):
        """What was decided."""

        KNOWN = "known", "was there at the start"
        SKIPPED = "skipped", "skipped by the lookup's rules"
        DISMISSED = "dismissed", "dismissed by a person"
        RETIRED = "retired", "its link was given up"
        GONE = "gone", "its counterpart was deleted"
        STOPPED = "stopped", "a person stopped syncing it"

    type_pair = models.ForeignKey(TypePair, models.CASCADE, related_name="decisions")
    side = models.CharField(max_length=8, choices=Side.choices)
    record_id = models.CharField(max_length=255)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    values_hash = models.CharField(max_length=64)  # of the mapped values it was made about
    reason = models.TextField(blank=True)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("type_pair", "side", "record_id"), name="decision_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.side} {self.record_id}: {self.kind}"


class QueuedRead(models.Model):
    """A record that a flow reads afresh at its next run, whatever its modified time says."""

    flow = models.ForeignKey("integrations.Flow", models.CASCADE, related_name="queued_reads")
    record_id = models.CharField(max_length=255)
    reason = models.CharField(max_length=255)
    due_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("flow", "record_id"), name="queued_read_once"),
        )
        indexes = (models.Index(fields=("flow", "due_at")),)

    def __str__(self) -> str:
        return f"{self.record_id}: {self.reason}"
