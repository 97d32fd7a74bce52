"""Reads the audit trail: its entries as lines that say who changed what, from what to what."""

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from auditlog.models import LogEntry
from auditlog.registry import auditlog
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.db.models import QuerySet
from django.urls import reverse

from hubconnect.core.audit import MASK, page_of

ACTIONS: Final = {
    LogEntry.Action.CREATE: "Added",
    LogEntry.Action.UPDATE: "Changed",
    LogEntry.Action.DELETE: "Deleted",
    LogEntry.Action.ACCESS: "Seen",
}
NOBODY: Final = "HubConnect"  # a worker, or a command on the machine itself
# auditlog writes what Python calls nothing.
NOTHING: Final = ("None", "", "[]", "{}")
CHUNK: Final = 500
SHOWN: Final = 4

Names = Mapping[tuple[type[models.Model], str], str]


@dataclass(frozen=True, slots=True)
class Change:
    """One field: what it is called, what it was, what it became; "" for nothing."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Line:
    """One entry as a person reads it. ``url`` is "" where the object is gone or has no page."""

    entry: LogEntry
    who: str
    kind: str
    name: str
    url: str
    action: str
    changes: Sequence[Change]

    @property
    def first(self) -> Sequence[Change]:
        """The changes that a list shows at once; of what is gone, none."""
        is_gone = self.entry.action == LogEntry.Action.DELETE
        return () if is_gone else self.changes[:SHOWN]

    @property
    def rest(self) -> Sequence[Change]:
        """Those behind a word."""
        return self.changes[len(self.first) :]


def entries() -> QuerySet[LogEntry]:
    """Return the whole trail; pages of it are taken by key."""
    found: QuerySet[LogEntry] = LogEntry.objects.select_related("actor", "content_type")
    return found.order_by("-pk")


def kinds() -> QuerySet[ContentType]:
    """Return what is recorded, for a filter."""
    found = ContentType.objects.get_for_models(*auditlog.get_models()).values()
    return ContentType.objects.filter(pk__in=[one.pk for one in found]).order_by("model")


def kind_label(content_type: ContentType) -> str:
    """Return what people call a kind of object: "System", "Field mapping"."""
    model = content_type.model_class()
    name = model._meta.verbose_name if model is not None else content_type.model
    text = str(name)
    return text[:1].upper() + text[1:]


def lines(found: Sequence[LogEntry]) -> list[Line]:
    """Return entries as lines; the number of queries does not grow with them."""
    names = _names(found)
    return [_line(entry, names) for entry in found]


def rows(found: QuerySet[LogEntry]) -> Iterator[Sequence[object]]:
    """Return one row for each changed field, for a CSV file; read in pieces."""
    stream = found.iterator(chunk_size=CHUNK)
    while chunk := list(islice(stream, CHUNK)):
        for line in lines(chunk):
            entry = line.entry
            start = (entry.timestamp.isoformat(timespec="seconds"), line.who, entry.remote_addr)
            what = (line.kind, line.name, line.action)
            for change in line.changes or (Change("", "", ""),):
                yield (*start, *what, change.label, change.before, change.after)


HEADER: Final = ("When", "Who", "From", "Kind", "Name", "Action", "Field", "Before", "After")


def _line(entry: LogEntry, names: Names) -> Line:
    model = entry.content_type.model_class()
    page = page_of(model) if model is not None else ""
    is_there = bool(page) and entry.action != LogEntry.Action.DELETE and entry.object_id
    return Line(
        entry=entry,
        who=str(entry.actor or entry.actor_email or NOBODY),
        kind=kind_label(entry.content_type),
        name=entry.object_repr,
        url=reverse(page, args=[entry.object_id]) if is_there else "",
        action=ACTIONS[entry.action],
        changes=_changes(entry, model, names),
    )


def _changes(entry: LogEntry, model: type[models.Model] | None, names: Names) -> tuple[Change, ...]:
    made: list[Change] = []
    is_new = entry.action == LogEntry.Action.CREATE
    for field_name, change in (entry.changes or {}).items():
        field = _field(model, field_name)
        if _is_noise(field, change, is_new=is_new):
            continue
        label = _label(field, field_name)
        if isinstance(change, dict):  # of many-to-many fields
            objects = ", ".join(str(one) for one in change.get("objects", ()))
            is_gone = change.get("operation") == "delete"
            made.append(Change(label, objects if is_gone else "", "" if is_gone else objects))
            continue
        old, new = (*change, "", "")[:2]
        if MASK in (old, new):
            made.append(Change(label, "", "changed, not shown"))
            continue
        inner = _inner(label, old, new)
        made += inner or [Change(label, _words(field, old, names), _words(field, new, names))]
    return tuple(one for one in made if one.before != one.after)


def _is_noise(field: Any, change: object, *, is_new: bool) -> bool:  # noqa: ANN401 - several kinds
    """Tell whether a change tells nothing: a key, a relation's other end, a default."""
    if field is None or isinstance(change, dict):
        return False
    if not getattr(field, "concrete", False) or field.primary_key:
        return True
    return is_new and isinstance(change, list) and change[-1:] == [str(field.get_default())]


def _field(model: type[models.Model] | None, name: str) -> Any:  # noqa: ANN401 - several kinds
    try:
        return model._meta.get_field(name) if model is not None else None
    except FieldDoesNotExist:
        return None


def _label(field: Any, name: str) -> str:  # noqa: ANN401 - several kinds
    text = str(getattr(field, "verbose_name", "") or name)
    return text[:1].upper() + text[1:] if field is not None else text


def _inner(label: str, old: object, new: object) -> list[Change]:
    """Return the differing entries of a field that holds several, such as parameters."""
    before, after = _as_dict(old), _as_dict(new)
    if before is None or after is None:
        return []
    return [
        Change(f"{label}: {key}", _plain(before.get(key, "")), _plain(after.get(key, "")))
        for key in sorted({**before, **after})
        if before.get(key) != after.get(key)
    ]


def _as_dict(value: object) -> dict[str, object] | None:
    if isinstance(value, dict):
        return value
    if value in ("None", "", None):
        return {}
    text = str(value)
    if not text.startswith("{"):
        return None
    try:
        parsed = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return None
    return parsed if isinstance(parsed, dict) else None


def _words(field: Any, value: object, names: Names) -> str:  # noqa: ANN401 - several kinds
    text = _plain(value)
    if field is None or not text:
        return text
    if isinstance(field, models.ForeignKey):
        return names.get((field.related_model, text), text)
    if isinstance(field, models.BooleanField):
        return {"True": "yes", "False": "no"}.get(text, text)
    choices = dict(getattr(field, "flatchoices", None) or ())
    return str(choices.get(text, text))


def _plain(value: object) -> str:
    text = str(value)
    return "" if value is None or text in NOTHING else text


def _names(found: Iterable[LogEntry]) -> Names:
    """Return the names of the objects that foreign keys among the changes lead to."""
    wanted: dict[type[models.Model], set[str]] = defaultdict(set)
    for entry in found:
        model = entry.content_type.model_class()
        for field_name, change in (entry.changes or {}).items():
            field = _field(model, field_name)
            if isinstance(field, models.ForeignKey) and isinstance(change, list):
                wanted[field.related_model] |= {one for one in change if str(one).isdigit()}
    return {
        (model, str(pk)): str(one)
        for model, keys in wanted.items()
        for pk, one in model._default_manager.in_bulk(list(keys)).items()
    }
