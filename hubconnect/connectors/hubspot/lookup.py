"""Finding many records by many queries in few calls, each answer complete and as stored."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from hubconnect.connectors.base import Condition, Criteria, Operator, Record, Value, ValueType
from hubconnect.connectors.hubspot.records import RecordReader
from hubconnect.connectors.hubspot.search import (
    ID,
    Ask,
    build_filters,
    comparable,
    plan_groups,
    plan_in,
)
from hubconnect.connectors.matching import is_certain, matches

EMAIL = "email"
MORE_EMAILS = "hs_additional_emails"
# Types whose values an IN search compares as EQUALS does.
LISTABLE = {ValueType.TEXT, ValueType.OPTION, ValueType.NUMBER, ValueType.USER}


@dataclass(slots=True)
class Bucket:
    """Queries that one search can answer together.

    Attributes:
        name: the field which all of them compare with a value of their own.
        common: conditions that all of them have besides.
        values: the value of each query, by its position.
    """

    name: str
    common: Criteria
    values: dict[int, Value] = field(default_factory=dict)


class Finder:
    """Answers the queries of one call."""

    def __init__(
        self, reader: RecordReader, queries: Sequence[Criteria], names: Sequence[str]
    ) -> None:
        """Keep the queries.

        Args:
            reader: of the object type.
            queries: what to find; each condition has the value its operator needs.
            names: fields to give.

        Raises:
            ValueError: a query has no condition, so that every record would match.
        """
        if not all(queries):
            msg = "A lookup needs at least one condition."
            raise ValueError(msg)
        self._reader = reader
        self._schema = reader.schema
        self._queries = queries
        self._names = tuple(dict.fromkeys(names))
        compared = [condition.field for criteria in queries for condition in criteria]
        more = [MORE_EMAILS] if EMAIL in compared and MORE_EMAILS in self._schema.fields else []
        self._build = reader.builder([*self._names, *compared, *more])
        self._found: list[dict[str, Record]] = [{} for _ in queries]

    def find(self) -> list[list[Record]]:
        """Return the matches of each query, by ascending id."""
        unique, shared, others = self._sorted_queries()
        for name, values in unique.items():
            self._find_unique(name, values)
        asks: list[Ask] = []
        for bucket in shared:
            also = build_filters(bucket.common, self._schema)
            asks += plan_in(self._schema, bucket.name, bucket.values, also)
        asks += plan_groups(others, self._schema)
        self._find_by_search(asks)
        return [
            [self._trimmed(r) for r in sorted(found.values(), key=lambda r: int(r.id))]
            for found in self._found
        ]

    def _sorted_queries(
        self,
    ) -> tuple[dict[str, dict[int, Value]], list[Bucket], dict[int, Criteria]]:
        """Return queries by unique field, those that share searches, and the others."""
        unique: dict[str, dict[int, Value]] = {}
        shared: dict[tuple[str, Criteria], Bucket] = {}
        others: dict[int, Criteria] = {}
        variety = self._variety()
        for position, criteria in enumerate(self._queries):
            pivot = self._pivot(criteria, variety)
            if pivot is None:
                others[position] = criteria
                continue
            rest = tuple(one for one in criteria if one is not pivot)
            asked = tuple(one for one in rest if not is_certain(one))
            if self._is_unique(pivot.field) and not asked:
                unique.setdefault(pivot.field, {})[position] = pivot.value
                continue
            bucket = shared.setdefault((pivot.field, asked), Bucket(pivot.field, rest))
            bucket.common = tuple(one for one in bucket.common if one in rest)
            bucket.values[position] = pivot.value
        return unique, list(shared.values()), others

    def _variety(self) -> dict[str, int]:
        """Return with how many values the queries compare each field that may lead a search."""
        values: dict[str, set[Value]] = {}
        for criteria in self._queries:
            for one in criteria:
                if self._may_lead(one):
                    values.setdefault(one.field, set()).add(one.value)
        return {name: len(each) for name, each in values.items()}

    def _pivot(self, criteria: Criteria, variety: Mapping[str, int]) -> Condition | None:
        """Choose the condition that finds the fewest records: by it many queries ask at once."""
        leading = [one for one in criteria if self._may_lead(one)]
        return max(
            leading,
            key=lambda one: (self._is_unique(one.field), variety[one.field]),
            default=None,
        )

    def _may_lead(self, condition: Condition) -> bool:
        found = self._schema.get_searchable(condition.field)
        return condition.operator is Operator.EQUALS and (
            self._is_unique(found.name) or found.type in LISTABLE
        )

    def _is_unique(self, name: str) -> bool:
        return name == ID or self._schema.get_searchable(name).unique

    def _find_unique(self, name: str, values: Mapping[int, Value]) -> None:
        """Batch-read by a unique field: consistent, unlike a search."""
        asked = {folded(value): value for value in values.values()}
        texts = [comparable(self._schema, name, value) for value in asked.values()]
        askers: dict[Value, list[int]] = {}
        for position, value in values.items():
            askers.setdefault(folded(value), []).append(position)
        for item in self._reader.batch(texts, self._build.properties, "" if name == ID else name):
            record = self._build(item)
            for value in self._unique_values(name, record):
                for position in askers.get(value, ()):
                    rest = [one for one in self._queries[position] if one.field != name]
                    if matches(tuple(rest), record.values):
                        self._found[position][record.id] = record

    def _unique_values(self, name: str, record: Record) -> Iterator[Value]:
        """Yield the values by which HubSpot knows the record: also a contact's further e-mails."""
        yield folded(record.id if name == ID else record.values.get(name))
        more = record.values.get(MORE_EMAILS) if name == EMAIL else None
        if isinstance(more, frozenset):
            yield from (folded(each) for each in more)
        elif isinstance(more, str):
            yield from (folded(each) for each in more.split(";"))

    def _find_by_search(self, asks: Sequence[Ask]) -> None:
        """Search for ids, read the records, and match them to who asked for them."""
        hits = [
            [str(item["id"]) for page in self._reader.search(ask.groups, ()) for item in page]
            for ask in asks
        ]
        ids = list(dict.fromkeys(each for hit in hits for each in hit))
        records = {
            record.id: record
            for record in map(self._build, self._reader.batch(ids, self._build.properties))
        }
        for ask, hit in zip(asks, hits, strict=True):
            found = [records[each] for each in hit if each in records]
            for position in ask.queries:
                # Conditions that are not certain were sent with the search of this query.
                certain = tuple(one for one in self._queries[position] if is_certain(one))
                answers = (record for record in found if matches(certain, record.values))
                self._found[position] |= {record.id: record for record in answers}

    def _trimmed(self, record: Record) -> Record:
        """Return the record with the asked fields only."""
        return replace(record, values={name: record.values[name] for name in self._names})


def folded(value: Value) -> Value:
    """Return a text without regard to case and outer spaces, as unique fields are compared."""
    return value.strip().lower() if isinstance(value, str) else value
