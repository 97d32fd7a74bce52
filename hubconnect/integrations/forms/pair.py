"""The forms of a pair: which mapping, and the settings of each of its directions."""

import json
from collections.abc import Mapping as ReadOnly
from typing import Any, ClassVar

from django import forms

from hubconnect.connectors.base import Field
from hubconnect.engine import criteria as criteria_language, lookup as lookup_language
from hubconnect.engine.criteria import CriteriaInvalidError
from hubconnect.engine.lookup import INTERNAL_ID
from hubconnect.integrations.models import Flow, Integration
from hubconnect.integrations.services import saving
from hubconnect.mappings.models import Direction, Mapping


class PairForm(forms.Form):
    """Adds a mapping to an integration."""

    mapping = forms.ModelChoiceField(Mapping.objects.none(), empty_label="Choose a mapping")
    direction = forms.ChoiceField(label="Direction", initial=Direction.BOTH)

    def __init__(self, integration: Integration, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        left, right = integration.left_system, integration.right_system
        self._is_turned: dict[int, bool] = {}
        used = {pair.mapping_id for pair in integration.pairs.all()}
        offered = [one for one in saving.mappings_for(integration) if one.pk not in used]
        for one in offered:
            self._is_turned[one.pk] = one.left_system_id != integration.left_system_id
        choice = self.fields["mapping"]
        if isinstance(choice, forms.ModelChoiceField):
            choice.queryset = Mapping.objects.filter(pk__in=[one.pk for one in offered])
        self.is_empty = not offered
        direction = self.fields["direction"]
        if isinstance(direction, forms.ChoiceField):
            direction.choices = [
                (Direction.BOTH.value, "Both ways"),
                (Direction.TO_RIGHT.value, f"{left} → {right}"),
                (Direction.TO_LEFT.value, f"{right} → {left}"),
            ]

    @property
    def directions(self) -> list[str]:
        """The chosen directions as the mapping was drawn."""
        chosen = self.cleaned_data["direction"]
        if chosen == Direction.BOTH:
            return [one.value for one in saving.FLOW_DIRECTIONS]
        if self._is_turned[self.cleaned_data["mapping"].pk]:
            is_right = chosen == Direction.TO_RIGHT
            return [Direction.TO_LEFT.value if is_right else Direction.TO_RIGHT.value]
        return [chosen]


class FlowForm(forms.ModelForm[Flow]):
    """The settings of one direction, checked against both schemas.

    Without a schema, because a system cannot be asked, only what needs none can be saved.
    """

    start_at = forms.DateTimeField(
        label="Start time",
        required=False,
        widget=forms.DateTimeInput(
            {"type": "datetime-local", "class": "input-auto"}, "%Y-%m-%dT%H:%M"
        ),
    )
    criteria = forms.CharField(
        label="Query (JSON)",
        required=False,
        max_length=20_000,
        strip=False,
        widget=forms.Textarea({"rows": 9, "spellcheck": "false", "class": "code-edit"}),
    )
    lookup_field = forms.ChoiceField(label="Field", required=False)
    lookup_value = forms.ChoiceField(label="Equals", required=False)

    class Meta:
        model = Flow
        fields = (
            "is_enabled",
            "start",
            "start_at",
            "none_found",
            "several_found",
            "one_found",
        )
        labels: ClassVar = {
            "is_enabled": "This direction is switched on",
            "start": "Start",
            "none_found": "If none is found",
            "several_found": "If several are found",
            "one_found": "If one is found",
        }
        widgets: ClassVar = {"start": forms.RadioSelect}

    def __init__(
        self,
        *args: Any,
        sources: ReadOnly[str, Field] | None,
        targets: ReadOnly[str, Field] | None,
        max_conditions: tuple[int | None, int | None] = (None, None),
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.sources, self.targets, self.max_conditions = sources, targets, max_conditions
        self.fields["start"].required = False
        self.fields["start"].mark_optional = False  # type: ignore[attr-defined]  # {% field %}'s
        start = self.fields["start"]
        if isinstance(start, forms.ChoiceField):
            start.choices = Flow.Start.choices  # without an empty one: nothing is chosen by default
        for name in ("none_found", "several_found", "one_found"):
            self.fields[name].required = False
            self.fields[name].mark_optional = False  # type: ignore[attr-defined]  # {% field %}'s
        self._fill_criteria()
        self._fill_lookup()

    @property
    def is_checkable(self) -> bool:
        """Tell whether both schemas are known."""
        return self.sources is not None and self.targets is not None

    def _fill_criteria(self) -> None:
        stored = self.instance.criteria
        self.fields["criteria"].initial = (
            json.dumps(stored, indent=2, ensure_ascii=False) if stored else ""
        )

    def _fill_lookup(self) -> None:
        stored = self.instance.lookup
        target = stored[0]["field"] if stored else ""
        value = str(stored[0]["value"]).strip("@") if stored else ""
        targets = [one for one in (self.targets or {}).values() if one.unique or one.name == target]
        sources = list((self.sources or {}).values())
        self._choose(
            "lookup_field", "No lookup: always create", [(one.name, one) for one in targets], target
        )
        self._choose("lookup_value", "Choose", [(one.name, one) for one in sources], value)
        source_choices = self.fields["lookup_value"]
        if isinstance(source_choices, forms.ChoiceField):
            listed = list(source_choices.choices)  # type: ignore[arg-type]  # a list, see _choose
            source_choices.choices = [*listed, (INTERNAL_ID, "The record’s id")]

    def _choose(
        self, name: str, nothing: str, offered: list[tuple[str, Field]], stored: str
    ) -> None:
        field = self.fields[name]
        if not isinstance(field, forms.ChoiceField):
            return
        known = {key for key, _ in offered}
        gone = [(stored, f"{stored} (gone)")] if stored and stored not in known else []
        gone = [] if stored == INTERNAL_ID else gone
        labels = sorted(
            ((key, f"{one.label} ({one.name})") for key, one in offered), key=lambda one: one[1]
        )
        field.choices = [("", nothing), *gone, *labels]
        field.initial = stored

    def clean(self) -> dict[str, Any]:
        """Check start, criteria and lookup; a direction that is off may be left unfinished."""
        data = super().clean() or self.cleaned_data
        self._clean_start(data)
        self._clean_criteria(data)
        self._clean_lookup(data)
        fresh = Flow()
        for name in ("none_found", "several_found", "one_found"):
            data[name] = data.get(name) or getattr(fresh, name)
        return data

    def _clean_start(self, data: dict[str, Any]) -> None:
        start = data.get("start", "")
        if not start and data.get("is_enabled") and "start" not in self.errors:
            self.add_error("start", "Choose where to start. Nothing is chosen for you.")
        if start == Flow.Start.TIME:
            if data.get("start_at") is None and "start_at" not in self.errors:
                self.add_error("start_at", "Give the time from which changes are carried.")
        else:
            self.errors.pop("start_at", None)
            data["start_at"] = None

    def _clean_criteria(self, data: dict[str, Any]) -> None:
        text = data.get("criteria") or ""
        if "criteria" in self.errors:
            return
        self.instance.criteria = []
        if not text.strip():
            return
        if self.sources is None:
            self.add_error("criteria", _UNCHECKABLE)
            return
        try:
            criteria_language.parse_text(text, self.sources, self.max_conditions[0])
        except CriteriaInvalidError as error:
            self.add_error("criteria", say(error))
        else:
            self.instance.criteria = json.loads(text)

    def _clean_lookup(self, data: dict[str, Any]) -> None:
        target, value = data.get("lookup_field"), data.get("lookup_value")
        if {"lookup_field", "lookup_value"} & set(self.errors):
            return
        self.instance.lookup = []
        if not target:
            return
        if not value:
            self.add_error("lookup_value", "Choose whose value is looked up.")
            return
        if self.sources is None or self.targets is None:
            self.add_error("lookup_field", _UNCHECKABLE)
            return
        conditions = [{"condition": "EQUALS", "field": target, "value": f"@{value}@"}]
        try:
            lookup_language.parse(conditions, self.targets, self.sources)
        except CriteriaInvalidError as error:
            self.add_error("lookup_value", say(error))
        else:
            self.instance.lookup = conditions


_UNCHECKABLE = "This cannot be checked while the system does not answer, so it is not saved."


def say(error: CriteriaInvalidError) -> str:
    """Write what is wrong with criteria as one line: place, message, hint."""
    place = f"{error.place[:1].upper()}{error.place[1:]}: " if error.place else ""
    return f"{place}{error.message} {error.hint}".strip()


class ActivationForm(forms.Form):
    """A number to type for each flow that would create many records."""

    def __init__(self, flow_ids: list[int], *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for flow_id in flow_ids:
            self.fields[f"creates_{flow_id}"] = forms.IntegerField(
                label="Number of records", required=False, min_value=0
            )

    @property
    def confirmed(self) -> dict[int, int | None]:
        """The typed numbers by the flow's key."""
        return {
            int(name.removeprefix("creates_")): number for name, number in self.cleaned_data.items()
        }
