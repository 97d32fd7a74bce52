"""Finds the record a person names: by its address, its id, its title or an e-mail address."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from django.db.models import Q
from django.db.models.functions import Lower

from hubconnect.connectors.base import Condition, Operator, ValueType
from hubconnect.connectors.errors import ConnectorError
from hubconnect.integrations.models import (
    Decision,
    Failure,
    Flow,
    Link,
    Pair,
    QueuedRead,
    RecordEvent,
    Side,
)
from hubconnect.integrations.services.looking import Looking, looking
from hubconnect.mappings.models import Direction
from hubconnect.systems.models import System
from hubconnect.systems.services import schema

MOST_TYPED = 1000  # characters of an address
MOST_FOUND = 20
LEFT, RIGHT = "left", "right"


@dataclass(frozen=True, slots=True)
class Place:
    """A record on one side of a pair; ``side`` is the mapping's, ``left`` or ``right``."""

    pair: Pair
    side: str
    record_id: str
    title: str = ""

    @property
    def system(self) -> System:
        """Return the system it is a record of."""
        mapping = self.pair.mapping
        return mapping.left_system if self.side == LEFT else mapping.right_system

    @property
    def object_type(self) -> str:
        """Return what kind of record it is."""
        mapping = self.pair.mapping
        return mapping.left_type if self.side == LEFT else mapping.right_type

    @property
    def stored_side(self) -> Side:
        """Return the side of the type pair, as links and failures name it."""
        return Side.LEFT if (self.side == LEFT) != self.pair.is_swapped else Side.RIGHT

    @property
    def other_side(self) -> str:
        """Return the mapping's other side."""
        return RIGHT if self.side == LEFT else LEFT

    @property
    def direction(self) -> Direction:
        """Return the direction of the flow that reads it."""
        return Direction.TO_RIGHT if self.side == LEFT else Direction.TO_LEFT


@dataclass(slots=True)
class Found:
    """Where a record was found, what could not be asked, and what asking cost."""

    places: list[Place] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    calls: int = 0
    was_asked: bool = False  # the systems themselves, not only what is stored here


def pairs() -> list[Pair]:
    """Return all pairs with everything a place names."""
    found = Pair.objects.select_related(
        "integration", "mapping__left_system", "mapping__right_system", "type_pair"
    )
    return list(found.order_by("integration__name", "position", "pk"))


def find(text: str, *, everywhere: bool = False) -> Found:
    """Return the places of what a person typed: an address, an id, an e-mail address, a title.

    The systems are asked when nothing is stored about it, or ``everywhere`` is wished.
    """
    typed, found, known = text.strip()[:MOST_TYPED], Found(), pairs()
    if not typed or "\x00" in typed or not known:
        return found
    with looking() as look:
        if typed.lower().startswith(("http://", "https://")):
            _locate(typed, known, look, found)
        else:
            _recall(typed, known, found)
            if everywhere or not found.places:
                _ask(typed, known, look, found)
        found.calls = sum(look.calls.values())
    found.places = list(dict.fromkeys(found.places))[:MOST_FOUND]
    return found


def _sides(known: Iterable[Pair]) -> Iterator[tuple[Pair, str]]:
    for pair in known:
        yield pair, LEFT
        yield pair, RIGHT


def _locate(address: str, known: Sequence[Pair], look: Looking, found: Found) -> None:
    """Ask each system whose page the address is; addresses name one record."""
    located: dict[int, tuple[str, str] | None] = {}
    found.was_asked = True
    for pair, side in _sides(known):
        place = Place(pair, side, "")
        system = place.system
        if system.pk not in located:
            try:
                located[system.pk] = look.open(system).locate(address)
            except ConnectorError as error:
                located[system.pk] = None
                found.problems.append(f"{system} could not be asked: {error.message}")
        there = located[system.pk]
        if there is not None and there[0] == place.object_type:
            found.places.append(Place(pair, side, there[1]))
    if found.places or found.problems:
        return
    names = sorted({f"{there[0]}" for there in located.values() if there is not None})
    if names:
        found.problems.append(
            f"The address is one of {', '.join(names)}, which no integration carries."
        )
    else:
        found.problems.append(
            "The address is no record's of any system here. Copy the one that the browser shows "
            "while the record is open, or type its id."
        )


