"""Inputs for the parameters that a connector declares."""

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from hubconnect.connectors.errors import ParameterInvalidError
from hubconnect.connectors.parameters import Parameter, ParameterKind
from hubconnect.core.helping import find_topic

STORED: Final = "Stored. Leave empty to keep it."
WAITING: Final = "Received. Leave empty to keep it."
YES: Final = "true"


@dataclass(frozen=True, slots=True)
class Block:
    """Adjacent fields of a group that share their condition, if they have one."""

    when: str  # "field=value" for the page's script, or ""
    label: str
    is_shown: bool
    fields: tuple[forms.BoundField, ...]
    code: forms.BoundField | None = None  # the one that takes an authorization code by hand


@dataclass(frozen=True, slots=True)
class Group:
    """Fields below one heading."""

    label: str
    blocks: tuple[Block, ...]


def input_for(parameter: Parameter, stored: str, hint: str) -> forms.Field:
    """Return the input of one parameter. Whether it is required is decided when it is cleaned."""
    common: dict[str, Any] = {
        "label": parameter.label,
        "help_text": parameter.help,
        "required": False,
    }
    if parameter.is_secret:
        field: forms.Field = forms.CharField(**common, widget=_password_box(hint))
        if parameter.kind is ParameterKind.CODE:  # its part of the page draws it by itself
            own = {"class": "input input-mono", "aria-describedby": f"id_{parameter.name}-help"}
            field.widget.attrs |= own
            field.guide = find_topic(parameter.help_topic)  # type: ignore[attr-defined]
    elif parameter.kind is ParameterKind.BOOLEAN:
        field = forms.BooleanField(**common, initial=stored == YES)
    elif parameter.kind is ParameterKind.CHOICE:
        widget = forms.Select(choices=_choices(parameter))
        field = forms.CharField(**common, widget=widget, initial=stored)
    else:
        field = forms.CharField(**common, widget=_text_box(parameter), initial=stored)
    field.help_topic = parameter.help_topic  # type: ignore[attr-defined]  # read by {% field %}
    field.mark_optional = not parameter.required  # type: ignore[attr-defined]  # read by {% field %}
    return field


def _choices(parameter: Parameter) -> list[tuple[str, str]]:
    choices = [(choice.value, choice.label) for choice in parameter.choices]
    return choices if parameter.default else [("", "Select"), *choices]


def _password_box(hint: str) -> forms.PasswordInput:
    attrs = {"class": "input-mono", "autocomplete": "new-password", "placeholder": hint}
    return forms.PasswordInput(attrs=attrs)


def checked(parameter: Parameter, text: str) -> str:
    """Hold a cleaned text against the kind of its parameter."""
    if parameter.kind is ParameterKind.DIGITS and text and not text.isdecimal():
        msg = f"{parameter.label} is a number: digits only."
        raise ParameterInvalidError(parameter.name, msg)
    if parameter.kind is ParameterKind.EMAIL and text:
        try:
            validate_email(text)
        except ValidationError:
            msg = f"“{text}” is not an e-mail address. Write it like sync@example.com."
            raise ParameterInvalidError(parameter.name, msg) from None
    return text


def _text_box(parameter: Parameter) -> forms.Widget:
    attrs = {"placeholder": parameter.placeholder} if parameter.placeholder else {}
    if parameter.kind is ParameterKind.URL:
        return forms.URLInput(attrs={**attrs, "class": "input-mono"})
    if parameter.kind is ParameterKind.EMAIL:
        return forms.EmailInput(attrs=attrs)
    if parameter.kind is ParameterKind.DIGITS:
        return forms.TextInput(attrs={**attrs, "class": "input-mono"})
    if parameter.kind is ParameterKind.TEXTAREA:
        return forms.Textarea(attrs={**attrs, "class": "input-mono", "rows": "3"})
    return forms.TextInput(attrs=attrs)


def text_of(value: object) -> str:
    """Return what an input holds as the text a parameter is stored as."""
    if isinstance(value, bool):
        return YES if value else ""
    return "" if value is None else str(value)


def place_of(address: str) -> tuple[object, ...]:
    """Return what of an address says where it leads, without user, password and parameters."""
    try:
        parts = urlsplit(address.strip())
        return parts.scheme, parts.hostname, parts.port, parts.path.rstrip("/")
    except ValueError:  # a broken address leads nowhere
        return ()
