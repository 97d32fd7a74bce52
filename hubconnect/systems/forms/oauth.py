"""The part of a system's form that is about signing in by OAuth 2.0."""

from typing import Any

from django import forms

from hubconnect.connectors.errors import ParameterInvalidError
from hubconnect.connectors.parameters import Parameter, ParameterKind
from hubconnect.connectors.registry import get_connector
from hubconnect.systems.services import signing_in


class OAuthForm(forms.Form):
    """Takes a code by hand, and knows when one is needed.

    Attributes:
        parameters: of the chosen connector.
        waiting: secrets typed at an earlier attempt.
        apps: ids of apps that a person has connected: no code is needed for them.
        code: typed now or waiting, to be exchanged; or "".
        code_is_spent: it was exchanged, so it waits no longer.
        valid: each parameter that is right by itself, though the form may not be.
    """

    parameters: tuple[Parameter, ...] = ()
    waiting: dict[str, str]
    apps: frozenset[str]

    def __init__(self, *args: Any, **options: Any) -> None:
        """Start without a code."""
        super().__init__(*args, **options)
        self.code = ""
        self.code_is_spent = False
        self.valid: dict[str, str] = {}
        self.cleaned_parameters: dict[str, str] = {}
        self.cleaned_secrets: dict[str, str] = {}

    def take_code(self, parameter: Parameter, text: str) -> None:
        """Take a code by hand; whether one is needed is decided when the app is known."""
        text = text or self.waiting.get(parameter.name, "")
        if not text:
            return
        try:
            self.code = parameter.cleaned(text)
        except ParameterInvalidError as error:
            self.add_error(parameter.name, error.message)

    def ask_for_code(self, slug: str) -> None:
        """Ask for a code only while nobody has connected the app."""
        app = signing_in.open_app(slug, self.cleaned_parameters, self.cleaned_secrets)
        if app is None:
            return
        app.close()
        parameter = signing_in.code_parameter(slug)
        if parameter is not None and not self.code and app.id not in self.apps:
            label = get_connector(slug).label
            msg = f"Press Connect to {label}, or paste the {parameter.label} by hand."
            self.add_error(parameter.name, msg)

    def problems_to_connect(self) -> bool:
        """Keep only the errors that stand in the way of connecting; tell whether there are any."""
        code = next((one for one in self.parameters if one.kind is ParameterKind.CODE), None)
        needed = {
            one.name
            for one in self.parameters
            if code is not None
            and one is not code
            and (
                one.visible_when == code.visible_when
                or (one.kind is ParameterKind.URL and one.required)
            )
        }
        for name in [name for name in self.errors if name not in needed]:
            del self.errors[name]
        return bool(self.errors) or code is None

    def valid_secrets(self) -> dict[str, str]:
        """Return the secrets that are right by themselves, though the form may not be."""
        secret = {one.name for one in self.parameters if one.is_secret}
        return {name: text for name, text in self.valid.items() if name in secret and text}

    def spend_code(self) -> None:
        """Forget the code: it was exchanged, and another one is never asked for."""
        self.code, self.code_is_spent = "", True

    def code_names(self) -> set[str]:
        """Return the names of the parameters that take a code."""
        return {one.name for one in self.parameters if one.kind is ParameterKind.CODE}
