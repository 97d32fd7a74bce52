"""The editor's page in the shape its template draws."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from hubconnect.connectors.base import Field, ValueType
from hubconnect.core.wording import counted
from hubconnect.engine.checks import Problem, Side, is_needed
from hubconnect.engine.mapping import Direction, FieldRule
from hubconnect.mappings.forms.rows import BaseRowFormSet, RowForm
from hubconnect.mappings.services import editing
from hubconnect.mappings.services.sides import Sides

ICONS: Final = {
    ValueType.TEXT: "t-text",
    ValueType.RICH_TEXT: "t-rich",
    ValueType.NUMBER: "t-number",
    ValueType.BOOLEAN: "t-bool",
    ValueType.DATE: "t-date",
    ValueType.DATETIME: "t-date",
    ValueType.OPTION: "t-option",
    ValueType.OPTIONS: "t-option",
    ValueType.USER: "t-user",
    ValueType.REFERENCE: "link",
}
_NAMED: Final = 3


@dataclass(frozen=True, slots=True)
class ShownField:
    """A field as a row or a pane shows it."""

    name: str
    label: str
    icon: str
    small: str
    native_type: str = ""
    is_needed: bool = False
    is_read_only: bool = False
    is_suggested: bool = False
    is_gone: bool = False


@dataclass(frozen=True, slots=True)
class ShownWay:
    """A way out of a problem, as a button."""

    label: str
    act: str


@dataclass(frozen=True, slots=True)
class ShownProblem:
    """A problem, the row it is about, and its ways out."""

    message: str
    target: str
    label: str
    ways: tuple[ShownWay, ...]


@dataclass(frozen=True, slots=True)
class Unpaired:
    """Options of one side that have no counterpart on the other."""

    side: str
    field: str
    system: str
    options: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A row of the grid."""

    at: int
    form: RowForm
    left: ShownField | None
    right: ShownField | None
    defaults: str
    unpaired: tuple[Unpaired, ...]
    problems: tuple[ShownProblem, ...]

    @property
    def unpaired_count(self) -> int:
        """Return how many options have no counterpart, on both sides together."""
        return sum(len(one.options) for one in self.unpaired)


@dataclass(frozen=True, slots=True)
class Pane:
    """The fields of one side that no row uses yet."""

    side: str
    system: str
    query: str
    total: int
    fields: tuple[ShownField, ...]


def show_rows(formset: BaseRowFormSet, sides: Sides, problems: Sequence[Problem]) -> list[ShownRow]:
    """Return the rows of the grid."""
    shown = show_problems(formset, problems)
    return [
        ShownRow(
            at,
            form,
            _shown_or_gone(form.left_field, form.left_name),
            _shown_or_gone(form.right_field, form.right_name),
            _defaults(form),
            tuple(_unpaired(form, sides)),
            tuple(told for problem, told in zip(problems, shown, strict=True) if problem.row == at),
        )
        for at, form in enumerate(formset.forms)
    ]


def show_problems(formset: BaseRowFormSet, problems: Iterable[Problem]) -> list[ShownProblem]:
    """Return the problems as sentences that lead to their rows."""
    forms = formset.forms
    shown = []
    for problem in problems:
        if problem.row is not None:
            label = forms[problem.row].label
            target = f"row-{problem.row}"
            ways = tuple(_way(way.label, way.direction, problem.row) for way in problem.ways)
        else:
            label, target = "", "add"
            side, name = problem.missing or ("", "")
            ways = (ShownWay("Add a row for it", f"need:{side}:{name}"),)
            if problem.is_learned:
                ways += (ShownWay("It is not needed any more", f"forget:{side}:{name}"),)
        shown.append(ShownProblem(problem.message, target, label, ways))
    return shown


def show_pane(
    side: str, at: Side, rules: Sequence[FieldRule], suggested: Iterable[FieldRule], query: str
) -> Pane:
    """Return the fields of a side that are free, those that are needed first."""
    used = {getattr(rule, side) for rule in rules}
    likely = {getattr(rule, side) for rule in suggested}
    free = [one for one in at.fields.values() if one.name not in used and not one.hidden]
    wanted = query.strip().casefold()
    found = [
        shown_field(one, is_suggested=one.name in likely)
        for one in free
        if wanted in one.label.casefold() or wanted in one.name.casefold()
    ]
    found.sort(key=lambda one: (not one.is_needed, not one.is_suggested, one.is_read_only))
    return Pane(side, at.system, query, len(free), tuple(found))


def say_suggestions(rules: Sequence[FieldRule], sides: Sides) -> str:
    """Name the first suggested rows in words."""
    named = [
        f"{sides.left.fields[rule.left].label} and {sides.right.fields[rule.right].label}"
        for rule in rules[:_NAMED]
    ]
    more = len(rules) - len(named)
    return ", ".join([*named, *([counted(more, "more row")] if more else [])])


def shown_field(field: Field, *, is_suggested: bool = False) -> ShownField:
    """Return a field as it is shown: its label, and below it its internal name."""
    return ShownField(
        field.name,
        field.label,
        ICONS[field.type],
        field.name,
        native_type=field.native_type,
        is_needed=is_needed(field),
        is_read_only=field.read_only,
        is_suggested=is_suggested,
    )


def _shown_or_gone(field: Field | None, name: str) -> ShownField | None:
    if field is not None:
        return shown_field(field)
    return ShownField(name, name, "s-bad", "gone", is_gone=True) if name else None


def _defaults(form: RowForm) -> str:
    """Return the defaults of a row in a few words."""
    words = []
    for name, field, is_written in (
        ("default_left", form.left_field, form.writes_left),
        ("default_right", form.right_field, form.writes_right),
    ):
        text = str(form[name].value() or "")
        if text and is_written:
            labels = {option.value: option.label for option in field.options} if field else {}
            words.append(labels.get(text, text))
    return " · ".join(dict.fromkeys(words))


def _unpaired(form: RowForm, sides: Sides) -> Iterator[Unpaired]:
    rule = FieldRule(
        left=form.left_name,
        right=form.right_name,
        direction=form.direction_now,
        value_map=tuple(pair for pair in (one.pair_now() for one in form.pairs.forms)),
    )
    for side, at, field, way in (
        ("left", sides.left, form.left_field, Direction.TO_RIGHT),
        ("right", sides.right, form.right_field, Direction.TO_LEFT),
    ):
        options = editing.unpaired(rule, sides, way)
        if options and field is not None:
            yield Unpaired(side, field.label, at.system, tuple(options))


def _way(label: str, direction: Direction | None, at: int) -> ShownWay:
    return ShownWay(label, f"turn:{at}:{direction}" if direction else f"remove:{at}")
