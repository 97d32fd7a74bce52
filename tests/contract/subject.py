"""What the contract suite needs of one connector: a live system it can play a user of."""

from collections.abc import Mapping
from typing import Protocol

from hubconnect.connectors.base import Connector, Value, Values


class LinkPlayer(Protocol):
    """Plays a user who links records.

    Attributes:
        object_type: kind of the records whose links are read and written.
        type: name of an association type of theirs.
    """

    object_type: str
    type: str

    def make_near(self, count: int) -> list[str]:
        """Make records of the object type, without links, and return their ids."""
        ...

    def make_far(self, count: int) -> list[str]:
        """Make records to link them with, and return their ids."""
        ...

    def link(self, near: str, far: str) -> None:
        """Link two records with the association type."""
        ...

    def unlink(self, near: str, far: str) -> None:
        """End the link again."""
        ...


class CommentPlayer(Protocol):
    """Plays a user who comments on records.

    Attributes:
        object_type: kind of the records.
        author: e-mail of a user of the system.
        author_name: the same user's name.
    """

    object_type: str
    author: str
    author_name: str

    def make_records(self, count: int) -> list[str]:
        """Make records without comments and return their ids."""
        ...

    def add(self, record_id: str, text: str) -> str:
        """Add a comment of one line of plain text as that user, and return its id."""
        ...

    def edit(self, comment_id: str, text: str) -> None:
        """Replace the text of a comment."""
        ...

    def delete(self, comment_id: str) -> None:
        """Delete a comment."""
        ...


class FilePlayer(Protocol):
    """Plays a user who attaches files to records. ``object_type`` is the kind of the records."""

    object_type: str

    def make_records(self, count: int) -> list[str]:
        """Make records without files and return their ids."""
        ...

    def add(self, record_id: str, name: str, content: bytes) -> str:
        """Attach a file and return the id of its holder."""
        ...

    def delete(self, holder: str) -> None:
        """Delete what carries a file."""
        ...

    def destroy(self, holder: str) -> None:
        """Delete the file, but leave what carried it where that is another thing."""
        ...


class Subject(Protocol):
    """One system under test, empty at first, thrown away after each test.

    Attributes:
        connector: open, with settings that work.
        object_type: a kind of record that can be created and updated.
        unique_field: text field the system keeps unique, ignoring capitals or not.
        text_field: text field anybody may change.
        wrong_settings: pairs of a parameter's name and settings whose check must blame it.
        away_settings: settings of a system that does not answer.
    """

    connector: Connector
    object_type: str
    unique_field: str
    text_field: str
    wrong_settings: tuple[tuple[str, Mapping[str, str]], ...]
    away_settings: Mapping[str, str]

    @property
    def links(self) -> LinkPlayer | None:
        """Return who links records, where the connector has associations."""
        ...

    @property
    def comments(self) -> CommentPlayer | None:
        """Return who comments on records, where the connector has comments."""
        ...

    @property
    def files(self) -> FilePlayer | None:
        """Return who attaches files to records, where the connector has files."""
        ...

    def values(self, number: int) -> dict[str, Value]:
        """Return values of a record nobody refuses, different for each number."""
        ...

    def refused_values(self) -> Values:
        """Return values the system refuses."""
        ...

    def make_records(self, count: int) -> list[str]:
        """Make records as a user of the system, numbered from 0, and return their ids."""
        ...

    def edit_record(self, record_id: str, text: str) -> None:
        """Change the text field as a user of the system."""
        ...

    def delete_record(self, record_id: str) -> None:
        """Delete a record as a user of the system."""
        ...

    def settle_down(self) -> None:
        """Return once what was written can be found by ``changes`` and ``find``."""
        ...

    def open(self, settings: Mapping[str, str]) -> Connector:
        """Open another connector with some settings changed; it is closed after the test."""
        ...
