"""The Django application of this package."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Users and roles, audit trail, sealed secrets, start-up checks and what every page shares."""

    name = "hubconnect.core"
    label = "core"
