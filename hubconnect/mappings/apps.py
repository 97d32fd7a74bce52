"""The Django application of this package."""

from django.apps import AppConfig


class MappingsConfig(AppConfig):
    """How two object types correspond, and the editor for it."""

    name = "hubconnect.mappings"
    label = "mappings"
