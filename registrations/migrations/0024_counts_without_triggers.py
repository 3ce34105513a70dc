"""Rows are counted by indexes. The triggers go; the tables of counts and the column `came` stay until 1.5.

Processes of 1.3 that still run read these tables and that column.
"""

from django.db import migrations, models

SQLITE_TRIGGERS = [
    'attendance_is_noted',
    'attendance_is_taken_back',
    'delivery_has_its_event',
    'delivery_keeps_its_event',
    'registration_knows_who_came',
    *(
        f'registrations_{table}tally_{operation}'
        for table in ('people', 'signup', 'mail')
        for operation in ('insert', 'delete', 'update')
    ),
]
POSTGRESQL_FUNCTIONS = [
    'desk_event_of_mail',
    'desk_who_came',
    'desk_sign_of_presence',
    *(
        f'desk_counts_{table}_{operation}'
        for table in ('registration', 'delivery')
        for operation in ('insert', 'delete', 'update')
    ),
]


def drop_triggers_and_counts(apps, schema_editor):
    if schema_editor.connection.vendor == 'sqlite':
        statements = [f'DROP TRIGGER IF EXISTS {name}' for name in SQLITE_TRIGGERS]
    else:
        statements = [f'DROP FUNCTION IF EXISTS {name} CASCADE' for name in POSTGRESQL_FUNCTIONS]
    # emptied, because nobody keeps these counts any longer: they would outlive people who are erased
    statements += [f'DELETE FROM registrations_{table}tally' for table in ('people', 'signup', 'mail')]
    for statement in statements:
        schema_editor.execute(statement)


class Migration(migrations.Migration):

    dependencies = [
        ('registrations', '0023_mails_of_events'),
    ]

    operations = [
        migrations.RunPython(drop_triggers_and_counts, migrations.RunPython.noop),  # the older version's `migrate` makes them anew
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.DeleteModel(name='MailCount'),
                migrations.DeleteModel(name='PeopleCount'),
                migrations.DeleteModel(name='SignUpCount'),
            ],
        ),
        migrations.RemoveIndex(model_name='registration', name='registration_territories'),
        migrations.RemoveIndex(model_name='registration', name='registration_by_came'),
        migrations.RemoveIndex(model_name='registration', name='registration_by_event_came'),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameField(model_name='registration', old_name='attended', new_name='came'),
                migrations.AlterField(
                    model_name='registration',
                    name='came',
                    field=models.BooleanField(db_default=False, default=False, editable=False),
                ),
            ],
        ),
        migrations.RemoveIndex(model_name='registration', name='registration_by_date'),
        migrations.AddIndex(
            model_name='registration',
            index=models.Index(fields=['created_at', 'id', 'is_dry_run'], name='registration_by_date'),
        ),
        migrations.RemoveIndex(model_name='registration', name='registration_by_event'),
        migrations.AddIndex(
            model_name='registration',
            index=models.Index(fields=['event', 'created_at', 'id', 'is_dry_run'], name='registration_by_event'),
        ),
        migrations.RemoveIndex(model_name='registration', name='registration_by_status'),
        migrations.AddIndex(
            model_name='registration',
            index=models.Index(fields=['status', 'created_at', 'id', 'is_dry_run'], name='registration_by_status'),
        ),
        migrations.RemoveIndex(model_name='registration', name='registration_by_territory'),
        migrations.AddIndex(
            model_name='registration',
            index=models.Index(fields=['territory', 'created_at', 'id', 'is_dry_run'], name='registration_by_territory'),
        ),
        migrations.RemoveIndex(model_name='registration', name='registration_by_newsletter'),
        migrations.AddIndex(
            model_name='registration',
            index=models.Index(fields=['newsletter', 'created_at', 'id', 'is_dry_run'], name='registration_by_newsletter'),
        ),
        migrations.RemoveIndex(model_name='registration', name='registration_by_language'),
        migrations.AddIndex(
            model_name='registration',
            index=models.Index(fields=['language', 'created_at', 'id', 'is_dry_run'], name='registration_by_language'),
        ),
        migrations.AddIndex(
            model_name='registration',
            index=models.Index(fields=['event', 'status', 'territory', 'newsletter', 'language', 'is_dry_run'], name='registration_counts'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(fields=['event', 'kind', 'state', 'not_after', 'registration'], name='delivery_counts'),
        ),
        migrations.RemoveIndex(model_name='delivery', name='delivery_by_provider_status'),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(fields=['provider_status', 'created_at', 'id', 'registration', 'event'], name='delivery_by_provider_status'),
        ),
        migrations.RemoveIndex(model_name='delivery', name='delivery_by_date'),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(fields=['created_at', 'id', 'registration'], name='delivery_by_date'),
        ),
        migrations.RemoveIndex(model_name='delivery', name='delivery_by_state'),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(fields=['state', 'created_at', 'id', 'registration'], name='delivery_by_state'),
        ),
        migrations.RemoveIndex(model_name='delivery', name='delivery_by_kind'),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(fields=['kind', 'created_at', 'id', 'registration'], name='delivery_by_kind'),
        ),
        migrations.RemoveIndex(model_name='delivery', name='delivery_by_event'),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(fields=['event', 'created_at', 'id', 'registration'], name='delivery_by_event'),
        ),
        migrations.RemoveIndex(model_name='delivery', name='delivery_people_by_state'),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(fields=['state', 'registration', 'event'], name='delivery_people_by_state'),
        ),
        migrations.RemoveIndex(model_name='delivery', name='delivery_of_broadcast'),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('broadcast__isnull', False)), fields=['broadcast', 'kind', 'state', 'provider_status'], name='delivery_of_broadcast'),
        ),
    ]
