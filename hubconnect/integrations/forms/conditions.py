"""Conditions as rows of a form and as JSON, each following the other.

A page holds both. Whichever a person changed is taken: the text as it was drawn travels along in a
hidden field, so that it shows which.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Any

from django.http import QueryDict
from django.utils import timezone

from hubconnect.connectors.base import Field, Operator, ValueType
from hubconnect.engine import criteria as language, lookup as lookup_language
from hubconnect.engine.conditions import MANY, NO_VALUE
from hubconnect.engine.criteria import CriteriaInvalidError
from hubconnect.engine.lookup import INTERNAL_ID
from hubconnect.engine.values import as_text

# Rows that a page may send; more cannot be made with it.
MOST_ROWS = 20
_CONFLICT = "The rows and the JSON were both changed, and say different things."


@dataclass(frozen=True, slots=True)
class Row:
    """One condition, as texts: what its inputs hold."""

    field: str = ""
    condition: str = Operator.EQUALS.value
    value: str = ""
    high: str = ""
    values: tuple[str, ...] = ()

    @property
    def operator(self) -> Operator | None:
        """The condition, if it is one."""
        return Operator(self.condition) if self.condition in list(Operator) else None


@dataclass(kw_only=True)
class Conditions:
    """The conditions of one part of the form.

    Attributes:
        name: of the text's input; the rows' inputs begin with it.
        fields: what conditions may be on; None when the system does not tell.
        limit: most conditions, or None.
        text: the JSON.
        rows: the same as rows; those being filled in are not in the text yet.
        drawn: the text as the page last showed it.
        added: the place of a row that was just added, which is filled in next.
    """

    name: str
    fields: Mapping[str, Field] | None
    limit: int | None = None
    text: str = ""
    rows: list[Row] = field(default_factory=list)
    drawn: str = ""
    is_at_odds: bool = False
    added: int | None = None

    # --- Filling ---------------------------------------------------------------------------------

    def load(self, stored: list[dict[str, Any]]) -> None:
        """Show what is stored."""
        self.text = self.drawn = language.encode(stored)
        self.rows = self._rows_of(self.text) or []

    def read(self, data: QueryDict, leading: str = "") -> None:
        """Take what a page sent; ``leading`` says which goes before: "rows", "text" or neither."""
        self.text = _plain(data.get(self.name, ""))
        self.drawn = _plain(data.get(f"{self.name}-was", ""))
        if f"{self.name}-rows" not in data:
            leading = "text"
        sent = self._sent_rows(data)
        as_sent = self._text_of(sent)
        is_new_text = self.text.strip() != self.drawn.strip()
        are_new_rows = as_sent != self._text_of(self._rows_of(self.drawn))
        if not leading and is_new_text and are_new_rows:
            self.is_at_odds = as_sent != self._text_of(self._rows_of(self.text))
        takes_rows = leading == "rows" or (not leading and are_new_rows and not is_new_text)
        if takes_rows:
            self.text = as_sent
        follows = not takes_rows and not self.is_at_odds and (is_new_text or leading == "text")
        found = self._rows_of(self.text) if follows else None
        # Rows stay as they are while the text is no list of conditions, to go on from.
        self.rows = sent if found is None else found

    def add(self) -> None:
        """Add a row to be filled in."""
        if not self.is_full:
            self.added = len(self.rows)
            self.rows.append(Row())

    def remove(self, place: int) -> None:
        """Take a row out, and its condition out of the text."""
        self.is_at_odds = False
        self.rows = [row for at, row in enumerate(self.rows) if at != place]
        self.text = self._text_of(self.rows)

    def replace(self, conditions: list[dict[str, Any]]) -> None:
        """Put other conditions in the place of all."""
        self.is_at_odds = False
        self.text = language.encode(conditions)
        self.rows = self._rows_of(self.text) or []

    def _sent_rows(self, data: QueryDict) -> list[Row]:
        rows = []
        for place in range(MOST_ROWS):
            start = f"{self.name}-{place}-"
            if f"{start}field" not in data:
                break
            row = Row(
                field=data.get(f"{start}field", ""),
                condition=data.get(f"{start}condition", ""),
                value=_plain(data.get(f"{start}value", "")),
                high=_plain(data.get(f"{start}high", "")),
                values=_many(data, f"{start}values"),
            )
            rows.append(self._fitting(row, data.get(f"{start}was", row.field)))
        return rows

    def _fitting(self, row: Row, drawn_field: str) -> Row:
        """Return a row without what was meant for another field or condition."""
        known = (self.fields or {}).get(row.field)
        if row.field != drawn_field and drawn_field:
            row = Row(field=row.field, condition=row.condition)
        if known is not None and row.operator not in language.operators_for(known):
            row = replace(row, condition=Operator.EQUALS.value)
        if row.operator in MANY:
            one = (row.value,) if row.value and not row.values else row.values
            return replace(row, values=one, value="", high="")
        if row.values and not row.value and row.operator not in NO_VALUE:
            row = replace(row, value=row.values[0])
        return replace(row, values=())

    # --- Judging ---------------------------------------------------------------------------------

    @property
    def is_full(self) -> bool:
        """Tell whether no condition can be added."""
        return len(self.rows) >= min(self.limit or MOST_ROWS, MOST_ROWS)

    @property
    def left(self) -> int | None:
        """How many conditions can be added; None: as many as one likes."""
        return None if self.limit is None else max(self.limit - len(self.rows), 0)

    @property
    def height(self) -> int:
        """Lines that the text's input shows."""
        return min(max(self.text.count("\n") + 2, 6), 20)

    @cached_property
    def problem(self) -> CriteriaInvalidError | None:
        """What keeps the text from being used, or None."""
        if self.is_at_odds:
            hint = "Let the rows follow the JSON, or the JSON the rows."
            return CriteriaInvalidError(_CONFLICT, hint)
        try:
            self.check()
        except CriteriaInvalidError as error:
            return error
        return None

    def check(self) -> None:
        """Check the text.

        Raises:
            CriteriaInvalidError: with its place.
        """
        if self.fields is not None:
            language.parse_text(self.text, self.fields, self.limit)

    @property
    def conditions(self) -> list[dict[str, Any]]:
        """The text as JSON, once it was checked; numbers as a database keeps JSON."""
        return json.loads(self.text) if self.text.strip() else []

    # --- Rows and text ---------------------------------------------------------------------------

    def _rows_of(self, text: str) -> list[Row] | None:
        """Return a text as rows, or None when it is no list of conditions."""
        if not text.strip():
            return []
        try:
            found = language.decode(text)
        except CriteriaInvalidError:
            return None
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            return None
        return [self._row(one) for one in found[:MOST_ROWS]]

    def _row(self, one: Mapping[str, Any]) -> Row:
        name, values = str(one.get("field") or ""), one.get("values")
        known = (self.fields or {}).get(name)
        return Row(
            field=name,
            condition=str(one.get("condition") or ""),
            value=_shown(one.get("value"), known),
            high=_shown(one.get("highValue"), known),
            values=tuple(_shown(each, known) for each in values)
            if isinstance(values, list)
            else (),
        )

    def _text_of(self, rows: list[Row] | None) -> str:
        return language.encode([self._condition(row) for row in rows or () if row.field])

    def _condition(self, row: Row) -> dict[str, Any]:
        known = (self.fields or {}).get(row.field)
        made: dict[str, Any] = {"condition": row.condition, "field": row.field}
        if row.operator in MANY:
            made["values"] = [_typed(each, known) for each in row.values]
        elif row.operator not in NO_VALUE:
            made["value"] = _typed(row.value, known)
        if row.operator is Operator.BETWEEN:
            made["highValue"] = _typed(row.high, known)
        return made


