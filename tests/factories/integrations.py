"""Integrations, their pairs and flows, and rows of what ran and failed."""

import factory
from django.utils import timezone

from hubconnect.integrations.models import (
    Failure,
    Flow,
    Integration,
    Link,
    Pair,
    RecordEvent,
    Run,
    TypePair,
)
from hubconnect.mappings.models import Direction, FieldMapping, Mapping
from tests.factories.systems import SystemFactory

Rows = list[tuple[str, str]]


class PlainMappingFactory(factory.django.DjangoModelFactory[Mapping]):
    """A mapping with one row, its object types called ``deals`` and ``orders``."""

    class Meta:
        model = Mapping
        skip_postgeneration_save = True

    name = factory.Sequence(lambda number: f"Mapping {number}")
    left_system = factory.SubFactory(SystemFactory)
    left_type = "deals"
    right_system = factory.SubFactory(SystemFactory)
    right_type = "orders"

    @factory.post_generation  # type: ignore[untyped-decorator]  # factory-boy has no types
    def rows(self: Mapping, create: bool, extracted: Rows | None, **_: object) -> None:  # noqa: FBT001
        """Give it rows: pairs of left and right field."""
        if create:
            for left, right in extracted or [("dealname", "title")]:
                FieldMapping.objects.create(mapping=self, left_field=left, right_field=right)


class IntegrationFactory(factory.django.DjangoModelFactory[Integration]):
    """An inactive integration between two systems, without pairs."""

    class Meta:
        model = Integration

    name = factory.Sequence(lambda number: f"Integration {number}")
    left_system = factory.SubFactory(SystemFactory)
    right_system = factory.SubFactory(SystemFactory)


class TypePairFactory(factory.django.DjangoModelFactory[TypePair]):
    """The deals of one account and the orders of another."""

    class Meta:
        model = TypePair

    left_identity = factory.Sequence(lambda number: f"fake:{number}")
    left_type = "deals"
    right_identity = factory.Sequence(lambda number: f"fake:right-{number}")
    right_type = "orders"


class PairFactory(factory.django.DjangoModelFactory[Pair]):
    """A pair with a type pair, and a flow for each direction."""

    class Meta:
        model = Pair
        skip_postgeneration_save = True

    integration = factory.SubFactory(IntegrationFactory)
    mapping = factory.LazyAttribute(
        lambda pair: PlainMappingFactory.create(
            left_system=pair.integration.left_system, right_system=pair.integration.right_system
        )
    )
    type_pair = factory.SubFactory(TypePairFactory)

    @factory.post_generation  # type: ignore[untyped-decorator]  # factory-boy has no types
    def flows(self: Pair, create: bool, _extracted: object, **options: object) -> None:  # noqa: FBT001
        """Make both flows; ``flows__start="now"`` sets a column of both."""
        if create:
            for direction in (Direction.TO_RIGHT, Direction.TO_LEFT):
                Flow.objects.create(pair=self, direction=direction, **options)


class RunFactory(factory.django.DjangoModelFactory[Run]):
    """A finished run without changes; it needs a flow."""

    class Meta:
        model = Run

    reason = Run.Reason.SCHEDULE
    state = Run.State.DONE
    started_at = factory.LazyFunction(timezone.now)
    finished_at = factory.LazyAttribute(
        lambda run: None if run.state == Run.State.RUNNING else run.started_at
    )


class RecordEventFactory(factory.django.DjangoModelFactory[RecordEvent]):
    """An updated record; it needs a run."""

    class Meta:
        model = RecordEvent

    kind = RecordEvent.Kind.UPDATED
    source_id = factory.Sequence(str)
    at = factory.LazyFunction(timezone.now)


class FailureFactory(factory.django.DjangoModelFactory[Failure]):
    """A refused record; it needs a flow."""

    class Meta:
        model = Failure

    type_pair = factory.LazyAttribute(lambda failure: failure.flow.pair.type_pair)
    level = Failure.Level.RECORD
    side = factory.LazyAttribute(lambda failure: failure.flow.source_side)
    record_id = factory.Sequence(lambda number: f"rec-{number}")
    category = "VALIDATION_ERROR"
    message = "The target refused it."
    first_at = factory.LazyFunction(timezone.now)
    last_at = factory.LazyFunction(timezone.now)


class LinkFactory(factory.django.DjangoModelFactory[Link]):
    """Two records known to be the same; it needs a type pair."""

    class Meta:
        model = Link

    left_id = factory.Sequence(lambda number: f"left-{number}")
    right_id = factory.Sequence(lambda number: f"right-{number}")
