"""What ran, what was decided about each record, and what waits for a person."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.db import models

from hubconnect.integrations.models.cause import LENGTH, cause_key
from hubconnect.integrations.models.configuration import Flow
from hubconnect.integrations.models.links import Side, TypePair

# Of each failure's tries, this many are remembered.
MOST_TRIES: Final = 10
_LONGEST_MESSAGE: Final = 500


class Run(models.Model):
    """One execution of a flow. Its counts move while it runs."""

    class Reason(models.TextChoices):
        """Why it ran."""

        SCHEDULE = "schedule", "Schedule"
        MANUAL = "manual", "Started by hand"
        LOAD = "load", "First load"
        SWEEP = "sweep", "Look back"

    class State(models.TextChoices):
        """How it goes or went."""

        RUNNING = "running", "Running"
        DONE = "done", "Done"
        WITH_FAILURES = "with_failures", "Done, with failures"
        STOPPED = "stopped", "Stopped"  # the system could not answer; the cursor stays
        FAILED = "failed", "Failed"  # a person must act
        CRASHED = "crashed", "Crashed"  # its worker vanished or a bug; the next run goes on

    # The indexes below begin with it.
    flow = models.ForeignKey(Flow, models.CASCADE, related_name="runs", db_index=False)
    reason = models.CharField(max_length=16, choices=Reason.choices)
    state = models.CharField(max_length=16, choices=State.choices, default=State.RUNNING)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    fence = models.BigIntegerField(default=0)
    window_lower = models.DateTimeField(null=True, blank=True)
    window_upper = models.DateTimeField(null=True, blank=True)
    after_id = models.CharField(max_length=255, blank=True)
    phase = models.CharField(max_length=32, blank=True)  # what it is doing: settle, retry, pages
    expected = models.PositiveIntegerField(null=True, blank=True)  # records, if it was counted
    read = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    held = models.PositiveIntegerField(default=0)
    associations = models.PositiveIntegerField(default=0)  # links made and ended at the target
    comments = models.PositiveIntegerField(default=0)  # added and edited at the target
    files = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    calls = models.JSONField(default=dict)  # {"source": {kind: n}, "target": {kind: n}}
    api_calls = models.PositiveIntegerField(default=0)  # of these, those a system meters
    # Of the source's calls, those of the second pass, for linked records outside the criteria.
    second_pass_calls = models.PositiveIntegerField(default=0)
    timings = models.JSONField(default=dict)  # seconds by phase
    message = models.TextField(blank=True)  # why it stopped or failed
    hint = models.TextField(blank=True)
    # It ended well and did nothing that a person would want to read about: lists fold it.
    is_idle = models.BooleanField(default=False, db_default=False)

    class Meta:
        ordering = ("-pk",)
        # Keys grow with time, so that lists are ordered by key and each filter has its index.
        indexes = (
            models.Index(fields=("flow", "-id"), name="run_by_flow"),
            models.Index(fields=("flow", "is_idle", "-id"), name="run_by_flow_and_idle"),
            models.Index(fields=("is_idle", "-id"), name="run_by_idle"),
            models.Index(fields=("state", "-id"), name="run_by_state"),
            models.Index(fields=("reason", "-id"), name="run_by_reason"),
            models.Index(fields=("-started_at",)),
        )

    def __str__(self) -> str:
        return f"Run {self.pk}"

    @property
    def has_moved_something(self) -> bool:
        """Tell whether anything happened to a record, its comments, files or links."""
        records = self.created + self.updated + self.failed + self.held + self.skipped
        return bool(records + self.associations + self.comments + self.files)


class HourlyFigures(models.Model):
    """What one flow did in one hour: charts are drawn from these rows, never from runs or events.

    They are written in the transaction of what they count, and outlive runs and events.
    """

    flow = models.ForeignKey(Flow, models.CASCADE, related_name="hourly_figures", db_index=False)
    hour = models.DateTimeField()  # its beginning, UTC
    runs = models.PositiveIntegerField(default=0, db_default=0)  # that ended in this hour
    idle_runs = models.PositiveIntegerField(default=0, db_default=0)
    read = models.PositiveBigIntegerField(default=0, db_default=0)
    linked = models.PositiveIntegerField(default=0, db_default=0)  # new links
    created = models.PositiveIntegerField(default=0, db_default=0)
    updated = models.PositiveIntegerField(default=0, db_default=0)
    failed = models.PositiveIntegerField(default=0, db_default=0)
    api_calls = models.PositiveBigIntegerField(default=0, db_default=0)  # of the runs above
    seconds = models.FloatField(default=0.0, db_default=0.0)  # that these runs took

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("flow", "hour"), name="hourly_figures_once"),
        )
        indexes = (models.Index(fields=("hour",), name="hourly_figures_by_hour"),)

    def __str__(self) -> str:
        return f"{self.flow_id} at {self.hour:%Y-%m-%d %H}:00"


class RecordEvent(models.Model):
    """One line a record and run in which something was decided."""

    class Kind(models.TextChoices):
        """What was decided."""

        CREATED = "created", "Created"
        UPDATED = "updated", "Updated"
        LINKED = "linked", "Linked"
        UNLINKED = "unlinked", "Link given up"
        UNCHANGED = "unchanged", "Unchanged"
        SKIPPED = "skipped", "Skipped"
        HELD = "held", "Held"
        COMMENT = "comment", "Comment carried"
        FILE = "file", "File carried"
        FAILED = "failed", "Failed"

    # The indexes below begin with it.
    run = models.ForeignKey(Run, models.CASCADE, related_name="events", db_index=False)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    source_id = models.CharField(max_length=255)
    target_id = models.CharField(max_length=255, blank=True)
    title = models.CharField(max_length=255, blank=True)
    # What, why and whose: {"fields": [{"field", "label", "old", "new"}], "reason", "origin"}.
    detail = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta:
        ordering = ("-pk",)
        indexes = (
            models.Index(fields=("run", "-id"), name="event_by_run"),
            models.Index(fields=("run", "kind", "-id")),
            models.Index(fields=("source_id", "-id")),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.source_id}"


class Failure(models.Model):
    """A record, or a whole flow, that could not go on. Open until healed or dismissed.

    ``waits_to_right`` and ``waits_to_left`` tell which directions of the type pair hold changes of
    this record back until then.
    """

    # Of `child`, beside comments and files: fields that both sides changed, and fields that the
    # target accepted without keeping their values. They hold back these fields alone.
    IN_CONFLICT = "conflict"
    NOT_STORED = "not stored"

    class Level(models.TextChoices):
        """What failed."""

        RECORD = "record", "Record"
        FLOW = "flow", "Flow"

    class State(models.TextChoices):
        """What became of it."""

        OPEN = "open", "Open"
        HEALED = "healed", "Healed"
        DISMISSED = "dismissed", "Dismissed"

    flow = models.ForeignKey(Flow, models.CASCADE, related_name="failures")
    type_pair = models.ForeignKey(TypePair, models.CASCADE, null=True, related_name="failures")
    run = models.ForeignKey(Run, models.SET_NULL, null=True, blank=True, related_name="failures")
    level = models.CharField(max_length=8, choices=Level.choices)
    state = models.CharField(max_length=16, choices=State.choices, default=State.OPEN)
    side = models.CharField(max_length=8, choices=Side.choices, blank=True)  # of record_id
    record_id = models.CharField(max_length=255, blank=True)
    # What of the record failed: "" the record itself, else "comment 55", "file notes/55/900"...
    # Only the record itself holds back its later changes.
    child = models.CharField(max_length=255, blank=True)
    target_id = models.CharField(max_length=255, blank=True)
    title = models.CharField(max_length=255, blank=True)
    record_url = models.CharField(max_length=1000, blank=True)
    category = models.CharField(max_length=32)  # one of connectors.errors.Category
    message = models.TextField()
    hint = models.TextField(blank=True)
    field = models.CharField(max_length=255, blank=True)  # internal name of the first at fault
    faults = models.JSONField(default=list)  # a FieldFault each, name by name
    source_values = models.JSONField(default=dict)
    sent_values = models.JSONField(default=dict)
    # Of fields in conflict, one dictionary each: see integrations.services.conflicts.
    conflicts = models.JSONField(default=list, db_default=models.Value([], models.JSONField()))
    answer = models.TextField(blank=True)  # the system's own words
    # The last few tries, the newest first: {"at", "run", "category", "message"} each.
    tries = models.JSONField(default=list, db_default=models.Value([], models.JSONField()))
    # What a person wants sent instead of the mapped values, by target field, in stored form, made
    # up for the source values that stand above; None: the mapping decides.
    edited_values = models.JSONField(null=True, blank=True)
    edited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    edited_at = models.DateTimeField(null=True, blank=True)
    cause = models.CharField(max_length=LENGTH, blank=True, db_default="")  # see models.cause
    # Records of the target that may be the counterpart: {"id", "url", "values"} each. Of a comment
    # {"id"} each, and {"id": "", "text"} with the beginning of what was sent.
    candidates = models.JSONField(default=list, null=True, blank=True)
    # What a person chose to do about it, and to which record; the next try carries it out.
    remedy = models.CharField(max_length=16, blank=True, default="", db_default="")
    remedy_id = models.CharField(max_length=255, blank=True, default="", db_default="")
    source_version = models.CharField(max_length=255, blank=True)
    attempts = models.PositiveIntegerField(default=1)
    next_try_at = models.DateTimeField(null=True, blank=True)  # None: waits for a person
    waits_to_right = models.BooleanField(default=False)
    waits_to_left = models.BooleanField(default=False)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ("-last_at", "-pk")
        constraints = (
            models.UniqueConstraint(
                fields=("flow", "record_id", "child"),
                condition=models.Q(state="open"),
                name="failure_open_once",
            ),
        )
        indexes = (
            models.Index(fields=("state", "-last_at", "-id"), name="failure_newest"),
            models.Index(fields=("state", "-closed_at", "-id"), name="failure_closed"),
            # Holds all that the list of causes shows of 100,000 failures.
            models.Index(
                fields=(
                    "state",
                    "cause",
                    "-last_at",
                    "-id",
                    "first_at",
                    "level",
                    "waits_to_right",
                    "waits_to_left",
                ),
                name="failure_by_cause",
            ),
            models.Index(fields=("type_pair", "state", "side", "record_id")),
            models.Index(fields=("type_pair", "state", "target_id")),
            models.Index(fields=("flow", "state", "next_try_at")),
        )

    def __str__(self) -> str:
        return f"{self.category}: {self.title or self.record_id or self.flow_id}"

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **options: Any) -> None:
        """Store it with the key of its cause."""
        self.cause = cause_key(
            is_flow=self.level == self.Level.FLOW,
            flow_id=self.flow_id,
            category=self.category,
            field=self.field,
            child=self.child,
            message=self.message,
        )
        if update_fields is not None:
            update_fields = {*update_fields, "cause"}
        super().save(*args, update_fields=update_fields, **options)

    def note_try(self, run: Run | None, now: datetime) -> None:
        """Count a try that failed with the category and message that stand here."""
        self.run = run
        self.last_at = now
        self.attempts += 1
        line = {
            "at": now.isoformat(),
            "run": run.pk if run is not None else None,
            "category": str(self.category),
            "message": self.message[:_LONGEST_MESSAGE],
        }
        self.tries = [line, *self.tries][:MOST_TRIES]
