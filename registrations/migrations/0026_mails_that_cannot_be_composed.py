"""A state for mails that cannot be composed. It changes no table."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('registrations', '0025_audit_on_behalf'),
    ]

    operations = [
        migrations.AlterField(
            model_name='delivery',
            name='state',
            field=models.CharField(choices=[('pending', 'To be sent'), ('sending', 'Being sent'), ('sent', 'Sent'), ('failed', 'Failed'), ('cancelled', 'Cancelled'), ('expired', 'Expired'), ('held', 'Held back since a restore'), ('broken', 'Cannot be composed')], default='pending', max_length=10, verbose_name='state'),
        ),
    ]
