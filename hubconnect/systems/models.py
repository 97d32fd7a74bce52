"""Configured accounts of connectors."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower

from hubconnect.core.crypto import EncryptedJSONField


class System(models.Model):
    """One account of one connector: how to reach it, and which account it turned out to be."""

    class State(models.TextChoices):
        """What the last live check or run said."""

        UNCHECKED = "unchecked", "Not checked"
        OK = "ok", "Connected"
        REMARKS = "remarks", "Connected, with remarks"
        UNREACHABLE = "unreachable", "Not reachable"
        ATTENTION = "attention", "Needs a person"
        RECONNECT = "reconnect", "Reconnect"

    name = models.CharField("System Name", max_length=255)
    connector = models.SlugField(max_length=50)
    parameters = models.JSONField(default=dict)  # clear text, by parameter name
    secrets = EncryptedJSONField(default=dict)  # sealed at rest, by parameter name
    # The account that links belong to. Empty until the first successful check.
    identity = models.CharField(max_length=255, blank=True)
    identity_label = models.CharField(max_length=255, blank=True)
    state = models.CharField(max_length=16, choices=State.choices, default=State.UNCHECKED)
    state_reason = models.TextField(blank=True)  # a few words that explain the state
    report = models.JSONField(null=True, blank=True)  # the last check report, for its page
    # Grows when the schema must be read anew; part of the key under which it is kept.
    schema_version = models.PositiveIntegerField(default=1)
    checked_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(
                Lower("name"),
                name="system_name_unique",
                violation_error_message="Another system has this name.",
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def needs_person(self) -> bool:
        """Tell whether nothing will work before a person has acted."""
        return self.state in (self.State.ATTENTION, self.State.RECONNECT)


class SignIn(models.Model):
    """The tokens of a system whose connector signs in by OAuth."""

    system = models.OneToOneField(System, models.CASCADE, related_name="sign_in")
    app = models.CharField(max_length=512)  # which app, and where: OAuthApp.id
    tokens = EncryptedJSONField(default=dict)  # access and refresh
    expires_at = models.DateTimeField()  # of the access token
    version = models.PositiveIntegerField(default=1)  # grows with each pair that is stored
    # Whoever renews claims it until then, by the database's clock; left behind by one that died.
    leased_until = models.DateTimeField(null=True, blank=True)
    lost_reason = models.TextField(blank=True)  # why only a person who connects again helps
    signed_in_at = models.DateTimeField()
    signed_in_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    renewed_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"Sign-in of {self.system}"


class UsedCode(models.Model):
    """An authorization code that was sent, as its digest: none is sent twice."""

    digest = models.CharField(max_length=64, unique=True)
    used_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.digest


class CallDay(models.Model):
    """How the day's calls of an account stood when it was last stored: see ``services.budget``."""

    key = models.CharField(max_length=255, unique=True)  # of the limiter; names the account
    ours = models.PositiveIntegerField()  # calls by HubConnect that the limiter has counted
    ours_before = models.PositiveIntegerField(default=0, db_default=0)  # before it began anew
    most = models.PositiveIntegerField(null=True, blank=True)
    left = models.PositiveIntegerField(null=True, blank=True)
    ends_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True, blank=True)
    is_refused = models.BooleanField(default=False, db_default=False)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.key


class LearnedRequirement(models.Model):
    """A field that a system turned out to demand, though its description does not say so."""

    system = models.ForeignKey(System, models.CASCADE, related_name="learned_requirements")
    object_type = models.CharField(max_length=255)
    field = models.CharField(max_length=255)
    words = models.TextField(blank=True)  # the system's own, when it was learned
    learned_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("object_type", "field")
        constraints = (
            models.UniqueConstraint(
                fields=("system", "object_type", "field"), name="learned_requirement_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.system}: {self.object_type}.{self.field}"