@dataclass(kw_only=True)
class LookupConditions(Conditions):
    """Conditions on the target, with values of the source between ``@`` signs.

    Attributes:
        sources: fields of the source; None when the system does not tell.
        mapped: target fields that the mapping gives a value.
    """

    sources: Mapping[str, Field] | None
    mapped: frozenset[str] = frozenset()

    @property
    def places(self) -> list[tuple[str, str]]:
        """What may stand for a value, each with its label."""
        if self.sources is None:
            return []
        listed = [(f"@{one.name}@", one.label) for one in self.sources.values()]
        return [(f"@{INTERNAL_ID}@", "The record’s id"), *sorted(listed, key=lambda one: one[1])]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person should know of a lookup that can be used."""
        found = None if self.problem else self._parsed()
        return () if found is None else found.warnings

    def check(self) -> None:
        """Check the text against both sides.

        Raises:
            CriteriaInvalidError: with its place.
        """
        self._parsed()

    def _parsed(self) -> lookup_language.Lookup | None:
        if self.fields is None or self.sources is None:
            return None
        return lookup_language.parse_text(self.text, self.fields, self.sources, self.mapped)


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n")


def _many(data: QueryDict, name: str) -> tuple[str, ...]:
    """Return several values: ticked boxes, or the lines of one text."""
    lines = (line.strip() for each in data.getlist(name) for line in _plain(each).split("\n"))
    return tuple(line for line in lines if line)


def _shown(value: object, known: Field | None) -> str:
    """Return a value of the JSON as its input holds it; times in the reader's zone."""
    if value is None:
        return ""
    if isinstance(value, bool | Decimal):
        return as_text(value)
    if not isinstance(value, str):
        return json.dumps(value, default=str)
    if known is not None and known.type is ValueType.DATETIME:
        return _local(value)
    return value


def _local(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    if moment.tzinfo is None:
        return text
    shown = timezone.localtime(moment).replace(tzinfo=None)
    if shown.microsecond:
        return shown.isoformat(timespec="milliseconds")
    return shown.isoformat(timespec="seconds" if shown.second else "minutes")


def _typed(text: str, known: Field | None) -> object:
    """Return what an input holds as a value of the JSON."""
    if known is None or not text.strip():
        return text
    if known.type is ValueType.NUMBER:
        try:
            number = Decimal(text.strip())
        except InvalidOperation:
            return text
        return number if number.is_finite() else text
    if known.type is ValueType.BOOLEAN and text in ("true", "false"):
        return text == "true"
    if known.type is ValueType.DATETIME:
        return _moment(text)
    return text


def _moment(text: str) -> str:
    """Return a time of the reader's zone as UTC; anything else as it is."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return text
    if moment.tzinfo is not None or "T" not in text:
        return text
    aware = moment.replace(tzinfo=timezone.get_current_timezone()).astimezone(UTC)
    return as_text(aware)
