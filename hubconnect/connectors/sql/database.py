"""Opens the database, counts statements, and turns a driver's exceptions into the error tree."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, TimeoutError as PoolTimeoutError
from sqlalchemy.pool import QueuePool

from hubconnect.connectors.base import Context
from hubconnect.connectors.errors import OutcomeUnknownError
from hubconnect.connectors.sql.dialects import Dialect
from hubconnect.connectors.sql.faults import (
    Fault,
    fault_of,
    pool_is_empty,
    sentence_of,
    understood,
)
from hubconnect.connectors.sql.urls import Target, find_target

SQLITE_WAIT_MS = 5000
IS_WRITE = "hubconnect_is_write"


class Database:
    """One database. Statements run inside ``reading`` and ``writing``, never outside."""

    def __init__(self, url: str, password: str, context: Context) -> None:
        """Keep where to connect; connect to nothing yet."""
        self._url, self._password, self._context = url, password, context
        self.calls: Counter[str] = Counter()
        self._is_open = False

    @cached_property
    def target(self) -> Target:
        """Where to connect, checked once."""
        return find_target(self._url, self._password, self._context)

    @property
    def dialect(self) -> Dialect:
        """Which kind of database it is."""
        return self.target.dialect

    @cached_property
    def engine(self) -> Engine:
        """The engine, with at most a few connections, given back by ``close``."""
        target = self.target
        engine = create_engine(
            target.url,
            poolclass=QueuePool,
            pool_size=1,
            max_overflow=3,
            pool_timeout=5,
            pool_pre_ping=not target.dialect.is_file,
            connect_args=_arguments(target, self._context),
            hide_parameters=True,
        )
        _listen(engine, target.dialect, self._context, self.calls)
        self._is_open = True
        return engine

    def close(self) -> None:
        """Close the connections."""
        if self._is_open:
            self.engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a connection for reading; nothing it does is kept.

        Raises:
            TemporaryError: the database is away or busy.
            AttentionError: a person must act.
        """
        with self._connection() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction, committed at the end.

        Raises:
            DBAPIError: values of a record were refused; nothing was written.
            TemporaryError: the database is away or busy; nothing was written.
            AttentionError: a person must act; nothing was written.
            OutcomeUnknownError: the connection broke while committing.
        """
        self._context.guard()
        with self._connection() as connection:
            connection.execution_options(**{IS_WRITE: True})
            transaction = connection.begin()
            try:
                yield connection
            except BaseException:
                with suppress(DBAPIError):  # the first error says more
                    transaction.rollback()
                raise
            _commit(connection)

    def now(self) -> datetime:
        """Return the database's time."""
        with self.reading() as connection:
            return self.now_in(connection)

    def now_in(self, connection: Connection) -> datetime:
        """Return the database's time, asked on this connection."""
        found = connection.exec_driver_sql(self.dialect.clock).scalar_one()
        moment: datetime = datetime.fromisoformat(found) if isinstance(found, str) else found
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        try:
            with self.engine.connect() as connection:
                yield connection
        except DBAPIError as error:
            known = understood(error)
            if known is None:
                raise
            raise known from error
        except PoolTimeoutError as error:
            raise pool_is_empty(error) from error


def _commit(connection: Connection) -> None:
    try:
        connection.commit()
    except DBAPIError as error:
        if fault_of(error) is Fault.AWAY:
            msg = f"The connection broke while writing: {sentence_of(error)}"
            raise OutcomeUnknownError(msg) from error
        with suppress(DBAPIError):
            connection.rollback()
        raise


def _arguments(target: Target, context: Context) -> dict[str, Any]:
    """Return arguments that bound every wait, for the driver's connect call."""
    seconds = max(1, int(context.request_timeout.total_seconds()))
    arguments: dict[str, Any] = dict(target.arguments)
    name = target.dialect.name
    if name == "sqlite":
        arguments["timeout"] = SQLITE_WAIT_MS / 1000
    elif name == "postgresql":
        arguments["prepare_threshold"] = None  # statements kept by name break behind PgBouncer
        arguments["tcp_user_timeout"] = str(seconds * 1000)
        arguments.setdefault("application_name", "HubConnect")
        if "connect_timeout" not in target.url.query:
            arguments["connect_timeout"] = str(min(seconds, 10))
    elif name in {"mysql", "mariadb"}:
        arguments["read_timeout"] = arguments["write_timeout"] = seconds
        if "connect_timeout" not in target.url.query:
            arguments["connect_timeout"] = min(seconds, 10)
    return arguments


def _listen(engine: Engine, dialect: Dialect, context: Context, calls: Counter[str]) -> None:
    statements = _first_statements(dialect, context)

    def set_up(connection: Any, _record: object) -> None:  # noqa: ANN401 - any driver's
        _set_up(connection, dialect, statements)

    def count(*arguments: Any) -> None:
        word = str(arguments[2]).split(None, 1)[0].lower()
        if word not in {"begin", "pragma"}:
            calls[word] += 1

    event.listen(engine, "connect", set_up)
    event.listen(engine, "before_cursor_execute", count)
    if dialect.name == "sqlite":
        event.listen(engine, "begin", _begin)


def _set_up(raw: Any, dialect: Dialect, statements: Sequence[str]) -> None:  # noqa: ANN401 - any driver's
    if dialect.name == "sqlite":
        # The driver would begin transactions by itself, too late and never IMMEDIATE.
        raw.isolation_level = None
    cursor = raw.cursor()
    for statement in statements:
        cursor.execute(statement)
    cursor.close()
    if dialect.name == "postgresql":
        raw.commit()


def _begin(connection: Connection) -> None:
    is_write = connection.get_execution_options().get(IS_WRITE)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")


def _first_statements(dialect: Dialect, context: Context) -> tuple[str, ...]:
    milliseconds = max(1000, int(context.request_timeout.total_seconds() * 1000))
    if dialect.name == "sqlite":
        return (
            f"PRAGMA busy_timeout = {SQLITE_WAIT_MS}",
            "PRAGMA foreign_keys = ON",
            # Views and triggers of a foreign file may not call functions with side effects.
            "PRAGMA trusted_schema = OFF",
        )
    if dialect.name == "postgresql":
        return (
            f"SET statement_timeout = {milliseconds}",
            f"SET idle_in_transaction_session_timeout = {milliseconds}",
        )
    if dialect.name in {"mysql", "mariadb"}:
        return ("SET time_zone = '+00:00'",)
    return ()
