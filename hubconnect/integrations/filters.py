"""Filters of the list pages; they stand in the address, so that a list can be sent to somebody."""

from datetime import timedelta
from typing import Any

import django_filters
from django import forms
from django.db.models import Q, QuerySet
from django.utils import timezone

from hubconnect.connectors.errors import Category
from hubconnect.integrations.models import Failure, Flow, Integration, Run
from hubconnect.integrations.services.narrowing import narrow

SPANS = {
    "hour": ("Last hour", timedelta(hours=1)),
    "day": ("Last 24 hours", timedelta(days=1)),
    "week": ("Last 7 days", timedelta(days=7)),
    "month": ("Last 30 days", timedelta(days=30)),
}
ALL_RUNS = "all"
CHANGED = "changed"
_STATES = [
    (CHANGED, "With changes only"),
    *Run.State.choices,
    (ALL_RUNS, "All, idle ones too"),
]
_CARRIED = ("created", "updated", "associations", "comments", "files")
# Keys grow with time, but workers whose clocks differ may take them a little out of order.
_OUT_OF_ORDER = 1000


class FlowChoice(django_filters.ModelChoiceFilter):
    """Flows by what they carry where; their names need mapping and systems."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            queryset=Flow.objects.select_related(
                "pair__mapping__left_system", "pair__mapping__right_system"
            ),
            **options,
        )


class RunFilter(django_filters.FilterSet):
    """Which runs the history shows; idle ones only when asked for."""

    integration = django_filters.ModelChoiceFilter(
        queryset=Integration.objects.all(),
        empty_label="All",
        label="Integration",
        method="by_integration",
    )
    flow = FlowChoice(empty_label="All flows", label="Flow")
    state = django_filters.ChoiceFilter(
        choices=_STATES, empty_label="All but idle", label="State", method="by_state"
    )
    reason = django_filters.ChoiceFilter(
        choices=Run.Reason.choices, empty_label="Any", label="Reason"
    )
    time = django_filters.ChoiceFilter(
        choices=[(key, label) for key, (label, _) in SPANS.items()],
        empty_label="Any time",
        label="Time",
        method="by_time",
    )

    class Meta:
        model = Run
        fields = ("integration", "flow", "state", "reason", "time")

    def by_integration(self, runs: QuerySet[Run], _name: str, value: Integration) -> QuerySet[Run]:
        """Narrow to the flows of an integration, by their keys, which have an index."""
        flows = Flow.objects.filter(pair__integration=value)
        return runs.filter(flow__in=list(flows.order_by().values_list("pk", flat=True)))

    def by_state(self, runs: QuerySet[Run], _name: str, value: str) -> QuerySet[Run]:
        """Narrow to a state, or to what carried something."""
        if value == ALL_RUNS:
            return runs
        if value == CHANGED:
            carried = Q(*((f"{name}__gt", 0) for name in _CARRIED), _connector=Q.OR)
            return runs.filter(carried, is_idle=False)
        return runs.filter(state=value)

    def by_time(self, runs: QuerySet[Run], _name: str, value: str) -> QuerySet[Run]:
        """Narrow to a span of time that ends now; the key bounds how far the list is searched."""
        since = timezone.now() - SPANS[value][1]
        later = Run.objects.filter(started_at__gte=since).order_by("started_at")
        first = later.values_list("pk", flat=True).first()
        if first is None:
            return runs.none()
        return runs.filter(started_at__gte=since, pk__gte=first - _OUT_OF_ORDER)

    @property
    def folds_idle(self) -> bool:
        """Tell whether idle runs are folded: no state was asked for."""
        return not self.form.cleaned_data.get("state") if self.is_valid() else True

    @property
    def busy(self) -> QuerySet[Run]:
        """The runs to show line by line."""
        found: QuerySet[Run] = self.qs
        return found.filter(is_idle=False) if self.folds_idle else found


class FailureFilter(django_filters.FilterSet):
    """Which failures the page lists; what it means stands in services.narrowing."""

    q = django_filters.CharFilter(
        label="Record or message",
        widget=forms.TextInput(
            {"type": "search", "placeholder": "Record id, address or words", "class": "input"}
        ),
    )
    integration = django_filters.ModelChoiceFilter(
        queryset=Integration.objects.all(),
        empty_label="All integrations",
        label="Integration",
    )
    category = django_filters.ChoiceFilter(
        choices=[(one.value, one.value) for one in Category],
        empty_label="All categories",
        label="Category",
    )
    level = django_filters.ChoiceFilter(
        choices=Failure.Level.choices, empty_label="All levels", label="Level"
    )
    field = django_filters.CharFilter(
        label="Field at fault",
        widget=forms.TextInput(
            {"placeholder": "Field at fault", "class": "input input-auto", "size": 11}
        ),
    )
    cause = django_filters.CharFilter(label="Cause", widget=forms.HiddenInput)

    class Meta:
        model = Failure
        fields = ("q", "integration", "category", "level", "field", "cause")

    @property
    def chosen(self) -> dict[str, str]:
        """Return what was chosen as texts, without what is empty or no choice at all."""
        data = self.form.cleaned_data if self.is_valid() or self.is_bound else {}
        texts = {
            name: str(value.pk) if isinstance(value, Integration) else str(value or "")
            for name, value in data.items()
        }
        return {name: text for name, text in texts.items() if text}

    def filter_queryset(self, queryset: QuerySet[Failure]) -> QuerySet[Failure]:
        """Narrow to what was chosen."""
        return narrow(queryset, self.chosen)
