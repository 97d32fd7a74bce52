"""The figures of runs that ended before there were figures."""

from datetime import timezone

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.db.models import Count, Q, Sum
from django.db.models.functions import TruncHour

COUNTS = ('read', 'created', 'updated', 'failed', 'api_calls')
DID_NOTHING = Q(
    state='done', created=0, updated=0, failed=0, held=0, skipped=0, associations=0, comments=0, files=0
)


def add_up(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    figures = apps.get_model('integrations', 'HourlyFigures')
    rows = (
        apps.get_model('integrations', 'Run')
        .objects.exclude(state='running')
        .order_by()
        .annotate(hour=TruncHour('started_at', tzinfo=timezone.utc))
        .values('flow_id', 'hour')
        .annotate(
            runs=Count('pk'),
            idle_runs=Count('pk', filter=DID_NOTHING),
            **{name: Sum(name) for name in COUNTS},
        )
    )
    figures.objects.bulk_create((figures(**row) for row in rows.iterator(2000)), batch_size=2000)


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0012_hourly_figures_and_idle_runs'),
    ]

    operations = [migrations.RunPython(add_up, migrations.RunPython.noop)]
