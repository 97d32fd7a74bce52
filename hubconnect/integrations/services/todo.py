"""What needs a person, what stops most first."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.urls import reverse

from hubconnect.core.health import Name, Part
from hubconnect.core.wording import counted, span
from hubconnect.integrations.services.causes import Cause
from hubconnect.integrations.services.standing import Line

if TYPE_CHECKING:
    from hubconnect.systems.models import System


@dataclass(frozen=True, slots=True)
class Todo:
    """Something a person must see to: what happened, what it means, where to go."""

    kind: str
    title: str
    text: str
    url: str
    action: str
    at: datetime | None = None


_MISSING = {
    Name.BROKER: (
        "The broker cannot be reached.",
        "Nothing runs until Redis answers at REDIS_URL. Nothing is lost meanwhile.",
    ),
    Name.WORKER: (
        "No worker is running.",
        "Flows that are due wait for one: start a worker, or look why it ended.",
    ),
    Name.BEAT: (
        "The scheduler (beat) is not running.",
        "No flow becomes due by itself until it is started.",
    ),
}


def missing(parts: Iterable[Part]) -> list[Todo]:
    """Return which parts of the installation are not at work, with what that means."""
    items = []
    for part in parts:
        if part.name in _MISSING and not part.is_ok:
            title, text = _MISSING[part.name]
            if part.age is not None:
                text = f"{text} Its last sign of life was {span(part.age)} ago."
            items.append(Todo("bad", title, text, reverse("core:readiness"), "All parts"))
    return items


def todo(listed: Iterable[Line], found: Iterable[Cause]) -> list[Todo]:
    """Return what needs a person: systems first, then flows, then records by cause."""
    systems: dict[int, System] = {}
    for line in listed:
        for system in (line.integration.left_system, line.integration.right_system):
            if system.needs_person:
                systems[system.pk] = system
    items = [
        Todo(
            "bad",
            f"{system} needs a person.",
            system.state_reason,
            reverse("systems:detail", args=[system.pk]),
            "Open the system",
            system.checked_at,
        )
        for system in systems.values()
    ]
    items += [_todo(cause) for cause in found]
    return items


def _todo(cause: Cause) -> Todo:
    failure = cause.first
    url = reverse("integrations:failure_detail", args=[failure.pk])
    if cause.is_flow:
        title, text = f"{failure.flow} stands still.", failure.message
        return Todo("bad", title, f"{text} {failure.hint}".strip(), url, "Look", cause.newest_at)
    if cause.count == 1:
        title = f"{failure.title or failure.record_id} could not be synced."
        return Todo("warn", title, failure.message, url, "Look", cause.newest_at)
    title = f"{counted(cause.count, 'record')} could not be synced: {failure.flow}."
    return Todo("warn", title, failure.message, url, "Look at the newest", cause.newest_at)
