"""Indexes that the lists of runs and events need, made while both are written; idle runs marked."""

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.db.models import Q

from hubconnect.core.operations import AddIndexOnline

AT_ONCE = 5000
DID_NOTHING = Q(
    state='done', created=0, updated=0, failed=0, held=0, skipped=0, associations=0, comments=0, files=0
)


def mark_idle_runs(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    runs = apps.get_model('integrations', 'Run').objects.order_by('pk')
    last = 0
    while keys := list(runs.filter(pk__gt=last).values_list('pk', flat=True)[:AT_ONCE]):
        last = keys[-1]
        runs.filter(DID_NOTHING, pk__gte=keys[0], pk__lte=last).update(is_idle=True)


class Migration(migrations.Migration):

    atomic = False  # an index that is made while others write stands in no transaction

    dependencies = [
        ('integrations', '0013_figures_of_earlier_runs'),
    ]

    operations = [
        migrations.RunPython(mark_idle_runs, migrations.RunPython.noop),
        AddIndexOnline(
            model_name='link',
            index=models.Index(fields=['type_pair', 'id'], name='link_by_type_pair'),
        ),
        AddIndexOnline(
            model_name='recordevent',
            index=models.Index(fields=['run', '-id'], name='event_by_run'),
        ),
        AddIndexOnline(
            model_name='run',
            index=models.Index(fields=['flow', '-id'], name='run_by_flow'),
        ),
        AddIndexOnline(
            model_name='run',
            index=models.Index(fields=['flow', 'is_idle', '-id'], name='run_by_flow_and_idle'),
        ),
        AddIndexOnline(
            model_name='run',
            index=models.Index(fields=['is_idle', '-id'], name='run_by_idle'),
        ),
        AddIndexOnline(
            model_name='run',
            index=models.Index(fields=['state', '-id'], name='run_by_state'),
        ),
        AddIndexOnline(
            model_name='run',
            index=models.Index(fields=['reason', '-id'], name='run_by_reason'),
        ),
        migrations.RemoveIndex(model_name='run', name='integration_flow_id_5813dc_idx'),
        migrations.RemoveIndex(model_name='run', name='integration_state_88fa13_idx'),
    ]
