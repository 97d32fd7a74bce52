"""Pages of long lists, by key and not by number: page 5,000 costs what page 1 does."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

from hubconnect.core.numbers import whole_number

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class KeyPage(Generic[M]):
    """One page, newest first, and the addresses of its neighbours ("" at the ends)."""

    items: Sequence[M]
    newer: str
    older: str


def page_by_key(
    found: QuerySet[M], request: HttpRequest, size: int, time_field: str = ""
) -> KeyPage[M]:
    """Return the page that the address asks for with ``older`` or ``newer`` and a key.

    Rows are ordered by ``time_field``, if there is one, and their key, both descending.
    """
    order = [f"-{time_field}", "-pk"] if time_field else ["-pk"]
    older, newer = request.GET.get("older", ""), request.GET.get("newer", "")
    is_back = bool(newer) and not older
    bound = _bound(older or newer, time_field, is_above=is_back)
    rows = found.filter(bound) if bound is not None else found
    rows = rows.order_by(*(name.removeprefix("-") for name in order) if is_back else order)
    taken = list(rows[: size + 1])
    has_more, items = len(taken) > size, taken[:size]
    if is_back:
        items.reverse()
    has_newer = has_more if is_back else bound is not None
    has_older = bound is not None if is_back else has_more
    return KeyPage(
        items,
        _address(request, "newer", items[0], time_field) if items and has_newer else "",
        _address(request, "older", items[-1], time_field) if items and has_older else "",
    )


def _bound(key: str, time_field: str, *, is_above: bool) -> Q | None:
    """Return the condition for rows beyond a key, or None for a key that is none."""
    text, _, last = key.rpartition("_")
    number = whole_number(last)
    if number is None:
        return None
    sign = "gt" if is_above else "lt"
    beyond = Q(**{f"pk__{sign}": number})
    if not time_field:
        return beyond
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    return Q(**{f"{time_field}__{sign}": moment}) | (Q(**{time_field: moment}) & beyond)


def _address(request: HttpRequest, word: str, item: Model, time_field: str) -> str:
    moment = getattr(item, time_field) if time_field else None
    query = request.GET.copy()
    for other in ("older", "newer"):
        query.pop(other, None)
    query[word] = f"{moment.isoformat()}_{item.pk}" if moment else str(item.pk)
    return f"?{query.urlencode()}"
