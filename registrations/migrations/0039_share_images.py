"""The images that others show beside a link to an event."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('registrations', '0038_logo_and_colour'),
    ]

    operations = [
        migrations.CreateModel(
            name='ShareImage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(max_length=16)),
                ('content', models.BinaryField()),
                ('made_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('event', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='share_image', to='registrations.event')),
            ],
            options={
                'default_permissions': (),
            },
        ),
    ]
