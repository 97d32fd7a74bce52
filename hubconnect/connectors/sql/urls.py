"""Which database a URL may name: drivers, parameters, files, never HubConnect's own."""

import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from hubconnect.connectors.addresses import checked_addresses
from hubconnect.connectors.base import Context
from hubconnect.connectors.errors import (
    AttentionError,
    ConnectorError,
    ParameterInvalidError,
)
from hubconnect.connectors.sql.dialects import ALIASES, DIALECTS, Dialect

URL_PARAMETER = "database_url"
SQLITE_SETTING = "SQLITE_DIR"

HOST = re.compile(r"[A-Za-z0-9._:-]+")
NAME = re.compile(r"[\w$#. -]*")
HIDDEN_PASSWORD = "***"  # noqa: S105 - what a URL shows in place of one


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect: the URL for the driver, and further arguments for its connect call."""

    dialect: Dialect
    url: URL
    arguments: dict[str, str]
    # The file below the allowed folder, or host, port and database: names the account.
    name: str


def parse_url(text: str) -> tuple[Dialect, URL]:
    """Return the dialect and the parsed URL, checked as far as that needs no network and no disk.

    Raises:
        ParameterInvalidError: with a sentence for the person.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        sentence = (
            "This is not a database URL. It looks like postgresql://user@host:5432/database "
            "or sqlite:///file.sqlite3."
        )
        raise ParameterInvalidError(URL_PARAMETER, sentence) from error
    dialect = _dialect_of(url)
    _check_query(dialect, url)
    if dialect.is_file:
        _check_file_name(url)
    else:
        _check_names(dialect, url)
    return dialect, url.set(drivername=dialect.name)


def split_password(text: str) -> tuple[str, str]:
    """Return the URL as it is stored, without a password, and the password it held or ""."""
    _, url = parse_url(text)
    password = "" if url.password in {None, HIDDEN_PASSWORD} else str(url.password)
    bare = URL.create(
        url.drivername, url.username, None, url.host, url.port, url.database, url.query
    )
    return bare.render_as_string(hide_password=False), password


def find_target(text: str, password: str, context: Context) -> Target:
    """Return where to connect, after checking that the database may be reached from here.

    A name is resolved here, once, and the connection goes to an address that was checked, so
    that a second, different answer of the name server has no effect. PostgreSQL keeps the name
    beside the address for its certificate check. SQL Server, while it checks the certificate's
    name, can only be given the name.

    Raises:
        AttentionError: naming the parameter and, where one governs it, the setting.
        TemporaryError: the name server does not answer.
    """
    try:
        dialect, url = parse_url(text)
    except ParameterInvalidError as error:
        raise AttentionError(error.message, parameter=URL_PARAMETER) from error
    if dialect.is_file:
        return _file_target(dialect, url, context)
    return _network_target(dialect, url.set(password=password or None), context)


def _dialect_of(url: URL) -> Dialect:
    name, _, driver = url.drivername.partition("+")
    dialect = DIALECTS.get(ALIASES.get(name, name))
    if dialect is None:
        known = ", ".join(f"{name}://" for name in DIALECTS)
        sentence = f"{name}:// is not a database HubConnect knows. Known: {known}."
        raise ParameterInvalidError(URL_PARAMETER, sentence)
    if driver and driver != dialect.driver:
        sentence = (
            f"The driver {driver} is not allowed. Leave it out: {dialect.label} is opened "
            f"with {dialect.driver}."
        )
        raise ParameterInvalidError(URL_PARAMETER, sentence)
    if find_spec(dialect.module) is None:
        sentence = (
            f"{dialect.label} needs the Python package {dialect.package}, which is not installed. "
            f"An administrator installs it with: pip install '{dialect.package}'."
        )
        raise ParameterInvalidError(URL_PARAMETER, sentence)
    return dialect


def _check_query(dialect: Dialect, url: URL) -> None:
    for name, value in url.query.items():
        pattern = dialect.query.get(name)
        if pattern is None:
            allowed = ", ".join(dialect.query) or "none"
            sentence = (
                f"The URL parameter {name} is not allowed for {dialect.label}. Allowed: {allowed}."
            )
            raise ParameterInvalidError(URL_PARAMETER, sentence)
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            sentence = f"The URL parameter {name} has a value that is not allowed."
            raise ParameterInvalidError(URL_PARAMETER, sentence)


def _check_file_name(url: URL) -> None:
    name = url.database or ""
    if url.host or url.username or not name or ":" in name or "\0" in name:
        sentence = (
            "Name a file: sqlite:///file.sqlite3 (three slashes). Databases in memory and "
            "file: addresses are not allowed."
        )
        raise ParameterInvalidError(URL_PARAMETER, sentence)


