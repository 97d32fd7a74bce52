"""Criteria as the query a system gets, and criteria out of such a query."""

from typing import Any

from hubconnect.connectors.base import QueryLine
from hubconnect.connectors.errors import ConnectorError
from hubconnect.engine import criteria as language
from hubconnect.engine.criteria import CriteriaInvalidError
from hubconnect.integrations.models import Flow
from hubconnect.systems.services import schema
from hubconnect.systems.services.connections import open_connector


def explain(flow: Flow, text: str) -> tuple[QueryLine, ...]:
    """Return what the source is asked by these criteria; nothing for what cannot be used."""
    system = flow.source_system
    try:
        with open_connector(system) as connector:
            fields = schema.fields(system, flow.source_type, connector=connector)
            criteria = language.parse_text(text, fields, connector.max_conditions)
            return connector.explain(flow.source_type, criteria)
    except (ConnectorError, CriteriaInvalidError):
        return ()  # the page says so where the criteria stand


def understand(flow: Flow, query: str) -> list[dict[str, Any]]:
    """Return the criteria that one of the source's own queries stands for.

    Raises:
        ConnectorError: it cannot be read.
    """
    with open_connector(flow.source_system) as connector:
        return language.to_json(connector.understand(flow.source_type, query))
