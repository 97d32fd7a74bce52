"""What hangs on a record: associations with other records, comments, files.

Each is a small protocol of its own that a connector may implement; ``Connector.associating``,
``commenting`` and ``attaching`` give it, or None. An object type says by its capabilities for
which of its records they work.

Texts of comments cross the border as sanitised HTML. A mention of a user in them is canonical::

    <span data-mention="rae.poe@example.com">@Rae Poe</span>
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Protocol

from hubconnect.connectors.base import Outcome, Settled, Window

# --- Associations ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class AssociationType:
    """A kind of link from records of one object type to those of another.

    Attributes:
        name: stable internal name, e.g. ``HUBSPOT_DEFINED:279`` or ``column:customer_id``; the
            same text as in ``base.NewAssociation.type``.
        label: for a person, e.g. ``Primary company``.
        to_type: object type of the other end.
        is_many: a record may have several; else a new one replaces the old one.
        can_write: may be made and taken away.
        is_required: no record can be created without one.
        fields: fields of the record that hold the same, so that either will do.
    """

    name: str
    label: str
    to_type: str
    is_many: bool = True
    can_write: bool = True
    is_required: bool = False
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Association:
    """One link: from a record, of a type, to another record."""

    record_id: str
    type: str
    to_id: str

    @property
    def key(self) -> str:
        """Return what outcomes name it by."""
        return f"{self.record_id}>{self.type}>{self.to_id}"


class Associating(Protocol):
    """Reads and writes associations. Making one that exists, or ending none, is a success."""

    def association_types(self, object_type: str) -> list[AssociationType]:
        """Return the kinds of link that records of this type can have."""

    def associations(
        self, object_type: str, record_ids: Sequence[str], types: Sequence[str]
    ) -> dict[str, frozenset[Association]]:
        """Return the links of these types by record id, each set complete.

        A record without links has an empty set; one that does not exist may be missing.
        """

    def associate(self, object_type: str, links: Sequence[Association]) -> list[Outcome]:
        """Make links; one outcome each, named by the link's key.

        Raises:
            ConnectorError: as ``Connector.create``; sending all of them again does no harm.
        """

    def dissociate(self, object_type: str, links: Sequence[Association]) -> list[Outcome]:
        """End links; outcomes and errors as for ``associate``."""


# --- Comments ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentAbilities:
    """What comments of a system can hold.

    Attributes:
        is_rich: keeps emphasis, lists, links and tables; else it holds plain text.
        keeps_author: stores who wrote a comment, given by e-mail.
        keeps_time: stores when it was written.
        can_edit: a comment can be changed later.
        has_mentions: a mention of a user stays one.
        max_length: characters of the stored text, or None.
    """

    is_rich: bool
    keeps_author: bool
    keeps_time: bool
    can_edit: bool
    has_mentions: bool
    max_length: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """A comment as read.

    Attributes:
        body: sanitised HTML; "" when it only carries files.
        author: e-mail of who wrote it, or "".
        author_name: the same for a person, or "".
        version: differs whenever the system saw the comment change.
        holder: what its files hang on, as in ``FileInfo``, or "" where it can carry none.
    """

    id: str
    body: str
    author: str = ""
    author_name: str = ""
    created_at: datetime | None = None
    modified_at: datetime | None = None
    version: str = ""
    has_files: bool = False
    holder: str = ""


@dataclass(frozen=True, slots=True)
class CommentPage:
    """Comments that changed, each with the records of the asked type it hangs on.

    ``after`` is the connector's own text, as of ``base.Page``.
    """

    records: Mapping[str, tuple[str, ...]]
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentDraft:
    """A comment to add; ``key`` makes it idempotent where the system can.

    Author and time are stored where the system keeps them.
    """

    key: str
    record_id: str
    body: str
    author: str = ""
    written_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentPatch:
    """A new text for a comment that hangs on this record."""

    key: str
    id: str
    record_id: str
    body: str


@dataclass(frozen=True, slots=True)
class SentComment:
    """A comment whose outcome was lost: what was sent, and when by the system's clock."""

    draft: CommentDraft
    sent_at: datetime


