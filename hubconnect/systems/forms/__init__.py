"""Forms of systems."""

from hubconnect.systems.forms.system import SystemForm

__all__ = ["SystemForm"]
