"""What can go wrong with an outside system, branched by how one recovers.

ConnectorError
├── TemporaryError          try again later; honours ``retry_after``
│   └── RateLimitedError    the system asked for fewer calls
│       └── BudgetSpentError    not even asked: the calls that may be made are used up
├── AttentionError          a person must act: sign in again, grant scopes, correct a parameter
├── RecordError             the values of one record were refused; other records go on
└── OutcomeUnknownError     the request may have been carried out; settle before repeating it
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Category(StrEnum):
    """Why a record could not be synced; shown on the failures page."""

    VALIDATION_ERROR = "VALIDATION_ERROR"
    REQUIRED_FIELD = "REQUIRED_FIELD"
    CONVERSION = "CONVERSION"
    TOO_LONG = "TOO_LONG"
    NOT_STORED = "NOT_STORED"
    LOOP = "LOOP"
    DUPLICATE = "DUPLICATE"
    ALREADY_LINKED = "ALREADY_LINKED"
    LOOKUP = "LOOKUP"
    TARGET_DELETED = "TARGET_DELETED"
    MERGED = "MERGED"
    MISSING_LINK = "MISSING_LINK"
    CONFLICT = "CONFLICT"
    FILE_REFUSED = "FILE_REFUSED"
    PERMISSION = "PERMISSION"
    UNKNOWN_OUTCOME = "UNKNOWN_OUTCOME"
    CONFIGURATION = "CONFIGURATION"
    AUTHENTICATION = "AUTHENTICATION"
    UNREACHABLE = "UNREACHABLE"
    RATE_LIMIT = "RATE_LIMIT"
    IDENTITY = "IDENTITY"
    SAFETY_BRAKE = "SAFETY_BRAKE"
    INTERNAL = "INTERNAL"


class ConnectorError(Exception):
    """Base of the tree.

    Attributes:
        message: what happened, to which record or system.
        hint: what the person can do next; may be empty.
        category: how the failure is filed.
    """

    default_category = Category.INTERNAL

    def __init__(self, message: str, *, hint: str = "", category: Category | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.category = category or self.default_category


class TemporaryError(ConnectorError):
    """The system cannot answer now; the same request may work later."""

    default_category = Category.UNREACHABLE

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        category: Category | None = None,
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(message, hint=hint, category=category)
        self.retry_after = retry_after


class RateLimitedError(TemporaryError):
    """The system refused because of a call limit. ``policy`` names the limit."""

    default_category = Category.RATE_LIMIT

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        retry_after: timedelta | None = None,
        policy: str = "",
    ) -> None:
        super().__init__(message, hint=hint, retry_after=retry_after)
        self.policy = policy


class BudgetSpentError(RateLimitedError):
    """Nothing was sent, because the calls that may be made now are used up."""


class SeriesOverError(TemporaryError):
    """Nothing was sent, because a series of writes has taken too long already."""


class AttentionError(ConnectorError):
    """A person must act before this can work.

    Attributes:
        parameter: name of the connector parameter to correct, or "".
        missing_scopes: scopes of which at least one must be granted.
    """

    default_category = Category.CONFIGURATION

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        category: Category | None = None,
        parameter: str = "",
        missing_scopes: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message, hint=hint, category=category)
        self.parameter = parameter
        self.missing_scopes = missing_scopes


class SignInLostError(AttentionError):
    """The system takes the kept sign-in no longer: only a person who signs in again helps."""

    default_category = Category.AUTHENTICATION


@dataclass(frozen=True, slots=True)
class FieldFault:
    """One field of a refused record: its internal name, the system's code and sentence.

    Attributes:
        accepted: internal values the system takes, where it lists them.
        expects: the form it asks of a value ("a whole number"), where it says one.
        is_hidden_requirement: mandatory in this account, though its metadata does not say so.
    """

    field: str
    message: str
    code: str = ""
    accepted: tuple[str, ...] = ()
    expects: str = ""
    is_hidden_requirement: bool = False


class RecordError(ConnectorError):
    """The system refused one record.

    Attributes:
        faults: the fields at fault, if the system named them.
        existing_id: id of the record that already has the value, for DUPLICATE.
        candidates: ids of records of the target that may be this record's counterpart.
        answer: the system's own words, for the failure page.
    """

    default_category = Category.VALIDATION_ERROR

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        category: Category | None = None,
        faults: tuple[FieldFault, ...] = (),
        existing_id: str = "",
        answer: str = "",
    ) -> None:
        super().__init__(message, hint=hint, category=category)
        self.faults = faults
        self.existing_id = existing_id
        # Set afterwards by who knows of several records.
        self.candidates: tuple[str, ...] = ()
        self.answer = answer


class OutcomeUnknownError(ConnectorError):
    """A write may or may not have been carried out (lost reply, cut connection)."""

    default_category = Category.UNKNOWN_OUTCOME


class ParameterInvalidError(ValueError):
    """A parameter's text cannot be used.

    Attributes:
        parameter: the parameter's name.
        message: what is wrong and what would be right.
    """

    def __init__(self, parameter: str, message: str) -> None:
        super().__init__(message)
        self.parameter = parameter
        self.message = message


def fault_names(faults: tuple[FieldFault, ...]) -> Mapping[str, str]:
    """Return the first message for each field at fault."""
    names: dict[str, str] = {}
    for fault in faults:
        names.setdefault(fault.field, fault.message)
    return names
