"""Users."""

import factory

from hubconnect.core.models import Role, User


class UserFactory(factory.django.DjangoModelFactory[User]):
    """A Sync Admin, unless said otherwise."""

    class Meta:
        model = User

    username = factory.Sequence(lambda number: f"user{number}")
    role = Role.SYNC_ADMIN
