"""The Django application of this package."""

from django.apps import AppConfig


class MappingsConfig(AppConfig):
    """How two object types correspond, and the editor for it."""

    name = "hubconnect.mappings"
    label = "mappings"

    def ready(self) -> None:
        """Say what of mappings goes into the audit trail. Their rows are noted when saved."""
        from hubconnect.core.audit import keep_trail  # noqa: PLC0415  apps come first
        from hubconnect.mappings.models import Mapping  # noqa: PLC0415

        ignored = ("version", "created_at", "updated_at")
        keep_trail(Mapping, ignored=ignored, page="mappings:edit")
