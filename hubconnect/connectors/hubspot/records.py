"""Reading records: pages, batches, and what HubSpot's record objects hold."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from hubconnect.connectors.base import ALL_IDS, Criteria, IdRange, Page, Record, Window
from hubconnect.connectors.cutting import cut_numbers, in_ranges
from hubconnect.connectors.hubspot.api import HubSpotApi, Json, next_after, results
from hubconnect.connectors.hubspot.errors import NOT_FOUND, question_error
from hubconnect.connectors.hubspot.origins import Origins
from hubconnect.connectors.hubspot.schema import Schema
from hubconnect.connectors.hubspot.search import ID, PAGE, build_body, build_filters, fits
from hubconnect.connectors.hubspot.values import is_id, milliseconds, parse_moment

BATCH = 100
MERGED = "hs_merged_object_ids"
# Longest list of properties put into an address; addresses beyond some 8,000 bytes are refused.
MAX_LIST_IN_URL = 4_000
# Behind this, a first load has nothing more to read.
END = "end:"

Link = Callable[[str], str]


class RecordBuilder:
    """Turns HubSpot's record objects into records with the asked fields."""

    def __init__(
        self, schema: Schema, names: Sequence[str], link: Link | None, origins: Origins
    ) -> None:
        """Choose the fields.

        Args:
            schema: of the object type.
            names: fields to give.
            link: makes addresses for people from ids; None takes HubSpot's own.
            origins: tells who changed a record last.

        Raises:
            AttentionError: there is no field of one of the names.
        """
        self._read = schema.reader(names)
        self._link = link
        self._origins = origins
        extra = [MERGED] if MERGED in schema.fields else []
        extra += origins.read_with(schema.fields)
        self.properties = list(dict.fromkeys([*names, *extra]))

    def __call__(self, item: Mapping[str, Any]) -> Record:
        """Return the record of one object."""
        properties = item.get("properties") or {}
        record_id, updated, created = str(item["id"]), item.get("updatedAt"), item.get("createdAt")
        merged = properties.get(MERGED)
        modified_at = parse_moment(updated) if updated else None
        created_at = parse_moment(created) if created else None
        return Record(
            id=record_id,
            values=self._read(properties),
            version=updated or "",
            modified_at=modified_at,
            created_at=created_at,
            former_ids=tuple(part for part in merged.split(";") if part) if merged else (),
            author=self._origins.of(properties, created_at, modified_at),
            made_by_us=self._origins.made_by_us(properties),
            url=self._link(record_id) if self._link else item.get("url") or "",
        )


