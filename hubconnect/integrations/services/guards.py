"""What integrations forbid in lower layers: they register these when the application starts."""

from collections.abc import Iterable

from django.db.models import Q

from hubconnect.integrations.models import Integration, Link
from hubconnect.integrations.services import scopes
from hubconnect.mappings.models import Mapping
from hubconnect.mappings.services import usage
from hubconnect.systems.services import identity, needs


def is_linked(account: str) -> bool:
    """Tell whether records of this account are linked."""
    of_account = Q(type_pair__left_identity=account) | Q(type_pair__right_identity=account)
    return Link.objects.filter(of_account).exists()


def uses_of(mapping: Mapping) -> Iterable[usage.Use]:
    """Return the integrations in which a mapping is at work."""
    found = Integration.objects.filter(pairs__mapping=mapping).distinct()
    return [usage.Use(one.name, one.is_active) for one in found]


def register() -> None:
    """Have the lower layers ask."""
    identity.register_guard(is_linked)
    usage.register_guard(uses_of)
    needs.register_collector(scopes.uses_of)
