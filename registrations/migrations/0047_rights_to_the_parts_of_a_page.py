"""« Par webinaire » fills in the page of the named events too: speakers, programme, partners."""

from django.db import migrations

from registrations.security import roles


def give(apps, schema_editor):
    for model in ["appearance", "eventpage", "partner", "programmeitem"]:
        roles.give(apps, roles.PER_EVENT, model, [f"{action}_{model}" for action in roles.ALL])
    roles.give(apps, roles.PER_EVENT, "speaker", ["view_speaker", "add_speaker", "change_speaker"])


class Migration(migrations.Migration):

    dependencies = [("registrations", "0046_message_audiences")]

    operations = [migrations.RunPython(give, migrations.RunPython.noop)]
