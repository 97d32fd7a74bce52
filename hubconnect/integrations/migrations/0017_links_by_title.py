"""An index by which a linked record is found by its title, made while links are written."""

from django.db import migrations, models
from django.db.models.functions import Lower

from hubconnect.core.operations import AddIndexOnline


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('integrations', '0016_slices_of_loads'),
    ]

    operations = [
        AddIndexOnline(
            model_name='link',
            index=models.Index(Lower('title'), name='link_by_title'),
        ),
    ]
