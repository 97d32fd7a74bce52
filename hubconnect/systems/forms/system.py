"""The form of a system, built from what its connector declares."""

from collections.abc import Collection, Mapping
from itertools import groupby
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse

from hubconnect.connectors.base import Remark
from hubconnect.connectors.errors import (
    AttentionError,
    Category,
    ConnectorError,
    ParameterInvalidError,
)
from hubconnect.connectors.parameters import Parameter, ParameterKind
from hubconnect.connectors.registry import connectors, get_connector
from hubconnect.systems.forms.inputs import (
    STORED,
    WAITING,
    Block,
    Group,
    checked,
    input_for,
    place_of,
    text_of,
)
from hubconnect.systems.forms.oauth import OAuthForm
from hubconnect.systems.models import System
from hubconnect.systems.services.saving import Draft


class SystemForm(OAuthForm):
    """System type, System Name, and the parameters of the chosen connector.

    What a condition hides is neither validated nor kept. A secret left empty keeps the one that is
    stored, or that was typed a moment ago.
    """

    use_required_attribute = False

    connector = forms.ChoiceField(label="System type", help_text="Decides which fields follow.")
    name = forms.CharField(
        label="System Name",
        max_length=255,
        help_text="How pages and messages call this account. Unique.",
        error_messages={"required": "System Name is required."},
    )

    def __init__(
        self,
        *args: Any,
        slug: str,
        system: System | None = None,
        waiting: Mapping[str, str] | None = None,
        apps: Collection[str] = (),
        **options: Any,
    ) -> None:
        """Build the form of connector ``slug`` ("" before it is chosen).

        Args:
            args: as of every form.
            slug: the connector.
            system: the saved one that is edited.
            waiting: secrets typed at an earlier attempt.
            apps: ids of apps that a person has connected: no code is needed for them.
            options: as of every form.
        """
        super().__init__(*args, **options)
        self.system = system
        self.slug = slug
        self.help_query = f"?system={system.pk}" if system is not None else ""
        self.waiting = dict(waiting or {})
        self.apps = frozenset(apps)
        self.parameters = ()
        self._offer_connectors()
        if system is not None:
            self.fields["name"].initial = system.name
        if slug in connectors():
            self.parameters = get_connector(slug).parameters
            # What the account itself asks for stands in the guide of the first parameter.
            first = self.parameters[0].help_topic
            self.fields["name"].help_topic = first  # type: ignore[attr-defined]  # {% field %}
            for parameter in self.parameters:
                self.fields[parameter.name] = input_for(
                    parameter, self._stored(parameter), self._hint(parameter)
                )
                if parameter.visible_when is not None:
                    deciding = self.fields[parameter.visible_when.parameter]
                    deciding.shows_others = True  # type: ignore[attr-defined]  # read by the page

    # --- Building --------------------------------------------------------------------------------

    def _offer_connectors(self) -> None:
        field = self.fields["connector"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101  for the type checker
        field.choices = [("", "Select"), *((s, c.label) for s, c in connectors().items())]
        field.error_messages["required"] = "Choose the system type."
        field.error_messages["invalid_choice"] = "Choose one of the listed system types."
        if self.system is not None:
            field.disabled = True
            field.initial = self.system.connector
            field.help_text = "Fixed once the system is saved."
            return
        # With the script, choosing the type brings its fields at once; else the button below does.
        field.widget.attrs |= {
            "hx-get": reverse("systems:add"),
            "hx-include": "#id_name",
            "hx-target": "#system-form",
            "hx-select": "#system-form",
            "hx-swap": "outerHTML",
        }

    def _stored(self, parameter: Parameter) -> str:
        stored = self.system.parameters if self.system is not None else {}
        return str(stored.get(parameter.name, "" if stored else parameter.default))

    def _hint(self, parameter: Parameter) -> str:
        if parameter.name in self.waiting:
            return WAITING
        if self.system is not None and parameter.name in self.system.secrets:
            return STORED
        return parameter.placeholder

    # --- Showing ---------------------------------------------------------------------------------

    def groups(self) -> list[Group]:
        """Return the parameters' fields below their headings, in the declared order."""
        shown = {parameter.name for parameter in self._applying(self._now())}
        groups = []
        for label, members in groupby(self.parameters, key=lambda one: one.group):
            blocks = [
                self._block(list(same), shown)
                for _, same in groupby(members, key=lambda one: one.visible_when)
            ]
            groups.append(Group(label, tuple(blocks)))
        return groups

    def _block(self, parameters: list[Parameter], shown: set[str]) -> Block:
        condition = parameters[0].visible_when
        fields = tuple(self[one.name] for one in parameters)
        if condition is None:
            return Block("", "", is_shown=True, fields=fields)
        label = next(
            (
                choice.label
                for one in self.parameters
                if one.name == condition.parameter
                for choice in one.choices
                if choice.value == condition.value
            ),
            condition.value,
        )
        when = f"{condition.parameter}={condition.value}"
        codes = [self[one.name] for one in parameters if one.kind is ParameterKind.CODE]
        code = codes[0] if codes else None
        return Block(when, label, parameters[0].name in shown, fields, code)

    def _now(self) -> dict[str, str]:
        """Return what the inputs hold: typed, given at the start, or stored."""
        return {one.name: text_of(self[one.name].value()) for one in self.parameters}

    def _applying(self, values: Mapping[str, str]) -> list[Parameter]:
        """Return the parameters that are visible; what hangs on a hidden one is hidden too."""
        visible: dict[str, str] = {}
        applying = []
        for parameter in self.parameters:
            if parameter.applies(visible):
                visible[parameter.name] = values.get(parameter.name, "")
                applying.append(parameter)
        return applying

    @property
    def connector_label(self) -> str:
        """Return how people call the chosen kind of system."""
        connector = connectors().get(self.slug)
        return connector.label if connector is not None else ""

    # --- Cleaning --------------------------------------------------------------------------------

    def clean_name(self) -> str:
        """Refuse a name that another system has."""
        name = str(self.cleaned_data["name"])
        others = System.objects.filter(name__iexact=name)
        if self.system is not None:
            others = others.exclude(pk=self.system.pk)
        if others.exists():
            msg = f"Another system is called “{name}”. Choose another name."
            raise ValidationError(msg)
        return name

    def clean(self) -> dict[str, Any]:
        """Clean the visible parameters one by one, then together."""
        data = super().clean() or self.cleaned_data
        typed = {one.name: text_of(data.get(one.name)) for one in self.parameters}
        cleaned: dict[str, str] = {}
        applying = self._applying(typed)
        for parameter in applying:
            text = typed[parameter.name]
            if parameter.kind is ParameterKind.CODE:
                self.take_code(parameter, text)
                continue
            if parameter.is_secret and not text and self._keep_secret(parameter, typed):
                continue
            try:
                cleaned[parameter.name] = checked(parameter, parameter.cleaned(text))
            except ParameterInvalidError as error:
                self.add_error(parameter.name, error.message)
        self.valid = cleaned
        if not self.errors and self.parameters:
            self._clean_together(str(data["connector"]), cleaned)
        if not self.errors:
            self.ask_for_code(str(data["connector"]))
        return data

    def _keep_secret(self, parameter: Parameter, typed: Mapping[str, str]) -> bool:
        """Keep a secret that was left empty. A stored one never follows to another address."""
        name = parameter.name
        if name in self.waiting:
            self.cleaned_secrets[name] = self.waiting[name]
            return True
        if self.system is None or name not in self.system.secrets:
            return False
        if self._has_moved(typed):
            self.add_error(name, f"The address has changed: enter {parameter.label} again.")
        else:
            self.cleaned_secrets[name] = self.system.secrets[name]
        return True

    def _has_moved(self, typed: Mapping[str, str]) -> bool:
        """Tell whether an address to which secrets are sent differs from the stored one."""
        stored = self.system.parameters if self.system is not None else {}
        addresses = [
            one.name for one in self.parameters if one.kind is ParameterKind.URL and one.required
        ]
        return any(
            place_of(stored[name]) != place_of(typed.get(name, ""))
            for name in addresses
            if name in stored
        )

    def _clean_together(self, slug: str, values: dict[str, str]) -> None:
        try:
            settled = get_connector(slug).clean_settings(values)
        except ParameterInvalidError as error:
            self.add_error(self._target(error.parameter), error.message)
            return
        secret = {one.name for one in self.parameters if one.is_secret}
        for name, text in settled.items():
            if name not in secret:
                self.cleaned_parameters[name] = text
            elif text:
                self.cleaned_secrets[name] = text
        self._show_settled()

    def _show_settled(self) -> None:
        """Have the boxes show what will be stored: a password does not stay in an address."""
        settled = {self.add_prefix(name): text for name, text in self.cleaned_parameters.items()}
        self.data = dict(self.data.items()) | settled

    def hold_secrets(self) -> dict[str, str]:
        """Return the secrets typed now or waiting since the last attempt; their boxes say so."""
        applying = {one.name for one in self._applying(self._now()) if one.is_secret}
        typed = {name: text_of(self.data.get(self.add_prefix(name))).strip() for name in applying}
        waiting = {name: text for name, text in self.waiting.items() if name in applying}
        stored = self.system.secrets if self.system is not None else {}
        settled = {k: v for k, v in self.cleaned_secrets.items() if stored.get(k) != v}
        held = waiting | {name: text for name, text in typed.items() if text} | settled
        if self.code_is_spent:
            held = {name: text for name, text in held.items() if name not in self.code_names()}
        for name in held:
            self.fields[name].widget.attrs["placeholder"] = WAITING
        return held

    def show_settled(self, settled: Mapping[str, str]) -> None:
        """Have the boxes show what the check found out."""
        self.cleaned_parameters |= settled
        self._show_settled()

    @property
    def draft(self) -> Draft:
        """Return what was filled in, once the form is valid."""
        return Draft(
            name=self.cleaned_data["name"],
            connector=self.cleaned_data["connector"],
            parameters=self.cleaned_parameters,
            secrets=self.cleaned_secrets,
        )

    # --- The answer of the live check ------------------------------------------------------------

    def add_failure(self, error: ConnectorError) -> None:
        """Show why the live check failed, at the field to correct if the error names one."""
        name = error.parameter if isinstance(error, AttentionError) else ""
        if not name and error.category in (Category.IDENTITY, Category.AUTHENTICATION):
            name = next((one.name for one in self._applying(self._now()) if one.is_secret), "")
        self.add_error(self._target(name), " ".join(filter(None, (error.message, error.hint))))

    def add_remarks(self, remarks: tuple[Remark, ...]) -> bool:
        """Put a check's remarks at their fields; tell whether one of them forbids saving."""
        is_refused = False
        for remark in remarks:
            name = self._target(remark.parameter)
            if remark.is_error:
                self.add_error(name, remark.message)
                is_refused = True
            elif name is not None:
                self.fields[name].note = remark.message  # type: ignore[attr-defined]
            if name is not None and remark.suggestion:
                self.fields[name].suggestion = remark.suggestion  # type: ignore[attr-defined]
        return is_refused

    def _target(self, name: str) -> str | None:
        return name if name in self.fields else None