class Commenting(Protocol):
    """Reads and writes the comments of records."""

    def comment_abilities(self, object_type: str) -> CommentAbilities:
        """Return what comments of this object type can hold."""

    def stored_as(self, object_type: str) -> str:
        """Return the object type whose records these comments are, or ""."""

    def comment_ids(
        self, object_type: str, record_ids: Sequence[str]
    ) -> dict[str, tuple[str, ...]]:
        """Return the ids of all comments by record id, ascending; cheap, also for thousands."""

    def read_comments(self, object_type: str, comment_ids: Sequence[str]) -> dict[str, Comment]:
        """Return comments by id; one that does not exist (any more) is missing."""

    def changed_comments(
        self, object_type: str, window: Window, after: str = ""
    ) -> Iterator[CommentPage]:
        """Yield the comments that were written or edited in the window."""

    def add_comments(self, object_type: str, drafts: Sequence[CommentDraft]) -> list[Outcome]:
        """Add comments; one outcome per draft, named by its key.

        ``Outcome.values["body"]`` is the text as stored, in canonical form.

        Raises:
            ConnectorError: as ``Connector.create``.
        """

    def edit_comments(self, object_type: str, patches: Sequence[CommentPatch]) -> list[Outcome]:
        """Change comments; outcomes and errors as for ``add_comments``."""

    def settle_comments(
        self, object_type: str, sent: Sequence[SentComment], taken: Collection[str] = ()
    ) -> dict[str, Settled]:
        """Find out which sent comments were stored, by key.

        ``taken`` are comments known to be something else's copy: where no key tells, none of these
        is what was sent, whatever it says.
        """


# --- Files -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class FileInfo:
    """A file of a record.

    Attributes:
        holder: what carries it: a note or another activity, a row of a table of files.
        digest: MD5 of the content in hexadecimal, where the system knows it, or "".
        size: bytes, where known before it is opened.
    """

    id: str
    holder: str
    name: str
    media_type: str = ""
    size: int | None = None
    digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileContent:
    """An open file: pieces of at most a quarter of a megabyte."""

    chunks: Iterator[bytes]
    name: str
    media_type: str = ""
    size: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDraft:
    """A file to add to a record. ``open`` gives its content from the start, each time anew."""

    key: str
    record_id: str
    name: str
    media_type: str
    size: int
    digest: str
    open: Callable[[], BinaryIO]


@dataclass(frozen=True, slots=True, kw_only=True)
class SentFile:
    """A file whose outcome was lost: what was sent, and when by the system's clock."""

    key: str
    record_id: str
    name: str
    size: int
    digest: str
    sent_at: datetime


class Attaching(Protocol):
    """Reads and writes the files of records."""

    def holder_ids(self, object_type: str, record_ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Return by record id what may carry its files; cheap, also for thousands."""

    def read_holders(
        self, object_type: str, holders: Sequence[str]
    ) -> dict[str, tuple[FileInfo, ...]]:
        """Return the files each holder carries; a holder that does not exist is missing."""

    def changed_holders(
        self, object_type: str, window: Window
    ) -> Iterator[Mapping[str, tuple[str, ...]]]:
        """Yield what may carry files and changed in the window, with the records it hangs on.

        Comments are left out: ``changed_comments`` tells of them.
        """

    def open_file(self, object_type: str, file: FileInfo) -> AbstractContextManager[FileContent]:
        """Open a file for reading.

        Raises:
            RecordError: this file cannot be read; others may.
            TemporaryError: the system cannot answer now.
        """

    def max_file_bytes(self, object_type: str) -> int | None:
        """Return the largest file the system takes, or None when it sets no limit."""

    def add_files(self, object_type: str, drafts: Sequence[FileDraft]) -> list[Outcome]:
        """Add files, streamed; one outcome per draft, named by its key, whose id is the holder.

        Raises:
            ConnectorError: as ``Connector.create``.
        """

    def settle_files(self, object_type: str, sent: Sequence[SentFile]) -> dict[str, Settled]:
        """Find out which sent files were stored, by key; ``Settled.id`` is the holder."""
