"""Integrations, the mappings at work in them, and their flows."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Lower

from hubconnect.integrations.models.links import Side, TypePair
from hubconnect.mappings.models import Direction, Mapping
from hubconnect.systems.models import System


class Integration(models.Model):
    """Two systems kept the same, on a schedule."""

    class ScheduleKind(models.TextChoices):
        """How the times of runs are given."""

        INTERVAL = "interval", "Interval"
        FIXED = "fixed", "Fixed times"

    class Unit(models.TextChoices):
        """Unit of an interval."""

        SECONDS = "seconds", "seconds"
        MINUTES = "minutes", "minutes"
        HOURS = "hours", "hours"
        DAYS = "days", "days"
        WEEKS = "weeks", "weeks"

    class Frequency(models.TextChoices):
        """How often fixed times recur."""

        DAILY = "daily", "Daily"
        WEEKLY = "weekly", "Weekly"
        MONTHLY = "monthly", "Monthly"

    name = models.CharField(max_length=255)
    left_system = models.ForeignKey(System, models.PROTECT, related_name="left_integrations")
    right_system = models.ForeignKey(System, models.PROTECT, related_name="right_integrations")
    is_active = models.BooleanField(default=False)
    # A flow that would create more records than this in one run, its first load done, pauses.
    create_limit = models.PositiveIntegerField(default=500)
    # How often a refused record is tried by itself; the first wait, and how much longer each next.
    max_attempts = models.PositiveIntegerField(default=3)
    retry_wait_s = models.PositiveIntegerField(
        default=60, db_default=60, validators=[MinValueValidator(1), MaxValueValidator(86_400)]
    )
    retry_factor = models.PositiveSmallIntegerField(
        default=5, db_default=5, validators=[MinValueValidator(1), MaxValueValidator(100)]
    )

    schedule_kind = models.CharField(
        max_length=8, choices=ScheduleKind.choices, default=ScheduleKind.INTERVAL
    )
    interval_count = models.PositiveIntegerField(default=1)
    interval_unit = models.CharField(max_length=8, choices=Unit.choices, default=Unit.MINUTES)
    frequency = models.CharField(max_length=8, choices=Frequency.choices, default=Frequency.DAILY)
    times = models.JSONField(default=list)  # up to five of "HH:MM"
    weekdays = models.JSONField(default=list)  # 0 = Monday … 6, for weekly
    # For monthly: a day of the month, or the n-th (1…4, -1 = last) of the weekday in `weekdays`.
    month_day = models.PositiveSmallIntegerField(null=True, blank=True)
    month_week = models.SmallIntegerField(null=True, blank=True)
    starts_on = models.DateField(null=True, blank=True)
    ends_on = models.DateField(null=True, blank=True)
    time_zone = models.CharField(max_length=64, default="UTC")

    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    activated_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(
                Lower("name"),
                name="integration_name_unique",
                violation_error_message="Another integration has this name.",
            ),
        )

    def __str__(self) -> str:
        return self.name


class Pair(models.Model):
    """One mapping at work inside an integration.

    ``type_pair`` is set at the first activation. ``is_swapped`` tells that the mapping's left is
    the type pair's right: another integration met the two object types the other way round.
    """

    integration = models.ForeignKey(Integration, models.CASCADE, related_name="pairs")
    mapping = models.ForeignKey(Mapping, models.PROTECT, related_name="pairs")
    position = models.PositiveIntegerField(default=0)
    type_pair = models.ForeignKey(
        TypePair, models.PROTECT, related_name="pairs", null=True, blank=True
    )
    is_swapped = models.BooleanField(default=False)
    # The rows it was last put to work with: see services.row_changes. None: not known.
    known_rows = models.JSONField(null=True, blank=True)
    # Fields that receive the counterpart's id and address, by internal name, "" for none.
    left_id_field = models.CharField(max_length=255, blank=True)
    left_link_field = models.CharField(max_length=255, blank=True)
    right_id_field = models.CharField(max_length=255, blank=True)
    right_link_field = models.CharField(max_length=255, blank=True)

    class Meta:
        ordering = ("position", "pk")
        constraints = (
            models.UniqueConstraint(fields=("integration", "mapping"), name="pair_once"),
        )

    def __str__(self) -> str:
        return str(self.mapping)


class Flow(models.Model):
    """One direction of a pair: the thing that runs.

    The cursor is ``window_lower``, ``window_upper``, ``is_second_pass``, ``after_id`` and
    ``spec_hash``: a window is read to its end, by id, unless mapping or criteria change, which
    starts it again. The second pass reads it without criteria, for linked records.
    """

    class Start(models.TextChoices):
        """What of the source's existing records is carried."""

        EVERYTHING = "everything", "Everything there is"
        NOW = "now", "Changes from now on"
        TIME = "time", "Changes since a time"

    class Phase(models.TextChoices):
        """How far the flow is in its life."""

        NEW = "new", "Not started"
        LOADING = "loading", "First load"
        RUNNING = "running", "Changes"

    class NoneFound(models.TextChoices):
        """Rule of the target lookup when it finds nothing."""

        CREATE = "create", "Create it"
        SKIP = "skip", "Skip the record"

    class SeveralFound(models.TextChoices):
        """Rule of the target lookup when it finds several."""

        FAIL = "fail", "Fail and show all of them"
        FIRST = "first", "Go on with the first"

    class OneFound(models.TextChoices):
        """Rule of the target lookup when it finds one."""

        SYNC = "sync", "Link and update it"
        LINK = "link", "Only link it; what differs stays until one side changes"
        SKIP = "skip", "Skip the record"

    class TargetDeleted(models.TextChoices):
        """What a change of a record means whose counterpart was deleted."""

        FAIL = "fail", "Fail and show it"
        RECREATE = "recreate", "Create it again"
        SKIP = "skip", "Skip the change"

    class Outside(models.TextChoices):
        """What becomes of a linked record that no longer fulfils the criteria."""

        KEEP = "keep", "Keeps syncing"
        STOP = "stop", "Stops syncing until it matches again"

    pair = models.ForeignKey(Pair, models.CASCADE, related_name="flows")
    direction = models.CharField(
        max_length=8, choices=[c for c in Direction.choices if c[0] != Direction.BOTH.value]
    )
    is_enabled = models.BooleanField(default=True)
    criteria = models.JSONField(default=list, blank=True)  # the JSON of the form
    lookup = models.JSONField(default=list, blank=True)  # the same, with @field@ values
    none_found = models.CharField(max_length=8, choices=NoneFound.choices, default=NoneFound.CREATE)
    several_found = models.CharField(
        max_length=8, choices=SeveralFound.choices, default=SeveralFound.FAIL
    )
    one_found = models.CharField(max_length=8, choices=OneFound.choices, default=OneFound.SYNC)
    outside = models.CharField(max_length=8, choices=Outside.choices, default=Outside.KEEP)
    target_deleted = models.CharField(
        max_length=8,
        choices=TargetDeleted.choices,
        default=TargetDeleted.FAIL,
        db_default=TargetDeleted.FAIL.value,
    )
    start = models.CharField(max_length=16, choices=Start.choices, blank=True)
    start_at = models.DateTimeField(null=True, blank=True)

    phase = models.CharField(max_length=8, choices=Phase.choices, default=Phase.NEW)
    window_lower = models.DateTimeField(null=True, blank=True)
    window_upper = models.DateTimeField(null=True, blank=True)
    after_id = models.CharField(max_length=255, blank=True)
    is_window_open = models.BooleanField(default=False)  # the window was not read to its end
    is_second_pass = models.BooleanField(default=False)
    spec_hash = models.CharField(max_length=64, blank=True)
    # The criteria by which all there is was taken or passed over; None: not known.
    taken_by = models.JSONField(null=True, blank=True)
    # While a load takes what they newly take: the criteria there were before.
    widened_from = models.JSONField(null=True, blank=True)
    creates_confirmed = models.PositiveIntegerField(null=True, blank=True)  # typed at activation

    # Comments are read in windows of their own; None: from the next run on.
    comments_read_to = models.DateTimeField(null=True, blank=True)
    # The sweep looks at what hangs on all linked records, by ascending key of the link.
    sweep_after = models.BigIntegerField(default=0)
    next_sweep_at = models.DateTimeField(null=True, blank=True)

    next_run_at = models.DateTimeField(null=True, blank=True, db_index=True)
    nudged_at = models.DateTimeField(null=True, blank=True)  # when a message was last sent for it
    asked_by = models.ForeignKey(  # who pressed "Run now"; the next run takes it over
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    setbacks = models.PositiveIntegerField(default=0)  # runs in a row ended by the system, not us
    is_paused = models.BooleanField(default=False)  # by the safety brake, until a person says go

    class Meta:
        ordering = ("pair__position", "pair_id", "-direction")
        constraints = (
            models.UniqueConstraint(fields=("pair", "direction"), name="flow_direction_once"),
        )

    def __str__(self) -> str:
        source, target = self.source_system, self.target_system
        return f"{self.pair.mapping.name}: {source} → {target}"

    @property
    def is_to_right(self) -> bool:
        """Tell whether the mapping's left side is the source."""
        return self.direction == Direction.TO_RIGHT

    @property
    def source_system(self) -> System:
        """Return the system that is read."""
        mapping = self.pair.mapping
        return mapping.left_system if self.is_to_right else mapping.right_system

    @property
    def target_system(self) -> System:
        """Return the system that is written."""
        mapping = self.pair.mapping
        return mapping.right_system if self.is_to_right else mapping.left_system

    @property
    def source_type(self) -> str:
        """Return the object type that is read."""
        mapping = self.pair.mapping
        return mapping.left_type if self.is_to_right else mapping.right_type

    @property
    def target_type(self) -> str:
        """Return the object type that is written."""
        mapping = self.pair.mapping
        return mapping.right_type if self.is_to_right else mapping.left_type

    @property
    def source_side(self) -> Side:
        """Return the type pair's side that is read."""
        return Side.LEFT if self.is_to_right != self.pair.is_swapped else Side.RIGHT
