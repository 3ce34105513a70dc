

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("registrations", "0045_documents_of_events"),
    ]

    operations = [
        migrations.AddField(
            model_name="broadcast",
            name="answer",
            field=models.CharField(blank=True, db_default="", default="", max_length=255, verbose_name="answer"),
        ),
        migrations.AddField(
            model_name="broadcast",
            name="answered_question",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="registrations.eventquestion",
                verbose_name="question",
            ),
        ),
        migrations.AddField(
            model_name="broadcast",
            name="people",
            field=models.ManyToManyField(
                blank=True, related_name="+", to="registrations.registration", verbose_name="people chosen"
            ),
        ),
    ]
