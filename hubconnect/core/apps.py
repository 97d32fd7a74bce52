"""The Django application of this package."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Users and roles, audit trail, sealed secrets, start-up checks and the pages' frame."""

    name = "hubconnect.core"
    label = "core"

    def ready(self) -> None:
        """Register the start-up checks and what of users goes into the audit trail."""
        from hubconnect.core import audit, checks, models  # noqa: F401, PLC0415  apps come first

        audit.keep_trail(
            models.User, secret=("password",), ignored=("last_login",), page="core:user_edit"
        )
