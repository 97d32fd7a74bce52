"""Criteria that were changed may take records that have not changed themselves for long.

No window of changes shows those. So activation offers a load of what the criteria newly take: it
reads everything by the new ones and leaves out what the old ones took already, and what is linked.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hubconnect.connectors.base import Connector, Criteria, Field, Record
from hubconnect.engine import criteria as criteria_language
from hubconnect.engine.criteria import CriteriaInvalidError
from hubconnect.engine.matching import matches
from hubconnect.integrations.models import Flow
from hubconnect.integrations.services.flowspec import FlowSpec
from hubconnect.integrations.services.session import Session
from hubconnect.integrations.stores import links_by_source


@dataclass(frozen=True, slots=True)
class Widened:
    """What changed criteria take now, and what they took before; None: that cannot be asked."""

    now: int
    before: int | None

    @property
    def more(self) -> int:
        """Return by how many the number of taken records grew."""
        return max(self.now - (self.before or 0), 0)


def is_open(flow: Flow) -> bool:
    """Tell whether a person is to choose: a running flow's criteria differ from those it ran by."""
    is_known = flow.phase == Flow.Phase.RUNNING and flow.taken_by is not None
    return is_known and flow.taken_by != flow.criteria


def count(flow: Flow, spec: FlowSpec, source: Connector, taken: int) -> Widened:
    """Ask how many records the criteria took before; now they take ``taken``."""
    before = _parsed(flow.taken_by, spec.source_fields, source)
    return Widened(taken, None if before is None else source.count(flow.source_type, before))


def begin(flow: Flow) -> None:
    """Have the flow load what its criteria newly take; not stored yet.

    Its window stays where it is: what changes meanwhile is read afterwards.
    """
    flow.widened_from = flow.taken_by
    flow.phase = Flow.Phase.LOADING
    flow.after_id = ""
    flow.is_window_open = flow.is_second_pass = False


def read_fields(session: Session) -> tuple[str, ...]:
    """Return the fields that a load reads: those of the spec, and those of the old criteria."""
    old = _old_criteria(session) or ()
    fields = [*session.spec.read_fields, *(condition.field for condition in old)]
    return tuple(dict.fromkeys(fields))


def newly_taken(session: Session, records: Iterable[Record]) -> list[Record]:
    """Return the records that the criteria did not take before and that are not linked."""
    every = list(records)
    old = _old_criteria(session)
    links = links_by_source(session.flow, [record.id for record in every])
    return [
        record
        for record in every
        if record.id not in links and (old is None or not matches(old, record.values))
    ]


def _old_criteria(session: Session) -> Criteria | None:
    if session.flow.widened_from is None:
        return None
    return _parsed(session.flow.widened_from, session.spec.source_fields, session.source)


def _parsed(stored: object, fields: Mapping[str, Field], source: Connector) -> Criteria | None:
    """Return stored criteria, or None where they do not fit the schema any more."""
    try:
        return criteria_language.parse(stored, fields, source.max_conditions)
    except CriteriaInvalidError:
        return None
