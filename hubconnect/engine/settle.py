"""Judges, by what the target holds, what became of an update whose reply was lost."""

from dataclasses import dataclass
from datetime import datetime

from hubconnect.connectors import rich_text
from hubconnect.connectors.base import Value, Values
from hubconnect.engine.forms import is_own_form
from hubconnect.engine.values import to_stored


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a lost update turned out to be.

    Attributes:
        has_arrived: the target shows it. If not, it may still be under way.
        kept: fields that hold what was sent, as the system writes it.
        topped: fields in which somebody's later edit stands on top of what was sent.
        undone: fields that hold the old value though the update arrived: the system did not take
            them, or somebody put them back. They are planned anew.
    """

    has_arrived: bool
    kept: frozenset[str] = frozenset()
    topped: frozenset[str] = frozenset()
    undone: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Trail:
    """What a system's own history says about the fields of a lost update.

    Attributes:
        reached: fields that our app wrote since the update was sent.
        newest: those of them that nobody wrote since.
    """

    reached: frozenset[str] = frozenset()
    newest: frozenset[str] = frozenset()


def judge_update(
    sent: Values,
    before: Values,
    held: Values,
    trail: Trail | None = None,
    *,
    is_noted: bool | None = None,
) -> Verdict:
    """Compare field by field what was sent, what the target held before, and what it holds now.

    A system takes the fields of an update together. So one field that holds what was sent shows
    that all arrived; and where fields are as before and none is as sent, another value in a third
    is somebody's edit of a record that our update never reached. A system with a history tells it
    for sure, also where it made another value of what was sent.

    What is just as before shows nothing, even where the system might write down what was sent that
    way: a change of case alone may not have arrived, and to send it again does no harm.

    ``is_noted``: the system's own note of its updates says whether it arrived; None without one.
    """
    newest = trail.newest if trail is not None else frozenset()
    kept = frozenset(
        n
        for n, value in sent.items()
        if n in newest
        or (is_like(value, held.get(n)) and not _is_as_before(value, before.get(n), held.get(n)))
    )
    old = frozenset(n for n in sent if n not in kept and held.get(n) == before.get(n))
    other = frozenset(sent) - kept - old
    if is_noted is not None:
        has_arrived = is_noted
    elif trail is not None:
        has_arrived = bool(kept or trail.reached)
    else:
        has_arrived = bool(kept) or (bool(other) and not old)
    if not has_arrived:
        return Verdict(has_arrived=False)
    return Verdict(has_arrived=True, kept=kept, topped=other, undone=old)


def _is_as_before(sent: Value, before: Value, held: Value) -> bool:
    return bool(to_stored(held) == to_stored(before) != to_stored(sent))


def agreed_at_create(sent: Values, held: Values) -> Values:
    """Return what both sides agree on of a record that was created some time before it was read.

    A value that is what was sent, in the system's own form, is agreed on as it is held. Any other
    is somebody's edit since: agreed on is what was sent, so that the edit is seen as one.
    """
    return {
        name: held.get(name)
        if is_like(value, held.get(name)) or is_own_form(value, held.get(name))
        else value
        for name, value in sent.items()
    }


def is_like(sent: Value, held: Value) -> bool:
    """Tell whether a system may have made of a sent value what it holds.

    Systems trim texts, write addresses in lower case, clean markup, and cut parts of seconds.
    """
    if sent == held:
        return True
    if isinstance(sent, str) and isinstance(held, str):
        plain, text = " ".join(sent.split()), " ".join(held.split())
        if text in (plain, plain.lower()):
            return True
        is_markup = "<" in sent and "<" in held
        return is_markup and rich_text.normalise(sent) == rich_text.normalise(held)
    if isinstance(sent, datetime) and isinstance(held, datetime):
        is_cut = held.microsecond in (0, sent.microsecond // 1000 * 1000)
        return is_cut and sent.replace(microsecond=0) == held.replace(microsecond=0)
    return sent in (None, "") and held in (None, "")
