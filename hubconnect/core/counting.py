"""Counts that cost the same however long a table is: they stop at a limit."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from django.db import connections
from django.db.models import F, QuerySet

MOST = 1000


class Stretch(NamedTuple):
    """How many rows were found, and the lowest and highest key among those looked at."""

    rows: int
    lowest: int
    highest: int


def stretch_each(found: Sequence[QuerySet[Any]], most: int = MOST) -> list[Stretch]:
    """Count the rows of several querysets in one statement, newest keys first, up to ``most + 1``.

    A count of ``most + 1`` says "more than that".
    """
    if not found:
        return []
    parts: list[str] = []
    values: list[Any] = []
    for place, rows in enumerate(found):
        keys = rows.order_by("-pk").annotate(row_key=F("pk")).values("row_key")[: most + 1]
        inner, given = keys.query.sql_with_params()
        parts.append(
            f"SELECT {place}, COUNT(*), MIN(row_key), MAX(row_key) FROM ({inner}) AS part"  # noqa: S608
        )
        values += given
    with connections[found[0].db].cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), values)
        rows_of = {row[0]: row[1:] for row in cursor.fetchall()}
    return [Stretch(*(number or 0 for number in rows_of[place])) for place in range(len(found))]


def count_each(found: Iterable[QuerySet[Any]], most: int = MOST) -> list[int]:
    """Count the rows of several querysets in one statement, each up to ``most + 1``."""
    return [stretch.rows for stretch in stretch_each(list(found), most)]


def at_most(number: int, most: int = MOST) -> str:
    """Write a count that stopped at a limit: ``12``, or ``1,000+``."""
    return f"{most:,}+" if number > most else f"{number:,}"
