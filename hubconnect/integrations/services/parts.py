"""What the page of a failure offers beside retry and dismiss, by its category.

A part is a template of its own, what it shows, and what its form does::

    parts.register(
        Part("conflict", "integrations/failure_parts/conflict.html", show, act), Category.CONFLICT
    )

The template is included in the page with ``part`` (what ``show`` returned), ``failure``, ``flow``,
``csrf_token``, ``user`` and ``part_url``, to which its form posts.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hubconnect.connectors.errors import Category
from hubconnect.core.models import User
from hubconnect.integrations.models import Failure
from hubconnect.integrations.services.nudging import Nudge


class PartRefusedError(Exception):
    """What was asked cannot be done; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Acted:
    """What was done: the sentence for the person, and the runs it asked for."""

    words: str
    nudge: Nudge | None = None


# Returns what the template shows, or None where there is nothing to offer.
Show = Callable[[Failure], object | None]
# Does what was posted. Raises PartRefusedError before anything was changed.
Act = Callable[[Failure, Mapping[str, str], User], Acted]


@dataclass(frozen=True, slots=True)
class Part:
    """One remedy: a name for its address, its template, what it shows and what it does."""

    name: str
    template: str
    show: Show
    act: Act


@dataclass(frozen=True, slots=True)
class Offered:
    """A part as a page shows it."""

    part: Part
    shown: object


_parts: dict[str, list[Part]] = {}


def register(part: Part, *categories: Category) -> None:
    """Offer a part on the pages of open failures of these categories."""
    for category in categories:
        known = _parts.setdefault(category.value, [])
        known[:] = [one for one in known if one.name != part.name] + [part]


def offered(failure: Failure) -> list[Offered]:
    """Return the parts that have something to offer for an open failure."""
    if failure.state != Failure.State.OPEN:
        return []
    found = [(part, part.show(failure)) for part in _parts.get(failure.category, ())]
    return [Offered(part, shown) for part, shown in found if shown is not None]


def act(failure: Failure, name: str, posted: Mapping[str, str], actor: User) -> Acted:
    """Have a part do what was posted.

    Raises:
        PartRefusedError: it cannot; nothing was changed.
    """
    if failure.state != Failure.State.OPEN:
        msg = f"This failure is {failure.get_state_display().lower()} already; nothing was done."
        raise PartRefusedError(msg)
    for part in _parts.get(failure.category, ()):
        if part.name == name:
            return part.act(failure, posted, actor)
    msg = "This failure does not offer that any more. Look at what it says now."
    raise PartRefusedError(msg)
