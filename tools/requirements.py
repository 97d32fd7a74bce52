"""What ``make requirements`` runs: docs/requirements.md from its statements and the tests' marks.

Tests say which statements they prove: ``@pytest.mark.requirement("S39", "S79")``. With ``--check``
nothing is written: the exit status tells whether the page is up to date and every statement has
a test.
"""

import ast
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "docs" / "requirements.toml"
PAGE = ROOT / "docs" / "requirements.md"
MARK = "requirement"
HEAD = """# What OIM's HubSpot connector says, and the tests that prove it here

Made by `make requirements` from `docs/requirements.toml` and the marks of the tests: change those.
“As written” holds as the connector's page says; “better” says where HubConnect does more, and why.
"""


@dataclass(slots=True)
class Statement:
    """One numbered statement, and the tests that prove it as ``file::test``."""

    number: str
    says: str
    better: str = ""
    tests: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Section:
    """Statements below one heading."""

    title: str
    statements: list[Statement]


def read_sections() -> list[Section]:
    """Read the statements, without tests."""
    found = tomllib.loads(SOURCE.read_text())["section"]
    return [
        Section(
            one["title"],
            [_statement(number, said) for number, said in one.items() if number != "title"],
        )
        for one in found
    ]


def _statement(number: str, said: str | dict[str, str]) -> Statement:
    if isinstance(said, str):
        return Statement(number, said)
    return Statement(number, said["says"], said["better"])


def marked_tests() -> Iterator[tuple[str, str]]:
    """Yield (number, ``file::test``) for every mark in the tests."""
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        tree = ast.parse(file.read_text())
        name = file.relative_to(ROOT).as_posix()
        whole = [n for node in tree.body for n in _numbers_of_module(node)]
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                own = [n for each in node.decorator_list for n in _numbers(each)]
                yield from (
                    (number, f"{name}::{node.name}") for number in dict.fromkeys(whole + own)
                )


def _numbers_of_module(node: ast.stmt) -> Iterator[str]:
    """Yield the numbers of ``pytestmark = ...``."""
    is_mark = isinstance(node, ast.Assign) and any(
        isinstance(target, ast.Name) and target.id == "pytestmark" for target in node.targets
    )
    if is_mark:
        for call in ast.walk(node):
            if isinstance(call, ast.expr):
                yield from _numbers(call)


def _numbers(node: ast.expr) -> Iterator[str]:
    """Yield the numbers of ``pytest.mark.requirement(...)``."""
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == MARK
    ):
        for argument in node.args:
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                yield argument.value


def collect() -> list[Section]:
    """Return the statements with their tests.

    Raises:
        LookupError: a test names a number that no statement has.
    """
    sections = read_sections()
    known = {one.number: one for section in sections for one in section.statements}
    for number, test in marked_tests():
        if number not in known:
            msg = f"{test} is marked {number}, which docs/requirements.toml does not have."
            raise LookupError(msg)
        known[number].tests.append(test)
    return sections


def render(sections: list[Section]) -> str:
    """Return the page."""
    lines = [HEAD]
    for section in sections:
        lines += [f"## {section.title}", ""]
        for one in section.statements:
            kind = f"*better, because:* {one.better}" if one.better else "*as written*"
            lines.append(f"- **{one.number}** {one.says} {kind}")
            lines += [f"  - `{test}`" for test in one.tests] or ["  - no test yet"]
        lines.append("")
    return "\n".join(lines)


def unproved(sections: list[Section]) -> list[str]:
    """Return the numbers of the statements that no test proves."""
    return [one.number for section in sections for one in section.statements if not one.tests]


def main() -> int:
    """Write the page, or check it."""
    sections = collect()
    page = render(sections)
    missing = unproved(sections)
    if missing:
        print(f"No test is marked with {', '.join(missing)}.", file=sys.stderr)
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(page)
        print(f"Wrote {PAGE.relative_to(ROOT)}.")
        return 1 if missing else 0
    is_current = PAGE.exists() and PAGE.read_text() == page
    if not is_current:
        print("docs/requirements.md is out of date: run make requirements.", file=sys.stderr)
    return 0 if is_current and not missing else 1


if __name__ == "__main__":
    sys.exit(main())
