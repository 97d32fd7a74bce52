"""The Django application of this package."""

from django.apps import AppConfig


class SystemsConfig(AppConfig):
    """Configured systems, their forms and live checks."""

    name = "hubconnect.systems"
    label = "systems"
