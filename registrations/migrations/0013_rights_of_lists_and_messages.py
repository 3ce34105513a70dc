"""Taking lists out and writing to the registrants, for the group « Organisation »."""

from django.db import migrations

from registrations.security import roles


def give(apps, schema_editor):
    roles.give(apps, roles.ORGANISATION, "registration", ["export_registration"])
    roles.give(apps, roles.ORGANISATION, "broadcast", ["write_to_registrants"])


class Migration(migrations.Migration):

    dependencies = [
        ('registrations', '0012_roles'),
    ]

    operations = [migrations.RunPython(give, migrations.RunPython.noop)]
