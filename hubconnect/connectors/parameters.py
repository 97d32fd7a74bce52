"""A connector declares the form of its systems; pages build it from these values."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from hubconnect.connectors.errors import ParameterInvalidError


class Secret:
    """A text that prints as dots; only a connector opens it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the text itself. Never log or render the result."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return "Secret(••••)"


class ParameterKind(StrEnum):
    """Which input a parameter needs."""

    TEXT = "text"
    TEXTAREA = "textarea"
    URL = "url"
    EMAIL = "email"
    DIGITS = "digits"
    CHOICE = "choice"
    SECRET = "secret"  # noqa: S105 - a kind of input
    BOOLEAN = "boolean"
    CODE = "code"  # exchanged once for tokens, then forgotten


@dataclass(frozen=True, slots=True)
class Choice:
    """One option of a CHOICE parameter: what is stored and what is shown."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class VisibleWhen:
    """A parameter applies only while another one has this value."""

    parameter: str
    value: str


def keep(text: str) -> str:
    """Return the text as it is: the default way to clean a parameter."""
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One input of a system's form.

    Attributes:
        name: key in the stored parameters.
        label: what the page shows.
        group: heading under which it stands; parameters of a group are adjacent.
        required: an empty value is refused while the parameter is visible.
        visible_when: shown, validated and kept only under this condition.
        clean: turns what was typed (stripped, not empty) into what is stored; raises
            ``ParameterInvalidError`` or ``ValueError`` with a sentence for the person.
        help: what to type, where to find it. Plain text.
        help_topic: anchor of the guide this parameter depends on, or "".
        is_exclusive: the same value in a second system deserves a second thought.
    """

    name: str
    label: str
    kind: ParameterKind = ParameterKind.TEXT
    group: str = "Connection"
    required: bool = True
    default: str = ""
    placeholder: str = ""
    max_length: int = 255
    choices: tuple[Choice, ...] = ()
    visible_when: VisibleWhen | None = None
    clean: Callable[[str], str] = field(default=keep)
    help: str = ""
    help_topic: str = ""
    is_exclusive: bool = False

    @property
    def is_secret(self) -> bool:
        """Tell whether the value is sealed at rest and never sent back to a page."""
        return self.kind in (ParameterKind.SECRET, ParameterKind.CODE)

    def applies(self, values: dict[str, str]) -> bool:
        """Tell whether the parameter is visible beside these values of the others."""
        condition = self.visible_when
        return condition is None or values.get(condition.parameter, "") == condition.value

    def cleaned(self, text: str) -> str:
        """Return the text as it is to be stored.

        Raises:
            ParameterInvalidError: with the sentence to show at the input.
        """
        text = text.strip()
        if not text:
            if self.required:
                raise ParameterInvalidError(self.name, f"{self.label} is required.")
            return ""
        if len(text) > self.max_length:
            sentence = f"{self.label} may have at most {self.max_length} characters."
            raise ParameterInvalidError(self.name, sentence)
        if self.kind is ParameterKind.CHOICE and text not in {c.value for c in self.choices}:
            raise ParameterInvalidError(
                self.name, f"Choose one of the listed values for {self.label}."
            )
        try:
            return self.clean(text)
        except ParameterInvalidError:
            raise
        except ValueError as error:
            raise ParameterInvalidError(self.name, str(error)) from error
