"""The property definitions of a fresh account, by object type."""

from typing import Any

from hubconnect.sandbox.catalog import activities, companies, contacts, deals, orders, tickets
from hubconnect.sandbox.catalog.common import COMMON, Options, build_table
from hubconnect.sandbox.catalog.kinds import KINDS

_TABLES: dict[str, tuple[str, Options]] = {
    "contacts": (contacts.TABLE, contacts.OPTIONS),
    "companies": (companies.TABLE, companies.OPTIONS),
    "deals": (deals.TABLE, deals.OPTIONS),
    "tickets": (tickets.TABLE, tickets.OPTIONS),
    "orders": (orders.TABLE, {}),
    **{
        name: (activities.SHARED.rstrip() + table, activities.OPTIONS)
        for name, table in activities.TABLES.items()
    },
}


def build_definitions(kind_name: str) -> list[dict[str, Any]]:
    """Build the definitions of one object type: its own properties, then the common ones."""
    table, options = _TABLES[kind_name]
    return build_table(table.rstrip() + COMMON, options, KINDS[kind_name].group)
