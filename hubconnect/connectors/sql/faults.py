"""What a driver's exception means, and the connector's error for it."""

from enum import StrEnum

from sqlalchemy.exc import DBAPIError, StatementError, TimeoutError as PoolTimeoutError

from hubconnect.connectors.errors import (
    AttentionError,
    Category,
    ConnectorError,
    TemporaryError,
)


class Fault(StrEnum):
    """Kinds of trouble, by what one does about them."""

    # One record is at fault; the others of its batch may go on.
    REQUIRED = "required"
    DUPLICATE = "duplicate"
    TOO_LONG = "too long"
    INVALID = "invalid"
    # The database cannot answer now.
    AWAY = "away"
    BUSY = "busy"
    # A person must act.
    SIGN_IN = "sign in"
    DATABASE = "database"
    PERMISSION = "permission"
    SCHEMA = "schema"


RECORD_FAULTS = frozenset({Fault.REQUIRED, Fault.DUPLICATE, Fault.TOO_LONG, Fault.INVALID})

# Names of SQLite's result codes: https://www.sqlite.org/rescode.html
_SQLITE = {
    "SQLITE_CONSTRAINT_NOTNULL": Fault.REQUIRED,
    "SQLITE_CONSTRAINT_UNIQUE": Fault.DUPLICATE,
    "SQLITE_CONSTRAINT_PRIMARYKEY": Fault.DUPLICATE,
    "SQLITE_CONSTRAINT_ROWID": Fault.DUPLICATE,
    "SQLITE_TOOBIG": Fault.TOO_LONG,
    "SQLITE_MISMATCH": Fault.INVALID,
    "SQLITE_BUSY": Fault.BUSY,
    "SQLITE_LOCKED": Fault.BUSY,
    "SQLITE_INTERRUPT": Fault.BUSY,
    "SQLITE_FULL": Fault.AWAY,
    "SQLITE_IOERR": Fault.AWAY,
    "SQLITE_NOMEM": Fault.AWAY,
    "SQLITE_READONLY": Fault.PERMISSION,
    "SQLITE_PERM": Fault.PERMISSION,
    "SQLITE_AUTH": Fault.PERMISSION,
    "SQLITE_CANTOPEN": Fault.DATABASE,
    "SQLITE_NOTADB": Fault.DATABASE,
    "SQLITE_CORRUPT": Fault.DATABASE,
    "SQLITE_ERROR": Fault.SCHEMA,
    "SQLITE_CONSTRAINT": Fault.INVALID,
}
# PostgreSQL's documentation, appendix "PostgreSQL Error Codes"; the longest match counts.
_POSTGRESQL = {
    "22": Fault.INVALID,
    "22001": Fault.TOO_LONG,
    "23": Fault.INVALID,
    "23502": Fault.REQUIRED,
    "23505": Fault.DUPLICATE,
    "P0": Fault.INVALID,  # raised by a trigger
    "44": Fault.INVALID,
    "54": Fault.TOO_LONG,
    "28": Fault.SIGN_IN,
    "3D000": Fault.DATABASE,
    "42501": Fault.PERMISSION,
    "25006": Fault.PERMISSION,
    "42": Fault.SCHEMA,
    "3F": Fault.SCHEMA,
    "40": Fault.BUSY,
    "55": Fault.BUSY,
    "53": Fault.BUSY,
    "57014": Fault.BUSY,
    "57": Fault.AWAY,
    "08": Fault.AWAY,
}
# MySQL's documentation, "Server Error Message Reference".
_MYSQL = {
    1048: Fault.REQUIRED,
    1364: Fault.REQUIRED,
    1062: Fault.DUPLICATE,
    1406: Fault.TOO_LONG,
    1264: Fault.INVALID,
    1265: Fault.INVALID,
    1292: Fault.INVALID,
    1366: Fault.INVALID,
    1451: Fault.INVALID,
    1452: Fault.INVALID,
    1644: Fault.INVALID,
    3819: Fault.INVALID,
    4025: Fault.INVALID,
    1045: Fault.SIGN_IN,
    1044: Fault.PERMISSION,
    1142: Fault.PERMISSION,
    1143: Fault.PERMISSION,
    1290: Fault.PERMISSION,
    1049: Fault.DATABASE,
    1054: Fault.SCHEMA,
    1146: Fault.SCHEMA,
    1040: Fault.BUSY,
    1205: Fault.BUSY,
    1213: Fault.BUSY,
    3024: Fault.BUSY,
    2002: Fault.AWAY,
    2003: Fault.AWAY,
    2006: Fault.AWAY,
    2013: Fault.AWAY,
}
# libpq gives no code while connecting, only the server's sentence.
_SENTENCES = (
    ("password authentication failed", Fault.SIGN_IN),
    ("no password supplied", Fault.SIGN_IN),
    ("authentication failed", Fault.SIGN_IN),
    ("no pg_hba.conf entry", Fault.PERMISSION),
    ("login failed", Fault.SIGN_IN),
    ("is starting up", Fault.AWAY),
    ("is shutting down", Fault.AWAY),
    ("too many", Fault.BUSY),
)
_BY_CLASS = {
    "IntegrityError": Fault.INVALID,
    "DataError": Fault.INVALID,
    "ProgrammingError": Fault.SCHEMA,
    "NotSupportedError": Fault.SCHEMA,
}


