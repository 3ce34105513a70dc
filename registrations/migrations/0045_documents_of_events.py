"""Documents of an event besides the study report."""

import django.core.validators
import django.db.models.deletion
import registrations.models.pdf_file
from django.db import migrations, models

from registrations.security import roles

MODEL = "eventdocument"


def give(apps, schema_editor):
    everything = [(roles.ORGANISATION, roles.ALL), (roles.READING, ["view"]), (roles.PER_EVENT, roles.ALL)]
    for group, actions in everything:
        roles.give(apps, group, MODEL, [f"{action}_{MODEL}" for action in actions])


class Migration(migrations.Migration):

    dependencies = [
        ('registrations', '0044_kinds_of_own_words'),
    ]

    operations = [
        migrations.CreateModel(
            name='EventDocument',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField(default=0, verbose_name='position')),
                ('name', models.CharField(max_length=150, verbose_name='name')),
                ('file', models.FileField(blank=True, upload_to=registrations.models.pdf_file.random_name, validators=[django.core.validators.FileExtensionValidator(['pdf'])], verbose_name='PDF')),
                ('link', models.URLField(blank=True, help_text='In place of a file: an address that begins with https.', max_length=500, validators=[django.core.validators.URLValidator(schemes=['https'])], verbose_name='or link')),
                ('audience', models.CharField(choices=[('everybody', 'everybody, on the event’s page'), ('registrants', 'people who have a seat'), ('afterwards', 'people who have a seat, after the session')], default='registrants', max_length=12, verbose_name='for whom')),
                ('attached', models.BooleanField(default=False, help_text='The PDF is attached to the confirmation, or to the follow-up mail when it is for after the session. Too large for a mail, it is linked.', verbose_name='attached to the mail')),
                ('digest', models.CharField(blank=True, db_index=True, editable=False, max_length=64)),
                ('size', models.PositiveIntegerField(default=0, editable=False)),
                ('event', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='documents', to='registrations.event', verbose_name='event')),
            ],
            options={
                'verbose_name': 'document',
                'verbose_name_plural': 'documents',
                'ordering': ['position', 'pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(('file', ''), ('link', ''), _connector='XOR'), name='event_document_is_a_file_or_a_link', violation_error_message='Give a PDF or a link, one of the two.'), models.CheckConstraint(condition=models.Q(('attached', False), models.Q(('file', ''), _negated=True), _connector='OR'), name='event_document_attached_is_a_file', violation_error_message='Only a PDF can be attached to a mail.')],
            },
        ),
        migrations.RunPython(give, migrations.RunPython.noop),
    ]
