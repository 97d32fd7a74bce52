"""What the contract suite needs of one connector: a live system it can play a user of."""

from collections.abc import Mapping
from typing import Protocol

from hubconnect.connectors.base import Connector, Value, Values


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
