"""The forms of a pair: which mapping, and the settings of each of its directions."""

from collections.abc import Mapping as ReadOnly
from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.forms.utils import ErrorDict
from django.http import QueryDict

from hubconnect.connectors.base import Field
from hubconnect.core.numbers import whole_number
from hubconnect.engine import lookup as lookup_language
from hubconnect.engine.criteria import CriteriaInvalidError
from hubconnect.integrations.forms.conditions import Conditions, LookupConditions
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


@dataclass(frozen=True, slots=True)
class Act:
    """What a button of the conditions asks, as its value says: ``to_right:criteria:remove:0``.

    Attributes:
        direction: of the flow.
        part: "criteria" or "lookup".
        verb: "rows" (the JSON follows the rows), "text" (the other way), "add", "remove" or
            "native" (taken from one of the system's own queries).
        place: the row to remove.
    """

    direction: str
    part: str
    verb: str
    place: int = 0

    @classmethod
    def read(cls, text: str) -> "Act | None":
        """Return the act a page sent, or None for none that is known."""
        direction, _, rest = text.partition(":")
        part, _, rest = rest.partition(":")
        verb, _, place = rest.partition(":")
        if part not in ("criteria", "lookup") or verb not in _VERBS:
            return None
        return cls(direction, part, verb, whole_number(place) or 0)

    @property
    def leading(self) -> str:
        """Which of rows and text goes before."""
        return {"rows": "rows", "add": "", "text": "text"}.get(self.verb, "")

    def change(self, conditions: Conditions) -> None:
        """Add or remove a row."""
        if self.verb == "add":
            conditions.add()
        elif self.verb == "remove":
            conditions.remove(self.place)


_VERBS = frozenset({"rows", "text", "add", "remove", "native"})


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
    criteria = forms.CharField(label="Query (JSON)", required=False, max_length=20_000, strip=False)
    lookup = forms.CharField(
        label="Target search query (JSON)", required=False, max_length=20_000, strip=False
    )

    class Meta:
        model = Flow
        fields = (
            "is_enabled",
            "start",
            "start_at",
            "outside",
            "none_found",
            "several_found",
            "one_found",
            "target_deleted",
        )
        labels: ClassVar = {
            "is_enabled": "This direction is switched on",
            "start": "Start",
            "outside": "A linked record that no longer matches",
            "none_found": "If none is found",
            "several_found": "If several are found",
            "one_found": "If one is found",
            "target_deleted": "If the counterpart of a changed record was deleted",
        }
        widgets: ClassVar = {
            "start": forms.RadioSelect,
            "outside": forms.RadioSelect,
            "target_deleted": forms.RadioSelect,
        }

    def __init__(
        self,
        *args: Any,
        sources: ReadOnly[str, Field] | None,
        targets: ReadOnly[str, Field] | None,
        max_conditions: int | None = None,
        mapped: frozenset[str] = frozenset(),
        act: Act | None = None,
        is_judged: bool = True,
        **options: Any,
    ) -> None:
        """Fill the form.

        Args:
            *args: as every form.
            sources: fields of the source, None when it does not tell them.
            targets: fields of the target.
            max_conditions: how many the source's criteria may have.
            mapped: fields of the target that the mapping fills.
            act: what was done to its conditions.
            is_judged: False: the form is drawn anew while it is being filled in.
            **options: as every form.
        """
        super().__init__(*args, **options)
        self.sources, self.targets, self.is_judged = sources, targets, is_judged
        start = self.fields["start"]
        if isinstance(start, forms.ChoiceField):
            start.choices = Flow.Start.choices  # without an empty one: nothing is chosen by default
        for name in ("start", *_RULES):
            self.fields[name].required = False
            self.fields[name].mark_optional = False  # type: ignore[attr-defined]  # {% field %}'s
        self.conditions: dict[str, Conditions] = {
            "criteria": Conditions(
                name=self.add_prefix("criteria"), fields=sources, limit=max_conditions
            ),
            "lookup": LookupConditions(
                name=self.add_prefix("lookup"),
                fields=targets,
                sources=sources,
                limit=lookup_language.MAX_CONDITIONS,
                mapped=mapped,
            ),
        }
        for part, conditions in self.conditions.items():
            if isinstance(self.data, QueryDict) and self.is_bound:
                conditions.read(self.data, act.leading if act and act.part == part else "")
            else:
                conditions.load(getattr(self.instance, part))
        if act is not None:
            act.change(self.conditions[act.part])

    @property
    def is_checkable(self) -> bool:
        """Tell whether both schemas are known."""
        return self.sources is not None and self.targets is not None

    def full_clean(self) -> None:
        """Judge what was typed, unless the form is only drawn anew while it is filled in."""
        if self.is_judged:
            super().full_clean()
        else:
            self._errors, self.cleaned_data = ErrorDict(), {}

    def clean(self) -> dict[str, Any]:
        """Check start, criteria and lookup; a direction that is off may be left unfinished."""
        data = super().clean() or self.cleaned_data
        self._clean_start(data)
        for part, conditions in self.conditions.items():
            if part not in self.errors:
                self._clean_conditions(part, conditions)
        fresh = Flow()
        for name in _RULES:
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

    def _clean_conditions(self, part: str, conditions: Conditions) -> None:
        setattr(self.instance, part, [])
        if not conditions.text.strip():
            return
        if not self.is_checkable:
            self.add_error(part, _UNCHECKABLE)
        elif conditions.problem is not None:
            self.add_error(part, say(conditions.problem))
        else:
            setattr(self.instance, part, conditions.conditions)


_RULES = ("outside", "none_found", "several_found", "one_found", "target_deleted")
_UNCHECKABLE = "This cannot be checked while the system does not answer, so it is not saved."


def say(error: CriteriaInvalidError) -> str:
    """Write what is wrong with criteria as one line: place, message, hint."""
    place = f"{error.place[:1].upper()}{error.place[1:]}: " if error.place else ""
    return f"{place}{error.message} {error.hint}".strip()


class ActivationForm(forms.Form):
    """For each flow a number to type and what its criteria newly take; what changed rows do."""

    def __init__(self, flow_ids: list[int], *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for flow_id in flow_ids:
            self.fields[f"creates_{flow_id}"] = forms.IntegerField(
                label="Number of records", required=False, min_value=0
            )
            self.fields[f"load_{flow_id}"] = forms.CharField(required=False)

    @property
    def confirmed(self) -> dict[int, int | None]:
        """The typed numbers by the flow's key."""
        return {
            int(name.removeprefix("creates_")): number
            for name, number in self.cleaned_data.items()
            if name.startswith("creates_")
        }

    @property
    def loads(self) -> list[int]:
        """The keys of flows that load what their changed criteria newly take."""
        names = [name for name, chosen in self.cleaned_data.items() if chosen]
        return [int(name.removeprefix("load_")) for name in names if name.startswith("load_")]

    @property
    def chosen(self) -> dict[str, str]:
        """What becomes of changed rows, by ``<pair>-<row>``; anything unknown counts as leave."""
        names = (name for name in self.data if name.startswith("row_"))
        return {name.removeprefix("row_"): str(self.data[name]) for name in names}