class RecordReader:
    """Reads records of one object type."""

    def __init__(
        self, api: HubSpotApi, schema: Schema, link: Link | None, origins: Origins
    ) -> None:
        """Keep all; ask nothing yet."""
        self.api = api
        self.schema = schema
        self.type_name = schema.kind.name
        self._link = link
        self._origins = origins

    def builder(self, names: Sequence[str]) -> RecordBuilder:
        """Return what builds records with these fields."""
        return RecordBuilder(self.schema, names, self._link, self._origins)

    def changes(
        self, window: Window, criteria: Criteria, names: Sequence[str], after: str
    ) -> Iterator[Page]:
        """Yield what was modified in the window, as the search index has it."""
        group = [self.modified_in(window), *build_filters(criteria, self.schema)]
        build = self.builder(names)
        if not fits([group], build.properties):
            yield from self._settled(group, names, after)
            return
        for items in self.search([group], build.properties, after):
            yield from _pages([build(item) for item in items], is_settled=False)

    def modified_in(self, window: Window) -> Json:
        """Return the filter for what was modified in the window."""
        return {
            "propertyName": self.schema.kind.modified,
            "operator": "BETWEEN",
            "value": str(milliseconds(window.lower)),
            "highValue": str(milliseconds(window.upper)),
        }

    def everything(
        self, criteria: Criteria, names: Sequence[str], after: str, within: IdRange = ALL_IDS
    ) -> Iterator[Page]:
        """Yield all records: by the list, which is complete, or those that meet the criteria.

        A part of them is searched: HubSpot promises filters by id, but calls the list's cursor
        opaque, so no list may begin at an id of ours. What the index shows late has a modified
        time from about the load's start on, and the windows of changes begin there.
        """
        if criteria or within != ALL_IDS:
            group = build_filters(criteria, self.schema)
            if within.upto:
                group.append({"propertyName": ID, "operator": "LTE", "value": within.upto})
            yield from self._settled(group, names, after or within.above)
            return
        build = self.builder(names)
        is_short = len(",".join(build.properties)) <= MAX_LIST_IN_URL
        while not after.startswith(END):
            answer = self.api.list_page(self.type_name, build.properties if is_short else (), after)
            items = results(answer)
            if not is_short:
                items = self.batch([str(item["id"]) for item in items], build.properties)
            records = sorted(map(build, items), key=_number)
            after = next_after(answer) or f"{END}{records[-1].id if records else ''}"
            yield Page(tuple(records), after)

    def search(
        self, groups: Sequence[Sequence[Json]], properties: Sequence[str], after_id: str = ""
    ) -> Iterator[list[Json]]:
        """Yield all hits by ascending id, page by page; no page is empty."""
        while True:
            body = build_body(groups, properties, after_id=after_id)
            answer = self.api.search(self.type_name, body)
            items = results(answer)
            if items:
                yield items
            total = answer.data.get("total")
            if len(items) < PAGE or total == len(items):
                return
            after_id = str(items[-1]["id"])

    def count(self, criteria: Criteria) -> int:
        """Return how many records the search index holds."""
        return self._one(build_filters(criteria, self.schema))[0]

    def cut(self, criteria: Criteria, parts: int) -> tuple[IdRange, ...]:
        """Return ranges of ids that hold about as many records each."""
        group = build_filters(criteria, self.schema)
        total, first = self._one(group)
        _, last = self._one(group, direction="DESCENDING")

        def up_to(identifier: int) -> int:
            bound = {"propertyName": ID, "operator": "LTE", "value": str(identifier)}
            return self._one([*group, bound])[0]

        return in_ranges(cut_numbers(up_to, first, last, total, parts))

    def _one(self, group: list[Json], direction: str = "ASCENDING") -> tuple[int, int]:
        """Return how many records a search finds, and the id of its first one, else 0."""
        body = build_body([group] if group else [], ())
        body |= {"limit": 1, "sorts": [{"propertyName": ID, "direction": direction}]}
        answer = self.api.search(self.type_name, body)
        items = results(answer)
        return int(answer.data.get("total") or 0), int(items[0]["id"]) if items else 0

    def batch(
        self, ids: Sequence[str], properties: Sequence[str], id_property: str = ""
    ) -> list[Json]:
        """Return the objects that exist, in no order; always as the database has them."""
        found: list[Json] = []
        for start in range(0, len(ids), BATCH):
            part = ids[start : start + BATCH]
            found += results(self.api.batch_read(self.type_name, part, properties, id_property))
        return found

    def read(self, ids: Sequence[str], names: Sequence[str]) -> dict[str, Record]:
        """Return records by the asked id, also by an id from before a merge."""
        build = self.builder(names)
        asked = [each for each in dict.fromkeys(ids) if is_id(each)]
        read = [build(item) for item in self.batch(asked, build.properties)]
        by_id = {former: record for record in read for former in record.former_ids}
        by_id |= {record.id: record for record in read}
        found = {each: by_id[each] for each in asked if each in by_id}
        survivors = {
            each: survivor
            for each in asked
            if each not in found and (survivor := self._survivor(each))
        }
        new = self.batch(list(dict.fromkeys(survivors.values())), build.properties)
        records = {record.id: record for record in map(build, new)}
        return found | {
            each: records[survivor] for each, survivor in survivors.items() if survivor in records
        }

    def _survivor(self, record_id: str) -> str:
        """Return the id under which a record lives on, "" if it does not.

        A single read follows merges, unlike a batch read.
        """
        answer = self.api.get_record(self.type_name, record_id)
        if answer.status == NOT_FOUND:
            return ""
        if not isinstance(answer.data, dict) or "id" not in answer.data:
            raise question_error(answer)
        return "" if answer.data.get("archived") else str(answer.data["id"])

    def _settled(self, group: list[Json], names: Sequence[str], after: str) -> Iterator[Page]:
        """Yield the hits of a search with the values the database has."""
        build = self.builder(names)
        for items in self.search([group], (), after):
            for start in range(0, len(items), BATCH):
                ids = [str(item["id"]) for item in items[start : start + BATCH]]
                records = sorted(map(build, self.batch(ids, build.properties)), key=_number)
                yield Page(tuple(records), ids[-1])


def _pages(records: list[Record], *, is_settled: bool) -> Iterator[Page]:
    for start in range(0, len(records), BATCH):
        part = tuple(records[start : start + BATCH])
        yield Page(part, part[-1].id, is_settled)


def _number(record: Record) -> int:
    return int(record.id)
