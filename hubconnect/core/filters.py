"""Filters of the lists in core; they stand in the address."""

from datetime import timedelta
from typing import Final

import django_filters
from auditlog.models import LogEntry
from django import forms
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q, QuerySet
from django.utils import timezone

from hubconnect.core import trail
from hubconnect.core.models import User

SPANS: Final = {
    "day": ("Last 24 hours", timedelta(days=1)),
    "week": ("Last 7 days", timedelta(days=7)),
    "month": ("Last 30 days", timedelta(days=30)),
    "year": ("Last 365 days", timedelta(days=365)),
}


class KindField(forms.ModelChoiceField[ContentType]):
    """What is recorded, by the words people use for it."""

    def label_from_instance(self, obj: ContentType) -> str:
        """Return the name of a kind."""
        return trail.kind_label(obj)


class KindFilter(django_filters.ModelChoiceFilter):
    """Entries about one kind of object."""

    field_class = KindField


class TrailFilter(django_filters.FilterSet):
    """Which entries of the audit trail are shown."""

    q = django_filters.CharFilter(
        label="Name or value",
        method="by_words",
        widget=forms.TextInput(
            {"type": "search", "placeholder": "Name or value", "class": "input"}
        ),
    )
    actor = django_filters.ModelChoiceFilter(
        queryset=User.objects.all(), empty_label="Everybody", label="Who"
    )
    kind = KindFilter(
        field_name="content_type",
        queryset=lambda request: trail.kinds(),  # noqa: ARG005 - the library passes it
        empty_label="Everything",
        label="What",
    )
    action = django_filters.ChoiceFilter(
        choices=[(str(int(value)), label) for value, label in trail.ACTIONS.items()],
        empty_label="Any",
        label="Action",
    )
    time = django_filters.ChoiceFilter(
        choices=[(key, label) for key, (label, _) in SPANS.items()],
        empty_label="Any time",
        label="Time",
        method="by_time",
    )

    class Meta:
        model = LogEntry
        fields = ("q", "actor", "kind", "action", "time")

    def by_words(self, found: QuerySet[LogEntry], _name: str, value: str) -> QuerySet[LogEntry]:
        """Find by the object's name or by what a field was or became."""
        words = value.strip().replace("\0", "")
        return found.filter(Q(object_repr__icontains=words) | Q(changes__icontains=words))

    def by_time(self, found: QuerySet[LogEntry], _name: str, value: str) -> QuerySet[LogEntry]:
        """Find what happened within a span up to now."""
        return found.filter(timestamp__gte=timezone.now() - SPANS[value][1])
