"""Any SQL database as a system: tables with a primary key are its object types."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import ClassVar, TypeVar
from zoneinfo import ZoneInfo

from typing_extensions import override

from hubconnect.connectors.base import (
    ALL_IDS,
    Capability,
    CheckReport,
    Connector,
    Context,
    Criteria,
    Draft,
    Field,
    IdRange,
    ObjectType,
    Outcome,
    Page,
    Patch,
    QueryLine,
    Record,
    SentCreate,
    SentUpdate,
    Settings,
    Settled,
    Window,
)
from hubconnect.connectors.errors import AttentionError
from hubconnect.connectors.parameters import Parameter, Secret
from hubconnect.connectors.sql import settings as form
from hubconnect.connectors.sql.associations import Associations
from hubconnect.connectors.sql.checks import Checker
from hubconnect.connectors.sql.child_rows import ChildRows
from hubconnect.connectors.sql.child_tables import ChildTables, Role
from hubconnect.connectors.sql.comments import COMMENT_ROLES, Comments
from hubconnect.connectors.sql.contents import CONTENT_DIALECTS
from hubconnect.connectors.sql.creates import Creator
from hubconnect.connectors.sql.database import Database
from hubconnect.connectors.sql.explaining import explain
from hubconnect.connectors.sql.files import FILE_ROLES, Files
from hubconnect.connectors.sql.kinds import kinds_of
from hubconnect.connectors.sql.ledger import Ledger
from hubconnect.connectors.sql.newlinks import NewLinks
from hubconnect.connectors.sql.reader import Reader
from hubconnect.connectors.sql.relations import (
    FOREIGN_KEYS_PARAMETER,
    Relations,
    parse_named_keys,
)
from hubconnect.connectors.sql.schema import Schema, SchemaRules
from hubconnect.connectors.sql.tables import ObjectTable, label_of
from hubconnect.connectors.sql.updates import Updater

Parsed = TypeVar("Parsed")


class SQLConnector(Connector):
    """Reads and writes the tables of one database through SQLAlchemy."""

    slug: ClassVar[str] = "sql"
    label: ClassVar[str] = "SQL database"
    parameters: ClassVar[tuple[Parameter, ...]] = form.PARAMETERS
    batch_size: ClassVar[int] = 500
    # A row may be committed minutes after the moment its modified-at column names.
    overlap: ClassVar[timedelta] = timedelta(minutes=5)

    def __init__(self, settings: Settings, context: Context) -> None:
        """Keep settings and context; connect to nothing yet."""
        super().__init__(settings, context)
        self._database = Database(self._text("database_url"), self._text("password"), context)
        rules = SchemaRules(
            schema=self._text("schema") or None,
            modified_column=self._text("modified_column"),
            remote_id_column=self._text("remote_id_column"),
            zone=ZoneInfo(self._text("time_zone") or form.UTC_ZONE),
            author_column=self._text("author_column"),
        )
        self._schema = Schema(self._database, rules)
        self._ledger = Ledger(self._database, self._schema)
        self._reader = Reader(self._database, self._schema, self.batch_size)
        self._relations = Relations(
            self._schema, self._parsed(FOREIGN_KEYS_PARAMETER, parse_named_keys)
        )
        links = NewLinks(self._database, self._relations, self._reader)
        self._creator = Creator(self._database, self._reader, self._ledger, links)
        self._updater = Updater(self._database, self._reader, self._ledger)
        self._associations = Associations(
            self._database, self._schema, self._relations, self._reader
        )
        self._comment_rows = self._child_rows("comments", form.COMMENT_TABLES, COMMENT_ROLES)
        self._comments = Comments(
            self._database, self._reader, self._creator, self._comment_rows, self.batch_size
        )
        self._file_rows = self._child_rows("files", form.FILE_TABLES, FILE_ROLES, CONTENT_DIALECTS)
        self._files = Files(self._database, self._reader, self._creator, self._file_rows)
        self._checker = Checker(
            self._database,
            self._schema,
            self._relations,
            (self._comment_rows, self._file_rows),
            self._ledger,
            self._creator,
        )

    @classmethod
    @override
    def clean_settings(cls, values: dict[str, str]) -> dict[str, str]:
        return form.clean(values)

    @property
    @override
    def associating(self) -> Associations:
        return self._associations

    @property
    @override
    def commenting(self) -> Comments:
        return self._comments

    @property
    @override
    def attaching(self) -> Files:
        return self._files

    @override
    def close(self) -> None:
        self._database.close()

    @property
    @override
    def calls(self) -> Mapping[str, int]:
        return dict(self._database.calls)

    @override
    def identity(self) -> str:
        return self._checker.identity()

    @override
    def check(self) -> CheckReport:
        return self._checker.check()

    @override
    def prepare(self, name: str) -> None:
        if name != self._checker.LEDGER:
            raise LookupError(name)
        self._ledger.create()

    @override
    def object_types(self) -> list[ObjectType]:
        return [self._object_type(table) for table in self._schema.tables()]

    @override
    def fields(self, object_type: str) -> list[Field]:
        return [column.field for column in self._schema.table(object_type).columns.values()]

    @override
    def now(self) -> datetime:
        return self._database.now()

    @override
    def changes(
        self,
        object_type: str,
        window: Window,
        criteria: Criteria,
        fields: Sequence[str],
        after: str = "",
    ) -> Iterator[Page]:
        table = self._schema.table(object_type)
        return self._reader.changes(table, window, criteria, fields, after)

    @override
    def everything(
        self,
        object_type: str,
        criteria: Criteria,
        fields: Sequence[str],
        after: str = "",
        within: IdRange = ALL_IDS,
    ) -> Iterator[Page]:
        table = self._schema.table(object_type)
        return self._reader.everything(table, criteria, fields, after, within)

    @override
    def cut(self, object_type: str, criteria: Criteria, parts: int) -> tuple[IdRange, ...]:
        return self._reader.cut(self._schema.table(object_type), criteria, parts)

    @override
    def count(self, object_type: str, criteria: Criteria = ()) -> int:
        return self._reader.count(self._schema.table(object_type), criteria)

    @override
    def read(
        self, object_type: str, ids: Sequence[str], fields: Sequence[str]
    ) -> dict[str, Record]:
        return self._reader.read(self._schema.table(object_type), ids, fields)

    @override
    def find(
        self, object_type: str, queries: Sequence[Criteria], fields: Sequence[str]
    ) -> list[list[Record]]:
        return self._reader.find(self._schema.table(object_type), queries, fields)

    @override
    def create(self, object_type: str, drafts: Sequence[Draft]) -> list[Outcome]:
        return self._creator.create(self._schema.table(object_type), drafts)

    @override
    def update(self, object_type: str, patches: Sequence[Patch]) -> list[Outcome]:
        return self._updater.update(self._schema.table(object_type), patches)

    @override
    def arrived(self, object_type: str, sent: Sequence[SentUpdate]) -> dict[str, bool]:
        return self._ledger.arrived(self._schema.table(object_type).name, sent)

    @override
    def settle(self, object_type: str, sent: Sequence[SentCreate]) -> dict[str, Settled]:
        return self._creator.settle(self._schema.table(object_type), sent)

    @override
    def settles_with(self, object_type: str) -> str:
        return self._creator.why_not(self._schema.table(object_type))

    @override
    def explain(self, object_type: str, criteria: Criteria) -> tuple[QueryLine, ...]:
        return explain(self._database, self._schema.table(object_type), criteria)

    @override
    def url(self, object_type: str, record_id: str) -> str:
        return ""

    def _text(self, name: str) -> str:
        value = self.settings.get(name, "")
        return value.reveal() if isinstance(value, Secret) else value

    def _parsed(self, name: str, parse: Callable[[str], Parsed]) -> Parsed:
        try:
            return parse(self._text(name))
        except ValueError as error:
            raise AttentionError(str(error), parameter=name) from error

    def _child_rows(
        self,
        kind: str,
        setting: form.ChildForm,
        roles: Sequence[Role],
        dialects: frozenset[str] = frozenset(),
    ) -> ChildRows:
        lines = self._parsed(setting.parameter, setting.parse)
        tables = ChildTables(self._database, self._schema, self._relations, lines, roles, dialects)
        return ChildRows(self._database, self._reader, self._creator, tables, kind)

    def _object_type(self, table: ObjectTable) -> ObjectType:
        why_not = {
            Capability.CREATE: self._creator.why_not(table),
            Capability.ASSOCIATIONS: self._why_no_associations(table),
            Capability.COMMENTS: self._comment_rows.why_not(table.name),
            Capability.ATTACHMENTS: self._file_rows.why_not(table.name),
        }
        able = {capability for capability, reason in why_not.items() if not reason}
        if Capability.COMMENTS in able and self._comments.has_mentions(table.name):
            able.add(Capability.MENTIONS)
        return ObjectType(
            name=table.name,
            label=self._label(table),
            capabilities=frozenset({Capability.UPDATE, *able}),
            why_not={capability: reason for capability, reason in why_not.items() if reason},
            modified_field=table.modified.name if table.modified else "",
        )

    def _label(self, table: ObjectTable) -> str:
        label = label_of(table.table.name)
        held = [rows.kind for rows in (self._comment_rows, self._file_rows) if rows.holds(table)]
        return f"{label} ({', '.join(held)})" if held else label

    def _why_no_associations(self, table: ObjectTable) -> str:
        if kinds_of(self._relations, table):
            return ""
        return (
            f"No foreign key leads from or to {table.name}. Declare one in the database, or name "
            "it in the system's foreign keys."
        )