def _check_names(dialect: Dialect, url: URL) -> None:
    if not url.host or not HOST.fullmatch(url.host):
        sentence = (
            f"The URL needs the name or address of one host: {dialect.name}://user@host/database."
        )
        raise ParameterInvalidError(URL_PARAMETER, sentence)
    if not url.database and "service_name" not in url.query:
        sentence = f"The URL needs the name of a database: {dialect.name}://user@host/database."
        raise ParameterInvalidError(URL_PARAMETER, sentence)
    if not NAME.fullmatch(url.database or ""):
        sentence = "The database's name in the URL has a character that is not allowed."
        raise ParameterInvalidError(URL_PARAMETER, sentence)


def _file_target(dialect: Dialect, url: URL, context: Context) -> Target:
    if not context.sqlite_dir:
        msg = "SQLite files are not allowed in this installation."
        raise AttentionError(
            msg,
            hint=f"An administrator can allow one folder with the setting {SQLITE_SETTING}.",
            parameter=URL_PARAMETER,
        )
    folder = Path(context.sqlite_dir).resolve()
    try:
        path = (folder / str(url.database)).resolve()
        is_file = path.is_relative_to(folder) and path.is_file()
    except (OSError, RuntimeError) as error:  # a loop of symbolic links, a name too long
        msg = "This file cannot be opened."
        raise AttentionError(msg, parameter=URL_PARAMETER) from error
    if not path.is_relative_to(folder):
        msg = "This file lies outside the folder for SQLite files."
        raise AttentionError(
            msg,
            hint=f"Only files below {folder} may be opened ({SQLITE_SETTING}).",
            parameter=URL_PARAMETER,
        )
    if any(_is_same_file(path, other) for other in context.forbidden_databases):
        raise _own_database()
    name = str(path.relative_to(folder))
    if not is_file:
        msg = f"There is no file {name} in the folder for SQLite files."
        raise AttentionError(
            msg,
            hint=f"The folder is {folder} ({SQLITE_SETTING}).",
            parameter=URL_PARAMETER,
        )
    return Target(dialect, URL.create("sqlite+pysqlite", database=str(path)), {}, name)


def _network_target(dialect: Dialect, url: URL, context: Context) -> Target:
    host, port = str(url.host), url.port or dialect.port
    addresses = checked_addresses(host, port, context.addresses, parameter=URL_PARAMETER)
    if any(
        _is_same_server(addresses, port, url, dialect, other)
        for other in context.forbidden_databases
    ):
        raise _own_database()
    arguments: dict[str, str] = {}
    if dialect.name == "postgresql":
        arguments = {
            "host": ",".join([host] * len(addresses)),
            "hostaddr": ",".join(addresses),
        }
    elif not _checks_certificate_name(dialect, url):
        first = next((each for each in addresses if ":" not in each), addresses[0])
        url = url.set(host=first)
    url = url.set(drivername=f"{dialect.name}+{dialect.driver}", port=port)
    return Target(dialect, url, arguments, f"{host.lower()}:{port}/{_database_name(url)}")


def _checks_certificate_name(dialect: Dialect, url: URL) -> bool:
    return dialect.name == "mssql" and not (
        url.query.get("Encrypt") == "no" or url.query.get("TrustServerCertificate") == "yes"
    )


def _database_name(url: URL) -> str:
    return url.database or str(url.query.get("service_name", ""))


def _own_database() -> AttentionError:
    return AttentionError(
        "This is HubConnect's own database, which cannot be synced.",
        hint="Give the URL of the database that holds your records.",
        parameter=URL_PARAMETER,
    )


def _is_same_file(path: Path, forbidden: str) -> bool:
    if "://" in forbidden:
        try:
            url = make_url(forbidden)
        except (ArgumentError, ValueError):
            return False
        if not url.drivername.startswith("sqlite") or not url.database:
            return False
        forbidden = url.database
    other = Path(forbidden)
    try:
        return path == other.resolve() or (
            path.exists() and other.exists() and path.samefile(other)
        )
    except OSError:
        return False


def _is_same_server(
    addresses: list[str], port: int, url: URL, dialect: Dialect, forbidden: str
) -> bool:
    """Compare with ``host:port/name`` or a URL, by address: two names may mean one server."""
    if "://" not in forbidden:
        forbidden = f"{dialect.name}://{forbidden}"
    try:
        other = make_url(forbidden)
    except (ArgumentError, ValueError):
        return False
    if not other.host or _database_name(other) != _database_name(url):
        return False
    if (other.port or dialect.port) != port:
        return False
    if other.host.lower() == str(url.host).lower():
        return True
    try:
        found = checked_addresses(other.host, port, _AnyAddress())
    except ConnectorError:
        return False  # what has no address is not this one
    return not set(found).isdisjoint(addresses)


class _AnyAddress:
    """HubConnect's own address needs no leave to be looked up."""

    def refuse_reason(self, host: str, address: str) -> str:  # noqa: ARG002 - the port's signature
        return ""
