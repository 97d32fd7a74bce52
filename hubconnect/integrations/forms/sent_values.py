"""The form of what is sent for one failed record: a field for each target field, by its type."""

from collections.abc import Callable
from typing import Any, Final

from django import forms

from hubconnect.connectors.base import Field, Value, ValueType
from hubconnect.connectors.errors import RecordError
from hubconnect.engine.values import ConversionError, as_text, fit, parse_text
from hubconnect.integrations.services.edits import Draft, Line

_LONG: Final = 120
_YES_NO: Final = [("", "(empty)"), ("true", "Yes"), ("false", "No")]
_FORMS: Final = {
    ValueType.NUMBER: "A number, such as 1250.5.",
    ValueType.DATE: "A date, such as 2026-03-31.",
    ValueType.DATETIME: "A time, such as 2026-03-31T09:30:00Z.",
    ValueType.USER: "The e-mail address of an active user.",
    ValueType.REFERENCE: "The id of a record.",
}


class SentValuesForm(forms.Form):
    """``values`` has what was typed in canonical form once the form is valid."""

    seen = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, draft: Draft, data: Any = None) -> None:  # noqa: ANN401 - as Django has it
        super().__init__(data, initial={"seen": draft.seen})
        self.draft = draft
        self.values: dict[str, Value] = {}
        self._lines = {f"value-{at}": line for at, line in enumerate(draft.lines)}
        for name, line in self._lines.items():
            self.fields[name] = _form_field(line)

    def clean(self) -> dict[str, Any]:
        """Turn what was typed into values of the target's types, each fault at its field."""
        data = super().clean() or self.cleaned_data
        for name, line in self._lines.items():
            if name not in data:
                continue
            try:
                self.values[line.field.name] = _value(data[name], line.field)
            except ConversionError as error:
                self.add_error(name, str(error))
            except RecordError as error:
                self.add_error(name, error.message)
        return data


def _value(typed: object, of: Field) -> Value:
    if isinstance(typed, list):
        return frozenset(typed) or None
    return fit(parse_text(str(typed).strip(), of), of, cut=False)


def _form_field(line: Line) -> forms.Field:
    """Return the form's field for a target field, with what would be sent in it."""
    of = line.field
    made = _MAKERS.get(of.type, _text)(of, line.value)
    made.label = of.label
    made.required = False
    made.mark_optional = False  # type: ignore[attr-defined]  # {% field %}'s
    made.help_text = _help(line)
    return made


def _help(line: Line) -> str:
    said = f"{line.source[0]}: {line.source[1][:_LONG] or '(empty)'}." if line.source[0] else ""
    parts = [said, _FORMS.get(line.field.type, "")]
    if line.field.max_length is not None:
        parts.append(f"At most {line.field.max_length:,} characters.")
    return " ".join(filter(None, parts))


def _text(of: Field, value: Value) -> forms.Field:
    text = as_text(value)
    is_long = of.type is ValueType.RICH_TEXT or len(text) > _LONG or "\n" in text
    widget = forms.Textarea({"rows": 4}) if is_long else forms.TextInput()
    return forms.CharField(initial=text, widget=widget, strip=False)


def _option(of: Field, value: Value) -> forms.Field:
    if not of.options:
        return _text(of, value)
    choices = [("", "(empty)"), *_choices(of, value)]
    return forms.ChoiceField(choices=choices, initial=as_text(value))


def _options(of: Field, value: Value) -> forms.Field:
    if not of.options:
        return _text(of, value)
    chosen = sorted(value) if isinstance(value, frozenset) else [as_text(value)] if value else []
    return forms.MultipleChoiceField(
        choices=_choices(of, value), initial=chosen, widget=forms.CheckboxSelectMultiple
    )


def _choices(of: Field, value: Value) -> list[tuple[str, str]]:
    """Return the options, and what is sent now where it is none of them."""
    known = [(one.value, one.label) for one in of.options if not one.hidden]
    names = {name for name, _ in known}
    held = sorted(value) if isinstance(value, frozenset) else [as_text(value)]
    return [*((one, f"{one} (no option)") for one in held if one and one not in names), *known]


def _boolean(of: Field, value: Value) -> forms.Field:  # noqa: ARG001 - as the others
    initial = as_text(value) if isinstance(value, bool) else ""
    return forms.ChoiceField(choices=_YES_NO, initial=initial)


_MAKERS: Final[dict[ValueType, Callable[[Field, Value], forms.Field]]] = {
    ValueType.OPTION: _option,
    ValueType.OPTIONS: _options,
    ValueType.BOOLEAN: _boolean,
}
