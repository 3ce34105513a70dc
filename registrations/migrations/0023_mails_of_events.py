"""A mail to the contact address of an event has no registration: its revision is unique per event and kind."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('registrations', '0022_field_words'),
    ]

    operations = [
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.UniqueConstraint(condition=models.Q(('event__isnull', False), ('registration__isnull', True)), fields=('event', 'kind', 'revision'), name='delivery_is_unique_per_event_kind_revision'),
        ),
    ]
