"""Name and version of the mapping that is edited."""

from typing import Any

from django import forms

from hubconnect.mappings.forms.creation import free_or_refused
from hubconnect.mappings.models import Mapping


class NameForm(forms.Form):
    """The name, and the version the person started from."""

    use_required_attribute = False

    name = forms.CharField(
        label="Name", max_length=255, error_messages={"required": "A mapping needs a name."}
    )
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, mapping: Mapping, **options: Any) -> None:
        options.setdefault("initial", {"name": mapping.name, "version": mapping.version})
        super().__init__(*args, **options)
        self.mapping = mapping

    def clean_name(self) -> str:
        """Refuse a name that another mapping has."""
        return free_or_refused(str(self.cleaned_data["name"]), self.mapping)
