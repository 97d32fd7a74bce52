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
        from hubconnect.core.audit import keep_trail  # noqa: PLC0415  apps come first
        from hubconnect.integrations.models import (  # noqa: PLC0415
            FailureAct,
            Flow,
            Integration,
            Notification,
            Pair,
        )
        from hubconnect.integrations.services import (  # noqa: PLC0415
            deciding,
            guards,
            looping,
            remedies,
            repairing,
        )

        guards.register()
        repairing.register()
        deciding.register()
        looping.register()
        remedies.register()
        page = "integrations:detail"
        keep_trail(Integration, ignored=("created_at", "updated_at"), page=page)
        keep_trail(
            Pair, ignored=("type_pair", "is_swapped", "known_rows"), page="integrations:pair"
        )
        cursor = ("phase", "window_lower", "window_upper", "after_id", "is_window_open")
        taken = ("taken_by", "widened_from")
        moving = ("spec_hash", "next_run_at", "nudged_at", "setbacks", "asked_by", "is_paused")
        reading = ("is_second_pass", "comments_read_to", "sweep_after", "next_sweep_at")
        told = ("created_at", "last_made_at")
        page = "integrations:notification"
        keep_trail(Notification, secret=("secrets",), ignored=told, page=page)
        far = ("done", "done_to", "up_to", "leased_until", "state", "finished_at", "asked_at")
        keep_trail(FailureAct, ignored=(*far, "chosen"), page="integrations:failure_act_progress")
        keep_trail(Flow, ignored=(*cursor, *moving, *taken, *reading))
