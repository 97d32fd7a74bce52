"""The Django application of this package."""

from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    """Integrations, pairs, flows and runs, and the pages about them."""

    name = "hubconnect.integrations"
    label = "integrations"
