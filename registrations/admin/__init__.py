from django.contrib import admin
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from django_tasks_db.models import DBTaskResult

from registrations.admin import (
    audit_log,
    confirmed_changes,
    confirmed_messages,
    deliveries,
    events,
    jobs,
    registrations,
    suppressions,
)

# Wake-ups say nothing to an organiser. Keys of second factors are nobody's to see: see `manage.py otp_reset`.
for model in (DBTaskResult, TOTPDevice, StaticDevice):
    if admin.site.is_registered(model):
        admin.site.unregister(model)

__all__ = [
    "audit_log",
    "confirmed_changes",
    "confirmed_messages",
    "deliveries",
    "events",
    "jobs",
    "registrations",
    "suppressions",
]
