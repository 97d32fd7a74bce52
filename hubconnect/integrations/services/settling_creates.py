"""Settles creates that the target's own keys leave open: by a field with our id, by our app."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from django.db.models import Q

from hubconnect.connectors.base import Condition, Operator, Settled
from hubconnect.engine.values import restore_all
from hubconnect.integrations.models import Intent, Link, Side
from hubconnect.integrations.services.session import End, Session


def complete(
    session: Session, side: Side, intents: Sequence[Intent], answers: Mapping[str, Settled]
) -> dict[str, Settled]:
    """Return the answers, with what else tells which record a create became.

    Args:
        session: of the run that settles.
        side: of the sources.
        intents: of creates.
        answers: what the target says by itself, by the intents' keys.
    """
    done = dict(answers)
    done |= _by_remote_field(session, side, [one for one in intents if _is_open(done, one)])
    return done | _by_app(session.end(side.other), done)


def _is_open(answers: Mapping[str, Settled], intent: Intent) -> bool:
    answer = answers.get(intent.key)
    return answer is None or not (answer.id or answer.is_certain)


def _by_remote_field(session: Session, side: Side, intents: Sequence[Intent]) -> dict[str, Settled]:
    """Look for creates by the source's id, where the target has a unique field for it.

    It is unique, so a create that is not found may be sent again: it cannot be stored twice.
    """
    is_ours = side == session.flow.source_side
    remote, spec = session.spec.children.remote, session.spec
    name = remote.target_id if is_ours else remote.source_id
    field = (spec.target_fields if is_ours else spec.source_fields).get(name)
    asked = [intent for intent in intents if intent.sent_values.get(name)]
    if field is None or not field.unique or not field.searchable or not asked:
        return {}
    end = session.end(side.other)
    queries = [
        (Condition(name, Operator.EQUALS, restore_all(intent.sent_values)[name]),)
        for intent in asked
    ]
    found = end.connector.find(end.object_type, queries, [name])
    return {
        intent.key: Settled(id=records[0].id) if records else Settled()
        for intent, records in zip(asked, found, strict=True)
    }


def _by_app(end: End, answers: Mapping[str, Settled]) -> dict[str, Settled]:
    """Take the one record that our app made since, that holds the draft, and that nothing links.

    Where two creates could be the same record, a person decides.
    """
    open_ones = {key: one for key, one in answers.items() if one.candidates and not one.id}
    if not open_ones:
        return {}
    linked = _linked(end, [each for one in open_ones.values() for each in one.candidates])
    left = {
        key: tuple(each for each in one.candidates if each not in linked)
        for key, one in open_ones.items()
    }
    askers = Counter(each for candidates in left.values() for each in candidates)
    return {
        key: Settled(id=candidates[0])
        if open_ones[key].is_ours and len(candidates) == 1 and askers[candidates[0]] == 1
        else replace(open_ones[key], candidates=candidates)
        for key, candidates in left.items()
    }


def _linked(end: End, ids: Sequence[str]) -> set[str]:
    """Return which of these records are linked, by whatever pair of object types."""
    identity, kind = end.system.identity, end.object_type
    left = Q(type_pair__left_identity=identity, type_pair__left_type=kind, left_id__in=ids)
    right = Q(type_pair__right_identity=identity, type_pair__right_type=kind, right_id__in=ids)
    found = Link.objects.filter(left | right).values_list("left_id", "right_id")
    return {each for pair in found for each in pair} & set(ids)
