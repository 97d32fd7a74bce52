"""Mappings between systems of the fake connector."""

import factory

from hubconnect.mappings.models import FieldMapping, Mapping
from tests.factories.systems import SystemFactory


class MappingFactory(factory.django.DjangoModelFactory[Mapping]):
    """A mapping without rows between ``deals`` and ``orders``."""

    class Meta:
        model = Mapping

    name = factory.Sequence(lambda number: f"Mapping {number}")
    left_system = factory.SubFactory(SystemFactory)
    left_type = "deals"
    right_system = factory.SubFactory(SystemFactory)
    right_type = "orders"


class FieldMappingFactory(factory.django.DjangoModelFactory[FieldMapping]):
    """The row that the types of ``tests/integration/mappings`` need."""

    class Meta:
        model = FieldMapping

    mapping = factory.SubFactory(MappingFactory)
    left_field = "name"
    right_field = "title"
