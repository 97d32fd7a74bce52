"""Links that rows are created with: foreign keys of the new row, and what refers to it."""

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection

from hubconnect.connectors.base import Draft, Value
from hubconnect.connectors.children import Association
from hubconnect.connectors.errors import RecordError
from hubconnect.connectors.sql.database import Database
from hubconnect.connectors.sql.joins import JoinRows
from hubconnect.connectors.sql.kinds import Kind, Way, find_kind
from hubconnect.connectors.sql.reader import Reader
from hubconnect.connectors.sql.relations import Relations
from hubconnect.connectors.sql.tables import ObjectTable
from hubconnect.connectors.sql.updates import Updater
from hubconnect.connectors.sql.writer import Entry, stored_values


class NewLinks:
    """Makes the links of new rows in one database."""

    def __init__(self, database: Database, relations: Relations, reader: Reader) -> None:
        """Keep what it works with."""
        self._database, self._relations, self._reader = database, relations, reader
        self._updater = Updater(database, reader)

    def refusals(self, table: ObjectTable, drafts: Iterable[Draft]) -> dict[str, RecordError]:
        """Return by the draft's key why it cannot be created: a far record does not exist.

        Raises:
            AttentionError: there is no such kind of link (any more).
        """
        wanted: dict[str, dict[str, list[str]]] = {}
        for draft in drafts:
            for link in draft.associations:
                wanted.setdefault(link.type, {}).setdefault(link.to_id, []).append(draft.key)
        refused: dict[str, RecordError] = {}
        for name, far in wanted.items():
            kind = find_kind(self._relations, table, name)
            known = self._reader.read(kind.to, list(far), ())
            for identifier, keys in far.items():
                if identifier not in known:
                    refused |= dict.fromkeys(keys, kind.no_such(identifier))
        return refused

    def own_values(self, table: ObjectTable, draft: Draft) -> dict[str, Value]:
        """Return what the foreign keys of the new row hold, in canonical form."""
        values: dict[str, Value] = {}
        for link in draft.associations:
            kind = find_kind(self._relations, table, link.type)
            if kind.way is Way.COLUMN:
                values |= kind.key.values_for(link.to_id) or {}
        return values

    def make(
        self,
        connection: Connection,
        table: ObjectTable,
        made: Mapping[str, str],
        drafts: Mapping[str, Draft],
    ) -> None:
        """Make what refers to new rows, in the transaction that inserts them.

        Args:
            connection: in that transaction.
            table: where the rows are.
            made: their ids, by the draft's key.
            drafts: the drafts, by key.
        """
        groups: dict[str, list[Association]] = {}
        for key, identifier in made.items():
            for link in drafts[key].associations:
                groups.setdefault(link.type, []).append(
                    Association(identifier, link.type, link.to_id)
                )
        for name, links in groups.items():
            kind = find_kind(self._relations, table, name)
            if kind.join is not None:
                rows = JoinRows(self._database, kind.join)
                rows.insert(connection, rows.entries(links))
            elif kind.way is Way.REFERENCED:
                holder = kind.key.holder
                self._updater.write(
                    connection, holder, [_entry(holder, kind, one) for one in links]
                )


def _entry(holder: ObjectTable, kind: Kind, link: Association) -> Entry:
    row, parent = kind.row_and_parent(link)
    values = kind.key.values_for(parent) or {}
    return Entry(link.key, row, stored_values(holder, values), values, {})
