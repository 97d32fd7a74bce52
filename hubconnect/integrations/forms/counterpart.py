"""Which fields receive the counterpart's id and address."""

from collections.abc import Mapping
from typing import Any

from django import forms

from hubconnect.connectors.base import Field, ValueType
from hubconnect.integrations.models import Pair
from hubconnect.mappings.models import Direction

# A number holds the id of systems whose ids are numbers.
ID_TYPES = frozenset({ValueType.TEXT, ValueType.RICH_TEXT, ValueType.NUMBER})
LINK_TYPES = frozenset({ValueType.TEXT, ValueType.RICH_TEXT})


class CounterpartForm(forms.ModelForm[Pair]):
    """The four fields of a pair, each chosen among those nothing else writes."""

    use_required_attribute = False

    class Meta:
        model = Pair
        fields = ("left_id_field", "left_link_field", "right_id_field", "right_link_field")

    def __init__(
        self,
        *args: Any,
        left: Mapping[str, Field] | None,
        right: Mapping[str, Field] | None,
        **options: Any,
    ) -> None:
        """Offer the fields of both sides; None while a system does not answer."""
        super().__init__(*args, **options)
        self.unusable: set[str] = set()  # names of inputs that hold what must not be written
        mapping = self.instance.mapping
        systems = (mapping.left_system, mapping.right_system)
        for side, known, system, other in (
            ("left", left, systems[0], systems[1]),
            ("right", right, systems[1], systems[0]),
        ):
            for part, types, label in (
                ("id", ID_TYPES, f"Id from {other}"),
                ("link", LINK_TYPES, f"Address in {other}"),
            ):
                name = f"{side}_{part}_field"
                now = str((self.data if self.is_bound else self.initial).get(name) or "")
                offered = self._offered(side, known or {}, types)
                choices = [("", "Not written"), *offered]
                if now and now not in dict(choices):
                    choices.append((now, f"{now} (not to be used)"))
                    self.unusable.add(name)
                field = forms.ChoiceField(choices=choices, required=False, label=label)
                field.error_messages["invalid_choice"] = f"Choose one of the fields of {system}."
                self.fields[name] = field

    def _offered(
        self, side: str, known: Mapping[str, Field], types: frozenset[ValueType]
    ) -> list[tuple[str, str]]:
        """Return the fields that can be written and are not written by the mapping."""
        writes = Direction.TO_LEFT if side == "left" else Direction.TO_RIGHT
        rows = self.instance.mapping.rows.filter(direction__in=(Direction.BOTH, writes))
        written = set(rows.values_list(f"{side}_field", flat=True))
        fields = (
            one
            for one in known.values()
            if one.type in types and not one.read_only and one.name not in written
        )
        return [
            (one.name, f"{one.label} ({one.name})")
            for one in sorted(fields, key=lambda one: one.label.casefold())
        ]

    def clean(self) -> dict[str, Any]:
        """Refuse one field for both, and fields that must not be used."""
        data = super().clean() or self.cleaned_data
        for side in ("left", "right"):
            id_field, link_field = data.get(f"{side}_id_field"), data.get(f"{side}_link_field")
            if id_field and id_field == link_field:
                self.add_error(f"{side}_link_field", "It already receives the id. Choose another.")
        for name in self.unusable & {name for name in data if data[name]}:
            msg = "This field is gone, read-only, or written by the mapping. Choose another."
            self.add_error(name, msg)
        return data
