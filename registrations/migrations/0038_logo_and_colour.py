"""Logo and colour of the organisation."""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

from registrations.security import roles


def give(apps, schema_editor):
    for group, actions in [(roles.ORGANISATION, roles.ALL), (roles.READING, ["view"])]:
        roles.give(apps, group, "siteidentity", [f"{action}_siteidentity" for action in actions])


class Migration(migrations.Migration):

    dependencies = [
        ('registrations', '0037_pages_with_faces'),
    ]

    operations = [
        migrations.CreateModel(
            name='SiteIdentity',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('accent', models.CharField(blank=True, help_text='Of buttons and dates, for example #9c3a1b. Empty: the site’s own.', max_length=7, validators=[django.core.validators.RegexValidator('^#[0-9a-fA-F]{6}\\Z', 'Write a colour as # and six digits, for example #9c3a1b.')], verbose_name='colour')),
                ('dark_accent', models.CharField(blank=True, help_text='For those whose screen is dark. Empty: a lighter shade of the colour.', max_length=7, validators=[django.core.validators.RegexValidator('^#[0-9a-fA-F]{6}\\Z', 'Write a colour as # and six digits, for example #9c3a1b.')], verbose_name='colour in the dark')),
                ('logo', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='site_identities', to='registrations.picture', verbose_name='logo')),
            ],
            options={
                'verbose_name': 'logo and colour',
                'verbose_name_plural': 'logo and colour',
                'constraints': [models.CheckConstraint(condition=models.Q(('pk', 1)), name='site_identity_is_one_row')],
            },
        ),
        migrations.RunPython(give, migrations.RunPython.noop),
    ]
