"""People who use HubConnect, and what each may do."""

import zoneinfo
from typing import ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Now
from django.utils.functional import cached_property


def validate_time_zone(name: str) -> None:
    """Refuse a time zone that this machine's database does not know."""
    if name not in zoneinfo.available_timezones():
        msg = f"“{name}” is not a time zone. Choose one such as Europe/Berlin or UTC."
        raise ValidationError(msg, code="unknown_time_zone")


class Role(models.TextChoices):
    """What a person may do. Each role may also do what the ones before it may."""

    MONITOR = "monitor", "Monitor"
    SYNC_ADMIN = "sync_admin", "Sync Admin"
    ADMIN = "admin", "Admin"

    @property
    def rank(self) -> int:
        """Place in the order of roles: a higher one includes the lower ones."""
        return list(Role).index(self)

    def includes(self, other: "Role") -> bool:
        """Whether who holds this role may do what ``other`` is needed for."""
        return self.rank >= other.rank


class People(UserManager["User"]):
    """Makes users; one made on the command line by ``createsuperuser`` is an Admin."""

    def create_superuser(
        self,
        username: str,
        email: str | None = None,
        password: str | None = None,
        **extra_fields: object,
    ) -> "User":
        """Make a user who may do everything here."""
        extra_fields.setdefault("role", Role.ADMIN)
        return super().create_superuser(username, email, password, **extra_fields)


class User(AbstractUser):
    """A person who signs in."""

    role = models.CharField(max_length=16, choices=Role.choices, default=Role.MONITOR)
    time_zone = models.CharField(
        "time zone",
        max_length=64,
        default="UTC",
        validators=[validate_time_zone],
        help_text="Dates and times on all pages are shown in it.",
    )

    objects: ClassVar[People] = People()

    class Meta:
        ordering = ("username",)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(role__in=Role.values), name="user_role_known"
            ),
        )

    def __str__(self) -> str:
        return self.get_full_name() or self.username

    def has_role(self, role: Role) -> bool:
        """Whether this person may do what ``role`` is needed for."""
        return self.is_active and Role(self.role).includes(role)

    @cached_property
    def may_change(self) -> bool:
        """Whether pages offer this person to change the configuration."""
        return self.has_role(Role.SYNC_ADMIN)

    @cached_property
    def is_admin(self) -> bool:
        """Whether pages offer this person to manage users."""
        return self.has_role(Role.ADMIN)


class Heartbeat(models.Model):
    """The last sign of life of one worker or beat."""

    class Part(models.TextChoices):
        """What it is."""

        WORKER = "worker", "worker"
        BEAT = "beat", "beat"

    part = models.CharField(max_length=8, choices=Part.choices)
    name = models.CharField(max_length=255)  # such as celery@host
    at = models.DateTimeField(db_default=Now())  # by the database's clock

    class Meta:
        constraints = (models.UniqueConstraint(fields=("part", "name"), name="heartbeat_once"),)

    def __str__(self) -> str:
        return f"{self.part} {self.name}"
