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
# Frequencies as the form offers them: a month goes by a day or by one of its weekdays.
_BY_WEEKDAY = "monthly_weekday"
_RECURS = [
    ("daily", "Daily"),
    ("weekly", "Weekly"),
    ("monthly", "Monthly, on a day"),
    (_BY_WEEKDAY, "Monthly, on a weekday"),
]


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

    recurs = forms.ChoiceField(label="Frequency", choices=_RECURS, required=False)
    times = TimesField(required=False)
    weekdays = forms.TypedMultipleChoiceField(
        label="Days of the week",
        choices=list(enumerate(WEEKDAYS)),
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    month_week = forms.TypedChoiceField(
        label="Which of the month", choices=list(WEEKS.items()), coerce=int, required=False
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
            "times",
            "weekdays",
            "month_day",
            "month_week",
            "starts_on",
            "ends_on",
            "time_zone",
            "create_limit",
            "max_attempts",
            "retry_wait_s",
            "retry_factor",
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
            "retry_wait_s": "First wait",
            "retry_factor": "Each wait longer by",
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
            "person. 0: only by hand. A newer version of the record is tried at once.",
            "retry_wait_s": "Seconds from the first refusal to the next try.",
            "retry_factor": "Times the wait before. 1: all waits are equal. None is longer than a "
            "day.",
        }
        widgets: ClassVar = {
            "schedule_kind": forms.RadioSelect,
            "starts_on": forms.DateInput({"type": "date", "class": "input-auto"}, "%Y-%m-%d"),
            "ends_on": forms.DateInput({"type": "date", "class": "input-auto"}, "%Y-%m-%d"),
            "interval_count": forms.NumberInput({"class": "input-short num", "min": 1}),
            "create_limit": forms.NumberInput({"class": "input-short num", "min": 0}),
            "max_attempts": forms.NumberInput({"class": "input-short num", "min": 0}),
            "retry_wait_s": forms.NumberInput({"class": "input-short num", "min": 1}),
            "retry_factor": forms.NumberInput({"class": "input-short num", "min": 1}),
        }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name in ("left_system", "right_system"):
            field = self.fields[name]
            if isinstance(field, forms.ModelChoiceField):
                field.queryset = System.objects.defer("secrets", "report")
                field.empty_label = "Choose a system"
        by_weekday = self.instance.month_week is not None
        self.fields["recurs"].initial = _BY_WEEKDAY if by_weekday else self.instance.frequency
        for name in _NEEDED:
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
        is_fixed = data.get("schedule_kind") == Integration.ScheduleKind.FIXED
        recurs = (data.get("recurs") or "daily") if is_fixed else ""
        applies = {
            "interval_count": not is_fixed,
            "interval_unit": not is_fixed,
            "times": is_fixed,
            "weekdays": recurs in ("weekly", _BY_WEEKDAY),
            "month_day": recurs == "monthly",
            "month_week": recurs == _BY_WEEKDAY,
        }
        fresh = Integration()
        for name, does_apply in applies.items():
            if not does_apply:
                self.errors.pop(name, None)
                data[name] = getattr(fresh, name)
            elif name not in self.errors and data.get(name) in ("", None, []):
                self.add_error(name, _NEEDED[name])
        self.instance.frequency = (recurs or fresh.frequency).removesuffix("_weekday")
        data["time_zone"] = data.get("time_zone") or fresh.time_zone
        if data.get("interval_count") == 0:
            self.add_error("interval_count", "The interval is at least 1.")

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
    "times": "Give at least one time of day, such as 06:00.",
    "weekdays": "Choose at least one day of the week.",
    "month_day": "Give the day of the month, 1 to 31.",
    "month_week": "Choose which of the month's weekdays.",
}
