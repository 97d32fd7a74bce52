"""Which scopes are needed for what, and what a set of granted scopes allows.

Names as in HubSpot's "Scopes" page; where a type has had two names, either will do. Guides name
them ``crm.objects.<type>.read`` throughout, so that name is told too where HubSpot's differs.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

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

EVERYTHING = tuple(
    Use(
        object_type=name,
        reads=True,
        writes=True,
        has_attachments=name == "contacts",  # whose scopes are those of all notes
    )
    for name in (*KINDS, CUSTOM)
)


def build_needs(uses: Iterable[Use]) -> tuple[Need, ...]:
    """Return what these uses need, each choice of scopes once."""
    found: dict[tuple[str, ...], Need] = {}
    for need in (each for use in uses for each in _needs_of(use)):
        known = found.get(need.scopes)
        if known is not None:
            acts = tuple(dict.fromkeys((*known.acts, *need.acts)))
            is_optional = known.is_optional and need.is_optional
            found[need.scopes] = replace(known, acts=acts, is_optional=is_optional)
        else:
            found[need.scopes] = need
    return tuple(found.values())


def _needs_of(use: Use) -> Iterator[Need]:
    kind, label = KINDS.get(use.object_type), _label(use.object_type)
    if use.reads or use.writes:
        yield _need(use.object_type, "read", "read")
    if use.writes:
        yield _need(use.object_type, "write", "create and change")
    for scope in kind.also_scopes if kind is not None else (SEE_SCOPE,):
        yield Need(acts=(("see", label),), scopes=(scope,))
    for other in use.associated:
        yield _need(other, "read", "carry links to")
    yield from _needs_of_children(use, label)
    yield Need(
        acts=(("show", "owners by e-mail"), ("check", "the User Email")),
        scopes=(OWNERS_SCOPE,),
        is_optional=True,
    )
    if use.writes:
        scopes = kind.schema_scopes if kind is not None else (MAKE_SCOPE,)
        acts = (("set up the HubConnect key of", label),)
        yield Need(acts=acts, scopes=scopes, is_optional=True)


def _needs_of_children(use: Use, label: str) -> Iterator[Need]:
    """Yield what comments and files need: both are notes, and files are kept besides."""
    carried = (("comments", use.has_comments), ("files", use.has_attachments))
    words = " and ".join(word for word, is_on in carried if is_on)
    if not words:
        return
    yield _note_need("read", (f"read {words} of", label))
    if use.writes:
        yield _note_need("write", (f"add {words} to", label))
    if use.has_attachments:
        finer = f"{FILES}.write" if use.writes else f"{FILES}.read"
        yield Need(acts=(("carry files of", label),), scopes=(FILES, finer))


def _note_need(way: str, act: tuple[str, str]) -> Need:
    scopes = NOTE_SCOPES[way]
    return Need(acts=(act,), scopes=scopes, known_as=scopes[1])


def _need(object_type: str, way: str, verb: str) -> Need:
    kind, acts = KINDS.get(object_type), ((verb, _label(object_type)),)
    if kind is None:  # found by the schemas API
        return Need(acts=acts, scopes=(READ_SCOPE if way == "read" else WRITE_SCOPE,))
    scopes = kind.read_scopes if way == "read" else kind.write_scopes
    guide = f"crm.objects.{kind.name}.{way}"
    known_as = guide if scopes[0] != guide else ""
    return Need(acts=acts, scopes=tuple(dict.fromkeys((*scopes, guide))), known_as=known_as)


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
