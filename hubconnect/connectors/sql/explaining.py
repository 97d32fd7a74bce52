"""Criteria as the SELECT they become, for a person to read."""

from collections.abc import Iterator

from sqlalchemy.exc import CompileError

from hubconnect.connectors.base import Criteria, Operator, QueryLine
from hubconnect.connectors.sql.conditions import Clause, build_filter
from hubconnect.connectors.sql.database import Database
from hubconnect.connectors.sql.tables import ObjectTable

_WORDS = {
    Operator.CONTAINS_TOKEN: "holds all the words",
    Operator.NOT_CONTAINS_TOKEN: "does not hold all the words",
}


def explain(database: Database, table: ObjectTable, criteria: Criteria) -> tuple[QueryLine, ...]:
    """Return the statement that reads a window of changes, one condition to a line."""
    return tuple(_lines(database, table, criteria))


def _lines(database: Database, table: ObjectTable, criteria: Criteria) -> Iterator[QueryLine]:
    key = ", ".join(column.name for column in table.key_columns)
    yield QueryLine(f"SELECT … FROM {table.name} WHERE")  # noqa: S608 - to be read, not run
    for one in criteria:
        for clause in build_filter(table, (one,), database.dialect.name).clauses:
            yield QueryLine(f"  {_text(database, clause)} AND")
    if table.modified is not None:
        moment = table.modified.name
        yield QueryLine(
            f"  {moment} BETWEEN <start of the window> AND <end of the window> AND", is_ours=True
        )
    yield QueryLine(f"  {key} > <last key read>", is_ours=True)
    yield QueryLine(f"ORDER BY {key}", is_ours=True)
    for one in criteria:
        if one.operator in _WORDS:
            words = f"{one.field} {_WORDS[one.operator]} “{one.value}”"
            yield QueryLine(f"-- HubConnect itself then takes the rows whose {words}.")


def _text(database: Database, clause: Clause) -> str:
    dialect = database.engine.dialect
    try:
        compiled = clause.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
    except (CompileError, NotImplementedError):  # a type whose values this dialect cannot write
        compiled = clause.compile(dialect=dialect)
    return " ".join(str(compiled).split())
