"""What a system is used for, and the scopes that this needs."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One object type at work, in one direction.

    Attributes:
        reads: its records are a source.
        writes: its records are created and changed.
        has_comments: so are its comments.
        has_attachments: so are its files.
        associated: object types whose links are carried with it.
    """

    object_type: str
    reads: bool = False
    writes: bool = False
    has_comments: bool = False
    has_attachments: bool = False
    associated: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Something that is done, and the scopes of which one allows it.

    Attributes:
        acts: what is done with what: ``("read", "deals")``.
        scopes: any one will do; the first is asked for.
        known_as: the name under which guides have it, where that is another, or "".
        is_optional: without it, something is less convenient and nothing fails.
    """

    acts: tuple[tuple[str, str], ...]
    scopes: tuple[str, ...]
    known_as: str = ""
    is_optional: bool = False

    def is_met(self, granted: Collection[str]) -> bool:
        """Tell whether one of the scopes is granted."""
        return any(scope in granted for scope in self.scopes)

    @property
    def purpose(self) -> str:
        """Return what completes "needed to ..."."""
        return describe(self.acts)

    @property
    def label(self) -> str:
        """Return the scope's name, and beside it the one of the guides."""
        return f"{self.scopes[0]} ({self.known_as})" if self.known_as else self.scopes[0]


def describe(acts: Iterable[tuple[str, str]]) -> str:
    """Return acts in words, those of one verb together."""
    labels: dict[str, dict[str, None]] = {}
    for verb, label in acts:
        labels.setdefault(verb, {})[label] = None
    return "; ".join(f"{verb} {', '.join(names)}" for verb, names in labels.items())
