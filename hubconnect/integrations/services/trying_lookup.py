"""Tries a target lookup on real records of the source: what it asks, and what it finds."""

import copy
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass

from hubconnect.connectors.base import Connector, Criteria, Field, Record
from hubconnect.connectors.errors import RecordError
from hubconnect.engine import criteria as criteria_language, lookup as language
from hubconnect.engine.criteria import CriteriaInvalidError
from hubconnect.engine.mapping import MappingBrokenError, map_values
from hubconnect.engine.plan import title_of
from hubconnect.integrations.models import Flow, Link
from hubconnect.integrations.services.flowspec import FlowSpec, build_spec
from hubconnect.systems.services.connections import open_connector

MOST = 5
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Found:
    """A record that was found in the target."""

    id: str
    url: str


@dataclass(frozen=True, slots=True)
class LookupLine:
    """One record of the source, and what was looked up for it.

    Attributes:
        query: the query with the record's values, in words; "" where there was none.
        outcome: what a run would do.
        state: how good that is: ok, idle, warn or bad.
        count: how many were found.
        found: the first of them.
    """

    id: str
    url: str
    title: str
    query: str
    outcome: str
    state: str
    count: int = 0
    found: tuple[Found, ...] = ()


@dataclass(frozen=True, slots=True)
class LookupTrial:
    """What a lookup found; calls and time as they were spent."""

    lines: tuple[LookupLine, ...]
    missing: tuple[str, ...]
    calls: int
    took_s: float


def try_lookup(flow: Flow, conditions: object, ids: str) -> LookupTrial:
    """Look up records of the source by id, or the first that the flow's criteria take.

    Args:
        flow: with the rules of the form; nothing of it is stored.
        conditions: the lookup's JSON.
        ids: ids of source records, apart by spaces or commas; "" for the first.

    Raises:
        CriteriaInvalidError: the lookup, the criteria or the mapping cannot be used.
        ConnectorError: a system did not answer.
    """
    began = time.monotonic()
    tried = copy.copy(flow)
    tried.lookup = conditions
    with open_connector(flow.source_system) as source, open_connector(flow.target_system) as target:
        try:
            spec = build_spec(tried, source, target)
        except MappingBrokenError as error:
            msg = f"The mapping cannot be used: {error}"
            raise CriteriaInvalidError(msg, "Correct it first.") from error
        if spec.lookup is None:
            msg = "There is no lookup to try."
            raise CriteriaInvalidError(msg, "Add a condition.")
        wanted = [one for one in re.split(r"[\s,;]+", ids) if one][:MOST]
        records = _records(source, tried, spec, wanted)
        lines = _Trying(tried, spec, source, target).lines(records)
        return LookupTrial(
            lines=tuple(lines),
            missing=tuple(one for one in wanted if one not in {record.id for record in records}),
            calls=sum(sum(one.calls.values()) for one in (source, target)),
            took_s=round(time.monotonic() - began, 1),
        )


def _records(source: Connector, flow: Flow, spec: FlowSpec, ids: list[str]) -> list[Record]:
    if ids:
        return list(source.read(flow.source_type, ids, spec.read_fields).values())
    page = next(source.everything(flow.source_type, spec.criteria, spec.read_fields), None)
    return list(page.records[:MOST]) if page is not None else []


@dataclass(frozen=True, slots=True)
class _Trying:
    """One trial at work."""

    flow: Flow
    spec: FlowSpec
    source: Connector
    target: Connector

    def lines(self, records: list[Record]) -> list[LookupLine]:
        """Look all records up at once and say what a run would do about each."""
        queries: dict[str, Criteria] = {}
        refused: dict[str, RecordError] = {}
        for record in records:
            try:
                queries[record.id] = self._query(record)
            except RecordError as error:
                refused[record.id] = error
        asked = list(queries)
        answers: dict[str, list[Record]] = {}
        if asked:
            found = self.target.find(self.flow.target_type, list(queries.values()), ())
            answers = dict(zip(asked, found, strict=True))
        linked = self._linked(records)
        return [
            self._refused(record, refused[record.id])
            if record.id in refused
            else self._line(record, queries[record.id], answers[record.id], linked)
            for record in records
        ]

    def _query(self, record: Record) -> Criteria:
        mapped = map_values(self.spec.plan.flows, record.values, lambda flow: flow.at_create)
        if self.spec.lookup is None:
            return ()
        return language.resolve(self.spec.lookup, record.values, mapped, record.id)

    def _linked(self, records: list[Record]) -> Mapping[str, str]:
        """Return the counterparts of records that are linked already: these are not looked up."""
        type_pair = self.flow.pair.type_pair_id
        if type_pair is None:
            return {}
        side = self.flow.source_side
        ids = [record.id for record in records]
        rows = Link.objects.filter(type_pair_id=type_pair, **{f"{side}_id__in": ids})
        return dict(rows.values_list(f"{side}_id", f"{side.other}_id"))

    def _refused(self, record: Record, error: RecordError) -> LookupLine:
        return self._made(record, "", f"Waits as a failure: {error.message}", "bad")

    def _line(
        self, record: Record, query: Criteria, found: list[Record], linked: Mapping[str, str]
    ) -> LookupLine:
        state, outcome = self._outcome(len(found))
        if record.id in linked:
            state, outcome = "idle", self._known(linked[record.id], found)
        fields: Mapping[str, Field] = self.spec.target_fields
        words = criteria_language.describe(query, fields)
        return self._made(record, words, outcome, state, found)

    @staticmethod
    def _known(target_id: str, found: list[Record]) -> str:
        if [one.id for one in found] == [target_id]:
            return "One: linked with it already."
        count = len(found) or "none"
        return f"Linked with {target_id} already, so not looked up; the lookup finds {count}."

    def _outcome(self, count: int) -> tuple[str, str]:
        flow = self.flow
        if count == 0:
            if flow.none_found == Flow.NoneFound.CREATE:
                return "idle", "None: it is created."
            return "idle", "None: the record is skipped."
        if count > 1 and flow.several_found == Flow.SeveralFound.FAIL:
            return "warn", f"{count}: waits as a failure."
        which = "the first" if count > 1 else "it"
        words = {
            Flow.OneFound.SYNC: f"{which} is linked and updated.",
            Flow.OneFound.LINK: f"{which} is linked, nothing written.",
            Flow.OneFound.SKIP: "the record is skipped.",
        }
        state = "warn" if count > 1 else "ok"
        return state, f"{'One' if count == 1 else count}: {words[Flow.OneFound(flow.one_found)]}"

    def _made(
        self,
        record: Record,
        query: str,
        outcome: str,
        state: str,
        found: list[Record] | None = None,
    ) -> LookupLine:
        flow, matches = self.flow, found or []
        return LookupLine(
            id=record.id,
            url=record.url or self.source.url(flow.source_type, record.id),
            title=title_of(record, self.spec.plan),
            query=query,
            outcome=outcome,
            state=state,
            count=len(matches),
            found=tuple(
                Found(one.id, self.target.url(flow.target_type, one.id)) for one in matches[:SHOWN]
            ),
        )