def fault_of(error: DBAPIError) -> Fault:
    """Return what a driver's exception means."""
    if error.connection_invalidated:
        return Fault.AWAY
    original = error.orig
    found = (
        _sqlite_fault(getattr(original, "sqlite_errorname", None))
        or _postgresql_fault(getattr(original, "sqlstate", None))
        or _mysql_fault(original)
        or _sentence_fault(sentence_of(error))
    )
    return found or _BY_CLASS.get(type(error).__name__, Fault.AWAY)


def sentence_of(error: DBAPIError) -> str:
    """Return the database's own words: no statement, no parameters, no other row's values."""
    original = error.orig
    primary = getattr(getattr(original, "diag", None), "message_primary", None)
    if primary:
        return str(primary)
    arguments = getattr(original, "args", ())
    text = str(arguments[-1]) if arguments else str(original)
    return text.strip().splitlines()[0] if text.strip() else type(original).__name__


def understood(error: DBAPIError, parameter: str = "database_url") -> ConnectorError | None:
    """Return the connector's error, or None when a record's values are at fault."""
    fault, words = fault_of(error), sentence_of(error)
    if fault in RECORD_FAULTS:
        return None
    if fault is Fault.BUSY:
        return TemporaryError(
            f"The database is busy: {words}.", hint="HubConnect tries again by itself."
        )
    if fault is Fault.AWAY:
        return TemporaryError(
            f"The database cannot be reached: {words}",
            hint="Check that it runs and that the database URL is right.",
        )
    return _attention(fault, words, parameter)


def pool_is_empty(error: PoolTimeoutError) -> TemporaryError:
    """Return the error for a pool without a free connection."""
    return TemporaryError(f"The database has no free connection: {error}")


def record_fault(error: DBAPIError | StatementError) -> Fault:
    """Return the fault of one record's values."""
    return fault_of(error) if isinstance(error, DBAPIError) else Fault.INVALID


def _attention(fault: Fault, words: str, parameter: str) -> AttentionError:
    if fault is Fault.SIGN_IN:
        return AttentionError(
            f"The database refused the user or the password: {words}",
            hint="Correct the user in the database URL, or enter the password anew.",
            category=Category.AUTHENTICATION,
            parameter="password",
        )
    if fault is Fault.PERMISSION:
        return AttentionError(
            f"The database user may not do this: {words}",
            hint="Grant the user the right, or use another user.",
            category=Category.PERMISSION,
            parameter=parameter,
        )
    if fault is Fault.DATABASE:
        return AttentionError(
            f"The database cannot be opened: {words}",
            hint="Correct the database's name in the URL.",
            parameter=parameter,
        )
    return AttentionError(
        f"The database does not know a table or column (any more): {words}",
        hint="Check the mapping against the tables as they are now.",
    )


def _sqlite_fault(name: str | None) -> Fault | None:
    while name:
        if name in _SQLITE:
            return _SQLITE[name]
        name = name.rpartition("_")[0]
    return None


def _postgresql_fault(state: str | None) -> Fault | None:
    if not state:
        return None
    return _POSTGRESQL.get(state) or _POSTGRESQL.get(state[:2])


def _mysql_fault(original: BaseException | None) -> Fault | None:
    code = original.args[0] if original is not None and original.args else None
    return _MYSQL.get(code) if isinstance(code, int) else None


def _sentence_fault(words: str) -> Fault | None:
    lower = words.lower()
    if "does not exist" in lower:
        return Fault.DATABASE if "database" in lower else Fault.SIGN_IN
    return next((fault for part, fault in _SENTENCES if part in lower), None)
