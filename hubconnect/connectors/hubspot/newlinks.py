"""Links that a record is created with ("Associate records", section "Create")."""

from collections.abc import Sequence

from hubconnect.connectors.base import NewAssociation
from hubconnect.connectors.errors import Category, RecordError
from hubconnect.connectors.hubspot.api import Json
from hubconnect.connectors.hubspot.objects import ObjectKind


def inline(kind: ObjectKind, associations: Sequence[NewAssociation]) -> list[Json]:
    """Return associations as a create carries them, all types of one record together.

    Raises:
        RecordError: the object type cannot do without a link, or a type is none of HubSpot's.
    """
    if kind.needs_link and not associations:
        raise _unlinked(kind)
    types: dict[str, list[Json]] = {}
    for each in associations:
        types.setdefault(each.to_id, []).append(_type(each))
    return [{"to": {"id": to_id}, "types": kinds} for to_id, kinds in types.items()]


def _type(association: NewAssociation) -> Json:
    category, _, number = association.type.partition(":")
    if not category or not (number.isascii() and number.isdigit()):
        msg = f"{association.type!r} is no association type of HubSpot's."
        hint = "Choose the association in the mapping again."
        raise RecordError(msg, hint=hint, category=Category.CONFIGURATION)
    return {"associationCategory": category, "associationTypeId": int(number)}


def _unlinked(kind: ObjectKind) -> RecordError:
    return RecordError(
        f"This {kind.singular} was not created: HubSpot shows {kind.label.lower()} only on the "
        "records they are associated with, and this one would be associated with none.",
        hint="Map an association to deals, tickets, contacts, companies, orders or a custom "
        "object, and see that the linked record is synced; or choose a default linked record.",
        category=Category.MISSING_LINK,
    )
