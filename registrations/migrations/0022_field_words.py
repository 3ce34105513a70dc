"""The models take the field's words; tables and columns keep their names, so that nothing changes in the database."""

import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('registrations', '0021_people_by_the_state_of_a_mail'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name='AnonymousRegistration',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('registered_on', models.DateField(verbose_name='registered')),
                        ('status', models.CharField(choices=[('confirmed', 'Confirmed'), ('waitlisted', 'On the waiting list'), ('cancelled', 'Cancelled')], max_length=10, verbose_name='status')),
                        ('was_present', models.BooleanField(verbose_name='present')),
                        ('minutes', models.PositiveIntegerField(null=True, verbose_name='minutes in the room')),
                        ('territory', models.CharField(blank=True, max_length=255, verbose_name='territory')),
                        ('heard_from', models.CharField(blank=True, max_length=255, verbose_name='heard of it by')),
                    ],
                    options={
                        'verbose_name': 'anonymous registration',
                        'verbose_name_plural': 'anonymous registrations',
                        'db_table': 'registrations_trace',
                    },
                ),
                migrations.CreateModel(
                    name='PeopleCount',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('number', models.IntegerField()),
                        ('status', models.CharField(choices=[('confirmed', 'Confirmed'), ('waitlisted', 'On the waiting list'), ('cancelled', 'Cancelled')], max_length=10)),
                        ('territory', models.CharField(max_length=255)),
                        ('newsletter', models.BooleanField()),
                        ('language', models.CharField(max_length=5)),
                        ('attended', models.BooleanField(db_column='came')),
                    ],
                    options={
                        'db_table': 'registrations_peopletally',
                    },
                ),
                migrations.CreateModel(
                    name='PurgedCount',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('dimension', models.CharField(choices=[('organisation_type', 'type of organisation'), ('function', 'function'), ('sign', 'how presence is known'), ('names', 'different organisations')], max_length=20, verbose_name='dimension')),
                        ('group', models.CharField(blank=True, max_length=20, verbose_name='group')),
                        ('registered', models.PositiveIntegerField(default=0, verbose_name='with a seat')),
                        ('expected', models.PositiveIntegerField(default=0, verbose_name='of them, signed up in time')),
                        ('present', models.PositiveIntegerField(default=0, verbose_name='present')),
                    ],
                    options={
                        'verbose_name': 'tally',
                        'verbose_name_plural': 'tallies',
                        'db_table': 'registrations_tally',
                    },
                ),
                migrations.RenameModel(
                    old_name='MailTally',
                    new_name='MailCount',
                ),
                migrations.RenameModel(
                    old_name='Hit',
                    new_name='RateLimitHit',
                ),
                migrations.RenameModel(
                    old_name='SignUpTally',
                    new_name='SignUpCount',
                ),
                migrations.RemoveField(
                    model_name='peopletally',
                    name='event',
                ),
                migrations.RemoveConstraint(
                    model_name='tally',
                    name='tally_is_unique_per_event_and_group',
                ),
                migrations.RemoveField(
                    model_name='trace',
                    name='event',
                ),
                migrations.RemoveConstraint(
                    model_name='registration',
                    name='registration_is_unique_per_event_and_address',
                ),
                migrations.RemoveIndex(
                    model_name='delivery',
                    name='delivery_to_send',
                ),
                migrations.RemoveIndex(
                    model_name='delivery',
                    name='delivery_to_come',
                ),
                migrations.RemoveIndex(
                    model_name='delivery',
                    name='delivery_states',
                ),
                migrations.RemoveIndex(
                    model_name='delivery',
                    name='delivery_late',
                ),
                migrations.RemoveIndex(
                    model_name='delivery',
                    name='delivery_next',
                ),
                migrations.RemoveIndex(
                    model_name='registration',
                    name='registration_line',
                ),
                migrations.RemoveIndex(
                    model_name='registration',
                    name='registration_sign_ups',
                ),
                migrations.RemoveIndex(
                    model_name='registration',
                    name='registration_territories',
                ),
                migrations.RemoveIndex(
                    model_name='registration',
                    name='registration_trials',
                ),
                migrations.RemoveIndex(
                    model_name='registration',
                    name='registration_by_came',
                ),
                migrations.RemoveIndex(
                    model_name='registration',
                    name='registration_by_event_came',
                ),
                migrations.AlterField(
                    model_name='delivery',
                    name='due',
                    field=models.DateTimeField(db_column='due', default=django.utils.timezone.now, verbose_name='due'),
                ),
                migrations.RenameField(
                    model_name='delivery',
                    old_name='due',
                    new_name='send_at',
                ),
                migrations.AlterField(
                    model_name='delivery',
                    name='deaths',
                    field=models.PositiveSmallIntegerField(db_column='deaths', default=0, help_text='Times in a row that the worker was lost with this mail in hand.', verbose_name='breakdowns'),
                ),
                migrations.RenameField(
                    model_name='delivery',
                    old_name='deaths',
                    new_name='worker_crashes',
                ),
                migrations.AlterField(
                    model_name='registration',
                    name='came',
                    field=models.BooleanField(db_column='came', db_default=False, default=False, editable=False, verbose_name='present'),
                ),
                migrations.RenameField(
                    model_name='registration',
                    old_name='came',
                    new_name='attended',
                ),
                migrations.AlterField(
                    model_name='registration',
                    name='is_trial',
                    field=models.BooleanField(db_column='is_trial', db_default=False, default=False, editable=False, verbose_name='trial'),
                ),
                migrations.RenameField(
                    model_name='registration',
                    old_name='is_trial',
                    new_name='is_dry_run',
                ),
                migrations.AddIndex(
                    model_name='delivery',
                    index=models.Index(condition=models.Q(('state__in', ['pending', 'sending'])), fields=['priority', 'send_at'], name='delivery_to_send'),
                ),
                migrations.AddIndex(
                    model_name='delivery',
                    index=models.Index(condition=models.Q(('state', 'pending')), fields=['registration', 'kind', 'send_at'], name='delivery_to_come'),
                ),
                migrations.AddIndex(
                    model_name='delivery',
                    index=models.Index(fields=['state', 'send_at'], name='delivery_states'),
                ),
                migrations.AddIndex(
                    model_name='delivery',
                    index=models.Index(condition=models.Q(('state__in', ['pending', 'sending'])), fields=['send_at'], name='delivery_late'),
                ),
                migrations.AddIndex(
                    model_name='delivery',
                    index=models.Index(condition=models.Q(('state', 'pending')), fields=['event', 'kind', 'send_at'], name='delivery_next'),
                ),
                migrations.AddIndex(
                    model_name='registration',
                    index=models.Index(fields=['event', 'status', 'waiting_since', 'is_dry_run'], name='registration_line'),
                ),
                migrations.AddIndex(
                    model_name='registration',
                    index=models.Index(fields=['event', 'status', 'created_at', 'is_dry_run'], name='registration_sign_ups'),
                ),
                migrations.AddIndex(
                    model_name='registration',
                    index=models.Index(fields=['event', 'territory', 'is_dry_run'], name='registration_territories'),
                ),
                migrations.AddIndex(
                    model_name='registration',
                    index=models.Index(condition=models.Q(('is_dry_run', True)), fields=['event'], name='registration_trials'),
                ),
                migrations.AddIndex(
                    model_name='registration',
                    index=models.Index(fields=['attended', 'created_at', 'id'], name='registration_by_came'),
                ),
                migrations.AddIndex(
                    model_name='registration',
                    index=models.Index(fields=['event', 'attended', 'created_at', 'id'], name='registration_by_event_came'),
                ),
                migrations.AddConstraint(
                    model_name='registration',
                    constraint=models.UniqueConstraint(models.F('event'), django.db.models.functions.text.Lower('email'), models.F('is_dry_run'), name='registration_is_unique_per_event_and_address', violation_error_message='This address is already registered for this event.'),
                ),
                migrations.AlterModelTable(
                    name='mailcount',
                    table='registrations_mailtally',
                ),
                migrations.AlterModelTable(
                    name='ratelimithit',
                    table='registrations_hit',
                ),
                migrations.AlterModelTable(
                    name='signupcount',
                    table='registrations_signuptally',
                ),
                migrations.AddField(
                    model_name='anonymousregistration',
                    name='event',
                    field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='anonymous_registrations', to='registrations.event', verbose_name='event'),
                ),
                migrations.AddField(
                    model_name='peoplecount',
                    name='event',
                    field=models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='registrations.event'),
                ),
                migrations.AddField(
                    model_name='purgedcount',
                    name='event',
                    field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='purged_counts', to='registrations.event', verbose_name='event'),
                ),
                migrations.DeleteModel(
                    name='PeopleTally',
                ),
                migrations.RemoveField(
                    model_name='tally',
                    name='event',
                ),
                migrations.DeleteModel(
                    name='Trace',
                ),
                migrations.AddConstraint(
                    model_name='purgedcount',
                    constraint=models.UniqueConstraint(fields=('event', 'dimension', 'group'), name='tally_is_unique_per_event_and_group'),
                ),
                migrations.DeleteModel(
                    name='Tally',
                ),
            ],
        ),
    ]
