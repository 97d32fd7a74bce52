"""The Django application of this package."""

from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    """Integrations, pairs, flows and runs, and the pages about them."""

    name = "hubconnect.integrations"
    label = "integrations"

    def ready(self) -> None:
        """Have changes by people audited, and keep lower layers from changing what is in use.

        How far a flow has come is no change by a person.
        """
        from auditlog.registry import auditlog  # noqa: PLC0415  needs the loaded applications

        from hubconnect.integrations.models import (  # noqa: PLC0415
            Flow,
            Integration,
            Pair,
        )
        from hubconnect.integrations.services import guards, repairing  # noqa: PLC0415

        guards.register()
        repairing.register()
        auditlog.register(Integration, exclude_fields=["created_at", "updated_at"])
        auditlog.register(Pair, exclude_fields=["type_pair", "is_swapped"])
        cursor = ["phase", "window_lower", "window_upper", "after_id", "is_window_open"]
        moving = ["spec_hash", "next_run_at", "nudged_at", "setbacks", "asked_by", "is_paused"]
        auditlog.register(Flow, exclude_fields=[*cursor, *moving])
