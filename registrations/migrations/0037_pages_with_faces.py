"""What the page of an event shows besides its texts: people, programme, partners, pictures."""

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
import registrations.models.event_page
from django.db import migrations, models

from registrations.security import roles

MODELS = ["appearance", "eventpage", "partner", "programmeitem", "speaker"]


def give(apps, schema_editor):
    for model in MODELS:
        for group, actions in [(roles.ORGANISATION, roles.ALL), (roles.READING, ["view"])]:
            roles.give(apps, group, model, [f"{action}_{model}" for action in actions])


class Migration(migrations.Migration):

    dependencies = [
        ('registrations', '0036_what_the_locks_note'),
    ]

    operations = [
        migrations.CreateModel(
            name='Picture',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(max_length=64, unique=True)),
                ('sizes', models.JSONField(default=list)),
                ('made_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Partner',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField(default=0, verbose_name='position')),
                ('name', models.CharField(max_length=100, verbose_name='name')),
                ('link', models.URLField(blank=True, max_length=500, validators=[django.core.validators.URLValidator(schemes=['https', 'http'])], verbose_name='link')),
                ('event', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='partners', to='registrations.event', verbose_name='event')),
                ('logo', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='partners', to='registrations.picture', verbose_name='logo')),
            ],
            options={
                'verbose_name': 'partner',
                'verbose_name_plural': 'partners',
                'ordering': ['position', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='EventPage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('audience', models.TextField(blank=True, help_text='Whom the webinar is meant for.', validators=[django.core.validators.MaxLengthValidator(1000)], verbose_name='for whom')),
                ('language', models.CharField(blank=True, choices=[('fr', 'French'), ('en', 'English'), ('de', 'German'), ('ar', 'Arabic'), ('es', 'Spanish'), ('it', 'Italian'), ('nl', 'Dutch'), ('pl', 'Polish'), ('pt', 'Portuguese'), ('ro', 'Romanian'), ('tr', 'Turkish'), ('uk', 'Ukrainian')], help_text='Empty: not said.', max_length=5, verbose_name='language of the session')),
                ('subtitles', models.BooleanField(default=False, verbose_name='live subtitles')),
                ('sign_language', models.BooleanField(default=False, verbose_name='interpretation in French sign language')),
                ('telephone', models.BooleanField(default=False, help_text='A telephone number is given with the link.', verbose_name='by telephone')),
                ('accessibility', models.CharField(blank=True, help_text='For example: documents in large print.', max_length=300, verbose_name='more on accessibility')),
                ('picture_description', models.CharField(blank=True, help_text='For those who do not see it. Empty: it only decorates.', max_length=200, verbose_name='description of the picture')),
                ('revision', models.CharField(default=registrations.models.event_page.new_revision, editable=False, max_length=16)),
                ('event', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='page', to='registrations.event', verbose_name='event')),
                ('picture', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='event_pages', to='registrations.picture', verbose_name='picture')),
            ],
            options={
                'verbose_name': 'facts on the page',
                'verbose_name_plural': 'facts on the page',
            },
        ),
        migrations.CreateModel(
            name='ProgrammeItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('starts_at', models.TimeField(help_text='In the event’s time zone.', verbose_name='hour')),
                ('title', models.CharField(max_length=200, verbose_name='title')),
                ('speakers', models.CharField(blank=True, max_length=200, verbose_name='with whom')),
                ('event', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='programme', to='registrations.event', verbose_name='event')),
            ],
            options={
                'verbose_name': 'part of the programme',
                'verbose_name_plural': 'programme',
                'ordering': ['starts_at', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='Speaker',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100, verbose_name='name')),
                ('role', models.CharField(blank=True, help_text='For example: social mediator.', max_length=150, verbose_name='role')),
                ('organisation', models.CharField(blank=True, max_length=150, verbose_name='organisation')),
                ('bio', models.TextField(blank=True, help_text='Two lines are enough.', validators=[django.core.validators.MaxLengthValidator(400)], verbose_name='a few words')),
                ('picture_description', models.CharField(blank=True, help_text='For those who do not see it: who is in the picture, and how the person looks.', max_length=200, verbose_name='description of the picture')),
                ('picture', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='speakers', to='registrations.picture', verbose_name='picture')),
            ],
            options={
                'verbose_name': 'speaker',
                'verbose_name_plural': 'speakers',
                'ordering': ['name', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='PictureFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('width', models.PositiveIntegerField()),
                ('content', models.BinaryField()),
                ('picture', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='files', to='registrations.picture')),
            ],
            options={
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(fields=('picture', 'width'), name='picture_has_one_file_of_each_width')],
            },
        ),
        migrations.CreateModel(
            name='Appearance',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField(default=0, verbose_name='position')),
                ('event', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='appearances', to='registrations.event', verbose_name='event')),
                ('speaker', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='appearances', to='registrations.speaker', verbose_name='speaker')),
            ],
            options={
                'verbose_name': 'speaker of the event',
                'verbose_name_plural': 'speakers of the event',
                'ordering': ['position', 'pk'],
                'constraints': [models.UniqueConstraint(fields=('event', 'speaker'), name='speaker_appears_once_at_an_event', violation_error_message='This person is on the list already.')],
            },
        ),
        migrations.RunPython(give, migrations.RunPython.noop),
    ]
