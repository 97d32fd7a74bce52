"""Systems in words: type, sign-in and settings, never a secret."""

from dataclasses import dataclass

from hubconnect.connectors.parameters import Parameter, ParameterKind
from hubconnect.connectors.registry import connectors
from hubconnect.systems.models import System


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """What lists and pages say about a system.

    Attributes:
        sign_in: the chosen way to sign in, e.g. ``Access Token``, or "".
        user: the e-mail address it signs in as, or "".
    """

    type_label: str
    icon: str
    sign_in: str
    user: str


def describe(system: System) -> Described:
    """Return a system in words; a connector that is gone is named by its slug."""
    connector = connectors().get(system.connector)
    if connector is None:
        gone = f"{system.connector} (not installed)"
        return Described(type_label=gone, icon="systems", sign_in="", user="")
    applying = _applying(system)
    choices = [one for one in applying if one.kind is ParameterKind.CHOICE and one.required]
    emails = [one for one in applying if one.kind is ParameterKind.EMAIL]
    return Described(
        type_label=connector.label,
        icon=connector.icon,
        sign_in=_shown(choices[0], system) if choices else "",
        user=_shown(emails[0], system) if emails else "",
    )


def settings_of(system: System) -> list[tuple[str, str]]:
    """Return label and text of each setting that applies; of secrets only whether one is stored."""
    return [(one.label, _shown(one, system)) for one in _applying(system)]


def _applying(system: System) -> list[Parameter]:
    connector = connectors().get(system.connector)
    parameters = connector.parameters if connector is not None else ()
    return [
        one
        for one in parameters
        if one.applies(system.parameters) and one.kind is not ParameterKind.CODE
    ]


def _shown(parameter: Parameter, system: System) -> str:
    if parameter.is_secret:
        return "•••• stored" if parameter.name in system.secrets else ""
    text: str = system.parameters.get(parameter.name, "")
    labels = {choice.value: choice.label for choice in parameter.choices}
    if parameter.kind is ParameterKind.BOOLEAN:
        return "Yes" if text else "No"
    return labels.get(text, text)
