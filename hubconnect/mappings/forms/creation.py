"""The first step of a mapping: two systems and their object types."""

from typing import Any, Final, NamedTuple

from django import forms
from django.core.exceptions import ValidationError

from hubconnect.connectors.base import ObjectType
from hubconnect.connectors.errors import ConnectorError
from hubconnect.core.numbers import whole_number
from hubconnect.mappings.models import Mapping
from hubconnect.mappings.services.saving import proposed_name
from hubconnect.systems.models import System
from hubconnect.systems.services import schema

SIDES: Final = ("left", "right")


class Chosen(NamedTuple):
    """What was chosen on one side."""

    system: System
    type: ObjectType


class MappingForm(forms.Form):
    """Two systems, an object type of each, and a name.

    The object types are those of the systems that are chosen already, by what was sent or given.
    """

    use_required_attribute = False

    left_system = forms.ModelChoiceField(
        System.objects.none(),
        label="First system",
        empty_label="Select",
        error_messages={"required": "Choose the first system."},
    )
    left_type = forms.ChoiceField(
        label="Its object type", error_messages={"required": "Choose the first object type."}
    )
    right_system = forms.ModelChoiceField(
        System.objects.none(),
        label="Second system",
        empty_label="Select",
        error_messages={"required": "Choose the second system."},
    )
    right_type = forms.ChoiceField(
        label="Its object type", error_messages={"required": "Choose the second object type."}
    )
    name = forms.CharField(
        label="Name",
        max_length=255,
        required=False,
        help_text="How pages call this mapping. Empty: made of the systems and object types.",
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.types: dict[str, dict[str, ObjectType]] = {}
        self.troubles: dict[str, str] = {}
        for side in SIDES:
            system_field = self.fields[f"{side}_system"]
            assert isinstance(system_field, forms.ModelChoiceField)  # noqa: S101  for the type checker
            system_field.queryset = System.objects.defer("secrets", "report")
            self._offer_types(side)
        self._propose_name()

    def _offer_types(self, side: str) -> None:
        field = self.fields[f"{side}_type"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101  for the type checker
        system = self.system(side)
        self.types[side] = {}
        if system is not None:
            try:
                found = schema.object_types(system)
            except ConnectorError as error:
                self.troubles[side] = " ".join(filter(None, (error.message, error.hint)))
            else:
                self.types[side] = {one.name: one for one in found}
        labels = [(one.name, _shown(one)) for one in self.types[side].values()]
        field.choices = [("", "Select" if labels else "Choose the system first"), *labels]
        field.error_messages["invalid_choice"] = "Choose one of the listed object types."

    def _propose_name(self) -> None:
        """Show the name that an empty one becomes, once both sides are chosen."""
        chosen = [self.chosen(side) for side in SIDES]
        if all(chosen):
            left, right = (one for one in chosen if one is not None)
            self.fields["name"].widget.attrs["placeholder"] = proposed_name(
                (left.system, left.type.label), (right.system, right.type.label)
            )

    def system(self, side: str) -> System | None:
        """Return the system chosen on a side so far."""
        key = whole_number(str(self[f"{side}_system"].value() or ""))
        return System.objects.filter(pk=key).first() if key is not None else None

    def chosen(self, side: str) -> Chosen | None:
        """Return what is chosen on a side, once it is complete."""
        system = self.system(side)
        kind = self.types[side].get(str(self[f"{side}_type"].value() or ""))
        return Chosen(system, kind) if system is not None and kind is not None else None

    def clean(self) -> dict[str, Any]:
        """Put a system's trouble at its field, and make the name if none was typed."""
        data = super().clean() or self.cleaned_data
        for side, trouble in self.troubles.items():
            self.errors.pop(f"{side}_type", None)
            self.add_error(f"{side}_system", trouble)
        left, right = self.chosen("left"), self.chosen("right")
        for side, chosen in (("left", left), ("right", right)):
            if chosen is not None and chosen.type.unreadable:
                self.add_error(f"{side}_type", chosen.type.unreadable)
        if left is None or right is None:
            return data
        if left.system == right.system and left.type == right.type:
            self.add_error("right_type", "Choose another object type: both sides are the same.")
        if not data.get("name"):
            data["name"] = proposed_name(
                (left.system, left.type.label), (right.system, right.type.label)
            )
        return data

    def clean_name(self) -> str:
        """Refuse a name that another mapping has."""
        return free_or_refused(str(self.cleaned_data["name"]), None)


def free_or_refused(name: str, mapping: Mapping | None) -> str:
    """Return a name that no other mapping has.

    Raises:
        ValidationError: another has it.
    """
    others = Mapping.objects.filter(name__iexact=name)
    if mapping is not None:
        others = others.exclude(pk=mapping.pk)
    if others.exists():
        msg = f"Another mapping is called “{name}”. Choose another name."
        raise ValidationError(msg)
    return name


def _shown(kind: ObjectType) -> str:
    same = kind.label == kind.name
    shown = kind.label if same else f"{kind.label} ({kind.name})"
    return f"{shown}: may not be read" if kind.unreadable else shown
