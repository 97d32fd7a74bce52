"""The form of a SQL system."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import available_timezones

from hubconnect.connectors.errors import ParameterInvalidError
from hubconnect.connectors.parameters import Choice, Parameter, ParameterKind
from hubconnect.connectors.sql.child_lines import (
    FORMAT,
    HTML,
    PARENT,
    ChildLine,
    parse_child_lines,
)
from hubconnect.connectors.sql.relations import FOREIGN_KEYS_PARAMETER, parse_named_keys
from hubconnect.connectors.sql.urls import URL_PARAMETER, parse_url, split_password

UTC_ZONE = "UTC"
_AREAS = ("Africa", "America", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")


def _zones() -> tuple[Choice, ...]:
    named = sorted(
        zone for zone in available_timezones() if zone.partition("/")[0] in _AREAS and "/" in zone
    )
    return tuple(Choice(zone, zone.replace("_", " ")) for zone in (UTC_ZONE, *named))


def _checked_url(text: str) -> str:
    parse_url(text)
    return text


@dataclass(frozen=True, slots=True)
class ChildForm:
    """How a setting that names child tables is read."""

    parameter: str
    options: tuple[str, ...]
    choices: Mapping[str, Sequence[str]]

    def parse(self, text: str) -> tuple[ChildLine, ...]:
        """Return the lines of the setting.

        Raises:
            ValueError: with a sentence for the person.
        """
        return parse_child_lines(text, self.options, self.choices)

    def checked(self, text: str) -> str:
        """Return the setting as it is, if it can be read."""
        self.parse(text)
        return text


COMMENT_TABLES = ChildForm(
    "comment_tables",
    ("body", "author", "time", "edited", FORMAT, PARENT),
    {FORMAT: ("text", HTML)},
)
FILE_TABLES = ChildForm(
    "file_tables",
    ("name", "content", "type", "size", "digest", "time", PARENT),
    {},
)


def _checked_keys(text: str) -> str:
    parse_named_keys(text)
    return text


PARAMETERS = (
    Parameter(
        name=URL_PARAMETER,
        label="Database URL",
        kind=ParameterKind.URL,
        placeholder="postgresql://user@db.example.com:5432/shop",
        max_length=500,
        clean=_checked_url,
        help=(
            "dialect://user@host:port/database, or sqlite:///file.sqlite3 for a file in the "
            "folder for SQLite files. Leave the password out; one that is typed here is moved "
            "to the field below."
        ),
    ),
    Parameter(
        name="password",
        label="Password",
        kind=ParameterKind.SECRET,
        required=False,
        max_length=500,
        help="The database user's password. It is kept encrypted and never shown again.",
    ),
    Parameter(
        name="schema",
        label="Schema",
        required=False,
        max_length=63,
        help="Where the tables are. Empty: the user's default schema.",
    ),
    Parameter(
        name="modified_column",
        label="Modified-at column",
        group="Changes",
        required=False,
        max_length=63,
        placeholder="updated_at",
        help=(
            "Date-time column that tells when a row last changed; used on every table that has "
            "it. HubConnect writes it with its own changes. Without it every row is read "
            "each time, and a flow cannot start at a date."
        ),
    ),
    Parameter(
        name="time_zone",
        label="Time zone of that column",
        kind=ParameterKind.CHOICE,
        group="Changes",
        required=False,
        default=UTC_ZONE,
        choices=_zones(),
        help=(
            "In which zone the application writes dates with a time. It has no effect on columns "
            "with a zone of their own."
        ),
    ),
    Parameter(
        name="author_column",
        label="Author column",
        group="Changes",
        required=False,
        max_length=63,
        placeholder="updated_by",
        help=(
            "Column that tells who changed a row last; used on every table that has it. It is "
            "shown with what was synced, and is never a reason to leave a row out."
        ),
    ),
    Parameter(
        name=FOREIGN_KEYS_PARAMETER,
        label="Foreign keys",
        kind=ParameterKind.TEXTAREA,
        group="Relations",
        required=False,
        max_length=4000,
        placeholder="orders.customer_id = customers",
        clean=_checked_keys,
        help=(
            "Only those the database does not declare itself, one per line: table.column = the "
            "table whose primary key it holds. Declared ones are found by themselves."
        ),
    ),
    Parameter(
        name=COMMENT_TABLES.parameter,
        label="Comment tables",
        kind=ParameterKind.TEXTAREA,
        group="Comments and files",
        required=False,
        max_length=4000,
        placeholder="order_comments: body=note, author=written_by, time=written_at",
        clean=COMMENT_TABLES.checked,
        help=(
            "Tables whose rows are comments of the records their foreign key refers to, one per "
            "line. Columns with usual names are found by themselves; others are named behind a "
            "colon: body, author (holds an e-mail address), time, edited. format=html for text "
            "with markup, parent=column where several foreign keys are there."
        ),
    ),
    Parameter(
        name=FILE_TABLES.parameter,
        label="File tables",
        kind=ParameterKind.TEXTAREA,
        group="Comments and files",
        required=False,
        max_length=4000,
        placeholder="order_files: name=title, content=data",
        clean=FILE_TABLES.checked,
        help=(
            "Tables whose rows are files of the records their foreign key refers to, one per "
            "line, as above. Columns: name, content (bytes), type (media type), size, digest "
            "(MD5 in hexadecimal), time. In SQLite and PostgreSQL."
        ),
    ),
    Parameter(
        name="remote_id_column",
        label="Remote-id column",
        group="Safety of creates",
        required=False,
        max_length=63,
        help=(
            "Only needed when HubConnect may not add its ledger tables: a unique text column that "
            "receives a key of HubConnect with each new row, so that no row is created twice."
        ),
    ),
)


def clean(values: dict[str, str]) -> dict[str, str]:
    """Return the values with the password moved out of the URL.

    Raises:
        ParameterInvalidError: the URL cannot be used.
    """
    text = values.get(URL_PARAMETER, "")
    if not text:
        raise ParameterInvalidError(URL_PARAMETER, "Database URL is required.")
    url, password = split_password(text)
    cleaned = {**values, URL_PARAMETER: url}
    if password:
        cleaned["password"] = password
    return cleaned
