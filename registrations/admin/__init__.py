from django.contrib import admin
from django_tasks_db.models import DBTaskResult

from registrations.admin import deliveries, events, registrations, suppressions

if admin.site.is_registered(DBTaskResult):  # wake-ups say nothing to an organiser: the mails do
    admin.site.unregister(DBTaskResult)

__all__ = ["deliveries", "events", "registrations", "suppressions"]
