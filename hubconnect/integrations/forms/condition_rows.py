"""The inputs of one condition: its field, what it compares, and an input of the field's kind."""

import re
from collections.abc import Iterable
from typing import Any

from django import forms

from hubconnect.connectors.base import Field, Operator, ValueType
from hubconnect.engine.conditions import MANY, NO_VALUE, operators_for
from hubconnect.engine.criteria import words_for
from hubconnect.integrations.forms.conditions import Conditions, LookupConditions, Row

_TIMES = frozenset({ValueType.DATE, ValueType.DATETIME})
_LOCAL_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_YES_NO = (("true", "Yes"), ("false", "No"))
_KINDS = {
    "first": "Value",
    "low": "Lowest value",
    "high": "Highest value",
    "many": "Values",
}


class ConditionForm(forms.Form):
    """Draws one condition. What comes back is read by ``Conditions``, of all rows together."""

    def __init__(self, conditions: Conditions, number: int, row: Row) -> None:
        super().__init__(prefix=f"{conditions.name}-{number}")
        self.number, self.row = number, row
        self._conditions = conditions
        self._known = (conditions.fields or {}).get(row.field)
        fields = self._select(self._field_choices(), "Field")
        if conditions.added == number:
            fields.attrs["autofocus"] = True
        self._put("field", row.field, fields)
        self._put("condition", row.condition, self._select(self._operator_choices(), "Comparison"))
        self._put("was", row.field, forms.HiddenInput())
        if row.operator in MANY:
            self._put("values", self._many(), self._many_widget())
        elif row.operator not in NO_VALUE:
            is_span = row.operator is Operator.BETWEEN
            self._put("value", row.value, self._widget(row.value, "low" if is_span else "first"))
            if is_span:
                self._put("high", row.high, self._widget(row.high, "high"))

    def _put(self, name: str, value: object, widget: forms.Widget) -> None:
        self.fields[name] = forms.Field(required=False, initial=value, widget=widget)

    def _attrs(self, what: str, css: str, **more: object) -> dict[str, Any]:
        return {"class": css, "aria-label": f"{what} of condition {self.number + 1}", **more}

    def _select(self, choices: Iterable[tuple[str, str]], what: str) -> forms.Select:
        return forms.Select(self._attrs(what, "select"), choices=list(choices))

    def _field_choices(self) -> list[tuple[str, str]]:
        fields = self._conditions.fields or {}
        listed = sorted(
            ((one.name, f"{one.label} ({one.name})") for one in fields.values() if one.searchable),
            key=lambda one: one[1].casefold(),
        )
        name = self.row.field
        gone = [(name, f"{name} (unknown)")] if name and name not in dict(listed) else []
        return [("", "Choose a field"), *gone, *listed]

    def _operator_choices(self) -> list[tuple[str, str]]:
        offered = list(Operator) if self._known is None else operators_for(self._known)
        is_time = self._known is not None and self._known.type in _TIMES
        listed = [(one.value, words_for(one, is_time=is_time)) for one in offered]
        word = self.row.condition
        return listed if word in dict(listed) else [(word, word or "Choose"), *listed]

    # --- Values ----------------------------------------------------------------------------------

    def _widget(self, value: str, kind: str) -> forms.Widget:
        """Return the input for one value; what is no value of the kind stays as text."""
        what, known = _KINDS[kind], self._known
        if isinstance(self._conditions, LookupConditions):
            return self._place_input(what)
        choices = [] if known is None else _choices(known)
        if choices:
            gone = [] if value in dict(choices) or not value else [(value, f"{value} (no option)")]
            return self._select([("", "Choose"), *gone, *choices], what)
        if known is not None and known.type is ValueType.DATE and _fits(_DAY, value):
            return forms.DateInput(self._attrs(what, "input", type="date"))
        if known is not None and known.type is ValueType.DATETIME and _fits(_LOCAL_TIME, value):
            return forms.TextInput(
                self._attrs(what, "input", type="datetime-local", step=_step(value))
            )
        more = {"inputmode": "decimal"} if known and known.type is ValueType.NUMBER else {}
        return forms.TextInput(self._attrs(what, "input", **more))

    def _place_input(self, what: str) -> forms.Widget:
        name = f"{self._conditions.name}-places"
        attrs = self._attrs(what, "input input-mono", list=name, placeholder="@field@")
        return forms.TextInput({**attrs, "autocomplete": "off", "spellcheck": "false"})

    def _many(self) -> object:
        return list(self.row.values) if self._offers_boxes else "\n".join(self.row.values)

    def _many_widget(self) -> forms.Widget:
        if self._known is not None and self._offers_boxes:
            choices = _choices(self._known)
            known = dict(choices)
            gone = [(one, f"{one} (no option)") for one in self.row.values if one not in known]
            return forms.CheckboxSelectMultiple(choices=[*gone, *choices])
        attrs = self._attrs("Values, one a line,", "textarea", rows=3, spellcheck="false")
        return forms.Textarea({**attrs, "placeholder": "one value a line"})

    @property
    def _offers_boxes(self) -> bool:
        is_lookup = isinstance(self._conditions, LookupConditions)
        return not is_lookup and self._known is not None and bool(_choices(self._known))

    @property
    def shape(self) -> str:
        """How its values are typed: "boxes", "lines", "span", "one" or "none"."""
        if "values" in self.fields:
            return "boxes" if self._offers_boxes else "lines"
        if "high" in self.fields:
            return "span"
        return "one" if "value" in self.fields else "none"

    @property
    def label(self) -> str:
        """The field's label, for the button that removes the condition."""
        return self._known.label if self._known is not None else f"condition {self.number + 1}"


def _choices(known: Field) -> list[tuple[str, str]]:
    if known.type is ValueType.BOOLEAN:
        return list(_YES_NO)
    if known.open_options:
        return []
    return [(one.value, one.label) for one in known.options]


def _fits(pattern: re.Pattern[str], value: str) -> bool:
    return not value or pattern.fullmatch(value) is not None


def _step(value: str) -> str:
    """Return how fine a time is typed: as fine as the one that is there."""
    return "any" if "." in value else "1" if value.count(":") > 1 else "60"


def rows_of(conditions: Conditions) -> list[ConditionForm]:
    """Return the rows as they are drawn."""
    return [ConditionForm(conditions, at, row) for at, row in enumerate(conditions.rows)]
