"""Operations of migrations that leave a live installation its tables.

``CREATE INDEX`` of PostgreSQL keeps writers away from a table for as long as it takes, which on a
table of events is minutes; ``CREATE INDEX CONCURRENTLY`` does not, yet may stand in no transaction
and exists on PostgreSQL alone. SQLite, which has one writer anyway, gets the plain statement.
"""

from typing import TYPE_CHECKING

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db.migrations import AddIndex

if TYPE_CHECKING:
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor
    from django.db.migrations.state import ProjectState

POSTGRESQL = "postgresql"


class AddIndexOnline(AddIndexConcurrently):
    """Adds an index while others read and write; for migrations with ``atomic = False``.

    One that was cut off leaves an index that PostgreSQL calls invalid; the next try replaces it.
    """

    def database_forwards(
        self,
        app_label: str,
        schema_editor: "BaseDatabaseSchemaEditor",
        from_state: "ProjectState",
        to_state: "ProjectState",
    ) -> None:
        """Create the index, concurrently where that is known."""
        if schema_editor.connection.vendor == POSTGRESQL:
            name = schema_editor.quote_name(self.index.name)
            schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        else:
            AddIndex.database_forwards(self, app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: "BaseDatabaseSchemaEditor",
        from_state: "ProjectState",
        to_state: "ProjectState",
    ) -> None:
        """Remove the index, concurrently where that is known."""
        if schema_editor.connection.vendor == POSTGRESQL:
            super().database_backwards(app_label, schema_editor, from_state, to_state)
        else:
            AddIndex.database_backwards(self, app_label, schema_editor, from_state, to_state)
