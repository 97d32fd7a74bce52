"""Delete what is over by age, as the schedule does every hour."""

from typing import Any

from django.core.management.base import BaseCommand

from hubconnect.integrations.services.purging import purge_all


class Command(BaseCommand):
    """Deletes old history in small batches; settings ``KEEP_..._DAYS`` say what is old."""

    help = "Delete old history, closed failures, audit entries, dead sessions and the like."

    def handle(self, *args: Any, **options: Any) -> None:
        """Delete until nothing is left that is over."""
        purged = purge_all()
        gone = {name: number for name, number in purged.rows.items() if number}
        for name, number in gone.items():
            self.stdout.write(f"{name}: {number:,}")
        if not gone:
            self.stdout.write("Nothing was over.")