def _recall(typed: str, known: Sequence[Pair], found: Found) -> None:
    """Look up what is stored: links, failures, decisions, reads and events of this id or title."""
    type_pairs = {pair.type_pair_id for pair in known if pair.type_pair_id is not None}
    for type_pair_id, side, title in (
        *_linked(typed, type_pairs),
        *_failed(typed, type_pairs),
        *_decided(typed, type_pairs),
    ):
        _add(found, known, type_pair_id, side, Place(known[0], LEFT, typed, title))
    for place in _by_flows(typed, known):
        if not any(_is_same(place, one) for one in found.places):
            found.places.append(place)
    if found.places:
        return
    titled = Link.objects.annotate(lower=Lower("title")).filter(
        lower=typed.lower()[:255], type_pair__in=type_pairs
    )
    for link in titled.order_by("pk")[:MOST_FOUND]:
        place = Place(known[0], LEFT, link.left_id, link.title)
        _add(found, known, link.type_pair_id, Side.LEFT, place)
    refused = Failure.objects.filter(
        state=Failure.State.OPEN, type_pair__in=type_pairs, child="", title__iexact=typed[:255]
    )
    for failure in refused.order_by("-pk")[:MOST_FOUND]:
        if failure.type_pair_id is not None:
            place = Place(known[0], LEFT, failure.record_id, failure.title)
            _add(found, known, failure.type_pair_id, Side(failure.side), place)


# Type pair, side, title.
_Known = tuple[int, Side, str]


def _linked(typed: str, type_pairs: Iterable[int]) -> Iterator[_Known]:
    links = Link.objects.filter(Q(left_id=typed) | Q(right_id=typed), type_pair__in=type_pairs)
    for link in links[:MOST_FOUND]:
        for side in Side:
            if getattr(link, f"{side}_id") == typed:
                yield link.type_pair_id, side, link.title


def _failed(typed: str, type_pairs: Iterable[int]) -> Iterator[_Known]:
    found = Failure.objects.filter(
        type_pair__in=type_pairs,
        state__in=Failure.State.values,
        side__in=Side.values,
        record_id=typed,
        child="",
    ).order_by("-pk")
    for type_pair_id, side, title in found.values_list("type_pair", "side", "title")[:MOST_FOUND]:
        if type_pair_id is not None:
            yield type_pair_id, Side(side), title


def _decided(typed: str, type_pairs: Iterable[int]) -> Iterator[_Known]:
    found = Decision.objects.filter(type_pair__in=type_pairs, side__in=Side.values, record_id=typed)
    for type_pair_id, side in found.values_list("type_pair", "side")[:MOST_FOUND]:
        yield type_pair_id, Side(side), ""


def _add(found: Found, known: Iterable[Pair], type_pair_id: int, side: Side, place: Place) -> None:
    """Add a record in every pair that works on this type pair."""
    for pair in known:
        if pair.type_pair_id == type_pair_id:
            is_left = (side == Side.LEFT) != pair.is_swapped
            one = replace(place, pair=pair, side=LEFT if is_left else RIGHT)
            if not any(_is_same(one, other) for other in found.places):
                found.places.append(one)


def _is_same(one: Place, other: Place) -> bool:
    return (one.pair, one.side, one.record_id) == (other.pair, other.side, other.record_id)


def _by_flows(typed: str, known: Sequence[Pair]) -> Iterator[Place]:
    """Yield places whose flows read this id, or are to read it."""
    titles: dict[int, str] = dict(
        RecordEvent.objects.filter(source_id=typed)
        .order_by("-pk")
        .values_list("run__flow", "title")[:MOST_FOUND]
    )
    queued = QueuedRead.objects.filter(record_id=typed)
    for flow_id in queued.values_list("flow", flat=True)[:MOST_FOUND]:
        titles.setdefault(flow_id, "")
    by_pk = {pair.pk: pair for pair in known}
    flows = Flow.objects.filter(pk__in=titles) if titles else ()
    for flow in flows:
        if flow.pair_id in by_pk:
            side = LEFT if flow.is_to_right else RIGHT
            yield Place(by_pk[flow.pair_id], side, typed, titles[flow.pk])


def _ask(typed: str, known: Sequence[Pair], look: Looking, found: Found) -> None:
    """Ask the systems: is there a record of this id, or one with this e-mail address?"""
    found.was_asked = True
    answers: dict[tuple[int, str], list[str]] = {}
    for pair, side in _sides(known):
        place = Place(pair, side, typed)
        key = (place.system.pk, place.object_type)
        if key not in answers:
            try:
                answers[key] = _ids(place.system, place.object_type, typed, look)
            except ConnectorError as error:
                answers[key] = []
                found.problems.append(
                    f"{place.object_type} of {place.system} could not be asked: {error.message}"
                )
        for record_id in answers[key]:
            one = Place(pair, side, record_id)
            if not any(_is_same(one, other) for other in found.places):
                found.places.append(one)


def _ids(system: System, object_type: str, typed: str, look: Looking) -> list[str]:
    connector = look.open(system)
    if "@" not in typed or " " in typed:
        return [one.id for one in connector.read(object_type, [typed], ()).values()]
    fields = schema.fields(system, object_type, connector=connector).values()
    asked = next(
        (
            one.name
            for one in fields
            if one.searchable and one.type is ValueType.TEXT and "email" in one.name.lower()
        ),
        "",
    )
    if not asked:
        return []
    query = (Condition(asked, Operator.EQUALS, typed),)
    [answer] = connector.find(object_type, [query], (asked,))
    return [one.id for one in answer]
