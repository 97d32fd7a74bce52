"""Settings that name child tables: one line each, with columns where the names are unusual.

``order_comments`` or ``order_comments: body=note, author=written_by, format=html``.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

FORMAT, HTML = "format", "html"
PARENT = "parent"
_LINE = re.compile(r"^([^\s:=,]+)\s*(?::\s*(.*))?$")
_OPTION = re.compile(r"^(\w+)\s*=\s*([^=]*)$")


@dataclass(frozen=True, slots=True)
class ChildLine:
    """A table and what the setting says of it; an empty value stands for "no such column"."""

    table: str
    options: Mapping[str, str]


def parse_child_lines(
    text: str, known: Sequence[str], choices: Mapping[str, Sequence[str]]
) -> tuple[ChildLine, ...]:
    """Return what a setting says, line by line.

    Args:
        text: the setting.
        known: options a line may have.
        choices: allowed values of those that name no column.

    Raises:
        ValueError: with a sentence for the person.
    """
    found: dict[str, ChildLine] = {}
    for line in filter(None, (part.strip() for part in text.splitlines())):
        match = _LINE.match(line)
        if match is None:
            msg = f"“{line}” names no table. Write the table, and a colon before its columns."
            raise ValueError(msg)
        table = match[1]
        if table in found:
            msg = f"{table} stands there twice. Put all its columns on one line."
            raise ValueError(msg)
        options = dict(_option(table, part, known) for part in _parts(match[2]))
        for name, allowed in choices.items():
            if options.get(name, allowed[0]) not in allowed:
                msg = f"{table}: {name} is one of {', '.join(allowed)}, not “{options[name]}”."
                raise ValueError(msg)
        found[table] = ChildLine(table, options)
    return tuple(found.values())


def _parts(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def _option(table: str, text: str, known: Sequence[str]) -> tuple[str, str]:
    match = _OPTION.match(text)
    if match is None or match[1] not in known:
        msg = f"{table}: “{text}” is not understood. Write name=column, with {', '.join(known)}."
        raise ValueError(msg)
    return match[1], match[2].strip()
