"""What HubConnect offers for each object type of an account, and why not more."""

from collections.abc import Collection, Mapping

from hubconnect.connectors.base import Capability, ObjectType
from hubconnect.connectors.hubspot.objects import ObjectKind

WRITING = frozenset({Capability.CREATE, Capability.UPDATE})
OF_COMMON = WRITING | {Capability.COMMENTS, Capability.ATTACHMENTS, Capability.ASSOCIATIONS}
OF_ACTIVITIES = WRITING | {Capability.ASSOCIATIONS, Capability.MENTIONS}
NO_COMMENTS = (
    "HubSpot keeps notes on deals, tickets, contacts, companies, orders and custom objects, not on "
    "activities."
)
NO_ATTACHMENTS = "HubSpot keeps the files of an activity in its property hs_attachment_ids."
NO_MENTIONS = (
    "HubSpot knows mentions in notes, emails, calls, meetings and tasks alone; elsewhere they "
    "become plain text."
)


def describe(
    kind: ObjectKind, kinds: Mapping[str, ObjectKind], granted: Collection[str] | None
) -> ObjectType:
    """Return what is offered for an object type.

    Args:
        kind: the object type.
        kinds: all object types of the account.
        granted: scopes of the credential; None if HubSpot does not tell.
    """
    offered = OF_ACTIVITIES if kind.is_activity else OF_COMMON
    why_not = _lasting_reasons(kind)
    to_write = () if granted is None else kind.lacks_to_write(granted)
    to_read = () if granted is None else kind.lacks_to_read(granted)
    if to_write:
        offered -= WRITING
        why_not |= dict.fromkeys(WRITING, _lacks("created or changed", kind, to_write))
    return ObjectType(
        name=kind.name,
        label=kind.label,
        code=kind.code,
        capabilities=offered,
        why_not=why_not,
        modified_field=kind.modified,
        unreadable=_lacks("read", kind, to_read) if to_read else "",
        one_of=kind.required_any,
        needs_association=common_names(kinds) if kind.needs_link else (),
    )


def common_names(kinds: Mapping[str, ObjectKind]) -> tuple[str, ...]:
    """Return the object types that notes, files and activities are associated with."""
    return tuple(kind.name for kind in kinds.values() if not kind.is_activity)


def _lasting_reasons(kind: ObjectKind) -> dict[Capability, str]:
    if kind.is_activity:
        return {Capability.COMMENTS: NO_COMMENTS, Capability.ATTACHMENTS: NO_ATTACHMENTS}
    return {Capability.MENTIONS: NO_MENTIONS}


def _lacks(action: str, kind: ObjectKind, scopes: tuple[str, ...]) -> str:
    word = "scope" if len(scopes) == 1 else "scopes"
    return (
        f"{kind.label} cannot be {action}: the credential lacks the {word} {', '.join(scopes)}. "
        "Add it to the app in HubSpot, then check the system again."
    )
