"""The form of an integration: its systems, its schedule, its limits."""

import re
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError

from hubconnect.core.forms import ZoneField
from hubconnect.integrations.models import Integration
from hubconnect.integrations.schedules import MOST_TIMES, WEEKDAYS, WEEKS
from hubconnect.systems.models import System

_CLOCK = re.compile(r"(?:[01]?\d|2[0-3]):[0-5]\d")
_BY_DAY = "day"
_SHORTEST_S = 1


class TimesField(forms.CharField):
    """Up to five times of day, typed one after the other."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            label="Times of day",
            help_text=f"Up to {MOST_TIMES}, such as 06:00, 12:30, 18:00.",
            **options,
        )

    def prepare_value(self, value: Any) -> Any:  # noqa: ANN401 - as Django has it
        """Show stored times as one would type them."""
        return ", ".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:  # noqa: ANN401 - as Django has it
        """Return the times as ``HH:MM``, in order, each once."""
        texts = [text for text in re.split(r"[\s,;]+", str(value or "")) if text]
        for text in texts:
            if not _CLOCK.fullmatch(text):
                msg = f"“{text}” is not a time of day. Write it like 06:00 or 18:30."
                raise ValidationError(msg)
        times = sorted({text.zfill(5) for text in texts})
        if len(times) > MOST_TIMES:
            msg = f"{len(times)} times are too many: at most {MOST_TIMES} a day."
            raise ValidationError(msg)
        return times


class IntegrationForm(forms.ModelForm[Integration]):
    """Fields that do not apply to the chosen schedule are neither checked nor kept."""

    times = TimesField(required=False)
    weekdays = forms.TypedMultipleChoiceField(
        label="Days of the week",
        choices=list(enumerate(WEEKDAYS)),
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    month_by = forms.ChoiceField(
        label="In the month",
        choices=[
            (_BY_DAY, "On a day of the month"),
            *((k, f"On the {v}") for k, v in WEEKS.items()),
        ],
        required=False,
    )
    month_day = forms.IntegerField(
        label="Day of the month",
        min_value=1,
        max_value=31,
        required=False,
        help_text="A month without that day is left out.",
    )
    time_zone = ZoneField(help_text="Of the times and days above.")

    class Meta:
        model = Integration
        fields = (
            "name",
            "left_system",
            "right_system",
            "schedule_kind",
            "interval_count",
            "interval_unit",
            "frequency",
            "times",
            "weekdays",
            "month_day",
            "starts_on",
            "ends_on",
            "time_zone",
            "create_limit",
            "max_attempts",
        )
        labels: ClassVar = {
            "left_system": "First system",
            "right_system": "Second system",
            "schedule_kind": "Schedule",
            "interval_count": "Repeat every",
            "interval_unit": "Unit",
            "starts_on": "First day",
            "ends_on": "Last day",
            "create_limit": "Safety brake",
            "max_attempts": "Maximum Retry Count",
        }
        help_texts: ClassVar = {
            "left_system": "First and second only name the sides. Which one is the source is "
            "decided per pair.",
            "schedule_kind": "For all flows of this integration. The next run waits until the "
            "last one is done.",
            "starts_on": "No run before this day.",
            "ends_on": "No run after this day.",
            "create_limit": "A run that would create more records than this, its first load done, "
            "pauses and asks. It catches a mistaken criteria or a restored backup.",
            "max_attempts": "How often a refused record is tried by itself. Then it waits for a "
            "person. 0: only by hand.",
        }
        widgets: ClassVar = {
            "schedule_kind": forms.RadioSelect,
            "starts_on": forms.DateInput({"type": "date", "class": "input-auto"}, "%Y-%m-%d"),
            "ends_on": forms.DateInput({"type": "date", "class": "input-auto"}, "%Y-%m-%d"),
            "interval_count": forms.NumberInput({"class": "input-short num", "min": 1}),
            "create_limit": forms.NumberInput({"class": "input-short num", "min": 0}),
            "max_attempts": forms.NumberInput({"class": "input-short num", "min": 0}),
        }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name in ("left_system", "right_system"):
            field = self.fields[name]
            if isinstance(field, forms.ModelChoiceField):
                field.queryset = System.objects.defer("secrets", "report")
                field.empty_label = "Choose a system"
        week = self.instance.month_week
        self.fields["month_by"].initial = _BY_DAY if week is None else week
        for name in ("interval_count", "interval_unit", "frequency", "time_zone", "times"):
            self.fields[name].required = False
            self.fields[name].mark_optional = False  # type: ignore[attr-defined]  # {% field %}'s

    def clean(self) -> dict[str, Any]:
        """Check what depends on the schedule, and the two systems on each other."""
        data = super().clean() or self.cleaned_data
        self._keep_what_applies(data)
        self._check_systems(data)
        first, last = data.get("starts_on"), data.get("ends_on")
        if first and last and last < first:
            self.add_error("ends_on", "The last day lies before the first.")
        return data

    def _keep_what_applies(self, data: dict[str, Any]) -> None:
        """Give fields that are not shown their defaults, and drop what was wrong with them."""
        kind, frequency = data.get("schedule_kind"), data.get("frequency") or "daily"
        by = data.get("month_by") or _BY_DAY
        is_fixed = kind == Integration.ScheduleKind.FIXED
        by_week = is_fixed and frequency == "monthly" and by != _BY_DAY
        applies = {
            "interval_count": not is_fixed,
            "interval_unit": not is_fixed,
            "frequency": is_fixed,
            "times": is_fixed,
            "weekdays": (is_fixed and frequency == "weekly") or by_week,
            "month_day": is_fixed and frequency == "monthly" and not by_week,
        }
        fresh = Integration()
        for name, does_apply in applies.items():
            if not does_apply:
                self.errors.pop(name, None)
                data[name] = getattr(fresh, name)
            elif name not in self.errors and not data.get(name):
                self.add_error(name, _NEEDED[name])
        self.instance.month_week = int(by) if by_week else None
        if not is_fixed and data.get("interval_count", 1) < _SHORTEST_S:
            self.add_error("interval_count", "The interval is at least 1.")
        data["time_zone"] = data.get("time_zone") or "UTC"

    def _check_systems(self, data: dict[str, Any]) -> None:
        left, right = data.get("left_system"), data.get("right_system")
        if not left or not right:
            return
        if left == right:
            self.add_error("right_system", "Choose another system: these two are the same.")
        elif self.instance.pk:
            sides = {left.pk, right.pk}
            for pair in self.instance.pairs.select_related("mapping"):
                drawn = {pair.mapping.left_system_id, pair.mapping.right_system_id}
                if drawn != sides:
                    msg = f"The pair {pair.mapping} is between other systems. Remove it first."
                    self.add_error("right_system", msg)


_NEEDED = {
    "interval_count": "Say how many units lie between two runs.",
    "interval_unit": "Choose a unit.",
    "frequency": "Choose daily, weekly or monthly.",
    "times": "Give at least one time of day, such as 06:00.",
    "weekdays": "Choose at least one day of the week.",
    "month_day": "Give the day of the month, 1 to 31.",
}
