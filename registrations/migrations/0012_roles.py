"""The groups « Organisation » and « Lecture »."""

from django.db import migrations

from registrations.security import roles


class Migration(migrations.Migration):

    dependencies = [
        ('registrations', '0011_indexes_of_the_desk'),
        ('auth', '0012_alter_user_first_name_max_length'),
        ('contenttypes', '0002_remove_content_type_name'),
    ]

    operations = [migrations.RunPython(roles.make, migrations.RunPython.noop)]
