"""What an event asks besides the fields of every form, and what people answer."""

import django.db.models.deletion
import registrations.models.event
from django.db import migrations, models

from registrations.security import roles


def give(apps, schema_editor):
    for group, actions in [(roles.ORGANISATION, roles.ALL), (roles.READING, ["view"])]:
        roles.give(apps, group, "eventquestion", [f"{action}_eventquestion" for action in actions])


class Migration(migrations.Migration):

    dependencies = [
        ('registrations', '0013_rights_of_lists_and_messages'),
    ]

    operations = [
        migrations.AddField(
            model_name='registration',
            name='own_answers',
            field=models.JSONField(blank=True, db_default={}, default=dict, editable=False, verbose_name='answers to the event’s own questions'),
        ),
        migrations.CreateModel(
            name='EventQuestion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField(default=0, verbose_name='position')),
                ('label', models.CharField(max_length=200, verbose_name='question')),
                ('kind', models.CharField(choices=[('text', 'Text'), ('one', 'One choice'), ('several', 'Several choices'), ('yes_no', 'Yes or no')], default='text', max_length=10, verbose_name='answered by')),
                ('choices', models.TextField(blank=True, help_text='One per line, for the two kinds with choices. Answers already given keep their words.', validators=[registrations.models.event.validate_lines], verbose_name='choices')),
                ('help_text', models.CharField(blank=True, help_text='Shown under the question.', max_length=300, verbose_name='hint')),
                ('required', models.BooleanField(default=False, verbose_name='required')),
                ('is_asked', models.BooleanField(default=True, help_text='Unticked: no longer on the form; answers already given stay.', verbose_name='still asked')),
                ('event', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='own_questions', to='registrations.event', verbose_name='event')),
            ],
            options={
                'verbose_name': 'question of the event’s own',
                'verbose_name_plural': 'questions of the event’s own',
                'ordering': ['position', 'pk'],
            },
        ),
        migrations.RunPython(give, migrations.RunPython.noop),
    ]
