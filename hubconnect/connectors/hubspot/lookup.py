"""Finding many records by many queries in few calls, each answer complete and as stored."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from hubconnect.connectors.base import Criteria, Operator, Record, Value, ValueType
from hubconnect.connectors.hubspot.records import RecordReader
from hubconnect.connectors.hubspot.search import (
    ID,
    Ask,
    comparable,
    fold_of,
    is_told_apart,
    matches,
    plan_groups,
    plan_in,
)

EMAIL = "email"
MORE_EMAILS = "hs_additional_emails"
# Types whose values an IN search compares as EQUALS does.
LISTABLE = {ValueType.TEXT, ValueType.OPTION, ValueType.NUMBER, ValueType.USER}


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
        unique, listable, others = self._sorted_queries()
        for name, values in unique.items():
            self._find_unique(name, values)
        asks: list[Ask] = []
        for name, values in listable.items():
            asks += plan_in(self._schema, name, values, ())
        asks += plan_groups(others, self._schema, ())
        self._find_by_search(asks)
        return [
            [self._trimmed(r) for r in sorted(found.values(), key=lambda r: int(r.id))]
            for found in self._found
        ]

    def _sorted_queries(
        self,
    ) -> tuple[dict[str, dict[int, Value]], dict[str, dict[int, Value]], dict[int, Criteria]]:
        """Return queries by unique field, by another single field, and the others."""
        unique: dict[str, dict[int, Value]] = {}
        listable: dict[str, dict[int, Value]] = {}
        others: dict[int, Criteria] = {}
        for position, criteria in enumerate(self._queries):
            first = criteria[0]
            field = self._schema.get_searchable(first.field)
            if len(criteria) > 1 or first.operator is not Operator.EQUALS:
                others[position] = criteria
            elif field.unique or field.name == ID:
                unique.setdefault(field.name, {})[position] = first.value
            elif field.type in LISTABLE:
                listable.setdefault(field.name, {})[position] = first.value
            else:
                others[position] = criteria
        return unique, listable, others

    def _find_unique(self, name: str, values: Mapping[int, Value]) -> None:
        """Batch-read by a unique field: consistent, unlike a search."""
        askers = self._askers(name, values)
        asked = {fold_of(self._schema, name)(v): v for v in values.values()}
        texts = [comparable(self._schema, name, value) for value in asked.values()]
        id_property = "" if name == ID else name
        for item in self._reader.batch(texts, self._build.properties, id_property):
            record = self._build(item)
            for value in self._unique_values(name, record):
                for position in askers.get(value, ()):
                    self._found[position][record.id] = record

    def _unique_values(self, name: str, record: Record) -> Iterator[Value]:
        """Yield the values by which HubSpot knows the record: also a contact's further e-mails."""
        fold = fold_of(self._schema, name)
        yield fold(record.values.get(name))
        more = record.values.get(MORE_EMAILS) if name == EMAIL else None
        if isinstance(more, frozenset):
            yield from (fold(each) for each in more)
        elif isinstance(more, str):
            yield from (fold(each) for each in more.split(";"))

    def _askers(self, name: str, values: Mapping[int, Value]) -> dict[Value, list[int]]:
        fold = fold_of(self._schema, name)
        askers: dict[Value, list[int]] = {}
        for position, value in values.items():
            askers.setdefault(fold(value), []).append(position)
        return askers

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
            self._match(ask, [records[each] for each in hit if each in records])

    def _match(self, ask: Ask, records: Iterable[Record]) -> None:
        first = self._queries[ask.queries[0]]
        if ask.is_list:
            name = first[0].field
            fold = fold_of(self._schema, name)
            askers = self._askers(name, {p: self._queries[p][0].value for p in ask.queries})
            for record in records:
                for position in askers.get(fold(record.values.get(name)), ()):
                    self._found[position][record.id] = record
            return
        for record in records:
            for position in ask.queries:
                query = self._queries[position]
                if not is_told_apart(query) or matches(record.values, query, self._schema):
                    self._found[position][record.id] = record

    def _trimmed(self, record: Record) -> Record:
        """Return the record with the asked fields only."""
        return replace(record, values={name: record.values[name] for name in self._names})
