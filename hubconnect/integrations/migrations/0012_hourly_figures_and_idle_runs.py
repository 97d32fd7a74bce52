"""Figures by the hour, idle runs marked, links counted; where an index begins with it, no second one."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0011_notifications'),
    ]

    operations = [
        migrations.CreateModel(
            name='HourlyFigures',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('flow', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='hourly_figures', to='integrations.flow')),
                ('hour', models.DateTimeField()),
                ('runs', models.PositiveIntegerField(db_default=0, default=0)),
                ('idle_runs', models.PositiveIntegerField(db_default=0, default=0)),
                ('read', models.PositiveBigIntegerField(db_default=0, default=0)),
                ('linked', models.PositiveIntegerField(db_default=0, default=0)),
                ('created', models.PositiveIntegerField(db_default=0, default=0)),
                ('updated', models.PositiveIntegerField(db_default=0, default=0)),
                ('failed', models.PositiveIntegerField(db_default=0, default=0)),
                ('api_calls', models.PositiveBigIntegerField(db_default=0, default=0)),
                ('seconds', models.FloatField(db_default=0.0, default=0.0)),
            ],
            options={
                'indexes': [models.Index(fields=['hour'], name='hourly_figures_by_hour')],
                'constraints': [models.UniqueConstraint(fields=('flow', 'hour'), name='hourly_figures_once')],
            },
        ),
        migrations.AddField(
            model_name='run',
            name='is_idle',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name='typepair',
            name='links_counted',
            field=models.PositiveBigIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name='typepair',
            name='links_counted_to',
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AlterField(
            model_name='run',
            name='flow',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='runs', to='integrations.flow'),
        ),
        migrations.AlterField(
            model_name='link',
            name='type_pair',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='links', to='integrations.typepair'),
        ),
        migrations.AlterField(
            model_name='recordevent',
            name='run',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='events', to='integrations.run'),
        ),
    ]
