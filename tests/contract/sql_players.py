"""Users of a SQL database: they link, comment and attach files by plain statements."""

from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import uuid4

from sqlalchemy import Engine, Table, insert

Now = Callable[[], datetime]


class SQLPlayer:
    """Works on one scratch database."""

    def __init__(
        self, object_type: str, engine: Engine, tables: Mapping[str, Table], now: Now
    ) -> None:
        self.object_type, self.engine, self.tables, self.now = object_type, engine, tables, now

    def insert(self, table: str, **values: object) -> int:
        with self.engine.begin() as connection:
            result = connection.execute(insert(self.tables[table]).values(values))
            key = result.inserted_primary_key
        assert key is not None
        return int(key[0])

    def update(self, table: str, key: str, **values: object) -> None:
        one = self.tables[table]
        with self.engine.begin() as connection:
            connection.execute(one.update().where(one.c.id == int(key)).values(values))

    def remove(self, table: str, key: str) -> None:
        one = self.tables[table]
        with self.engine.begin() as connection:
            connection.execute(one.delete().where(one.c.id == int(key)))

    def make_customers(self, count: int) -> list[str]:
        return [
            str(self.insert("customers", email=f"{uuid4().hex}@example.com", updated_at=self.now()))
            for _ in range(count)
        ]


class SQLLinks(SQLPlayer):
    """Says which customer an order belongs to."""

    type = "column:customer_id"

    def make_near(self, count: int) -> list[str]:
        return [str(self.insert("orders", updated_at=self.now())) for _ in range(count)]

    def make_far(self, count: int) -> list[str]:
        return self.make_customers(count)

    def link(self, near: str, far: str) -> None:
        self.update("orders", near, customer_id=int(far), updated_at=self.now())

    def unlink(self, near: str, far: str) -> None:  # noqa: ARG002 - a column holds one
        self.update("orders", near, customer_id=None, updated_at=self.now())


class SQLComments(SQLPlayer):
    """Comments on customers; people are known by their e-mail alone."""

    author = author_name = "rae.poe@example.com"

    def make_records(self, count: int) -> list[str]:
        return self.make_customers(count)

    def add(self, record_id: str, text: str) -> str:
        key = self.insert(
            "customer_comments",
            customer_id=int(record_id),
            body=text,
            author=self.author,
            created_at=self.now(),
        )
        return f"customer_comments:{key}"

    def edit(self, comment_id: str, text: str) -> None:
        key = comment_id.partition(":")[2]
        self.update("customer_comments", key, body=text, updated_at=self.now())

    def delete(self, comment_id: str) -> None:
        self.remove("customer_comments", comment_id.partition(":")[2])


class SQLFiles(SQLPlayer):
    """Attaches files to customers."""

    def make_records(self, count: int) -> list[str]:
        return self.make_customers(count)

    def add(self, record_id: str, name: str, content: bytes) -> str:
        key = self.insert("customer_files", customer_id=int(record_id), name=name, content=content)
        return f"customer_files:{key}"

    def delete(self, holder: str) -> None:
        self.remove("customer_files", holder.partition(":")[2])

    def destroy(self, holder: str) -> None:
        """A row is file and holder in one."""
        self.delete(holder)
