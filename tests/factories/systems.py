"""Systems of the fake connector."""

import factory

from hubconnect.systems.models import System


class SystemFactory(factory.django.DjangoModelFactory[System]):
    """A saved, unchecked system at the fake account ``https://one.example``."""

    class Meta:
        model = System

    name = factory.Sequence(lambda number: f"System {number}")
    connector = "fake"
    parameters = factory.LazyFunction(
        lambda: {
            "address": "https://one.example",
            "mail": "sync@example.com",
            "auth": "token",
            "app": "2851633",
            "base": "",
        }
    )
    secrets = factory.LazyFunction(lambda: {"token": "right-token"})
