"""What of a mapping concerns the things that hang on a record, made ready for one direction."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class AssociationFlow:
    """One kind of link in one direction.

    Attributes:
        source, target: names of the connectors' association types.
        source_to, target_to: object types of the far ends.
        must_exist: the record fails while the far record has no counterpart; else the link waits.
        default: id of the target's far record to link with when the source names none, or "".
        flows_back: carried in the other direction too.
    """

    source: str
    source_to: str
    target: str
    target_to: str
    must_exist: bool = False
    default: str = ""
    carries_removal: bool = True
    flows_back: bool = False


class Edited(StrEnum):
    """What an edited comment does to its counterpart."""

    UPDATE = "update"
    AGAIN = "again"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentFlow:
    """Comments in one direction.

    Attributes:
        puts_author, puts_time: who wrote the original, and when, goes in front of the copy.
        winner: who wins when both were edited: "source", "target", or "" to ask a person.
        carries_mentions: else a mention becomes plain "@Name".
    """

    puts_author: bool = False
    puts_time: bool = False
    edited: Edited = Edited.UPDATE
    winner: str = ""
    carries_mentions: bool = True
    flows_back: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFlow:
    """Files in one direction. Endings of names are in lower case, without the dot."""

    max_bytes: int
    refused: frozenset[str] = frozenset()
    allowed: frozenset[str] = frozenset()
    flows_back: bool = False

    def refuse_reason(self, name: str, size: int | None) -> str:
        """Return why a file is not carried, as a sentence, or ""."""
        ending = name.rpartition(".")[2].lower() if "." in name else ""
        if size is not None and size > self.max_bytes:
            return (
                f"{name} has {size / 1_000_000:,.1f} MB; the mapping carries files up to "
                f"{self.max_bytes / 1_000_000:,.0f} MB."
            )
        if ending in self.refused:
            return f"{name} is of a type (.{ending}) that the mapping refuses."
        if self.allowed and ending not in self.allowed:
            return f"{name} is of a type (.{ending or '–'}) that the mapping does not list."
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFields:
    """Fields that receive the counterpart's id and address, by internal name, "" for none."""

    source_id: str = ""
    source_link: str = ""
    target_id: str = ""
    target_link: str = ""

    @property
    def on_source(self) -> tuple[str, ...]:
        """Return the fields of the source record that are written."""
        return tuple(name for name in (self.source_id, self.source_link) if name)

    @property
    def on_target(self) -> tuple[str, ...]:
        """Return the fields of the target record that are written."""
        return tuple(name for name in (self.target_id, self.target_link) if name)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildrenSpec:
    """Everything that a flow carries beside the fields of a record."""

    associations: tuple[AssociationFlow, ...] = ()
    comments: CommentFlow | None = None
    files: FileFlow | None = None
    remote: RemoteFields = RemoteFields()
