"""The audit log names what the team does for a person."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('registrations', '0024_counts_without_triggers'),
    ]

    operations = [
        migrations.AlterField(
            model_name='auditentry',
            name='action',
            field=models.CharField(choices=[('logged_in', 'logged in'), ('login_failed', 'login refused'), ('code_failed', 'code refused'), ('logged_out', 'logged out'), ('enrolled', 'second factor set up'), ('recovered', 'recovery code used'), ('otp_reset', 'second factor taken away'), ('password_changed', 'password changed'), ('account_added', 'account added'), ('rights_changed', 'rights changed'), ('deleted', 'deleted'), ('on_behalf', 'done for a person'), ('bulk_mail', 'mails sent to several'), ('exported', 'list taken out'), ('imported', 'list brought in'), ('restored', 'backup restored')], max_length=20, verbose_name='action'),
        ),
    ]
