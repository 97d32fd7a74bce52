"""The Django application of this package."""

from django.apps import AppConfig


class SystemsConfig(AppConfig):
    """Configured systems, their forms and live checks."""

    name = "hubconnect.systems"
    label = "systems"

    def ready(self) -> None:
        """Say what of systems goes into the audit trail: what people change, no secret."""
        from hubconnect.core.audit import keep_trail  # noqa: PLC0415  apps come first
        from hubconnect.systems.models import SignIn, System  # noqa: PLC0415

        by_itself = ("report", "state", "state_reason", "checked_at", "updated_at", "created_at")
        ignored = ("schema_version", *by_itself)
        keep_trail(System, secret=("secrets",), ignored=ignored, page="systems:detail")
        renewing = ("expires_at", "version", "leased_until", "lost_reason", "renewed_at")
        keep_trail(SignIn, secret=("tokens",), ignored=renewing)
