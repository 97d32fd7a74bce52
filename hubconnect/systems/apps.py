"""The Django application of this package."""

from django.apps import AppConfig


class SystemsConfig(AppConfig):
    """Configured systems, their forms and live checks."""

    name = "hubconnect.systems"
    label = "systems"

    def ready(self) -> None:
        """Have changes of systems audited. Secrets stay out; that they changed is noted apart."""
        from auditlog.registry import auditlog  # noqa: PLC0415  needs the loaded applications

        from hubconnect.systems.models import System  # noqa: PLC0415

        machine_made = ["report", "state", "state_reason", "checked_at", "updated_at"]
        auditlog.register(
            System, exclude_fields=["secrets", "schema_version", "created_at", *machine_made]
        )
