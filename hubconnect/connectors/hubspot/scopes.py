"""Which scopes are needed for what, and what a set of granted scopes allows.

Names as in HubSpot's "Scopes" page; where a type has had two names, either will do. Guides name
them ``crm.objects.<type>.read`` throughout, so that name is told too where HubSpot's differs.
"""

from collections.abc import Collection, Iterable, Iterator

from hubconnect.connectors.base import Ability, ObjectTypeReport
from hubconnect.connectors.hubspot.custom import (
    MAKE_SCOPE,
    READ_SCOPE,
    SEE_SCOPE,
    WRITE_SCOPE,
)
from hubconnect.connectors.hubspot.objects import KINDS, OWNERS_SCOPE, ObjectKind
from hubconnect.connectors.needs import Need, Use

NOTES = "notes"
# Notes have no scopes of their own.
NOTE_SCOPES = {
    "read": ("crm.objects.contacts.read", "crm.objects.notes.read"),
    "write": ("crm.objects.contacts.write", "crm.objects.notes.write"),
}
FILES = "files"
CUSTOM = "custom objects"

EVERYTHING = tuple(Use(object_type=name, reads=True, writes=True) for name in (*KINDS, CUSTOM))


def build_needs(uses: Iterable[Use]) -> tuple[Need, ...]:
    """Return what these uses need, each scope once, its purposes joined."""
    found: dict[tuple[str, ...], Need] = {}
    for need in (each for use in uses for each in _needs_of(use)):
        known = found.get(need.scopes)
        if known is None:
            found[need.scopes] = need
        else:
            purposes = dict.fromkeys([*known.purpose.split("; "), need.purpose])
            found[need.scopes] = Need(
                purpose="; ".join(purposes),
                scopes=need.scopes,
                known_as=known.known_as or need.known_as,
                is_optional=known.is_optional and need.is_optional,
            )
    return tuple(found.values())


def _needs_of(use: Use) -> Iterator[Need]:
    label = _label(use.object_type)
    if use.reads or use.writes:
        yield _need(use.object_type, "read", f"read {label}")
    if use.writes:
        yield _need(use.object_type, "write", f"create and change {label}")
    kind = KINDS.get(use.object_type)
    for scope in kind.also_scopes if kind is not None else (SEE_SCOPE,):
        yield Need(purpose=f"see {label}", scopes=(scope,))
    for other in use.associated:
        yield _need(other, "read", f"carry links to {_label(other)}")
    yield from _needs_of_children(use, label)
    yield Need(
        purpose="show owners by e-mail and check the User Email",
        scopes=(OWNERS_SCOPE,),
        is_optional=True,
    )
    if use.writes:
        purpose = f"set up the HubConnect key of {label}"
        scopes = kind.schema_scopes if kind is not None else (MAKE_SCOPE,)
        yield Need(purpose=purpose, scopes=scopes, is_optional=True)


def _needs_of_children(use: Use, label: str) -> Iterator[Need]:
    """Yield what comments and files need: both are notes, and files are kept besides."""
    if not (use.has_comments or use.has_attachments):
        return
    carried = " and ".join(
        word
        for word, is_on in (("comments", use.has_comments), ("files", use.has_attachments))
        if is_on
    )
    yield _note_need("read", f"read {carried} of {label}")
    if use.writes:
        yield _note_need("write", f"add {carried} to {label}")
    if use.has_attachments:
        finer = (f"{FILES}.read", f"{FILES}.write") if use.writes else (f"{FILES}.read",)
        purpose = f"carry files of {label}"
        yield Need(purpose=purpose, scopes=(FILES, *finer[-1:]))


def _note_need(act: str, purpose: str) -> Need:
    scopes = NOTE_SCOPES[act]
    return Need(purpose=purpose, scopes=scopes, known_as=scopes[1])


def _need(object_type: str, act: str, purpose: str) -> Need:
    kind = KINDS.get(object_type)
    if kind is None:  # found by the schemas API
        return Need(purpose=purpose, scopes=(READ_SCOPE if act == "read" else WRITE_SCOPE,))
    scopes = kind.read_scopes if act == "read" else kind.write_scopes
    guide = f"crm.objects.{kind.name}.{act}"
    known_as = guide if scopes[0] != guide else ""
    return Need(purpose=purpose, scopes=tuple(dict.fromkeys((*scopes, guide))), known_as=known_as)


def _label(object_type: str) -> str:
    kind = KINDS.get(object_type)
    return kind.label.lower() if kind is not None else object_type


def has_any(granted: Collection[str], scopes: tuple[str, ...]) -> bool:
    """Tell whether one of the scopes is granted."""
    return any(scope in granted for scope in scopes)


def report_on(kind: ObjectKind, granted: Collection[str]) -> ObjectTypeReport:
    """Return what the granted scopes allow with an object type."""
    to_read, to_write = kind.lacks_to_read(granted), kind.lacks_to_write(granted)
    return ObjectTypeReport(
        name=kind.name,
        label=kind.label,
        read=Ability.NO if to_read else Ability.YES,
        write=Ability.NO if to_write else Ability.YES,
        needed=", ".join(dict.fromkeys((*to_read, *to_write))),
    )
