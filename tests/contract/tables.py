"""Tables of the scratch databases."""

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Integer,
    LargeBinary,
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
    key = customers.c.id
    orders = Table(
        "orders",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("customer_id", ForeignKey(key)),
        Column("updated_at", DateTime),
    )
    comments = Table(
        "customer_comments",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("customer_id", ForeignKey(key), nullable=False),
        Column("body", Text, nullable=False),
        Column("author", String(100)),
        Column("created_at", DateTime, nullable=False),
        Column("updated_at", DateTime),
    )
    files = Table(
        "customer_files",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("customer_id", ForeignKey(key), nullable=False),
        Column("name", String(255), nullable=False),
        Column("content", LargeBinary, nullable=False),
        Column("media_type", String(100)),
        Column("size", Integer),
        Column("md5", String(32)),
    )
    found = (customers, orders, comments, files)
    return {table.name: table for table in found}
