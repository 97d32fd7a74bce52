"""Tries criteria on the live system: how many records match, and the first of them."""

import time
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format

from hubconnect.connectors.base import Connector, Criteria, Field, Record, Value
from hubconnect.engine import criteria as language
from hubconnect.engine.values import show
from hubconnect.systems.models import System
from hubconnect.systems.services import schema
from hubconnect.systems.services.connections import open_connector

SHOWN = 5
COLUMNS = 4


@dataclass(frozen=True, slots=True)
class Line:
    """One record that matches: its id, where a person sees it, its values as text."""

    id: str
    url: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """What criteria found.

    Attributes:
        columns: labels of the values that are shown.
        calls: requests this cost.
        took_s: how long it took, in seconds.
    """

    matching: int
    total: int
    columns: tuple[str, ...]
    lines: tuple[Line, ...]
    calls: int
    took_s: float


def try_criteria(system: System, object_type: str, text: str) -> Trial:
    """Ask the system which records the criteria take.

    Raises:
        CriteriaInvalidError: the text cannot be used.
        ConnectorError: the system did not answer.
    """
    began = time.monotonic()
    with open_connector(system) as connector:
        fields = schema.fields(system, object_type, connector=connector)
        criteria = language.parse_text(text, fields, connector.max_conditions)
        total = connector.count(object_type)
        matching = connector.count(object_type, criteria) if criteria else total
        columns = choose_columns(criteria, fields)
        records = _first(connector, object_type, criteria, columns) if matching else ()
        return Trial(
            matching=matching,
            total=total,
            columns=tuple(field.label for field in columns),
            lines=tuple(
                Line(
                    record.id,
                    connector.url(object_type, record.id),
                    tuple(_shown(record.values.get(one.name), one) for one in columns),
                )
                for record in records
            ),
            calls=sum(connector.calls.values()),
            took_s=round(time.monotonic() - began, 1),
        )


def _shown(value: Value, field: Field) -> str:
    """Return a value for a table: times in the reader's zone."""
    if isinstance(value, datetime):
        return date_format(timezone.localtime(value), "j M Y, H:i:s")
    return show(value, field)


def choose_columns(criteria: Criteria, fields: dict[str, Field]) -> list[Field]:
    """Choose what tells records apart: a name, then the fields that the criteria ask."""
    named = [
        field
        for part in ("name", "subject", "title", "email")
        for field in fields.values()
        if part in field.name.lower() and not field.hidden
    ]
    chosen = {field.name: field for field in named[:1]}
    chosen |= {one.field: fields[one.field] for one in criteria}
    spare = [field for field in fields.values() if not field.hidden and not field.read_only]
    for field in spare:
        if len(chosen) >= COLUMNS:
            break
        chosen.setdefault(field.name, field)
    return list(chosen.values())[:COLUMNS]


def _first(
    connector: Connector, object_type: str, criteria: Criteria, columns: list[Field]
) -> tuple[Record, ...]:
    pages = connector.everything(object_type, criteria, [field.name for field in columns])
    page = next(pages, None)
    return page.records[:SHOWN] if page is not None else ()
