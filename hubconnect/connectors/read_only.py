"""Connectors that can look and cannot touch: what previews and comparisons read with.

A read-only connector is the connector itself, its class derived once more, so that all it declares
stays as it is; each of its writing methods raises ``WriteRefusedError`` before anything is sent.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, NoReturn, TypeVar

from typing_extensions import override

from hubconnect.connectors.base import Connector, Draft, Outcome, Patch
from hubconnect.connectors.children import Associating, Attaching, Commenting

T = TypeVar("T")

# The writing methods of the protocols in children.py.
WRITES = frozenset(
    {"associate", "dissociate", "add_comments", "edit_comments", "add_files"},
)


class WriteRefusedError(RuntimeError):
    """Something that only looks tried to write: an error in HubConnect, not in the system."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} was called on a connector that only reads.")


class _Refusing(Connector):
    """Stands in front of a connector's class and refuses what it would write."""

    @override
    def create(self, object_type: str, drafts: Sequence[Draft]) -> list[Outcome]:
        _refuse("create")

    @override
    def update(self, object_type: str, patches: Sequence[Patch]) -> list[Outcome]:
        _refuse("update")

    @override
    def prepare(self, name: str) -> None:
        _refuse("prepare")

    @property
    @override
    def associating(self) -> Associating | None:
        return _guarded(super().associating)

    @property
    @override
    def commenting(self) -> Commenting | None:
        return _guarded(super().commenting)

    @property
    @override
    def attaching(self) -> Attaching | None:
        return _guarded(super().attaching)


def _refuse(what: str) -> NoReturn:
    raise WriteRefusedError(what)


class _Guard:
    """Passes everything on to what it guards, but for the writing methods."""

    def __init__(self, guarded: object) -> None:
        self._guarded = guarded

    def __getattr__(self, name: str) -> object:
        if name in WRITES:
            _refuse(name)
        return getattr(self._guarded, name)


def _guarded(children: T) -> T:
    if children is None:
        return children
    guard: Any = _Guard(children)  # it answers to whatever it guards
    same: T = guard
    return same


@cache
def read_only(of: type[Connector]) -> type[Connector]:
    """Return the class of connectors that read as ``of`` does and never write."""
    made = type(f"ReadOnly{of.__name__}", (_Refusing, of), {})
    if not issubclass(made, Connector):
        raise TypeError(of)
    return made
