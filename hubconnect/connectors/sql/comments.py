"""Comments as rows of tables that refer to records."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, true

from hubconnect.connectors.base import (
    Draft,
    Outcome,
    Patch,
    Record,
    SentCreate,
    Settled,
    Value,
    Window,
)
from hubconnect.connectors.children import (
    Comment,
    CommentAbilities,
    CommentDraft,
    CommentPage,
    CommentPatch,
    SentComment,
)
from hubconnect.connectors.errors import Category, ConnectorError, FieldFault, RecordError
from hubconnect.connectors.rich_text import clean, from_plain, to_plain
from hubconnect.connectors.sql.child_lines import FORMAT, HTML
from hubconnect.connectors.sql.child_rows import ChildRows, renamed, row_id, settled
from hubconnect.connectors.sql.child_tables import ChildTable, Role
from hubconnect.connectors.sql.conditions import in_window
from hubconnect.connectors.sql.creates import Creator
from hubconnect.connectors.sql.database import Database
from hubconnect.connectors.sql.reader import Reader
from hubconnect.connectors.sql.updates import Updater

COMMENT_ROLES = (
    Role(
        name="body",
        usual=("body", "text", "comment", "note", "content", "message"),
        kind="text",
        is_needed=True,
    ),
    Role(
        name="author",
        usual=("author", "author_email", "email", "written_by", "created_by", "user"),
        kind="text",
    ),
    Role(
        name="time",
        usual=("created_at", "written_at", "posted_at", "created", "created_on", "time"),
        kind="time",
    ),
    Role(
        name="edited",
        usual=("updated_at", "edited_at", "modified_at", "changed_at", "modified", "updated"),
        kind="time",
    ),
)
# Stands in a column that may not be empty when nobody knows who wrote.
NOBODY = "HubConnect"


class Comments:
    """Reads and writes comments in one database."""

    def __init__(
        self, database: Database, reader: Reader, creator: Creator, rows: ChildRows, page_size: int
    ) -> None:
        """Keep what it works with."""
        self._database, self._reader, self._creator = database, reader, creator
        self._updater = Updater(database, reader)
        self._rows, self._page_size = rows, page_size

    def comment_abilities(self, object_type: str) -> CommentAbilities:
        """Return what comments of this object type can hold."""
        child = self._rows.main_table(object_type)
        body = child.column("body")
        return CommentAbilities(
            is_rich=_is_html(child),
            keeps_author=child.column("author") is not None,
            keeps_time=child.column("time") is not None,
            can_edit=body is not None and not body.field.read_only,
            has_mentions=_is_html(child),
            max_length=body.field.max_length if body is not None else None,
        )

    def stored_as(self, object_type: str) -> str:
        """Return the table of the comments."""
        return self._rows.main_table(object_type).table.name

    def has_mentions(self, object_type: str) -> bool:
        """Tell whether a mention of a user stays one in comments of this object type."""
        return _is_html(self._rows.main_table(object_type))

    def comment_ids(
        self, object_type: str, record_ids: Sequence[str]
    ) -> dict[str, tuple[str, ...]]:
        """Return the ids of all comments by record."""
        return self._rows.ids(object_type, record_ids)

    def read_comments(self, object_type: str, comment_ids: Sequence[str]) -> dict[str, Comment]:  # noqa: ARG002 - an id names its table
        """Return comments by id."""
        found: dict[str, Comment] = {}
        for child, rows in self._rows.by_table(comment_ids):
            names = list(child.columns.values())
            for record in self._reader.read(child.table, rows, names).values():
                comment = _comment(child, record)
                found[comment.id] = comment
        return found

    def changed_comments(
        self, object_type: str, window: Window, after: str = ""
    ) -> Iterator[CommentPage]:
        """Yield what was written or edited in the window; everything where no column tells."""
        children = self._rows.tables.of(object_type)
        start, _, own = after.partition(":")
        names = [child.name for child in children]
        first = names.index(start) if start in names else 0
        for child in children[first:]:
            clause = _changed_in(child, window, self._database.dialect.name)
            behind = own if child.name == start else ""
            pages = self._rows.pages(object_type, child, clause, behind, self._page_size)
            for page in pages:
                records = {row_id(child, one): (parent,) for one, parent in page.items()}
                yield CommentPage(records, list(records)[-1])

    def add_comments(self, object_type: str, drafts: Sequence[CommentDraft]) -> list[Outcome]:
        """Add comments; a key that was used before gives the comment it became."""
        child = self._rows.main_table(object_type)
        parents = self._rows.parent_values(
            object_type, child, [draft.record_id for draft in drafts]
        )
        now = self._database.now()
        outcomes: list[Outcome] = []
        ready: list[Draft] = []
        for draft in drafts:
            parent = parents.get(draft.record_id)
            fault = _too_long(child, draft.body)
            if parent is None:
                error = self._rows.no_such(object_type, draft.record_id)
                outcomes.append(Outcome(key=draft.key, error=error))
            elif fault is not None:
                outcomes.append(Outcome(key=draft.key, error=fault))
            else:
                ready.append(Draft(draft.key, {**parent, **_values(child, draft, now)}))
        return outcomes + self._read_back(child, self._creator.create(child.table, ready))

    def edit_comments(self, object_type: str, patches: Sequence[CommentPatch]) -> list[Outcome]:  # noqa: ARG002 - an id names its table
        """Change comments."""
        by_id = {patch.id: patch for patch in patches}
        outcomes: dict[str, Outcome] = {}
        for child, rows in self._rows.by_table(list(by_id)):
            ready = []
            for own in rows:
                patch = by_id[row_id(child, own)]
                fault = _too_long(child, patch.body)
                if fault is not None:
                    outcomes[patch.key] = Outcome(key=patch.key, error=fault)
                else:
                    body = {child.columns["body"]: _stored(child, patch.body)}
                    ready.append(Patch(patch.key, own, body))
            written = self._read_back(child, self._updater.update(child.table, ready))
            outcomes |= {one.key: one for one in written}
        return [outcomes.get(one.key, Outcome(key=one.key, is_gone=True)) for one in patches]

    def settle_comments(
        self,
        object_type: str,
        sent: Sequence[SentComment],
        taken: Collection[str] = (),  # noqa: ARG002 - keys tell
    ) -> dict[str, Settled]:
        """Look the keys up where the database keeps them."""
        child = self._rows.main_table(object_type)
        creates = [SentCreate(one.draft.key, {}, one.sent_at) for one in sent]
        found = self._creator.settle(child.table, creates)
        return {key: settled(child, one) for key, one in found.items()}

    def _read_back(self, child: ChildTable, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """Return outcomes with the version and text that a later read will show."""
        ids = [one.id for one in outcomes if one.id]
        records: dict[str, Record] = {}
        with suppress(ConnectorError):  # they are stored, whether they can be read now or not
            records = self._reader.read(child.table, ids, list(child.columns.values()))
        found = []
        for one in outcomes:
            record = records.get(one.id)
            if record is None:
                found.append(renamed(child, one, values={}, version=""))
            else:
                body = {"body": _comment(child, record).body}
                found.append(renamed(child, one, values=body, version=record.version))
        return found


def _is_html(child: ChildTable) -> bool:
    return child.options.get(FORMAT) == HTML


def _stored(child: ChildTable, body: str) -> str:
    text = clean(body)
    return text if _is_html(child) else to_plain(text)


def _comment(child: ChildTable, record: Record) -> Comment:
    values = {role: record.values[name] for role, name in child.columns.items()}
    text, author = str(values["body"] or ""), str(values.get("author") or "")
    return Comment(
        id=row_id(child, record.id),
        body=clean(text) if _is_html(child) else from_plain(text),
        author=author if "@" in author else "",
        author_name=author,
        created_at=_moment(values.get("time")),
        modified_at=_moment(values.get("edited")) or _moment(values.get("time")),
        version=record.version,
    )


def _moment(value: Value) -> datetime | None:
    return value if isinstance(value, datetime) else None


def _values(child: ChildTable, draft: CommentDraft, now: datetime) -> dict[str, Value]:
    values: dict[str, Value] = {child.columns["body"]: _stored(child, draft.body)}
    author, time = child.column("author"), child.column("time")
    if author is not None:
        values[author.name] = draft.author or (NOBODY if author.field.required else None)
    if time is not None and not time.field.read_only:
        values[time.name] = draft.written_at or now
    return values


def _too_long(child: ChildTable, body: str) -> RecordError | None:
    column = child.column("body")
    limit = column.field.max_length if column is not None else None
    length = len(_stored(child, body))
    if column is None or limit is None or length <= limit:
        return None
    return RecordError(
        f"The comment has {length} characters, and {child.name}.{column.name} holds {limit}.",
        hint="Shorten the comment, or make the column wider.",
        category=Category.TOO_LONG,
        faults=(FieldFault(column.name, f"holds at most {limit} characters."),),
    )


def _changed_in(child: ChildTable, window: Window, dialect: str) -> ColumnElement[bool]:
    """Return the clause for what was written or edited in the window.

    Many applications leave the time of the last edit empty until there is one.
    """
    time, edited = child.column("time"), child.column("edited")
    if edited is None or time is None or edited.name == time.name:
        told = edited or time
        return true() if told is None else in_window(told, window, dialect)
    return or_(
        and_(edited.column.is_not(None), in_window(edited, window, dialect)),
        and_(edited.column.is_(None), in_window(time, window, dialect)),
    )
