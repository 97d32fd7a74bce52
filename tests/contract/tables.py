"""Tables of the scratch databases."""

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
)


def build_tables(schema: str | None) -> dict[str, Table]:
    """Return the tables, which live nowhere yet."""
    metadata = MetaData(schema=schema)
    customers = Table(
        "customers",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("email", String(100), nullable=False, unique=True),
        Column("name", Text),
        Column("credit", Numeric(12, 2)),
        Column("born", Date),
        Column("is_active", Boolean),
        Column("updated_at", DateTime, index=True),
    )
    return {"customers": customers}
